//! Pictures and voices in the chats of Avito, through the real handlers.

use perezvon_sandbox::avito::Media;
use perezvon_tests::World;
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{anna, seconds};
use crate::avito::{ads, asked, begin};
use crate::calls::minutes;
use crate::people::{ask, of, owner, token};

/// A client has asked, and nothing is on its way.
async fn chat(plan: Plan) -> (World, String) {
    let mut world = ads(plan).await;
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    (world, chat)
}

async fn sends(world: &mut World, chat: &str, media: Media) -> String {
    let sent = world.ads(|ads| ads.client_sends(chat, media, world.now().0)).expect("a chat");
    seconds(world, 10).await;
    sent
}

async fn act(world: &World, chat: &str, act: &str, body: Json) -> (i64, Json) {
    ask(world, &anna(), "POST", &of(&format!("conversations/ads:{chat}/{act}")), Some(body)).await
}

/// A message as the page shows it.
async fn shown(world: &World, chat: &str, message: &str) -> Json {
    let (status, shown) = ask(world, &owner(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    assert_eq!(status, 200, "{shown}");
    let all = shown["messages"].as_array().expect("messages").clone();
    all.into_iter().find(|it| it["message"] == message).expect("the message")
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_shown_by_its_address_and_nothing_is_fetched() {
    let (mut world, chat) = chat(Plan { duplicates: 50, ..Plan::default() }).await;
    let picture = sends(&mut world, &chat, Media::Image("p-1".to_owned())).await;
    let shown = shown(&world, &chat, &picture).await;
    assert_eq!((&shown["kind"], &shown["from"]), (&json!("image"), &json!("client")));
    assert_eq!(shown["details"]["url"], "https://img.example.test/1280x960/p-1.jpg");
    assert_eq!(asked(&world, "GET", ".jpg"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_voice_message_is_asked_for_by_whoever_wants_to_hear_it_once_an_hour() {
    let (mut world, chat) = chat(Plan { duplicates: 50, ..Plan::default() }).await;
    let voice = sends(&mut world, &chat, Media::Voice("v-1".to_owned())).await;
    let told = |url: Json, until: Json, asked: bool| json!({ "url": url, "until": until, "asked": asked });
    assert_eq!(shown(&world, &chat, &voice).await["voice"], told(Json::Null, Json::Null, false));
    minutes(&mut world, 30).await;
    assert_eq!(asked(&world, "GET", "/getVoiceFiles"), 0, "nobody wanted to hear it");
    let body = || json!({ "message": voice });
    for _ in 0..3 {
        assert_eq!(act(&world, &chat, "voice", body()).await.0, 202);
    }
    assert_eq!(shown(&world, &chat, &voice).await["voice"]["asked"], true);
    let asked_at = world.now().0;
    seconds(&mut world, 20).await;
    let first = shown(&world, &chat, &voice).await["voice"].clone();
    assert!(first["url"].as_str().is_some_and(|url| url.starts_with("https://voice.example.test/v-1.mp4")), "{first}");
    let until = first["until"].as_i64().expect("a time") - asked_at - 3_600_000;
    assert!((0..20_000).contains(&until), "an hour, counted from when it was asked for: {until}");
    assert_eq!(act(&world, &chat, "voice", body()).await, (200, json!({ "voice": first })));
    assert_eq!(asked(&world, "GET", "/getVoiceFiles"), 1);
    minutes(&mut world, 61).await;
    assert_eq!(shown(&world, &chat, &voice).await["voice"], told(Json::Null, Json::Null, false));
    assert_eq!(act(&world, &chat, "voice", body()).await.0, 202);
    seconds(&mut world, 20).await;
    let second = shown(&world, &chat, &voice).await["voice"].clone();
    assert!(second["url"].is_string() && second["url"] != first["url"], "{second}");
    assert_eq!(asked(&world, "GET", "/getVoiceFiles"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_heard_is_refused_or_told() {
    let (mut world, chat) = chat(Plan::default()).await;
    let voice = sends(&mut world, &chat, Media::Voice("v-1".to_owned())).await;
    let picture = sends(&mut world, &chat, Media::Image("p-1".to_owned())).await;
    for (message, expected) in [(picture.as_str(), 404), ("never", 404)] {
        assert_eq!(act(&world, &chat, "voice", json!({ "message": message })).await.0, expected, "{message}");
    }
    assert_eq!(act(&world, &chat, "voice", json!({})).await.0, 400);
    let path = of(&format!("conversations/ads:{chat}/voice"));
    let auditor = token("school", "anna", perezvon_platform::link::Role::Auditor);
    let body = || Some(json!({ "message": voice }));
    assert_eq!(ask(&world, &auditor, "POST", &path, body()).await.0, 403);
    assert_eq!(ask(&world, &owner(), "POST", &path, body()).await.0, 403);
    assert_eq!(asked(&world, "GET", "/getVoiceFiles"), 0);
    world.ads(|ads| ads.delete(&voice, world.now().0)).expect("it was there");
    world.ads(perezvon_sandbox::avito::Avito::take_pushes);
    assert_eq!(act(&world, &chat, "voice", json!({ "message": voice })).await.0, 202, "nobody told us that it is gone");
    seconds(&mut world, 20).await;
    assert_eq!(shown(&world, &chat, &voice).await["voice"]["asked"], false);
    let (_, it) = ask(&world, &anna(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    let told = it["reasons"].to_string();
    assert!(told.contains("голосовое сообщение не получено: Avito не дал ссылки"), "{told}");
}
