//! Pictures that are uploaded and sent, voices that are heard.

use super::*;
use crate::avito::Media;

const ACCOUNT: &str = "/messenger/v1/accounts/100000001";

/// Uploads a form with one part of this name.
fn upload(world: &mut World, name: &str, bytes: &str) -> Response {
    world.now_ms += 250;
    let head =
        format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\nContent-Type: image/png");
    let body = format!("--edge\r\n{head}\r\n\r\n{bytes}\r\n--edge--\r\n");
    let request = Request::new("POST", &format!("{ACCOUNT}/uploadImages"), body)
        .with_header("authorization", &format!("Bearer {}", world.token))
        .with_header("content-type", "multipart/form-data; boundary=edge");
    world.avito.handle(&request, world.now_ms)
}

#[test]
fn a_picture_is_uploaded_once_and_sent_by_its_id() {
    let mut world = World::subscribed();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    assert_eq!(upload(&mut world, "file", "picture").status, 400);
    assert_eq!(upload(&mut world, "uploadfile[]", "").status, 400);
    let told = upload(&mut world, "uploadfile[]", "picture").json();
    let id = told.as_object().and_then(|told| told.keys().next().cloned()).expect("an id");
    assert!(told[&id]["640x480"].as_str().is_some_and(|url| url.starts_with("https://")), "{told}");
    let uploaded = &world.avito.uploaded()[0];
    assert_eq!((uploaded.media_type.as_str(), uploaded.bytes), ("image/png", 7));
    let path = World::of(&chat, "v1", "/messages/image");
    assert_eq!(world.post(&path, json!({ "image_id": "other" })).status, 400);
    let before = world.avito.take_pushes().len();
    let sent = world.post(&path, json!({ "image_id": id })).json();
    assert_eq!((&sent["type"], &sent["content"]["image"]["sizes"]), (&json!("image"), &told[&id]));
    let echo = told_of_last(&mut world);
    assert_eq!((before, &echo["payload"]["value"]["type"]), (1, &json!("image")));
    let saved = Avito::load(&world.avito.save()).expect("the same");
    assert_eq!(saved.uploaded(), world.avito.uploaded());
}

fn told_of_last(world: &mut World) -> Value {
    told(world.avito.take_pushes().last().expect("a push"))
}

#[test]
fn a_voice_has_a_new_link_each_time_and_one_that_is_gone_has_none() {
    let mut world = World::subscribed();
    let (chat, _) = world.avito.begin("Здравствуйте!", world.now_ms);
    let lever = json!({ "chat": chat, "media": { "voice": "v-1" } });
    let made = world.post("/sandbox/messages", lever).json();
    assert_eq!(told_of_last(&mut world)["payload"]["value"]["content"], json!({ "voice": { "voice_id": "v-1" } }));
    let path = format!("{ACCOUNT}/getVoiceFiles?voice_ids=v-1,other");
    let first = world.get(&path).json()["voices_urls"].clone();
    assert!(first["v-1"].is_string() && first["other"].is_null(), "{first}");
    assert_ne!(world.get(&path).json()["voices_urls"], first);
    assert_eq!(world.get(&format!("{ACCOUNT}/getVoiceFiles")).status, 400);
    world.avito.delete(made["message"].as_str().expect("an id"), world.now_ms).expect("it was there");
    assert_eq!(world.get(&path).json(), json!({ "voices_urls": {} }));
    let ours = json!({ "chat": chat, "from": "us", "media": { "image": "p" } });
    assert_eq!(world.post("/sandbox/messages", ours).status, 400);
    assert!(world.avito.client_sends("nowhere", Media::Image("p".into()), world.now_ms).is_none());
}
