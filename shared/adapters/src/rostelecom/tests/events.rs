//! One event of a call, told as sentences.

use perezvon_domain::event::{Direction, EndReason, LegChange, LegState, Place};
use perezvon_domain::{CallEventKind, Timestamp};
use serde_json::{Value, json};

use super::super::{events, party};
use super::{bytes, posted, understood};
use crate::Inbound;

fn changed(body: &Value) -> LegChange {
    let means = understood(&posted("call_events", body.to_string().as_bytes())).expect("an event");
    match &means[..] {
        [Inbound::Call(news)] => match &news.kind {
            CallEventKind::LegChanged(change) => change.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn event(state: &str, kind: &str, from_pin: &str, to_pin: &str) -> Value {
    json!({
        "state": state, "type": kind, "session_id": "5", "timestamp": "2026-03-02 10:15:00.101",
        "from_number": "sip:+79990000001@pbx.test", "request_number": "sip:84950000001",
        "from_pin": from_pin, "request_pin": to_pin,
    })
}

#[test]
fn a_leg_is_the_employee_who_is_on_it_and_the_line_before() {
    let new = changed(&event("new", "incoming", "", ""));
    assert_eq!((new.leg.as_str(), new.place, new.line.as_deref()), ("line", Place::Menu, Some("74950000001")));
    let rung = changed(&event("calling", "incoming", "", "101"));
    assert_eq!((rung.leg.as_str(), rung.place, rung.line), ("101", Place::Telephone, None));
    assert_eq!(rung.client.map(|number| number.plus()).as_deref(), Some("+79990000001"));
}

#[test]
fn the_later_time_wins_and_within_a_millisecond_the_later_state() {
    let states = ["new", "calling", "connected", "disconnected"];
    let seqs: Vec<u64> = states.iter().map(|state| changed(&event(state, "incoming", "", "101")).seq).collect();
    assert!(seqs.is_sorted() && seqs.windows(2).all(|pair| pair[0] < pair[1]), "{seqs:?}");
    let mut later = event("new", "incoming", "", "101");
    later["timestamp"] = "2026-03-02 10:15:00.102".into();
    assert!(changed(&later).seq > seqs[3]);
}

#[test]
fn a_type_nobody_documents_is_read_off_the_short_numbers() {
    for (from, to, direction) in [
        ("101", "", Direction::Outgoing),
        ("101", "102", Direction::Internal),
        ("", "102", Direction::Incoming),
        ("", "", Direction::Incoming),
    ] {
        assert_eq!(changed(&event("connected", "callback", from, to)).direction, direction, "{from} {to}");
        assert_eq!(changed(&event("connected", "", from, to)).direction, direction, "{from} {to}");
    }
}

#[test]
fn an_internal_call_has_no_client() {
    assert_eq!(changed(&event("connected", "internal", "101", "102")).client, None);
}

#[test]
fn why_a_talk_ended_is_kept_as_a_code_or_as_words() {
    for (reason, kept) in [
        (json!(""), None),
        (json!("5"), Some(EndReason::Code(5))),
        (json!(3), Some(EndReason::Code(3))),
        (json!("Отбой абонента"), Some(EndReason::Words("Отбой абонента".to_owned()))),
        (json!("-1"), Some(EndReason::Words("-1".to_owned()))),
    ] {
        let mut body = event("disconnected", "incoming", "", "101");
        body["disconnect_reason"] = reason;
        let change = changed(&body);
        assert_eq!((change.state, change.reason), (LegState::Disconnected, kept));
    }
}

#[test]
fn no_digits_are_taken_out_of_a_login_or_of_the_host() {
    for (text, number) in [
        ("sip:79771234567@domain.20.rt.ru", Some("79771234567")),
        ("sip:+71234567890@188.254.33.73", Some("71234567890")),
        ("SIP:89123456789", Some("79123456789")),
        ("sip:79771234567;user=phone", Some("79771234567")),
        ("+74951234567", Some("74951234567")),
        ("ivanov@testdomain.20.rt.ru", None),
        ("sip:m79771234567@domain", None),
        ("101@79771234567.rt.ru", None),
        ("anonymous", None),
        ("", None),
    ] {
        assert_eq!(party::number(text).map(|it| it.digits().to_owned()).as_deref(), number, "{text}");
    }
    assert_eq!(party::line("sip:main_line@pbx.test").as_deref(), Some("main_line"));
    assert_eq!(party::line("sip:@pbx.test"), None);
}

#[test]
fn times_are_those_of_moscow() {
    for (text, ms) in [
        ("1970-01-01 03:00:00.000", Some(0)),
        ("2026-03-02 10:15:00.101", Some(1_772_435_700_101)),
        ("2026-03-02T10:15:00", Some(1_772_435_700_000)),
        (" 2024-02-29 00:00:00.5 ", Some(1_709_154_000_500)),
        ("2026-02-29 00:00:00.000", None),
        ("2026-13-01 00:00:00.000", None),
        ("2026-03-02 24:00:00.000", None),
        ("2026-03-02", None),
        ("yesterday", None),
        ("", None),
    ] {
        assert_eq!(events::moscow(text), ms.map(Timestamp), "{text}");
    }
}

#[test]
fn an_end_that_says_nothing_of_a_recording_is_only_an_end() {
    let means = understood(&posted("call_events", event("end", "incoming", "", "101").to_string().as_bytes()));
    assert_eq!(means.expect("an end").len(), 1);
}

#[test]
fn whatever_is_posted_is_understood_or_refused_with_words() {
    let samples = ["incoming_1_new", "transfer_disconnected", "incoming_5_end"];
    for sample in samples {
        let body = bytes(&format!("in/{sample}.body"));
        for at in 0..body.len() {
            for byte in [0, b'"', b'{', 0xff, b'9'] {
                let mut spoiled = body.clone();
                spoiled[at] = byte;
                if let Err(why) = understood(&posted("call_events", &spoiled)) {
                    assert!(why.chars().count() > 5, "{why}");
                }
            }
        }
    }
}
