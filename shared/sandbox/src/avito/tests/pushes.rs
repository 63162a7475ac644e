//! Specs of pushes: their form, their moment, and what happens on the provider's side.

use serde_json::{Value, json};

use super::{HOOK, World, told};
use crate::avito::{Echo, Manner};

/// A recorded push, with the ids that are counted here otherwise.
fn recorded(name: &str, of: &Value) -> String {
    let file = format!("{}/../../events/avito/in/{name}.body", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).expect("a recorded push");
    let recorded: Value = serde_json::from_str(&text).expect("JSON");
    let (old, new) = (&recorded["payload"]["value"], &of["payload"]["value"]);
    let pairs = [(&recorded["id"], &of["id"]), (&old["id"], &new["id"]), (&old["chat_id"], &new["chat_id"])];
    let pairs = pairs.into_iter().chain([(&old["author_id"], &new["author_id"])]);
    pairs.fold(text, |text, (old, new)| text.replacen(&old.to_string(), &new.to_string(), 1))
}

#[test]
fn a_push_has_byte_for_byte_the_recorded_form() {
    let mut world = World::subscribed();
    let (chat, message) = world.avito.begin("Здравствуйте! Ещё продаёте?", 1_772_435_700_123);
    let text = world.avito.take_pushes().remove(0);
    assert_eq!((text.url.as_str(), text.before_answer), (HOOK, true));
    assert_eq!(text.body, recorded("text", &told(&text)));
    world.avito.delete(&message, 1_772_435_700_999);
    let deleted = world.avito.take_pushes().remove(0);
    assert_eq!(deleted.body, recorded("deleted", &told(&deleted)));
    world.avito.we_write(&chat, "Добрый день! Да, в наличии.", 1_772_435_700_000);
    let ours = world.avito.take_pushes().remove(0);
    assert_eq!(told(&ours)["payload"]["value"]["author_id"], 100_000_001);
    let sample =
        recorded("own_message", &told(&ours)).replace(r#""timestamp":1772435701"#, r#""timestamp":1772435700"#);
    assert_eq!(ours.body, sample);
}

#[test]
fn our_own_message_is_told_before_the_answer_after_it_or_twice() {
    let mut world = World::subscribed();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    world.avito.take_pushes();
    for (echo, moments) in [(Echo::Before, vec![true]), (Echo::After, vec![false]), (Echo::Twice, vec![true, false])] {
        world.avito.behave(Manner { echo, ..Manner::default() });
        let id = world.send(&chat, "Да").json()["id"].clone();
        let pushes = world.avito.take_pushes();
        let told: Vec<Value> = pushes.iter().map(|push| told(push)["payload"]["value"]["id"].clone()).collect();
        assert_eq!(pushes.iter().map(|push| push.before_answer).collect::<Vec<_>>(), moments);
        assert!(told.iter().all(|told| *told == id), "{told:?}");
    }
}

#[test]
fn a_copy_of_a_push_has_an_envelope_of_its_own() {
    let mut world = World::subscribed();
    let manner = json!({ "echo": "before", "copies": 2, "repeats": 3 });
    assert_eq!(world.post("/sandbox/manner", manner).status, 204);
    world.avito.begin("Здравствуйте!", world.now_ms);
    let all = world.avito.take_pushes();
    assert_eq!((all.len(), all[0].repeats), (2, 3));
    assert_ne!(told(&all[0])["id"], told(&all[1])["id"]);
    assert_eq!(told(&all[0])["payload"], told(&all[1])["payload"]);
    assert_eq!(world.post("/sandbox/manner", json!({ "ecko": "before" })).status, 400);
}

#[test]
fn only_addresses_that_subscribed_are_told() {
    let mut world = World::subscribed();
    let other = "https://other.example.test/h";
    for url in [HOOK, other] {
        assert_eq!(world.post("/messenger/v3/webhook", json!({ "url": url })).status, 200);
    }
    let known = json!([{ "url": HOOK, "version": "3" }, { "url": other, "version": "3" }]);
    assert_eq!(world.post("/messenger/v1/subscriptions", json!(null)).json()["subscriptions"], known);
    assert_eq!(world.post("/messenger/v1/webhook/unsubscribe", json!({ "url": HOOK })).status, 200);
    world.avito.begin("Здравствуйте!", world.now_ms);
    let told: Vec<String> = world.avito.take_pushes().into_iter().map(|push| push.url).collect();
    assert_eq!(told, [other]);
    assert_eq!(world.post("/messenger/v3/webhook", json!({ "url": "ftp://host" })).status, 400);
}

#[test]
fn by_hand_a_client_writes_we_write_and_a_message_is_taken_back() {
    let mut world = World::subscribed();
    let made = world.post("/sandbox/messages", json!({ "text": "Здравствуйте!" })).json();
    let chat = made["chat"].as_str().expect("a chat").to_owned();
    assert_eq!(world.post("/sandbox/messages", json!({ "chat": chat, "text": "Ау" })).status, 200);
    let ours = world.post("/sandbox/messages", json!({ "chat": chat, "from": "us", "text": "Да" })).json();
    assert_eq!(world.texts(&chat), ["Да", "Ау", "Здравствуйте!"]);
    assert_eq!(world.post("/sandbox/deletions", json!({ "message": ours["message"] })).status, 204);
    assert_eq!(world.texts(&chat), ["-", "Ау", "Здравствуйте!"]);
    assert_eq!(world.avito.take_pushes().len(), 4);
    for (path, body) in [
        ("messages", json!({ "from": "us", "text": "Да" })),
        ("messages", json!({ "text": "" })),
        ("messages", json!({ "words": "Да" })),
    ] {
        assert_eq!(world.post(&format!("/sandbox/{path}"), body).status, 400);
    }
    assert_eq!(world.post("/sandbox/messages", json!({ "chat": "none", "text": "Да" })).status, 404);
    assert_eq!(world.post("/sandbox/deletions", json!({ "message": "none" })).status, 404);
}

#[test]
fn the_state_tells_what_stands_in_the_chats_and_how_pushes_were_answered() {
    let mut world = World::subscribed();
    world.avito.begin("Здравствуйте!", world.now_ms);
    let push = world.avito.take_pushes().remove(0);
    world.avito.note_pushed(&push, 200, world.now_ms);
    let state = world.get("/sandbox/state").json();
    assert_eq!(state["chats"][0]["messages"][0]["text"], "Здравствуйте!");
    assert_eq!((&state["subscriptions"][0], &state["pushed"][0]["status"]), (&json!(HOOK), &json!(200)));
    assert_eq!(world.get("/sandbox/nothing").status, 404);
}
