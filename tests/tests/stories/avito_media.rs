//! Pictures and voices in the chats of Avito, through the real handlers.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perezvon_api::LARGEST_IMAGE;
use perezvon_engine::Times;
use perezvon_platform::link::Role;
use perezvon_sandbox::avito::{Avito, Config, Echo, Manner, Media};
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_tests::World;
use perezvon_tests::settings::SOON;
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{anna, seconds};
use crate::avito::{ads, asked, begin, nobody_waits};
use crate::calls::minutes;
use crate::people::{ask, of, owner, request, token, told};
use crate::telling::{at_every_crash, in_virtual_time};

const PNG: &[u8] = b"\x89PNG\r\n\x1A\n and what follows \xFF\r\n--";

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
    let auditor = token("school", "anna", Role::Auditor);
    let body = || Some(json!({ "message": voice }));
    assert_eq!(ask(&world, &auditor, "POST", &path, body()).await.0, 403);
    assert_eq!(ask(&world, &owner(), "POST", &path, body()).await.0, 403);
    assert_eq!(asked(&world, "GET", "/getVoiceFiles"), 0);
    world.ads(|ads| ads.delete(&voice, world.now().0)).expect("it was there");
    world.ads(Avito::take_pushes);
    assert_eq!(act(&world, &chat, "voice", json!({ "message": voice })).await.0, 202, "nobody told us that it is gone");
    seconds(&mut world, 20).await;
    assert_eq!(shown(&world, &chat, &voice).await["voice"]["asked"], false);
    let (_, it) = ask(&world, &anna(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    let told = it["reasons"].to_string();
    assert!(told.contains("голосовое сообщение не получено: Avito не дал ссылки"), "{told}");
}

/// A picture under an `Idempotency-Key`, as the gateway hands it over.
fn picture(world: &World, who: &str, chat: &str, bytes: &[u8], key: &str) -> ApiGatewayV2httpRequest {
    let mut asked = request(world, who, "POST", &of(&format!("conversations/ads:{chat}/image")), None);
    asked.headers.insert("idempotency-key", key.parse().expect("a header"));
    asked.headers.insert("content-type", "image/png".parse().expect("a header"));
    (asked.body, asked.is_base64_encoded) = (Some(STANDARD.encode(bytes)), true);
    asked
}

async fn send(world: &World, chat: &str, bytes: &[u8], key: &str) -> (i64, Json) {
    let (status, body) = told(world.answer(picture(world, &anna(), chat, bytes, key)).await);
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// What we have written into a chat, oldest first: texts, and `[type bytes]` of pictures.
fn ours(world: &World, chat: &str) -> Vec<String> {
    world.ads(|ads| {
        let chat = ads.chats().iter().find(|known| known.id == chat).expect("a chat");
        let ours = chat.messages.iter().filter(|message| message.author_id == Config::default().user_id);
        let words = |message: &perezvon_sandbox::avito::Message| match &message.media {
            Some(Media::Image(id)) => {
                let known = ads.uploaded().iter().find(|uploaded| uploaded.id == *id).expect("uploaded");
                format!("[{} {}]", known.media_type, known.bytes)
            }
            _ => message.text.clone(),
        };
        ours.map(words).collect()
    })
}

fn png() -> String {
    format!("[image/png {}]", PNG.len())
}

fn kept(world: &World) -> usize {
    world.blobs.stored.lock().expect("no panic").len()
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_sent_once_in_the_order_of_replies_and_kept_no_longer_than_needed() {
    let (mut world, chat) = chat(Plan { duplicates: 50, ..Plan::default() }).await;
    world.ads(|ads| ads.behave(Manner { echo: Echo::Twice, ..Manner::default() }));
    let text = |text: &str| json!({ "text": text });
    assert_eq!(act(&world, &chat, "reply", text("Вот фото")).await.0, 200);
    for _ in 0..2 {
        let (status, answer) = send(&world, &chat, PNG, "k1").await;
        assert_eq!((status, &answer["conversation"]["last"]["summary"]), (200, &json!("[фото]")), "{answer}");
    }
    assert_eq!(act(&world, &chat, "reply", text("Подходит?")).await.0, 200);
    minutes(&mut world, 3).await;
    assert_eq!(ours(&world, &chat), [SOON.to_owned(), "Вот фото".to_owned(), png(), "Подходит?".to_owned()]);
    assert_eq!((asked(&world, "POST", "/uploadImages"), kept(&world)), (1, 0));
    let (_, shown) = ask(&world, &anna(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    let all = shown["messages"].as_array().expect("messages");
    let said: Vec<_> = all.iter().map(|it| [&it["kind"], &it["from"], &it["state"], &it["by"]]).collect();
    let anna = json!("Анна Главная");
    assert_eq!(said[3], [&json!("image"), &json!("agent"), &json!("sent"), &anna], "{shown}");
    assert_eq!(said.len(), 5, "no echo is shown: {shown}");
    assert!(nobody_waits(&world, &chat));
    // Another picture under the same key is another request.
    let other = [PNG, b"!"].concat();
    assert_eq!(send(&world, &chat, &other, "k1").await.0, 422);
    assert_eq!(send(&world, &chat, PNG, "k2").await.0, 200, "the same picture again, if somebody wants it");
    minutes(&mut world, 3).await;
    assert_eq!(ours(&world, &chat)[4..], [png()]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_picture_or_too_large_is_refused_with_what_to_do() {
    let (world, chat) = chat(Plan::default()).await;
    let large = |bytes: usize| [PNG, &vec![0; bytes - PNG.len()]].concat();
    for (bytes, expected) in [
        (Vec::new(), 415),
        (b"<svg/>".to_vec(), 415),
        (large(LARGEST_IMAGE + 1), 413),
        (large(600 * 1024), 200),
        (large(LARGEST_IMAGE), 200),
    ] {
        let (status, answer) = send(&world, &chat, &bytes, &format!("k{}", bytes.len())).await;
        assert_eq!(status, expected, "{answer}");
        assert!(status == 200 || answer["what_to_do"].is_string(), "{answer}");
    }
    assert_eq!(send(&world, "u2i-never", PNG, "k").await.0, 404);
    for (who, expected) in
        [(owner(), 403), (token("school", "anna", Role::Auditor), 403), (token("x", "anna", Role::Owner), 404)]
    {
        let answer = world.answer(picture(&world, &who, &chat, PNG, "k")).await;
        assert_eq!(told(answer).0, expected);
    }
    // 4 MiB in base64, with all that is around it, must pass the gateway and the function.
    assert!(STANDARD.encode(large(LARGEST_IMAGE)).len() + 64 * 1024 < 6_000_000);
}

#[test]
fn a_picture_survives_whatever_becomes_of_its_requests() {
    let status = |status| FaultKind::Status { status, body: String::new(), retry_after: None };
    for (path, kind, uploads, sends) in [
        ("/uploadImages", FaultKind::CarriedOutThenLost, 2, 1),
        ("/uploadImages", FaultKind::LostBeforeArrival, 2, 1),
        ("/uploadImages", FaultKind::Html200, 2, 1),
        ("/uploadImages", status(429), 2, 1),
        ("/messages/image", FaultKind::CarriedOutThenLost, 1, 1),
        ("/messages/image", FaultKind::CarriedOutThenStatus { status: 502 }, 1, 1),
        ("/messages/image", FaultKind::LostBeforeArrival, 1, 2),
        ("/messages/image", status(429), 1, 2),
    ] {
        in_virtual_time(async {
            let (mut world, chat) = chat(Plan::default()).await;
            world.ads(|ads| ads.inject(Fault::once("POST", path, kind.clone())));
            assert_eq!(send(&world, &chat, PNG, "k1").await.0, 200);
            assert_eq!(act(&world, &chat, "reply", json!({ "text": "Подходит?" })).await.0, 200);
            minutes(&mut world, 10).await;
            let what = format!("{path} {kind:?}");
            assert_eq!(ours(&world, &chat), [SOON.to_owned(), png(), "Подходит?".to_owned()], "{what}");
            let asked = (asked(&world, "POST", "/uploadImages"), asked(&world, "POST", "/messages/image"));
            assert_eq!((asked, kept(&world)), ((uploads, sends), 0), "{what}");
            assert!(nobody_waits(&world, &chat), "{what}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_is_refused_or_lost_is_shown_as_not_sent_and_replies_go_on() {
    let (mut world, chat) = chat(Plan::default()).await;
    let refused = FaultKind::Status { status: 400, body: String::new(), retry_after: None };
    world.ads(|ads| ads.inject(Fault::once("POST", "/uploadImages", refused)));
    assert_eq!(send(&world, &chat, PNG, "k1").await.0, 200);
    minutes(&mut world, 1).await;
    let trouble = |world: &World| world.conversation_in(&chat).expect("it").conversation.trouble.expect("trouble").why;
    assert!(trouble(&world).contains("Avito отклонил запрос (400)"));
    assert_eq!(kept(&world), 1, "a person may put the job back");
    assert_eq!(send(&world, &chat, PNG, "k2").await.0, 200);
    world.blobs.stored.lock().expect("no panic").clear();
    minutes(&mut world, 1).await;
    assert!(trouble(&world).contains("картинка не сохранилась"));
    assert_eq!(act(&world, &chat, "reply", json!({ "text": "Подходит?" })).await.0, 200);
    minutes(&mut world, 1).await;
    assert_eq!(ours(&world, &chat), [SOON, "Подходит?"]);
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_waited_for_a_day_is_not_sent_either() {
    let (mut world, chat) = chat(Plan::default()).await;
    let now = world.now().0;
    world.ads(|ads| ads.set_outage(now, now + 25 * 3_600_000, 402));
    assert_eq!(send(&world, &chat, PNG, "k1").await.0, 200);
    minutes(&mut world, 26 * 60).await;
    assert_eq!((ours(&world, &chat), world.ads(|ads| ads.uploaded().len())), (vec![SOON.to_owned()], 0));
    let trouble = world.conversation_in(&chat).expect("it").conversation.trouble.expect("trouble").why;
    assert!(trouble.contains("больше суток"), "{trouble}");
    assert_eq!(kept(&world), 1, "a person may put the job back");
}

/// A voice is asked for and a picture is sent, by whoever asks again until there is an answer.
async fn play(plan: Plan) -> (World, u64) {
    // Looking for what was missed has crashes of its own (`healing`).
    let times = Times { look_at_connections_ms: 4 * 3_600_000, ..plan.times };
    let (mut world, chat) = chat(Plan { times, ..plan }).await;
    world.ads(|ads| ads.behave(Manner { echo: Echo::Twice, repeats: 3, ..Manner::default() }));
    let voice = sends(&mut world, &chat, Media::Voice("v-1".to_owned())).await;
    let first = world.faults.calls();
    let path = of(&format!("conversations/ads:{chat}/voice"));
    let hear = request(&world, &anna(), "POST", &path, Some(json!({ "message": voice })));
    for asked in [hear, picture(&world, &anna(), &chat, PNG, "k1")] {
        while world.ask_surviving(asked.clone()).await.is_none_or(|answer| told(answer).0 >= 500) {}
    }
    minutes(&mut world, 40).await;
    (world, first)
}

fn came_to(world: &World) -> (Vec<String>, bool, bool) {
    let chat = world.ads(|ads| ads.chats()[0].id.clone());
    let heard = world.table.all().iter().filter(|row| row.attributes.contains_key("voice")).count() == 1;
    (ours(world, &chat), heard, nobody_waits(world, &chat))
}

#[test]
fn a_voice_and_a_picture_survive_a_crash_at_every_port_call() {
    let expected = (vec![SOON.to_owned(), png()], true, true);
    let points = at_every_crash(play, came_to, &expected);
    println!("a voice that is heard, a picture that is sent: {points} crash points");
    assert_eq!(points, 136, "so many before this change: are all of them still tried?");
}
