//! After an unknown outcome the chat itself tells whether the write was carried out.

use super::*;

/// A text whose answer was lost a moment before the message of the samples was written.
fn lost(text: &str) -> Play {
    let mut play = Play::new(sending(text));
    play.lose();
    play
}

fn message(id: &str, created: i64, text: &str, direction: &str) -> Value {
    json!({ "id": id, "created": created, "type": "text", "direction": direction, "content": { "text": text } })
}

/// A page of so many other messages.
fn others(count: i64, first: i64, step: i64) -> Value {
    (0..count).map(|at| message(&format!("other-{at}"), first + at * step, "другое", "out")).collect()
}

#[test]
fn a_message_that_stands_in_either_shape_of_list_is_found() {
    for shape in ["messages-array", "messages-wrapped"] {
        let mut play = lost(TEXT);
        assert_eq!(play.read("send-look", 200, &answer(shape)), Outcome::Next, "{shape}");
        assert_eq!(play.done(), sent());
    }
}

#[test]
fn a_message_that_is_not_there_is_sent_again() {
    let mut play = lost("чего-то ещё");
    assert_eq!(play.read("send-look", 200, &answer("messages-array")), Outcome::NotThere);
    assert!(matches!(play.next(), Step::Write { .. }));
}

#[test]
fn the_clients_text_and_an_old_one_of_ours_are_not_taken_for_it() {
    let now = NOW.seconds();
    for other in [message("theirs", now, TEXT, "in"), message("old", now - 7, TEXT, "out")] {
        assert_eq!(lost(TEXT).absorb(&reply(200, &json!([other]))), Outcome::NotThere, "{other}");
    }
    let spaced = message("ours", now - 4, "Добрый  день!\nДа, в наличии. ", "out");
    let mut play = lost(TEXT);
    assert_eq!(play.absorb(&reply(200, &json!([spaced]))), Outcome::Next);
    assert_eq!(play.done(), ChatResult::Sent { message: "ours".into() });
}

#[test]
fn a_twin_that_another_job_sent_a_second_before_is_not_taken_for_it() {
    let mut first = Play::of("conversation/main/chat/3/0", sending(TEXT));
    first.absorb(&reply(200, &answer("sent")));
    let mut second = Play::of("conversation/main/chat/3/1", sending(TEXT));
    second.facts = first.facts.clone();
    second.lose();
    assert_eq!(second.absorb(&reply(200, &answer("messages-array"))), Outcome::NotThere);
    second.lose();
    let both = json!([message("the-second", NOW.seconds(), TEXT, "out"), answer("messages-array")[0]]);
    assert_eq!(second.absorb(&reply(200, &both)), Outcome::Next);
    assert_eq!(second.done(), ChatResult::Sent { message: "the-second".into() });
}

#[test]
fn a_job_that_forgot_its_own_message_finds_it_again() {
    let mut play = Play::new(sending(TEXT));
    play.absorb(&reply(200, &answer("sent")));
    // The fact was stored, the job's row was not.
    play.work.progress.clear();
    play.lose();
    assert_eq!(play.absorb(&reply(200, &answer("messages-array"))), Outcome::Next);
    assert_eq!(play.done(), sent());
}

#[test]
fn only_the_last_messages_are_remembered() {
    let mut facts = BTreeMap::new();
    for at in 0..40 {
        let mut play = Play::of(&format!("conversation/main/chat/{at}/0"), sending(TEXT));
        play.facts = facts;
        play.absorb(&reply(200, &json!({ "id": format!("message-{at}") })));
        facts = play.facts;
    }
    assert_eq!(facts["sent"].split(' ').count(), 24);
    assert!(facts["sent"].contains("message-39/") && !facts["sent"].contains("message-15/"));
}

#[test]
fn after_a_second_attempt_the_first_one_is_still_found() {
    let mut play = lost(TEXT);
    assert_eq!(play.absorb(&reply(200, &json!([]))), Outcome::NotThere);
    play.now = Timestamp::from_seconds(NOW.seconds() + 120);
    play.lose();
    assert_eq!(play.absorb(&reply(200, &answer("messages-wrapped"))), Outcome::Next);
    assert_eq!(play.done(), sent());
}

#[test]
fn a_list_that_begins_with_the_oldest_is_read_to_its_end() {
    let mut play = lost(TEXT);
    let old = others(100, NOW.seconds() - 5000, 10);
    assert_eq!(play.read("send-look", 200, &old), Outcome::Next);
    assert_eq!(play.read("send-look-further", 200, &answer("messages-array")), Outcome::Next);
    assert_eq!(play.done(), sent());
    let mut newest_first = lost(TEXT);
    let old = others(100, NOW.seconds() - 10, -10);
    assert_eq!(newest_first.absorb(&reply(200, &old)), Outcome::NotThere);
}

#[test]
fn a_list_without_an_end_is_given_up_where_the_provider_does() {
    let (mut play, mut pages) = (lost(TEXT), 1);
    while play.absorb(&reply(200, &others(100, NOW.seconds(), 1))) == Outcome::Next {
        pages += 1;
        if matches!(play.next(), Step::Write { .. }) {
            break;
        }
    }
    assert_eq!(pages, 12);
    assert!(matches!(play.next(), Step::Write { .. }));
}

#[test]
fn a_deletion_shows_in_the_list() {
    let mut play = Play::new(deleting());
    play.lose();
    assert_eq!(play.read("delete-look", 200, &answer("messages-array")), Outcome::NotThere);
    play.lose();
    let gone = json!([{ "id": SENT, "type": "deleted", "content": {}, "created": 1 }]);
    assert_eq!(play.absorb(&reply(200, &gone)), Outcome::Next);
    assert_eq!(play.done(), ChatResult::Deleted);
}

#[test]
fn a_hindered_look_up_keeps_the_doubt() {
    let mut play = lost(TEXT);
    assert!(matches!(play.absorb(&reply(502, &Value::Null)), Outcome::Unknown { .. }));
    assert!(matches!(play.absorb(&reply(200, &json!({ "ok": true }))), Outcome::Unknown { .. }));
    assert_eq!(play.absorb(&reply(401, &Value::Null)), Outcome::TokenRefused);
    assert!(matches!(play.next(), Step::Read(_)) && play.work.unknown);
}

#[test]
fn a_refused_look_up_asks_about_the_account_and_goes_on_afterwards() {
    let mut play = lost(TEXT);
    assert_eq!(play.absorb(&reply(403, &answer("error-403"))), Outcome::Next);
    assert!(matches!(play.read("account", 403, &answer("error-403")), Outcome::Pause { .. }));
    play.now = Timestamp::from_seconds(NOW.seconds() + 600);
    assert_eq!(play.read("send-look", 200, &answer("messages-array")), Outcome::Next);
    assert_eq!(play.done(), sent());
}
