//! Specs of statistics, and of who works here.

use serde_json::{Value, json};

use super::{START_MS, World, told};
use crate::mango::{Placed, What};

const START_S: i64 = START_MS / 1000;

/// An order of these days; what else is asked for overwrites.
fn order(more: &Value) -> Value {
    let mut asked = json!({ "date_from": START_S.to_string(), "date_to": START_S + 86_400, "fields": "entry_id" });
    for (key, value) in more.as_object().expect("an object") {
        asked[key] = value.clone();
    }
    asked
}

/// Statistics that were ordered and waited for.
pub(super) fn lines(world: &mut World, more: &Value) -> Vec<u8> {
    let key = world.ask("stats/request", &order(more)).json()["key"].clone();
    world.now_ms += 10_000;
    world.ask("stats/result", &json!({ "key": key })).body
}

#[test]
fn statistics_are_not_there_at_first_then_for_a_minute_and_a_result_tells() {
    let mut world = World::new();
    let entry = world.place(&Placed { talk_s: 10, ..Placed::default() });
    world.rest();
    let asked = order(&json!({ "request_id": "req-0001" }));
    let key = world.ask("stats/request", &asked).json()["key"].clone();
    assert!(key.as_str().expect("a key").ends_with("+/=="));
    let ask = json!({ "key": key });
    assert_eq!(world.ask("stats/result", &ask).status, 204);
    let ready_ms = world.now_ms + 6_000;
    let posts = world.until(ready_ms);
    assert_eq!(
        (posts[0].method.as_str(), told(&posts[0])),
        ("result/stat", json!({ "key": key, "request_id": "req-0001" }))
    );
    let answer = world.ask("stats/result", &ask);
    assert_eq!((answer.status, answer.body), (200, format!("{entry}\n").into_bytes()));
    world.now_ms += 60_000;
    assert_eq!(world.ask("stats/result", &ask).status, 404);
    assert_eq!(world.ask("stats/result", &json!({ "key": "other" })).status, 404);
}

#[test]
fn a_line_tells_of_a_call_that_is_over_in_the_columns_that_were_asked_for() {
    let mut world = World::new();
    let entry = world.place(&Placed { talk_s: 42, ..Placed::default() });
    let fields = "records,start,finish,answer,from_extension,from_number,to_extension,to_number,disconnect_reason,\
                  line_number,location,create,entry_id";
    assert!(lines(&mut world, &json!({ "fields": fields })).is_empty(), "it goes on");
    world.rest();
    let line = lines(&mut world, &json!({ "fields": fields }));
    let recording = world.pbx.recording_of(&entry);
    let sip = "sip:petrova@vpbx100000001.mangosip.ru";
    let expected = format!(
        "[{recording}];1760000000;1760000045;1760000003;;79990000001;12;{sip};1110;74950000001;abonent;1760000000;{entry}\n"
    );
    assert_eq!(String::from_utf8_lossy(&line), expected);
    world.place(&Placed { recorded: false, ..Placed::default() });
    world.rest();
    let usual = lines(&mut world, &json!({ "fields": null }));
    let missed = String::from_utf8_lossy(&usual).lines().last().map(str::to_owned).expect("a line");
    assert!(missed.starts_with("[];") && missed.split(';').count() == 11, "{missed}");
}

#[test]
fn a_call_that_was_handed_over_has_a_line_for_each_talk() {
    let mut world = World::new();
    let entry = world.place(&Placed { what: What::Transfer, talk_s: 40, recorded: false, ..Placed::default() });
    world.rest();
    let fields = "start,finish,answer,to_extension,disconnect_reason,create,entry_id";
    let lines = lines(&mut world, &json!({ "fields": fields }));
    let expected = format!(
        "1760000000;1760000023;1760000003;12;1183;1760000000;{entry}\n\
         1760000023;1760000050;1760000030;23;1110;1760000000;{entry}\n"
    );
    assert_eq!(String::from_utf8_lossy(&lines), expected);
}

#[test]
fn statistics_are_chosen_by_days_and_by_sides() {
    let mut world = World::new();
    let incoming = world.place(&Placed { talk_s: 10, ..Placed::default() });
    let outgoing =
        world.place(&Placed { what: What::Outgoing, talk_s: 10, employee: "23".to_owned(), ..Placed::default() });
    world.rest();
    let mut of = |more: Value| -> Vec<String> {
        world.now_ms += 2_000;
        String::from_utf8_lossy(&lines(&mut world, &more)).lines().map(str::to_owned).collect()
    };
    assert_eq!(of(json!({})), [incoming.clone(), outgoing.clone()]);
    assert_eq!(of(json!({ "from": { "extension": "23" } })), std::slice::from_ref(&outgoing));
    assert_eq!(of(json!({ "to": { "extension": 12 } })), std::slice::from_ref(&incoming));
    assert_eq!(of(json!({ "call_party": { "number": "79990000001" } })), [incoming, outgoing]);
    assert!(of(json!({ "date_to": START_S - 1, "date_from": START_S - 100 })).is_empty());
}

#[test]
fn wrong_orders_have_their_codes() {
    let code = |more: Value| World::new().ask("stats/request", &order(&more)).json()["result"].clone();
    assert_eq!(code(json!({ "date_to": START_S - 1 })), 3111);
    assert_eq!(code(json!({ "date_to": START_S + 32 * 86_400 })), 3111);
    assert_eq!(code(json!({ "date_from": "yesterday" })), 3104);
    assert_eq!(code(json!({ "date_from": null })), 3103);
    assert_eq!(code(json!({ "fields": "entry_id,сreate" })), 3104);
    let mut world = World::new();
    assert_eq!(
        [world.ask("stats/request", &order(&json!({}))).status, world.ask("stats/request", &order(&json!({}))).status],
        [200, 429]
    );
}

#[test]
fn users_and_groups_are_listed_with_what_was_asked_for() {
    let mut world = World::new();
    let mut users = |asked: Value| {
        world.now_ms += 2_000;
        world.ask("config/users/request", &asked).json()["users"].clone()
    };
    let bare = users(json!({}));
    assert_eq!(bare.as_array().map(Vec::len), Some(4));
    assert_eq!((&bare[0]["general"]["user_id"], &bare[0]["telephony"]["extension"]), (&Value::Null, &json!("12")));
    assert_eq!(bare[2]["telephony"]["numbers"], json!([]), "no telephone");
    let one = users(json!({ "extension": "23", "ext_fields": ["general.user_id", "groups"] }));
    assert_eq!((&one[0]["general"]["user_id"], &one[0]["groups"]), (&json!(300_000_102), &json!([10_000_301])));
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    let groups = world.ask("groups", &json!({ "show_users": 1 })).json();
    assert_eq!((&groups["groups"][0]["extension"], &groups["result"]), (&json!("303"), &json!(1000)));
    assert_eq!(groups["groups"][0]["operators"].as_array().map(Vec::len), Some(3));
    assert_eq!(world.ask("groups", &json!({ "group_id": 7 })).json()["groups"], json!([]));
}
