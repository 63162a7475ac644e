//! Specs of the API: chats, messages, limits, faults.

use serde_json::json;

use super::World;
use crate::avito::{Avito, Manner};
use crate::fault::{Fault, FaultKind};

#[test]
fn a_chat_tells_who_the_client_is_and_what_it_is_about() {
    let mut world = World::new();
    let (chat, message) = world.avito.begin("Здравствуйте!", world.now_ms);
    assert_eq!(chat.len(), 26, "as long as those that were captured");
    let shown = world.get(&World::of(&chat, "v2", "")).json();
    assert_eq!((&shown["id"], &shown["last_message"]["id"]), (&json!(chat), &json!(message)));
    assert_eq!(shown["context"]["value"]["title"], "Велосипед");
    assert_eq!((&shown["users"][1]["id"], shown["users"][0]["id"] == 100_000_001), (&json!(100_000_001), false));
    assert_eq!(world.get(&World::of("u2i-none", "v2", "")).status, 404);
    let other = World::of(&chat, "v2", "").replace("100000001", "100000009");
    assert_eq!(world.get(&other).status, 404, "an account that is not ours");
}

#[test]
fn chats_are_listed_by_their_last_message_and_only_those_about_advertisements() {
    let mut world = World::new();
    let (first, _) = world.avito.begin("раз", world.now_ms);
    let (second, _) = world.avito.begin("два", world.now_ms + 1_000);
    let list = "/messenger/v2/accounts/100000001/chats";
    let ids = |world: &mut World, query: &str| -> Vec<String> {
        let chats = world.get(&format!("{list}{query}")).json()["chats"].clone();
        chats.as_array().expect("a list").iter().map(|chat| chat["id"].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(ids(&mut world, ""), [second.clone(), first.clone()]);
    assert_eq!(ids(&mut world, "?limit=1&offset=1"), std::slice::from_ref(&first));
    assert_eq!(ids(&mut world, "?chat_types=u2u,a2u"), Vec::<String>::new());
    world.avito.client_writes(&first, "три", world.now_ms + 2_000);
    assert_eq!(ids(&mut world, "?limit=1"), std::slice::from_ref(&first));
    assert_eq!(world.post(&World::of(&first, "v1", "/read"), json!(null)).json(), json!({ "ok": true }));
    assert_eq!(ids(&mut world, "?unread_only=true"), [second]);
    for query in ["?limit=0", "?limit=101", "?offset=1001", "?limit=all"] {
        assert_eq!(world.get(&format!("{list}{query}")).status, 400, "{query}");
    }
}

#[test]
fn the_same_text_twice_is_two_messages_and_the_list_begins_with_the_newest() {
    let mut world = World::new();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    let sent = world.send(&chat, "Да").json();
    assert_eq!((&sent["direction"], &sent["content"]["text"]), (&json!("out"), &json!("Да")));
    assert_ne!(world.send(&chat, "Да").json()["id"], sent["id"]);
    assert_eq!(world.texts(&chat), ["Да", "Да", "Здравствуйте!"]);
    let page = world.get(&World::of(&chat, "v3", "/messages/?limit=1&offset=1")).json();
    assert_eq!((page.as_array().map(Vec::len), &page[0]["id"]), (Some(1), &sent["id"]));
    world.avito.behave(Manner { wrapped: true, ..Manner::default() });
    let wrapped = world.get(&World::of(&chat, "v3", "/messages/")).json();
    assert_eq!(wrapped["messages"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_text_has_a_thousand_characters_at_most_and_one_at_least() {
    let mut world = World::new();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    assert_eq!(world.send(&chat, &"я".repeat(1000)).status, 200);
    let long = world.send(&chat, &"я".repeat(1001));
    assert_eq!((long.status, &long.json()["error"]["code"]), (400, &json!(400)));
    assert_eq!(world.send(&chat, " ").status, 400);
    assert_eq!(world.send("u2i-none", "Да").status, 404, "nobody can begin a chat");
    let picture = json!({ "message": { "text": "Да" }, "type": "image" });
    assert_eq!(world.post(&World::of(&chat, "v1", "/messages"), picture).status, 400);
}

#[test]
fn our_message_is_taken_back_within_an_hour_and_stays_as_deleted() {
    let mut world = World::new();
    let (chat, theirs) = world.avito.begin("Здравствуйте!", world.now_ms);
    let id = world.send(&chat, "Да").json()["id"].as_str().expect("an id").to_owned();
    let one = |id: &str| World::of(&chat, "v1", &format!("/messages/{id}"));
    assert_eq!(world.post(&one(&theirs), json!(null)).status, 403);
    assert_eq!(world.post(&one("none"), json!(null)).status, 404);
    assert_eq!(world.post(&one(&id), json!(null)).json(), json!({}));
    assert_eq!(world.texts(&chat), ["-", "Здравствуйте!"]);
    let late = world.send(&chat, "Нет").json()["id"].as_str().expect("an id").to_owned();
    world.now_ms += 3_601_000;
    assert_eq!(world.post(&one(&late), json!(null)).status, 400);
}

#[test]
fn too_many_requests_in_a_second_are_refused_with_a_wait() {
    let mut world = World::new();
    let mut last = world.get("/messenger/v2/accounts/100000001/chats");
    for _ in 0..9 {
        world.now_ms -= 250;
        last = world.get("/messenger/v2/accounts/100000001/chats");
    }
    assert_eq!((last.status, last.header("retry-after")), (429, Some("1")));
    assert_eq!(world.avito.violations(), 1);
}

#[test]
fn faults_hit_the_messenger_and_a_lost_answer_leaves_the_message_there() {
    let mut world = World::subscribed();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    world.avito.take_pushes();
    for status in [401, 402, 403, 429, 500] {
        let kind = FaultKind::Status { status, body: String::new(), retry_after: None };
        world.avito.inject(Fault::once("POST", "/messages", kind));
        assert_eq!(world.send(&chat, "Да").status, status);
    }
    assert_eq!((world.texts(&chat).len(), world.avito.take_pushes().len()), (1, 0));
    let fault = r#"{"method":"POST","path_contains":"/messages","kind":"carried_out_then_lost"}"#;
    let fault = serde_json::from_str(fault).expect("JSON");
    assert_eq!(world.post("/sandbox/faults", fault).status, 204);
    assert_eq!(world.send(&chat, "Да").status, 0);
    assert_eq!((world.texts(&chat).len(), world.avito.take_pushes().len()), (2, 1), "it is told all the same");
}

#[test]
fn a_saved_messenger_goes_on_where_it_was() {
    let mut world = World::subscribed();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    world.avito = Avito::load(&world.avito.save()).expect("a saved state");
    assert_eq!(world.send(&chat, "Да").status, 200);
    assert_eq!(world.avito.take_pushes().len(), 1, "the subscription stands");
    assert_eq!(world.avito.chats().len(), 1);
}
