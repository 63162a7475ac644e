//! Specs of commands: calls that they make, calls that they take elsewhere, and their codes.

use serde_json::{Value, json};

use super::{START_MS, World, shortly, told};
use crate::mango::{Manner, Placed, Refusal, What};
use crate::post::Post;

fn call_back() -> Value {
    json!({ "command_id": "cbk-0001", "from": { "extension": "12" }, "to_number": "79990000003" })
}

fn route(leg: &Value, to: &str) -> Value {
    let headers = json!({ "From/display-name": "Иванов Иван" });
    json!({ "command_id": "route-0001", "call_id": leg, "to_number": to, "sip_headers": headers })
}

/// The leg of the last webhook.
fn last_leg(posts: &[Post]) -> Value {
    told(posts.last().expect("a webhook"))["call_id"].clone()
}

#[test]
fn a_call_back_rings_at_the_employee_first_and_its_legs_name_the_command() {
    let mut world = World::new();
    assert_eq!(world.ask("commands/callback", &call_back()).json(), json!({ "result": 1000 }));
    let all = world.rest();
    assert_eq!(
        shortly(&all),
        [
            "result/callback 1000",
            "call abonent Appeared 12",
            "call abonent Connected 12",
            "call abonent Appeared",
            "call abonent Disconnected 12 1000",
            "call abonent Connected",
            "recording",
            "call abonent Disconnected 1110",
            "recording",
            "summary 1110",
            "record/added",
        ]
    );
    let (first, second) = (told(&all[1]), told(&all[3]));
    assert_eq!((&first["from"], &first["callback_initiator"]), (&json!({ "number": "79990000003" }), &json!("API")));
    assert_eq!(second["from"]["taken_from_call_id"], first["call_id"]);
    assert_eq!((&second["from"]["extension"], &second["to"]["number"]), (&json!("12"), &json!("79990000003")));
    assert!(all[1..6].iter().all(|post| told(post)["command_id"] == "cbk-0001"));
    let summary = told(&all[9]);
    assert_eq!((&summary["call_direction"], &summary["entry_result"]), (&json!(2), &json!(1)));
    assert_eq!(told(&all[0]), json!({ "command_id": "cbk-0001", "result": 1000 }));
}

#[test]
fn a_call_back_fails_where_the_employee_or_the_client_does_not_answer() {
    let told = |employee_answers: bool| {
        let mut world = World::new();
        let (call_back_talk_s, call_back_employee_answers) = (0, employee_answers);
        world.pbx.behave(Manner { call_back_talk_s, call_back_employee_answers, ..Manner::default() });
        world.ask("commands/callback", &call_back());
        shortly(&world.rest()[1..])
    };
    assert_eq!(told(false), ["call abonent Appeared 12", "call abonent Disconnected 12 1111", "summary 1111"]);
    assert_eq!(told(true)[4..], ["call abonent Disconnected 1111", "summary 1111"]);
}

#[test]
fn commands_that_cannot_be_carried_out_have_their_codes() {
    let code = |asked: Value| World::new().ask("commands/callback", &asked).json()["result"].clone();
    let from =
        |extension: &str| json!({ "command_id": "1", "from": { "extension": extension }, "to_number": "79990000003" });
    assert_eq!(code(from("34")), 4200, "no telephone");
    assert_eq!(code(from("99")), 3200);
    assert_eq!(code(from("")), 3103);
    assert_eq!(code(json!({ "command_id": "1", "from": { "extension": "12" }, "to_number": "303" })), 3200);
    assert_eq!(code(json!({ "from": { "extension": "12" }, "to_number": "79990000003" })), 3103);
    let device = json!({ "command_id": "1", "from": { "extension": "34", "number": "79990000009" }, "to_number": "79990000003" });
    assert_eq!(code(device), 1000);
}

#[test]
fn codes_come_on_demand_at_once_or_with_the_result() {
    let mut world = World::new();
    world.pbx.refuse(Refusal { command: "callback".to_owned(), code: 2240, times: 2 });
    assert_eq!(world.ask("commands/callback", &call_back()).json(), json!({ "result": 2240 }));
    world.pbx.behave(Manner { late_errors: true, ..Manner::default() });
    assert_eq!(world.ask("commands/callback", &call_back()).json(), json!({ "result": 1000 }));
    assert_eq!(shortly(&world.rest()), ["result/callback 2240"]);
    assert_eq!(world.pbx.commands().iter().map(|command| command.result).collect::<Vec<_>>(), [2240, 2240]);
}

#[test]
fn more_than_four_call_backs_in_a_second_are_too_many() {
    let mut world = World::new();
    let statuses: Vec<u16> = (0..5).map(|_| world.ask("commands/callback", &call_back()).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert_eq!(world.pbx.violations(), 1);
    world.now_ms += 1_000;
    assert_eq!(world.ask("commands/callback", &call_back()).status, 200);
}

#[test]
fn a_call_in_the_menu_is_taken_to_the_named_employee() {
    let mut world = World::new();
    world.place(&Placed { talk_s: 10, ..Placed::default() });
    let menu = last_leg(&world.until(START_MS + 1_000));
    assert_eq!(world.ask("commands/route", &route(&menu, "23")).json(), json!({ "result": 1000 }));
    let all = world.rest();
    assert_eq!(
        shortly(&all),
        [
            "call abonent Appeared 23",
            "call ivr Disconnected 1100",
            "result/route 1000",
            "call abonent Connected 23",
            "recording",
            "call abonent Disconnected 23 1110",
            "recording",
            "summary 23 1110",
            "record/added",
        ]
    );
    let new = told(&all[0]);
    assert_ne!(new["call_id"], menu);
    assert_eq!((&new["command_id"], &new["from"]["taken_from_call_id"]), (&json!("route-0001"), &menu));
    assert_eq!((&new["from"]["extension"], &new["timestamp"]), (&Value::Null, &json!(1_760_000_001)));
    assert_eq!(world.pbx.commands()[0].display_name.as_deref(), Some("Иванов Иван"));
    assert_eq!(told(&all[1])["seq"], 2);
}

#[test]
fn a_telephone_that_rings_is_intercepted_and_the_rest_of_the_group_falls_silent() {
    let mut world = World::new();
    world.place(&Placed { what: What::Group, ..Placed::default() });
    let ringing = last_leg(&world.until(START_MS + 5_000));
    world.ask("commands/route", &route(&ringing, "79990000009"));
    let all = shortly(&world.rest());
    assert_eq!(all[..2], ["call abonent Appeared", "call abonent Disconnected 23 1182"]);
    let rest = ["call queue Disconnected 1100", "call abonent Disconnected 12 1100"];
    assert!(rest.iter().all(|told| all[2..4].contains(&(*told).to_owned())), "{all:?}");
    assert_eq!(all[5..], ["call abonent Disconnected 1111", "summary 1111"]);
}

#[test]
fn a_leg_that_talks_or_is_over_or_was_never_there_cannot_be_taken() {
    let code = |what: What, after_ms: i64, place: usize, to: &str| {
        let mut world = World::new();
        world.place(&Placed { what, talk_s: 10, ..Placed::default() });
        let posts = world.until(START_MS + after_ms);
        let leg = told(&posts[place])["call_id"].clone();
        world.ask("commands/route", &route(&leg, to)).json()["result"].clone()
    };
    assert_eq!(code(What::Incoming, 5_000, 1, "23"), 4100, "they talk");
    assert_eq!(code(What::Incoming, 5_000, 0, "23"), 4101, "the menu is over");
    assert_eq!(code(What::Outgoing, 1_000, 0, "23"), 4100, "nobody called us");
    assert_eq!(code(What::Incoming, 1_000, 0, "99"), 3200);
    let mut world = World::new();
    assert_eq!(world.ask("commands/route", &route(&json!("none"), "23")).json()["result"], 4101);
}

#[test]
fn one_route_in_two_seconds_is_all() {
    let mut world = World::new();
    let mut ask = |at_ms: i64| {
        world.now_ms = START_MS + at_ms;
        world.ask("commands/route", &route(&json!("none"), "23")).status
    };
    assert_eq!([ask(0), ask(1_999), ask(2_000)], [200, 429, 200]);
    assert_eq!(world.pbx.commands().len(), 2);
}

#[test]
fn a_name_that_is_too_long_or_looks_like_an_address_is_not_shown() {
    let shown = |name: &str| {
        let mut world = World::new();
        let mut asked = route(&json!("none"), "23");
        asked["sip_headers"]["From/display-name"] = json!(name);
        world.ask("commands/route", &asked);
        world.pbx.commands()[0].display_name.is_some()
    };
    assert!(shown(&"Щ".repeat(32)));
    assert!(!shown(&"Щ".repeat(33)) && !shown("a@b") && !shown(""));
}
