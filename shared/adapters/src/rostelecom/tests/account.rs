//! What the provider says of a call becomes news of that call.

use perezvon_domain::event::{Direction, RecordingState, Summary};
use perezvon_domain::time::Millis;
use perezvon_domain::{CallEventKind, Command, JobResult, Timestamp};
use serde_json::{Value, json};

use super::{NOW, absorb, bytes, next, read, reply, signed, why, work};
use crate::{Outcome, Step};

fn asked() -> crate::Work {
    let entry = "5f0c1e2a-0000-4000-8000-000000000001".to_owned();
    work(Command::ReadCall { entry, started_at: NOW })
}

/// What comes of an answer.
fn told(answer: &[u8]) -> Vec<CallEventKind> {
    let mut job = asked();
    assert_eq!(absorb(&mut job, &reply(200, answer)), Outcome::Next);
    match next(&job) {
        Step::Done(JobResult::CallRead { news }) => news,
        other => panic!("{other:?}"),
    }
}

fn info(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut answer: Value = serde_json::from_slice(&bytes("answers/call_info_answered.json")).expect("JSON");
    change(&mut answer["info"]);
    answer.to_string().into_bytes()
}

fn summary(news: &[CallEventKind]) -> Summary {
    match news.first() {
        Some(CallEventKind::Summarised(summary)) => summary.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_question_names_the_session_and_is_signed() {
    let request = read(&asked());
    assert_eq!(request.url, "https://api.cloudpbx.rt.ru/call_info");
    assert_eq!(signed(&request), r#"{"session_id":"5f0c1e2a-0000-4000-8000-000000000001"}"#);
}

#[test]
fn an_answered_call_tells_who_talked_how_long_and_that_it_was_recorded() {
    let news = told(&bytes("answers/call_info_answered.json"));
    let account = summary(&news);
    assert_eq!((account.direction, account.seconds), (Direction::Incoming, Some(123)));
    assert_eq!(account.client.as_ref().map(|number| number.plus()).as_deref(), Some("+79990000001"));
    assert_eq!((account.line.as_deref(), account.employee), (Some("74950000001"), Some("101".into())));
    assert_eq!(account.started_at, Timestamp::from_seconds(1_772_435_700));
    assert_eq!(account.talked_at, Some(account.started_at));
    let recording = "5f0c1e2a-0000-4000-8000-000000000001".to_owned();
    assert_eq!(news[1..], [CallEventKind::RecordingReady { recording }]);
}

#[test]
fn a_missed_call_has_no_talk_and_no_recording() {
    let news = told(&bytes("answers/call_info_missed.json"));
    assert_eq!((summary(&news).talked_at, summary(&news).seconds), (None, Some(0)));
    let CallEventKind::RecordingChanged(change) = &news[1] else { panic!("{news:?}") };
    assert_eq!(change.state, RecordingState::NotKept { code: None });
}

#[test]
fn a_call_that_we_ordered_is_outgoing_whatever_else_it_says() {
    let news = told(&info(|info| {
        *info = json!({"call_type": 3, "direction": 1, "state": "1", "orig_number": "sip:ivanov@pbx.test", "orig_pin": "101",
            "dest_number": "sip:+79990000001@pbx.test", "start_call_date": "1772442000", "duration": "45"});
    }));
    let account = summary(&news);
    assert_eq!((account.direction, account.employee), (Direction::Outgoing, Some("101".into())));
    assert_eq!(account.client.map(|number| number.plus()).as_deref(), Some("+79990000001"));
    assert_eq!((news.len(), account.line), (1, None));
}

#[test]
fn the_start_is_seconds_milliseconds_or_a_wall_clock_of_moscow() {
    for start in [json!("1772435700"), json!(1_772_435_700_000_i64), json!("2026-03-02 10:15:00.000")] {
        let news = told(&info(|info| info["start_call_date"] = start.clone()));
        assert_eq!(summary(&news).started_at, Timestamp::from_seconds(1_772_435_700), "{start}");
    }
}

#[test]
fn not_known_yet_and_still_talking_are_no_news() {
    assert_eq!(told(br#"{"result": "-1", "resultMessage": "no such session"}"#), []);
    assert_eq!(told(br#"{"result": 0, "resultMessage": "", "info": null}"#), []);
    assert_eq!(told(&info(|info| info["duration"] = 0.into())), []);
}

#[test]
fn an_account_that_cannot_be_read_fails_with_what_is_odd() {
    for (change, odd) in [("direction", json!(7)), ("start_call_date", json!("soon")), ("duration", json!("long"))] {
        let outcome = absorb(&mut asked(), &reply(200, &info(|info| info[change] = odd)));
        assert!(matches!(outcome, Outcome::Failed(_)) && why(&outcome).contains(change), "{outcome:?}");
    }
}

#[test]
fn each_answer_of_the_server_leads_somewhere() {
    let outcome = |status, body: &[u8]| absorb(&mut asked(), &reply(status, body));
    assert!(matches!(outcome(401, b"{}"), Outcome::Pause { until: None, .. }));
    assert!(matches!(outcome(403, b""), Outcome::Failed(_)));
    assert!(why(&outcome(404, b"<html>nginx</html>")).contains("404"));
    assert!(matches!(outcome(400, b"{}"), Outcome::Failed(_)));
    assert!(matches!(outcome(429, b""), Outcome::Pause { until: Some(_), .. }));
    assert!(matches!(outcome(502, b"<html>"), Outcome::Unknown { .. }));
    for body in [&b"<html>"[..], b"{}", b"[]", br#"{"result": null}"#, b""] {
        let until = NOW.after(Millis::minutes(1));
        assert!(matches!(outcome(200, body), Outcome::Again { until: then, .. } if then == until));
    }
}

#[test]
fn too_often_waits_as_long_as_is_told() {
    let mut too_often = reply(429, b"");
    too_often.headers.insert("retry-after".to_owned(), " 30 ".to_owned());
    let until = Some(NOW.after(Millis::seconds(30)));
    assert!(matches!(absorb(&mut asked(), &too_often), Outcome::Pause { until: then, .. } if then == until));
}
