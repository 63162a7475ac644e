//! Specs of what every answer means, whatever was asked.

use super::*;
use perezvon_domain::time::Millis;

fn read_outcome(reply: &Reply) -> Outcome {
    Play::new(Command::FindClient { client: number().into() }).absorb(reply)
}

fn write_outcome(reply: &Reply) -> Outcome {
    super::calls::play(super::calls::log()).absorb(reply)
}

fn html(status: u16) -> Reply {
    Reply { body: b"<html>busy</html>".to_vec(), ..reply(status, &Value::Null) }
}

fn pause_of(outcome: Outcome) -> Millis {
    match outcome {
        Outcome::Pause { until: Some(until), .. } => until.since(NOW),
        other => panic!("a pause, not {other:?}"),
    }
}

#[test]
fn a_refused_token_is_told_from_everything_else() {
    let refused = reply(401, &sample("error-unauthorized"));
    assert_eq!(read_outcome(&refused), Outcome::TokenRefused);
    assert_eq!(write_outcome(&refused), Outcome::TokenRefused);
}

#[test]
fn an_unpaid_account_and_a_moved_one_wait_a_quarter_of_an_hour() {
    for status in [302, 402] {
        assert_eq!(pause_of(read_outcome(&html(status))), Millis::minutes(15));
    }
}

#[test]
fn a_block_pauses_and_a_missing_right_fails_the_write() {
    assert_eq!(pause_of(write_outcome(&html(403))), Millis::minutes(5));
    let rights = reply(403, &json!({ "title": "Forbidden", "detail": "no access" }));
    assert_eq!(pause_of(read_outcome(&rights)), Millis::minutes(5));
    let Outcome::Failed(JobResult::Failed { why, .. }) = write_outcome(&rights) else {
        panic!("failed");
    };
    assert!(why.contains("нет прав"), "{why}");
}

#[test]
fn too_many_requests_wait_as_long_as_told_and_a_second_at_least() {
    let mut many = html(429);
    assert_eq!(pause_of(write_outcome(&many)), Millis::seconds(1));
    for (told, seconds) in [("7", 7), ("0", 1), ("Wed, 15 Jan 2025 10:20:30 GMT", 1)] {
        many.headers.insert("retry-after".into(), told.into());
        assert_eq!(pause_of(read_outcome(&many)), Millis::seconds(seconds), "{told}");
    }
}

#[test]
fn an_unclear_answer_is_an_unknown_outcome() {
    for status in [200, 408, 500, 502, 504] {
        for outcome in [write_outcome(&html(status)), read_outcome(&html(status))] {
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{status}: {outcome:?}");
        }
    }
}

#[test]
fn a_validation_error_names_the_value_in_question() {
    let error = reply(400, &sample("error-validation"));
    let Outcome::Failed(JobResult::Failed { why, .. }) = write_outcome(&error) else {
        panic!("failed");
    };
    for part in ["поле карточки", "custom_fields_values.0.field_id", "NotSupportedChoice"] {
        assert!(why.contains(part), "{why}");
    }
}

#[test]
fn a_failed_look_up_keeps_the_doubt() {
    let mut play = super::calls::play(super::calls::log());
    play.lose("call");
    assert!(matches!(play.read("", 502, &Value::Null), Outcome::Unknown { .. }));
    assert!(play.work.unknown);
    assert_eq!(play.read("", 401, &Value::Null), Outcome::TokenRefused);
    assert!(matches!(play.next(), Step::Read(_)));
}

#[test]
fn recordings_are_not_the_business_of_the_crm() {
    let (recording, blob) = ("rec".into(), "blob".into());
    let play = Play::new(Command::CopyRecording { recording, blob, link_only: false });
    assert!(matches!(play.next(), Step::Failed(_)));
}
