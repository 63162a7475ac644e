//! Specs of the notices of whole calls.

use serde_json::Value;

use super::{START_MS, shortly};
use crate::rostelecom::calls::{self, Call, Employee, Told};
use crate::rostelecom::{Event, Kind};

fn call() -> Call {
    Call {
        session: "5f0c1e2a-0000-4000-8000-000000000001".to_owned(),
        client: "79990000001".to_owned(),
        line: "74950000001".to_owned(),
        domain: "testdomain.20.rt.ru".to_owned(),
        start_ms: START_MS,
        talk_s: 42,
        recorded: true,
    }
}

fn ivanov() -> Employee {
    Employee::new("101", "ivanov", "Иванов Сергей")
}

fn petrova() -> Employee {
    Employee::new("102", "petrova", "Петрова Анна")
}

fn told(told: &Told) -> Vec<String> {
    told.events.iter().map(|event| shortly(&json(event))).collect()
}

fn json(event: &Event) -> Value {
    serde_json::from_str(&event.json).expect("JSON")
}

#[test]
fn an_answered_call_is_told_byte_for_byte_as_documented() {
    let told = calls::incoming(&call(), &[ivanov()]);
    let bodies: Vec<&str> = told.events.iter().map(|event| event.json.as_str()).collect();
    assert_eq!(
        bodies,
        [
            r#"{"state":"new","type":"incoming","session_id":"5f0c1e2a-0000-4000-8000-000000000001","timestamp":"2026-03-02 10:15:00.101","from_number":"sip:79990000001@testdomain.20.rt.ru","request_number":"sip:74950000001@testdomain.20.rt.ru"}"#,
            r#"{"state":"calling","type":"incoming","session_id":"5f0c1e2a-0000-4000-8000-000000000001","timestamp":"2026-03-02 10:15:01.401","from_number":"sip:79990000001@testdomain.20.rt.ru","request_number":"ivanov@testdomain.20.rt.ru","request_pin":"101"}"#,
            r#"{"state":"connected","type":"incoming","session_id":"5f0c1e2a-0000-4000-8000-000000000001","timestamp":"2026-03-02 10:15:07.901","from_number":"sip:79990000001@testdomain.20.rt.ru","request_number":"ivanov@testdomain.20.rt.ru","request_pin":"101"}"#,
            r#"{"state":"disconnected","type":"incoming","session_id":"5f0c1e2a-0000-4000-8000-000000000001","timestamp":"2026-03-02 10:15:49.901","from_number":"sip:79990000001@testdomain.20.rt.ru","request_number":"ivanov@testdomain.20.rt.ru","request_pin":"101","disconnect_reason":"Отбой вызывающего абонента"}"#,
            r#"{"state":"end","type":"incoming","session_id":"5f0c1e2a-0000-4000-8000-000000000001","timestamp":"2026-03-02 10:15:50.301","from_number":"sip:79990000001@testdomain.20.rt.ru","request_number":"ivanov@testdomain.20.rt.ru","request_pin":"101","is_record":"true"}"#,
        ]
    );
    assert_eq!((told.account.duration_s(), told.account.answering_pin.as_deref()), (42, Some("101")));
}

#[test]
fn a_missed_call_ends_without_talk_and_without_a_record() {
    let missed = Call { talk_s: 0, ..call() };
    let one = calls::incoming(&missed, &[ivanov(), petrova()]);
    assert_eq!(
        told(&one),
        ["new", "calling 101", "disconnected 101 ", "calling 102", "disconnected 102 ", "end 102 false"]
    );
    assert_eq!((one.account.answered, one.account.is_record, one.account.duration_s()), (false, false, 0));
    let nobody = calls::incoming(&missed, &[]);
    assert_eq!(told(&nobody), ["new", "end false"]);
}

#[test]
fn a_transfer_has_two_talks_in_one_session_and_the_account_names_the_first() {
    let handed = calls::transfer(&Call { talk_s: 5, ..call() }, &ivanov(), &petrova());
    assert_eq!(
        told(&handed),
        [
            "new",
            "calling 101",
            "connected 101",
            "disconnected 101 0",
            "calling 102",
            "connected 102",
            "disconnected 102 Отбой вызывающего абонента",
            "end 102 true",
        ]
    );
    assert_eq!((handed.account.answering_pin.as_deref(), handed.account.duration_s()), (Some("101"), 5));
}

#[test]
fn a_group_rings_everywhere_and_one_answers_or_nobody() {
    let all = [ivanov(), petrova()];
    let answered = calls::group(&call(), &all, Some(1));
    let ends = ["connected 102", "disconnected 102 Отбой вызывающего абонента", "end 102 true"];
    assert_eq!(told(&answered)[..3], ["new", "calling 101", "calling 102"]);
    assert_eq!(told(&answered)[3..], ends);
    let missed = calls::group(&Call { talk_s: 0, ..call() }, &all, None);
    assert_eq!(told(&missed)[3..], ["disconnected 101 ", "disconnected 102 ", "end false"]);
}

#[test]
fn an_outgoing_call_names_its_employee_and_an_internal_one_both() {
    let outbound = calls::outbound(&call(), &ivanov());
    let first = json(&outbound.events[0]);
    assert_eq!(
        (&first["type"], &first["from_pin"], &first["request_pin"]),
        (&"outbound".into(), &"101".into(), &Value::Null)
    );
    assert_eq!(first["request_number"], "sip:79990000001@testdomain.20.rt.ru");
    assert_eq!((outbound.account.call_type, outbound.account.direction), (1, 2));
    let internal = calls::internal(&call(), &ivanov(), &petrova());
    let first = json(&internal.events[0]);
    assert_eq!(
        (&first["type"], &first["from_pin"], &first["request_pin"]),
        (&"internal".into(), &"101".into(), &"102".into())
    );
    let silent = calls::outbound(&Call { talk_s: 0, ..call() }, &ivanov());
    assert_eq!(told(&silent), ["new", "calling", "disconnected ", "end false"]);
}

#[test]
fn a_call_that_was_asked_for_rings_at_the_employee_first() {
    let asked = calls::call_back(&call(), Kind::Internal, &ivanov(), true);
    assert_eq!(told(&asked)[..4], ["new", "calling 101", "calling", "connected"]);
    assert!(asked.events.iter().all(|event| json(event)["type"] == "internal"));
    assert_eq!((asked.account.call_type, asked.account.direction), (3, 2));
    let away = calls::call_back(&call(), Kind::Outbound, &ivanov(), false);
    assert_eq!(told(&away), ["new", "calling 101", "disconnected ", "end false"]);
}

#[test]
fn a_hidden_caller_has_no_number() {
    let hidden = calls::incoming(&Call { client: String::new(), ..call() }, &[ivanov()]);
    assert_eq!(json(&hidden.events[0])["from_number"], "sip:anonymous@testdomain.20.rt.ru");
}
