//! Every recorded body means what stands beside it; the reading of odd ones.

use perezvon_domain::ConversationEventKind;
use perezvon_domain::conversation::event::{Author, MessageKind};

use super::*;
use crate::{Inbound, Intake, RawRequest, Refusal};

fn request(body: Vec<u8>) -> RawRequest {
    RawRequest { path: String::new(), headers: BTreeMap::new(), body, received_at: NOW }
}

fn meaning(body: &[u8]) -> Result<Vec<Inbound>, String> {
    let request = request(body.to_vec());
    let verified = Avito.verify(&request, &[ours()]).map_err(|refusal| refusal.to_string())?;
    Avito.normalise(verified).map_err(|malformed| malformed.to_string())
}

fn expected(name: &str) -> Vec<Inbound> {
    serde_json::from_value(file(&format!("expected/{name}.json"))).expect("events")
}

/// The one message of a push whose value has these fields besides what must be there.
fn message(value: Value) -> perezvon_domain::conversation::event::Message {
    let mut all = json!({
        "id": "m", "chat_id": CHAT, "user_id": 100_000_001, "author_id": 200_000_002, "created": 1, "chat_type": "u2i",
    });
    all.as_object_mut().expect("fields").extend(value.as_object().expect("fields").clone());
    let push = json!({ "payload": { "type": "message", "value": all } });
    match meaning(push.to_string().as_bytes()).expect("understood").pop() {
        Some(Inbound::Chat(news)) => match news.kind {
            ConversationEventKind::MessageReceived(message) => message,
            other => panic!("a message, not {other:?}"),
        },
        other => panic!("news of a chat, not {other:?}"),
    }
}

#[test]
fn every_sample_means_what_is_expected() {
    let index = file("index.json");
    let mut names: Vec<String> = list(&index["samples"]).iter().map(|sample| string(sample, "name")).collect();
    for name in &names {
        assert_eq!(meaning(&bytes(&format!("in/{name}.body"))), Ok(expected(name)), "{name}");
    }
    let files = std::fs::read_dir(folder().join("in")).expect("a folder");
    let stem = |name: String| name.trim_end_matches(".body").to_owned();
    let mut found: Vec<String> =
        files.map(|file| stem(file.expect("a file").file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    found.sort();
    assert_eq!(found, names);
}

#[test]
fn every_bad_body_ends_as_its_index_says() {
    for sample in list(&file("bad/index.json")["samples"]) {
        let (name, must) = (string(sample, "name"), &sample["must"]);
        let body = bytes(&format!("bad/{name}.body"));
        let refusal = Avito.verify(&request(body.clone()), &[ours()]).err();
        if let Some(kind) = must["refusal"].as_str() {
            let refusal = refusal.unwrap_or_else(|| panic!("{name}: it was believed"));
            assert!(format!("{refusal:?}").starts_with(kind), "{name}: {refusal:?}");
            assert!(refusal.to_string().contains(&string(must, "says")), "{name}: {refusal}");
        } else if let Some(says) = must["malformed"].as_str() {
            assert_eq!(refusal, None, "{name}");
            let why = meaning(&body).expect_err(&name);
            assert!(why.contains(says), "{name}: {why}");
        } else {
            assert_eq!(meaning(&body), Ok(expected(&string(must, "accepted"))), "{name}");
        }
    }
}

#[test]
fn either_account_is_good_during_a_change_and_a_channel_without_one_believes_nobody() {
    let push = request(bytes("in/text.body"));
    let other = Secret(BTreeMap::from([("user_id".to_owned(), "100000009".to_owned())]));
    assert!(Avito.verify(&push, &[other.clone(), ours()]).is_ok());
    assert_eq!(Avito.verify(&push, &[other]).err(), Some(Refusal::OtherAccount));
    for secrets in [vec![], vec![Secret::default()]] {
        assert_eq!(Avito.verify(&push, &secrets).err(), Some(Refusal::NoSecret));
    }
    assert!(Avito.verify(&request(b"{}".to_vec()), &[]).is_ok(), "the probe is answered by every channel");
}

#[test]
fn an_enormous_text_is_cut_and_an_enormous_detail_too() {
    let words = "я".repeat(100_001);
    let long = message(json!({ "type": "text", "content": { "text": words } }));
    assert_eq!(long.text.chars().count(), 100_000);
    assert!(long.text.ends_with("я…"));
    let whole = message(json!({ "type": "text", "content": { "text": "я".repeat(100_000) } }));
    assert!(whole.text.ends_with('я'));
    let link = message(json!({ "type": "link", "content": { "link": { "preview": { "title": words } } } }));
    assert_eq!(link.details["title"].chars().count(), 1000);
    let odd = message(json!({ "type": words, "content": {} }));
    assert_eq!((odd.kind, odd.details["type"].chars().count()), (MessageKind::Other, 1000));
}

#[test]
fn content_that_is_missing_or_odd_is_a_message_all_the_same() {
    for kind in ["text", "image", "voice", "link", "location", "item", "call", "system", "file", "unheard-of"] {
        for content in [json!(null), json!([]), json!("x"), json!({ kind: null }), json!({ kind: [1] })] {
            let read = message(json!({ "type": kind, "content": content }));
            assert_eq!((read.id.as_str(), read.text.as_str()), ("m", ""), "{kind}: {content}");
        }
    }
}

#[test]
fn a_picture_is_named_by_its_largest_size_that_a_browser_may_open() {
    let https = |name: &str| format!("https://img.example.test/{name}.jpg");
    let of = |sizes: Value| {
        let image = message(json!({ "type": "image", "content": { "image": { "sizes": sizes } } }));
        image.details.get("url").cloned()
    };
    let sizes =
        json!({ "1280x96": https("wide"), "640x480": https("large"), "32x32": https("small"), "?": https("odd") });
    assert_eq!(of(sizes), Some(https("large")));
    let plain = json!({ "640x480": "http://img.example.test/large.jpg", "32x32": https("small") });
    assert_eq!(of(plain), Some(https("small")));
    for url in ["javascript:alert(1)", "//img.example.test/1.jpg", "https://img.example.test/a b", "large", ""] {
        assert_eq!(of(json!({ "640x480": url })), None, "{url}");
    }
    assert_eq!(of(json!({ "640x480": https(&"я".repeat(2000)) })), None, "half an address leads nowhere");
}

#[test]
fn a_link_that_no_browser_should_open_stands_in_the_words() {
    let of = |link: Value| {
        let read = message(json!({ "type": "link", "content": { "link": link } }));
        (read.text, read.details.get("url").cloned())
    };
    let plain = of(json!({ "text": "здесь", "url": "http://example.test/a" }));
    assert_eq!(plain, ("здесь http://example.test/a".to_owned(), None));
    let fine = of(json!({ "text": "здесь", "url": "HTTPS://example.test/a" }));
    assert_eq!(fine, ("здесь".to_owned(), Some("HTTPS://example.test/a".to_owned())));
    assert_eq!(of(json!({ "url": "http://example.test" })), ("http://example.test".to_owned(), None));
}

#[test]
fn a_call_of_ours_that_the_client_missed_is_not_the_clients() {
    let call = |author: i64, target: i64| {
        let content = json!({ "call": { "status": "missed", "target_user_id": target } });
        message(json!({ "type": "call", "author_id": author, "content": content })).from
    };
    assert_eq!(call(100_000_001, 200_000_002), Author::Agent);
    assert_eq!(call(200_000_002, 100_000_001), Author::Client);
    assert_eq!(call(0, 100_000_001), Author::Client);
    assert_eq!(call(200_000_002, 300_000_003), Author::Client, "an employee of the company was called");
}

#[test]
fn our_own_text_is_ours_whatever_it_begins_with() {
    let text = json!({ "text": "[Системное сообщение] так написал сотрудник" });
    let own = message(json!({ "type": "text", "author_id": 100_000_001, "content": text }));
    assert_eq!(own.from, Author::Agent);
}
