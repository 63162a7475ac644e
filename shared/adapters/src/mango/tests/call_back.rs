//! An ordered call goes out once, and every answer to it leads somewhere.

use std::collections::BTreeMap;

use perezvon_domain::{Command, EffectId, JobResult, Number, Timestamp};

use super::{json, list, ours, secret, string, verified};
use crate::secret::Secret;
use crate::{Expect, Jobs, Known, Learned, Level, Outcome, Reply, Step, Work};

use super::super::Mango;

const NOW: Timestamp = Timestamp::from_seconds(1_760_000_100);

fn order() -> Work {
    let client = Number::parse("+7 999 000-00-01").expect("a number");
    let command = Command::CallBack { extension: "101".into(), client };
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    Work { id: EffectId::from("cmd-1"), command, progress, unknown: false, sent_at: None, learned }
}

fn with<T>(secret: &Secret, see: impl FnOnce(&Known<'_>) -> T) -> T {
    let facts = BTreeMap::new();
    let (point, recording_link, base) = (None, None, "https://app.mango-office.ru/vpbx");
    see(&Known { now: NOW, base, secret, facts: &facts, point, recording_link, lag: None })
}

fn next(work: &Work) -> Step {
    with(&ours(), |known| Mango.next(work, known))
}

fn absorb(work: &mut Work, status: u16, body: &str) -> Outcome {
    let reply = Reply { status, headers: BTreeMap::new(), body: body.as_bytes().to_vec(), stored: None };
    with(&ours(), |known| Mango.absorb(work, known, &reply))
}

#[test]
fn the_command_is_that_of_the_published_vector_and_says_that_it_cannot_be_found_again() {
    let Step::Write { request, marker } = next(&order()) else { panic!("a write was expected") };
    assert_eq!(Mango.markers()[marker].level, Level::E0);
    assert_eq!((request.method, request.expect), ("POST", Expect::Small));
    assert_eq!(request.url, "https://app.mango-office.ru/vpbx/commands/callback");
    let signed = json("signature_vectors.json");
    let text = r#"{"command_id":"cmd-1","from":{"extension":"101"},"to_number":"79990000001"}"#;
    let vector = list(&signed["vectors"]).iter().find(|vector| vector["json"] == text).expect("the vector");
    let body = String::from_utf8(request.body.clone()).expect("a form");
    assert!(body.contains(&string(vector, "sign")), "{body}");
    let json = verified(&super::request("events/call", super::FORM, request.body));
    assert_eq!(json.as_deref(), Ok(text));
}

#[test]
fn an_order_that_was_taken_is_done_and_names_no_call_yet() {
    for taken in [r#"{"result":1000}"#, r#"{"result":"1000"}"#, r#"{"code":1000}"#] {
        let mut work = order();
        assert_eq!(absorb(&mut work, 200, taken), Outcome::Next, "{taken}");
        assert_eq!(next(&work), Step::Done(JobResult::CallStarted { entry: None }), "{taken}");
    }
}

#[test]
fn a_refusal_is_told_in_words_and_never_repeated() {
    for (status, body, says) in [
        (200, r#"{"result":2240}"#, "на лицевом счёте нет средств (код 2240)"),
        (200, r#"{"result":3100}"#, "неверные параметры запроса (код 3100)"),
        (420, r#"{"code":"4001"}"#, "такая команда не поддерживается (код 4001)"),
        (200, r#"{"result":5003}"#, "сбой на стороне АТС (код 5003)"),
        (404, "<html>", "HTTP 404"),
    ] {
        let Outcome::Failed(JobResult::Failed { why, made: None }) = absorb(&mut order(), status, body) else {
            panic!("{status} {body} is a refusal");
        };
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn what_was_not_looked_at_waits_and_what_nobody_understands_is_unknown() {
    for (status, body) in [(429, ""), (401, ""), (403, "<html>"), (200, r#"{"result":3102}"#)] {
        let outcome = absorb(&mut order(), status, body);
        assert!(matches!(outcome, Outcome::Pause { .. }), "{status} {body}: {outcome:?}");
    }
    for (status, body) in [(200, ""), (200, "<html>"), (200, r#"{"result":77}"#), (502, "<html>"), (503, ""), (302, "")]
    {
        let outcome = absorb(&mut order(), status, body);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {body}: {outcome:?}");
    }
}

#[test]
fn without_a_secret_it_waits_for_one() {
    let step = with(&secret("key", ""), |known| Mango.next(&order(), known));
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
}
