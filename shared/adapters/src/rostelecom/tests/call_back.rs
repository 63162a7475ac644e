//! An ordered call goes out once, and every answer to it leads somewhere.

use std::collections::BTreeMap;

use perezvon_domain::{JobResult, Number};

use super::*;
use crate::Level;

fn order() -> Work {
    let client = Number::parse("+7 999 000-00-01").expect("a number");
    work(Command::CallBack { extension: "101".into(), client })
}

fn reply(status: u16, body: &[u8]) -> Reply {
    Reply { status, headers: BTreeMap::new(), body: body.to_vec(), stored: None }
}

/// The request, and that it says it cannot be looked up.
fn request(secret: &Secret) -> Outgoing {
    let Step::Write { request, marker } = with(secret, |known| Rostelecom.next(&order(), known)) else {
        panic!("a write was expected");
    };
    assert_eq!(Rostelecom.markers()[marker].level, Level::E0);
    request
}

#[test]
fn the_request_names_the_number_and_the_short_number_that_rings_first() {
    let request_without = request(&ours());
    assert_eq!((request_without.method, request_without.url), ("POST", format!("{BASE}/call_back")));
    assert_eq!(request_without.body, bytes("out/call_back_without_domain.json"));
    assert_eq!(request_without.headers, sign::headers(&request_without.body, &ours()));
    let mut secret = ours();
    secret.0.insert("domain".to_owned(), "testdomain.20.rt.ru".to_owned());
    assert_eq!(request(&secret).body, bytes("out/call_back.json"));
}

#[test]
fn an_order_that_was_taken_names_the_call_that_it_becomes() {
    let mut taken = order();
    assert_eq!(absorb(&mut taken, &reply(200, &bytes("answers/call_back_ok.json"))), Outcome::Next);
    let entry = Some("5f0c1e2a-0000-4000-8000-000000000003".to_owned());
    assert_eq!(next(&taken), Step::Done(JobResult::CallStarted { entry }));
    let mut nameless = order();
    assert_eq!(absorb(&mut nameless, &reply(200, br#"{"result":0}"#)), Outcome::Next);
    assert_eq!(next(&nameless), Step::Done(JobResult::CallStarted { entry: None }));
}

#[test]
fn a_refusal_is_told_in_words_and_the_stubs_one_is_no_success() {
    for (status, body, says) in [
        (200, bytes("answers/call_back_refused.json"), "обратного вызова (код -20)"),
        (200, br#"{"result":"1","resultMessage":"OK","session_id":"stub"}"#.to_vec(), "(код 1)"),
        (403, Vec::new(), "HTTP 403"),
        (404, b"<html>".to_vec(), "HTTP 404"),
    ] {
        let Outcome::Failed(JobResult::Failed { why, made: None }) = absorb(&mut order(), &reply(status, &body)) else {
            panic!("{status} is a refusal");
        };
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn what_was_not_looked_at_waits_and_what_nobody_understands_is_unknown() {
    for status in [401, 429] {
        let outcome = absorb(&mut order(), &reply(status, b""));
        assert!(matches!(outcome, Outcome::Pause { .. }), "{status}: {outcome:?}");
    }
    for (status, body) in [(200, "<html>"), (200, "{}"), (200, ""), (500, ""), (503, "")] {
        let outcome = absorb(&mut order(), &reply(status, body.as_bytes()));
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {body}: {outcome:?}");
    }
}
