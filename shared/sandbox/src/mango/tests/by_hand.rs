//! Specs of calls that are placed by hand, and of the levers.

use serde_json::json;

use super::{START_MS, World, shortly, told};
use crate::http::Request;
use crate::mango::calls::{self, Call, Employee};
use crate::mango::{Config, Mango, Manner, Placed, What, form};

#[test]
fn a_placed_call_is_told_at_its_times_and_signed() {
    let mut world = World::new();
    let entry = world.place(&Placed { talk_s: 10, ..Placed::default() });
    assert_eq!(world.pbx.next_due(), Some(START_MS));
    let first = world.until(START_MS + 3_000);
    assert_eq!(shortly(&first), ["call ivr Appeared", "call abonent Appeared 12", "call ivr Disconnected 1100"]);
    assert_eq!(first[0].url, "https://calls.example.test/h/token/events/call");
    let Config { key, salt, .. } = Config::default();
    let json = form_urlencoded::parse(&first[0].body).last().map(|(_, json)| json.into_owned()).expect("JSON");
    assert_eq!(first[0].body, form(&key, &salt, &json).into_bytes());
    let rest = world.rest();
    assert!(rest.iter().all(|post| told(post)["entry_id"] == json!(entry)));
    assert_eq!(shortly(&rest).last().map(String::as_str), Some("record/added"));
    let asked = json!({ "recording_id": told(&rest[rest.len() - 1])["recording_id"], "action": "download" });
    assert_eq!(world.ask("queries/recording/post", &asked).status, 302);
}

#[test]
fn every_kind_of_call_ends_with_a_summary_unless_that_is_lost() {
    for what in [What::Incoming, What::Transfer, What::Group, What::Outgoing, What::Internal] {
        for talk_s in [0, 10] {
            let mut world = World::new();
            world.place(&Placed { what, talk_s, ..Placed::default() });
            assert!(world.rest().iter().any(|post| post.method == "events/summary"), "{what:?} {talk_s}");
            world.pbx.behave(Manner { lost: vec!["events/summary".to_owned()], ..Manner::default() });
            world.place(&Placed { what, talk_s, ..Placed::default() });
            assert!(world.rest().iter().all(|post| post.method != "events/summary"), "{what:?} {talk_s}");
        }
    }
}

#[test]
fn levers_are_pulled_with_json() {
    let mut world = World::new();
    let mut pull = |method: &str, lever: &str, body: &str| {
        world.pbx.handle(&Request::new(method, &format!("/sandbox/{lever}"), body), START_MS).status
    };
    assert_eq!(pull("POST", "address", r#"{"address":""}"#), 204);
    assert_eq!(pull("POST", "calls", r#"{"what":"group","talk_s":5}"#), 200);
    assert_eq!(pull("POST", "calls", r#"{"employee":"34"}"#), 400, "no telephone");
    assert_eq!(pull("POST", "manner", r#"{"late_errors":true}"#), 204);
    assert_eq!(pull("POST", "refusals", r#"{"command":"route","code":4101}"#), 204);
    assert_eq!(pull("GET", "state", ""), 200);
    assert_eq!(pull("GET", "none", ""), 404);
    assert!(world.rest().is_empty(), "nobody is told");
}

#[test]
fn a_saved_pbx_goes_on_with_its_calls() {
    let mut world = World::new();
    world.place(&Placed::default());
    world.until(START_MS + 1_000);
    world.pbx = Mango::load(&world.pbx.save()).expect("a saved state");
    assert_eq!(world.rest().len(), 4);
}

#[test]
fn a_call_that_is_told_elsewhere_is_known_and_not_posted() {
    let mut world = World::new();
    let call = Call {
        entry: "MTAwMDAwMDAwMDE=".to_owned(),
        client: "79990000001".to_owned(),
        line: "74950000001".to_owned(),
        recording: None,
        start_s: START_MS / 1000,
        talk_s: 5,
    };
    world.pbx.knows(&call, &calls::answered(&call, &Employee::new("12", "petrova")));
    assert!(world.rest().is_empty());
    assert!(String::from_utf8_lossy(&super::stats::lines(&mut world, &json!({}))).contains("MTAwMDAwMDAwMDE="));
}
