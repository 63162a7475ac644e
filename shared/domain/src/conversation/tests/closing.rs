//! Closing, its text, and opening again.

use super::*;

fn answered() -> Life {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.reply(at(12, 10));
    life.deliver(at(12, 10));
    life
}

fn cause(life: &Life) -> Option<Cause> {
    match &life.it.state {
        State::Closed(closed) => Some(closed.cause.clone()),
        _ => None,
    }
}

#[test]
fn it_closes_when_nobody_wrote_for_so_long_and_never_early() {
    let mut life = answered();
    assert_eq!(life.due.1, Some(at(60, 10)));
    assert_eq!(life.timers(Timestamp(at(60, 10).0 - 1)), NOTHING);
    assert_eq!(life.timers(at(60, 10)), [CLOSING]);
    assert_eq!(cause(&life), Some(Cause::TimeOut));
    assert_eq!(life.due, (None, None));
    assert_eq!(life.facts(), ["ConversationOpened", "ConversationClosed"]);
}

#[test]
fn messages_of_either_side_and_assignments_start_the_clock_anew() {
    let mut life = answered();
    life.client(at(13, 0));
    assert_eq!(life.due.1, Some(at(61, 0)));
    life.outside(at(14, 0));
    assert_eq!(life.due.1, Some(at(62, 0)));
    life.hear(at(15, 0), Kind::Assigned { by: "petrova".into(), to: Some("anna".into()) });
    assert_eq!(life.due.1, Some(at(63, 0)));
    life.reply(at(16, 0));
    assert_eq!(life.due.1, Some(at(64, 0)));
}

#[test]
fn automatic_texts_notes_reading_and_system_messages_do_not() {
    let mut life = Life::new();
    life.client(at(12, 0));
    let due = life.due.1;
    life.timers(at(12, 5));
    life.deliver(at(12, 6));
    life.hear(at(12, 7), Kind::Opened { by: "anna".into() });
    life.hear(at(12, 8), Kind::NoteWritten { by: "anna".into(), text: "Перезвонить".into() });
    life.hear(at(12, 9), message("s", Author::System));
    life.hear(at(12, 9), Kind::MessageDeleted { message: "s".into() });
    life.hear(at(12, 9), Kind::Assigned { by: "petrova".into(), to: None });
    assert_eq!(life.due.1, due);
}

#[test]
fn a_client_message_that_arrives_during_the_closing_wins() {
    let mut life = answered();
    let late = at(60, 10);
    let told = life.take(&[event(late, late, Kind::CloseDue), event(late, late, message("c", Author::Client))], late);
    assert_eq!(told, NOTHING);
    assert!(life.is_open());
    assert_eq!(life.due.1, Some(at(108, 10)));

    let mut closed = answered();
    closed.timers(late);
    let text = closed.last_send();
    closed.client(late);
    assert!(closed.is_open(), "it came behind the closing: open again, and the text is not sent any more");
    let over = StillWanted::No(crate::Reason::new("chat_over_reopened", []));
    assert_eq!(still_wanted(&closed.it, &text, late), over);
}

#[test]
fn a_message_that_lay_in_our_queues_longer_than_the_time_until_closing_is_seen_by_somebody() {
    let mut life = Life::with(Inbox { close_after: Some(Millis::minutes(60)), ..inbox() });
    life.take(&[event(at(12, 0), at(12, 0), message("c", Author::Client))], at(14, 0));
    assert!(life.is_open());
    assert_eq!(life.due.1, Some(at(15, 0)));
    life.take(&[event(at(13, 30), at(13, 30), message("d", Author::Client))], at(16, 0));
    assert_eq!(life.due.1, Some(at(17, 0)));
}

#[test]
fn without_a_time_it_never_closes_by_itself() {
    let mut life = Life::with(Inbox { close_after: None, ..inbox() });
    life.client(at(12, 0));
    life.reply(at(12, 1));
    assert_eq!(life.due.1, None);
    assert_eq!(life.timers(at(9999, 0)), NOTHING);
}

#[test]
fn the_closing_text_is_sent_once_for_every_cause_behind_the_last_words() {
    for kind in [close(), Kind::ClientLeft] {
        let mut life = Life::new();
        life.client(at(12, 0));
        life.reply(at(12, 10));
        let reply = life.last_send();
        assert_eq!(life.hear(at(12, 11), kind.clone()), [CLOSING]);
        assert_eq!(life.hear(at(12, 12), kind), NOTHING);
        assert_eq!(life.timers(at(99, 0)), NOTHING);
        let order = |effect: &Effect| match &effect.wanted {
            Wanted::Job(order) => order.prev.clone().map(|prev| prev.id),
            _ => None,
        };
        let text = life.effects.iter().find(|effect| describe(effect) == CLOSING).expect("a text");
        assert_eq!(order(text), Some(reply));
        assert_eq!(life.texts(), ["Добрый день!", "Спасибо, что написали!"]);
    }
}

#[test]
fn never_when_it_is_switched_off() {
    let mut life = Life::with(Inbox { closing_text: None, ..inbox() });
    life.client(at(12, 0));
    assert_eq!(life.close(at(12, 1)), NOTHING);
    life.inbox().closing_text = Some("Поздно".into());
    assert_eq!(life.timers(at(99, 0)), NOTHING, "switched on later: not for what is closed");
}

#[test]
fn each_closing_has_its_own() {
    let mut life = answered();
    assert_eq!(life.close(at(13, 0)), [CLOSING]);
    life.client(at(14, 0));
    assert_eq!(life.close(at(15, 0)), [CLOSING]);
}

#[test]
fn a_closing_text_that_cannot_be_delivered_is_recorded_and_the_conversation_stays_closed() {
    let mut life = answered();
    life.hear(at(13, 0), Kind::ClientLeft);
    let text = life.last_send();
    assert_eq!(life.ended(at(13, 1), &text, JobResult::Failed { why: "вы заблокированы".into(), made: None }), NOTHING);
    assert_eq!(cause(&life), Some(Cause::ClientLeft));
    assert_eq!(life.said("chat_failed"), ["сообщение о закрытии: не отправлено (вы заблокированы)"]);
    assert_eq!(life.it.row(&life.policy).trouble.as_deref(), Some("вы заблокированы"));
}

#[test]
fn a_client_who_wrote_after_leaving_has_not_left() {
    let mut life = Life::new();
    life.client(at(12, 5));
    life.take(&[event(at(12, 4), at(12, 6), Kind::ClientLeft)], at(12, 6));
    assert!(life.is_open());
}

#[test]
fn a_disabled_or_superseded_channel_closes_without_a_text_and_cancels_what_waits() {
    for (kind, cause_of) in
        [(Kind::ChannelDisabled, Cause::ChannelDisabled), (Kind::ChannelSuperseded, Cause::ChannelSuperseded)]
    {
        let mut life = Life::new();
        life.client(at(12, 0));
        life.timers(at(12, 5));
        let first = life.last_send();
        assert_eq!(life.hear(at(12, 6), kind), NOTHING);
        assert_eq!((cause(&life), life.due), (Some(cause_of), (None, None)));
        assert!(matches!(still_wanted(&life.it, &first, at(12, 7)), StillWanted::No(_)));
        assert_eq!(life.timers(at(99, 0)), NOTHING);
        assert!(life.it.last.is_some(), "the history stays");
    }
}

#[test]
fn a_closing_text_that_still_waits_is_cancelled_with_its_channel() {
    let mut life = answered();
    life.close(at(13, 0));
    let text = life.last_send();
    assert_eq!(still_wanted(&life.it, &text, at(13, 1)), StillWanted::Yes);
    life.hear(at(13, 2), Kind::ChannelSuperseded);
    let over = StillWanted::No(crate::Reason::new("chat_over_off", []));
    assert_eq!(still_wanted(&life.it, &text, at(13, 3)), over);
    let before = life.it.clone();
    life.hear(at(13, 4), Kind::ChannelSuperseded);
    assert_eq!(life.it, before);
}

#[test]
fn a_closing_text_is_not_sent_behind_what_somebody_wrote_outside_after_the_closing() {
    let mut life = answered();
    life.close(at(13, 0));
    let text = life.last_send();
    life.take(&[event(at(12, 59), at(13, 1), message("before", Author::Agent))], at(13, 1));
    assert_eq!(still_wanted(&life.it, &text, at(13, 1)), StillWanted::Yes);
    life.outside(at(13, 2));
    let over = StillWanted::No(crate::Reason::new("chat_over_reopened", []));
    assert_eq!(still_wanted(&life.it, &text, at(13, 3)), over, "it is its only send, and was never sent");

    let mut behind = Life::new();
    behind.client(at(12, 0));
    behind.reply(at(12, 1));
    behind.close(at(13, 0));
    behind.outside(at(13, 1));
    assert_eq!(still_wanted(&behind.it, &behind.last_send(), at(13, 2)), StillWanted::Later, "the reply may be it");
}

#[test]
fn a_client_message_opens_a_new_round() {
    let mut life = answered();
    life.close(at(13, 0));
    life.client(at(14, 0));
    assert!(life.is_open());
    assert_eq!((life.it.round.number, life.it.assignee.clone()), (2, None), "its receiver as new");
    assert_eq!(life.it.waiting, Some(Waiting { who: Side::Client, since: at(14, 0) }));
    assert_eq!(life.facts(), ["ConversationOpened", "ConversationClosed", "ConversationOpened"]);
}

#[test]
fn the_last_words_written_outside_and_told_late_do_not_open_it_again() {
    let mut life = answered();
    life.close(at(13, 0));
    life.deliver(at(13, 1));
    life.take(&[event(at(12, 59), at(13, 2), message("o", Author::Agent))], at(13, 2));
    assert!(!life.is_open());
    life.take(&[event(at(12, 58), at(13, 3), message("c", Author::Client))], at(13, 3));
    assert!(!life.is_open(), "a client message that they answered does not either");
    life.outside(at(13, 4));
    assert!(life.is_open(), "what they write after the closing does");
}

#[test]
fn when_autoreply_and_end_are_due_together_only_the_end_is_said() {
    let mut life = Life::new();
    life.client(at(12, 0));
    assert_eq!(life.timers(at(60, 0)), [CLOSING]);
}
