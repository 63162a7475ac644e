//! Specs of the question before a call is routed, and of what follows from its answer.

use serde_json::{Value, json};

use super::{HOOK, START_MS, World, body, nobody, shortly};
use crate::rostelecom::{Manner, Outcome, Placed, What};

fn placed() -> Placed {
    Placed { talk_s: 10, employee: "101".to_owned(), ..Placed::default() }
}

/// A call comes; the question is answered so, after so many milliseconds. What became of the call.
fn asked(status: u16, answer: &str, took_ms: i64) -> (Outcome, Vec<String>, World) {
    let mut world = World::told();
    world.place(placed());
    let question = world.next();
    world.now_ms += took_ms;
    world.vats.note_posted(&question, status, answer.as_bytes(), world.now_ms);
    let told = world.rest(&json!({})).iter().map(|post| shortly(&body(post))).collect();
    let outcome = world.vats.asked().next_back().expect("a question").outcome.clone();
    (outcome, told, world)
}

#[test]
fn an_incoming_call_is_asked_about_before_it_is_told() {
    let mut world = World::told();
    world.place(placed());
    let question = world.next();
    assert_eq!((question.url, question.wait_ms), (format!("{HOOK}/get_number_info"), 1_000));
    let text = r#"{"domain":"testdomain.20.rt.ru","from_number":"79990000001","request_number":"74950000001"}"#;
    assert_eq!(String::from_utf8_lossy(&question.body), text);
    assert_eq!(world.vats.next_due(), None, "it waits");
}

#[test]
fn the_named_employee_is_rung_and_the_question_tells_how_long_it_took() {
    for pin in [json!("102"), json!(102)] {
        let answer = json!({ "result": 0, "resultMessage": null, "displayName": "Иванова", "PIN": pin });
        let (outcome, told, world) = asked(200, &answer.to_string(), 240);
        assert_eq!(outcome, Outcome::Routed { pin: "102".to_owned() });
        assert_eq!(told[..3], ["new", "calling 102", "connected 102"]);
        let asked = world.vats.asked().next().expect("a question");
        assert_eq!((asked.took_ms, asked.status, asked.display_name.as_deref()), (240, 200, Some("Иванова")));
        assert_eq!(world.vats.calls()[0].start_ms, START_MS + 240);
    }
}

#[test]
fn whatever_else_is_answered_the_domains_own_rules_decide() {
    let unknown = json!({ "result": "0", "PIN": "777" }).to_string();
    let failed = json!({ "result": 1, "PIN": "102" }).to_string();
    let cases: [(u16, String, i64, Outcome); 8] = [
        (200, nobody().to_string(), 10, Outcome::NoPin),
        (200, json!({ "result": "0", "displayName": "Иванова" }).to_string(), 10, Outcome::NoPin),
        (200, unknown, 10, Outcome::UnknownPin { pin: "777".to_owned() }),
        (200, json!({ "result": "0", "PIN": "102" }).to_string(), 1_001, Outcome::Late),
        (0, String::new(), 50, Outcome::Late),
        (503, String::new(), 10, Outcome::Refused),
        (200, failed, 10, Outcome::Refused),
        (200, "<html></html>".to_owned(), 10, Outcome::NotUnderstood),
    ];
    for (status, answer, took_ms, expected) in cases {
        let (outcome, told, world) = asked(status, &answer, took_ms);
        assert_eq!(outcome, expected, "{answer}");
        assert!(outcome.is_own_rules());
        assert_eq!(told[1], "calling 101", "{answer}");
        let took_ms = took_ms.min(1_000);
        assert_eq!(world.vats.calls()[0].start_ms, START_MS + took_ms, "no later than the deadline");
    }
}

#[test]
fn the_deadline_is_a_setting_and_the_question_can_be_off() {
    let mut world = World::told();
    world.vats.behave(Manner { deadline_ms: 300, ..Manner::default() });
    world.place(placed());
    assert_eq!(world.next().wait_ms, 300);
    world.vats.behave(Manner { asks: false, ..Manner::default() });
    world.place(placed());
    assert_eq!(world.next().method, "call_events");
    assert_eq!(world.vats.asked().len(), 0);
}

#[test]
fn a_routed_call_can_be_missed_or_handed_over_and_a_group_then_rings_nobody_else() {
    let answer = json!({ "result": "0", "PIN": "103" });
    let told = |what: What, talk_s: i64| -> Vec<String> {
        let mut world = World::told();
        world.place(Placed { what, talk_s, ..placed() });
        world.rest(&answer)[1..].iter().map(|post| shortly(&body(post))).collect()
    };
    assert_eq!(told(What::Incoming, 0), ["new", "calling 103", "disconnected 103 ", "end 103 false"]);
    assert_eq!(told(What::Transfer, 4)[2..5], ["connected 103", "disconnected 103 0", "calling 102"]);
    assert_eq!(told(What::Group, 4)[1..3], ["calling 103", "connected 103"]);
}

#[test]
fn of_a_hidden_caller_it_asks_with_a_word_and_of_outgoing_calls_never() {
    let mut world = World::told();
    world.place(Placed { client: String::new(), ..placed() });
    assert_eq!(body(&world.next())["from_number"], Value::from("anonymous"));
    world.place(Placed { what: What::Outbound, ..placed() });
    assert!(world.rest(&nobody()).iter().all(|post| post.method == "call_events"));
}
