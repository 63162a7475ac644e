//! Each command: its request, its answer, its result.

use super::*;
use crate::hooks;

#[test]
fn a_text_is_sent_and_its_number_is_the_result() {
    let mut play = Play::new(sending(TEXT));
    assert_eq!(play.write("send", 200, &answer("sent")), Outcome::Next);
    assert_eq!(play.done(), sent());
}

#[test]
fn a_request_carries_the_token_and_chats_are_escaped() {
    let chat = "u2i-a~b/c".to_owned();
    let Step::Read(request) = Play::new(Command::Chat(ChatCommand::MarkRead { chat })).next() else { panic!("a read") };
    assert!(request.url.ends_with("/accounts/100000001/chats/u2i-a~b%2Fc/read"), "{}", request.url);
    let bearer = ("authorization", "Bearer TEST-ACCESS-TOKEN-0001".to_owned());
    assert!(request.headers.contains(&bearer));
}

#[test]
fn a_text_is_neither_empty_nor_longer_than_the_provider_takes() {
    assert!(matches!(Play::new(sending(&"я".repeat(1000))).next(), Step::Write { .. }));
    for text in [String::new(), " \n".to_owned(), "я".repeat(1001)] {
        assert!(matches!(Play::new(sending(&text)).next(), Step::Failed(_)), "{} characters", text.chars().count());
    }
}

#[test]
fn a_message_is_taken_back() {
    let mut play = Play::new(deleting());
    assert_eq!(play.write("delete", 200, &json!({})), Outcome::Next);
    assert_eq!(play.done(), ChatResult::Deleted);
}

#[test]
fn a_chat_is_marked_as_read_by_a_request_that_may_be_repeated() {
    let mut play = Play::new(marking());
    assert!(matches!(play.read("mark-read", 500, &Value::Null), Outcome::Unknown { .. }));
    assert_eq!(play.read("mark-read", 200, &answer("ok")), Outcome::Next);
    assert_eq!(play.done(), ChatResult::MarkedRead);
}

#[test]
fn a_chat_tells_who_the_client_is_and_what_it_is_about() {
    let mut play = Play::new(reading());
    assert_eq!(play.read("read-chat", 200, &answer("chat")), Outcome::Next);
    let about = "Велосипед, 12 000 ₽, https://avito.example.test/item/1".to_owned();
    let (title, url) = (Some("Велосипед".to_owned()), Some("https://avito.example.test/item/1".to_owned()));
    assert_eq!(play.done(), ChatResult::ChatRead { name: Some("Мария".into()), about: Some(about), title, url });
}

#[test]
fn a_chat_about_nothing_with_nobody_is_read_too() {
    let users = json!([{ "id": "100000001", "name": "Тестовый магазин" }, { "id": 200_000_002, "name": null }]);
    for chat in [json!({}), json!({ "context": null, "users": users }), json!({ "context": { "value": {} } })] {
        let mut play = Play::new(reading());
        assert_eq!(play.absorb(&reply(200, &chat)), Outcome::Next);
        let nothing = ChatResult::ChatRead { name: None, about: None, title: None, url: None };
        assert_eq!(play.done(), nothing, "{chat}");
    }
    let list = Play::new(reading()).absorb(&reply(200, &json!([])));
    assert!(matches!(list, Outcome::Unknown { .. }));
}

#[test]
fn a_voice_message_can_be_heard_for_an_hour_after_it_was_asked_for() {
    let mut play = Play::new(hearing());
    assert!(matches!(play.read("read-voice", 503, &Value::Null), Outcome::Unknown { .. }));
    assert_eq!(play.read("read-voice", 200, &answer("voice")), Outcome::Next);
    let (url, until) = ("https://voice.example.test/1.mp4".into(), Timestamp::from_seconds(NOW.seconds() + 3600));
    assert_eq!(play.done(), ChatResult::VoiceRead { message: SENT.into(), url, until });
    for odd in [json!({}), json!({ "voices_urls": null }), json!({ "voices_urls": { "other": "https://voice" } })] {
        let outcome = Play::new(hearing()).absorb(&reply(200, &odd));
        assert!(why(&outcome).contains("в приложении Avito"), "{outcome:?}");
    }
}

#[test]
fn what_is_no_chat_is_not_the_business_of_a_messenger() {
    let (recording, blob) = ("rec".into(), "blob".into());
    let play = Play::new(Command::CopyRecording { recording, blob, link_only: false });
    assert!(matches!(play.next(), Step::Failed(_)));
}

#[test]
fn markers_stand_where_their_kinds_say() {
    let kinds: Vec<&str> = Avito.markers().iter().map(|marker| marker.entity).collect();
    assert_eq!(kinds, ["message", "deletion"]);
}

#[test]
fn the_address_of_pushes_is_told_once_and_again_without_harm() {
    let told = || Command::Subscribe { url: "https://calls.example.com/h/TEST-TOKEN".into() };
    let done = |play: &Play| matches!(play.next(), Step::Done(JobResult::Subscribed));
    let mut play = Play::new(told());
    assert_eq!(play.read("subscribe", 200, &answer("ok")), Outcome::Next);
    assert!(done(&play));
    let mut again = Play::new(told());
    assert_eq!(again.absorb(&reply(409, &json!({ "error": { "message": "already exists" } }))), Outcome::Next);
    assert!(done(&again));
    let mut refused = Play::new(told());
    let outcome = refused.absorb(&reply(200, &json!({ "ok": false })));
    assert!(why(&outcome).contains("https"), "{outcome:?}");
}

#[test]
fn an_address_is_remembered_when_it_was_told_and_taken_back_once() {
    let url = || "https://calls.example.com/h/TEST-TOKEN".to_owned();
    let mut play = Play::new(Command::Subscribe { url: url() });
    assert_eq!(play.absorb(&reply(200, &answer("ok"))), Outcome::Next);
    assert_eq!(hooks::told(&play.facts), [url()]);
    for status in [200, 404] {
        let mut end = Play { facts: play.facts.clone(), ..Play::new(Command::Unsubscribe { url: url() }) };
        assert_eq!(end.read("unsubscribe", status, &answer("ok")), Outcome::Next, "{status}");
        assert!(matches!(end.next(), Step::Done(JobResult::Unsubscribed)) && hooks::told(&end.facts).is_empty());
    }
    let mut refused = Play { facts: play.facts.clone(), ..Play::new(Command::Unsubscribe { url: url() }) };
    let outcome = refused.absorb(&reply(200, &json!({ "ok": false })));
    assert!(why(&outcome).contains("прежний адрес") && hooks::told(&refused.facts) == [url()], "{outcome:?}");
}

#[test]
fn a_refused_address_asks_whether_the_whole_account_is_refused() {
    let mut play = Play::new(Command::Subscribe { url: "https://calls.example.com/h/TEST-TOKEN".into() });
    assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
    let outcome = play.read("account", 200, &answer("chats"));
    assert!(why(&outcome).contains("тариф"), "{outcome:?}");
}
