//! What every answer means, whatever was asked.

use perezvon_domain::time::Millis;

use super::*;

fn commands() -> [Command; 6] {
    [sending(TEXT), deleting(), marking(), reading(), hearing(), picturing()]
}

/// What each command makes of an answer; all of them the same.
fn outcome(reply: &Reply) -> Outcome {
    let mut outcomes = commands().map(|command| Play::new(command).absorb(reply)).into_iter();
    let first = outcomes.next().expect("six");
    assert!(outcomes.all(|other| other == first), "{first:?}");
    first
}

fn pause_of(outcome: &Outcome) -> Millis {
    match outcome {
        Outcome::Pause { until: Some(until), .. } => until.since(NOW),
        other => panic!("a pause, not {other:?}"),
    }
}

#[test]
fn every_sample_of_an_error_has_its_meaning() {
    let error = |status: u16| outcome(&reply(status, &answer(&format!("error-{status}"))));
    assert!(why(&error(400)).contains("Validation error; message.text: max length 1000"));
    assert_eq!(error(401), Outcome::TokenRefused);
    assert_eq!(pause_of(&error(402)), Millis::minutes(10));
    assert!(why(&error(402)).contains("нужен платный тариф"));
    assert_eq!(error(403), Outcome::Next);
    assert!(why(&error(404)).contains("не знает такого чата"));
    for status in [500, 503] {
        assert!(matches!(error(status), Outcome::Unknown { .. }), "{status}");
    }
}

#[test]
fn an_old_token_is_exchanged_before_a_refusal_is_believed() {
    for mut play in commands().map(Play::new) {
        play.secret = with_token(3600);
        assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::TokenRefused);
        play.secret.0.remove("issued_at");
        assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::TokenRefused);
    }
}

#[test]
fn one_refused_chat_fails_its_own_command_alone() {
    for mut play in commands().map(Play::new) {
        assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
        let outcome = play.read("account", 200, &answer("chats"));
        assert!(why(&outcome).contains("в этом чате"), "{outcome:?}");
    }
}

#[test]
fn a_refused_account_pauses_and_the_command_is_tried_again_afterwards() {
    let mut play = Play::new(sending(TEXT));
    assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
    let outcome = play.read("account", 403, &answer("error-403"));
    assert_eq!(pause_of(&outcome), Millis::minutes(10));
    assert!(why(&outcome).contains("не даёт доступ"));
    play.now = NOW.after(Millis::minutes(10));
    assert_eq!(play.write("send", 200, &answer("sent")), Outcome::Next);
    assert_eq!(play.done(), sent());
}

#[test]
fn an_account_that_is_not_paid_for_pauses_while_it_is_asked_too() {
    let mut play = Play::new(sending(TEXT));
    play.absorb(&reply(403, &answer("error-403")));
    assert_eq!(pause_of(&play.read("account", 402, &answer("error-402"))), Millis::minutes(10));
    assert!(matches!(play.read("account", 500, &Value::Null), Outcome::Unknown { .. }));
}

#[test]
fn too_many_requests_wait_as_long_as_is_told() {
    let cases: [(&[(&str, &str)], i64); 7] = [
        (&[], 5),
        (&[("retry-after", "7")], 7),
        (&[("retry-after", "0")], 1),
        (&[("retry-after", "999999")], 3600),
        (&[("retry-after", "soon"), ("x-ratelimit-remaining", "0")], 60),
        (&[("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "0")], 60),
        (&[("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "3")], 5),
    ];
    for (headers, seconds) in cases {
        let mut many = reply(429, &Value::Null);
        many.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(pause_of(&outcome(&many)), Millis::seconds(seconds), "{headers:?}");
    }
}

#[test]
fn an_unclear_answer_is_an_unknown_outcome_and_other_refusals_are_final() {
    let page = Reply { body: b"<html>busy</html>".to_vec(), ..reply(200, &Value::Null) };
    assert!(matches!(outcome(&page), Outcome::Unknown { .. }));
    for status in [408, 502, 504] {
        assert!(matches!(outcome(&reply(status, &Value::Null)), Outcome::Unknown { .. }), "{status}");
    }
    for status in [405, 409, 413, 422] {
        assert!(matches!(outcome(&reply(status, &Value::Null)), Outcome::Failed(_)), "{status}");
    }
    assert_eq!(pause_of(&outcome(&reply(301, &Value::Null))), Millis::minutes(10));
    let nameless = Play::new(sending(TEXT)).absorb(&reply(200, &json!({})));
    assert!(matches!(nameless, Outcome::Unknown { .. }));
}
