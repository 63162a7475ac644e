//! What was not pushed is read off the list of chats, and means what its push would have meant.

use perezvon_domain::ConversationEventKind;
use perezvon_domain::conversation::event::Author;

use super::*;

fn healing(since: i64) -> Play {
    Play::new(Command::Heal { since: Timestamp::from_seconds(since) })
}

fn chat(id: &str, updated: i64) -> Value {
    json!({ "id": id, "context": { "type": "item", "value": { "id": 4_000_000_003_i64 } }, "updated": updated })
}

fn chats(all: &[Value]) -> Value {
    json!({ "chats": all })
}

fn text(id: &str, created: i64) -> Value {
    json!({ "id": id, "author_id": 200_000_002, "created": created, "type": "text", "direction": "in", "content": { "text": "?" } })
}

fn is_over(play: &Play) -> bool {
    play.next() == Step::Done(JobResult::Healed)
}

fn ids(play: &Play) -> Vec<&str> {
    let kinds = play.told.iter().map(|news| &news.kind);
    kinds
        .map(|kind| match kind {
            ConversationEventKind::MessageReceived(message) => message.id.as_str(),
            other => panic!("a message, not {other:?}"),
        })
        .collect()
}

#[test]
fn what_stands_in_either_shape_of_list_is_told_as_its_push_would_have_told_it() {
    for shape in ["messages-array", "messages-wrapped"] {
        let mut play = healing(NOW.seconds() - 3600);
        assert_eq!(play.read("heal-list", 200, &answer("chats")), Outcome::Next);
        assert_eq!(play.read("heal-chat", 200, &answer(shape)), Outcome::Next, "{shape}");
        assert!(is_over(&play), "{shape}");
        assert_eq!(ids(&play), [SENT, "000000000000000000000000a0000001"], "the deleted one has nothing to tell");
        assert_eq!(serde_json::to_value(&play.told[1]).expect("JSON"), file("expected/text.json")[0]["Chat"]);
        assert!(matches!(&play.told[0].kind, ConversationEventKind::MessageReceived(it) if it.from == Author::Agent));
        assert_eq!(play.facts["healed_to"], NOW.0.to_string());
    }
}

#[test]
fn what_is_older_than_the_connection_or_was_read_before_is_left_alone() {
    let mut young = healing(NOW.seconds() - 10);
    young.absorb(&reply(200, &chats(&[chat("new", NOW.seconds()), chat("old", NOW.seconds() - 11)])));
    young.absorb(&reply(200, &json!([text("m2", NOW.seconds()), text("m1", NOW.seconds() - 11)])));
    assert!(is_over(&young));
    assert_eq!(ids(&young), ["m2"]);
    let mut later = healing(0);
    later.facts = young.facts;
    later.absorb(&reply(200, &chats(&[chat("a", NOW.seconds() - 299), chat("b", NOW.seconds() - 301)])));
    later.absorb(&reply(200, &json!([text("m4", NOW.seconds() - 299), text("m3", NOW.seconds() - 301)])));
    assert!(is_over(&later), "only five minutes are read again");
    assert_eq!(ids(&later), ["m4"]);
}

#[test]
fn a_chat_is_changed_by_its_last_message_too_and_one_without_a_time_is_read() {
    let mut play = healing(NOW.seconds() - 10);
    let mut behind = chat("behind", NOW.seconds() - 100);
    behind["last_message"] = json!({ "created": NOW.seconds() });
    play.absorb(&reply(200, &chats(&[behind, json!({ "id": "timeless" }), json!({ "updated": NOW.seconds() })])));
    for read in ["behind", "timeless"] {
        assert!(matches!(play.next(), Step::Read(it) if it.url.contains(&format!("/{read}/messages"))), "{read}");
        play.absorb(&reply(200, &json!([])));
    }
    assert!(is_over(&play));
}

#[test]
fn full_pages_are_followed_by_the_next_until_they_are_too_old() {
    let page = |field: fn(&str, i64) -> Value, newest: i64| -> Vec<Value> {
        (0..100).map(|n| field(&format!("{newest}-{n}"), newest - n)).collect()
    };
    let mut play = healing(NOW.seconds() - 150);
    let mut first = page(chat, NOW.seconds());
    for one in &mut first[1..] {
        one["id"] = json!("");
    }
    first[0]["id"] = json!(CHAT);
    assert_eq!(play.read("heal-list", 200, &chats(&first)), Outcome::Next);
    assert_eq!(play.read("heal-chat", 200, &json!(page(text, NOW.seconds()))), Outcome::Next);
    assert_eq!(play.read("heal-chat-further", 200, &json!(page(text, NOW.seconds() - 100))), Outcome::Next);
    assert_eq!(play.told.len(), 151);
    assert_eq!(play.read("heal-list-further", 200, &chats(&[])), Outcome::Next);
    assert!(is_over(&play));
}

#[test]
fn a_list_that_has_no_end_is_given_up_where_the_provider_does() {
    let mut play = healing(0);
    let endless: Vec<Value> = (0..100).map(|_| chat("", NOW.seconds())).collect();
    let mut pages = 0;
    while !is_over(&play) {
        pages += 1;
        play.absorb(&reply(200, &chats(&endless)));
    }
    assert_eq!(pages, 11);
}

#[test]
fn a_chat_that_is_gone_or_closed_to_us_keeps_nobody_from_the_others() {
    let two = chats(&[chat("gone", NOW.seconds()), chat("there", NOW.seconds())]);
    for (status, name) in [(403, "error-403"), (404, "error-404"), (400, "error-400")] {
        let mut play = healing(0);
        play.absorb(&reply(200, &two));
        assert_eq!(play.absorb(&reply(status, &answer(name))), Outcome::Next, "{status}");
        assert_eq!(play.absorb(&reply(200, &json!([text("m", NOW.seconds())]))), Outcome::Next);
        assert!(is_over(&play) && ids(&play) == ["m"], "{status}");
    }
    let mut stale = healing(0);
    stale.absorb(&reply(200, &two));
    stale.secret = with_token(3600);
    assert_eq!(stale.absorb(&reply(403, &answer("error-403"))), Outcome::TokenRefused);
}

#[test]
fn nothing_counts_as_healed_before_all_was_read() {
    let mut play = healing(0);
    play.absorb(&reply(200, &chats(&[chat("a", NOW.seconds())])));
    for (status, body) in [(502, Value::Null), (418, Value::Null), (200, json!({ "ok": true }))] {
        assert!(matches!(play.absorb(&reply(status, &body)), Outcome::Unknown { .. }));
    }
    assert!(matches!(play.absorb(&reply(429, &Value::Null)), Outcome::Pause { .. }));
    assert!(play.facts.is_empty() && play.told.is_empty() && !is_over(&play));
}

#[test]
fn a_refused_list_is_about_the_account() {
    let mut play = healing(0);
    assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
    assert!(matches!(play.read("account", 403, &answer("error-403")), Outcome::Pause { .. }));
    play.now = Timestamp::from_seconds(NOW.seconds() + 600);
    assert_eq!(play.absorb(&reply(200, &chats(&[]))), Outcome::Next);
    assert!(is_over(&play));
}

#[test]
fn a_list_that_is_refused_for_itself_waits_and_says_why() {
    let mut play = healing(0);
    let Outcome::Unknown { why } = play.absorb(&reply(400, &answer("error-400"))) else { panic!("no reason") };
    assert!(why.contains("400"), "{why}");
    assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
    let Outcome::Unknown { why } = play.read("account", 200, &answer("chats")) else { panic!("no reason") };
    assert!(why.contains("тариф"), "{why}");
}

#[test]
fn after_five_seconds_of_reading_others_come_in_between() {
    let mut play = healing(0);
    let many: Vec<Value> = (0..9).map(|n| chat(&format!("chat-{n}"), NOW.seconds())).collect();
    play.absorb(&reply(200, &chats(&many)));
    let mut rests = 0;
    while !is_over(&play) {
        play.now = Timestamp(play.now.0 + 3000);
        if let Step::Wait { until, .. } = play.next() {
            rests += 1;
            play.now = Timestamp(until.0 + 10_000);
        }
        play.absorb(&reply(200, &json!([])));
    }
    assert_eq!(rests, 3, "nine chats of three seconds each");
}
