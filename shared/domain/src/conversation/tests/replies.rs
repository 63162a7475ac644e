//! Autoreplies.

use super::*;

#[test]
fn a_picture_is_a_reply_like_words() {
    let mut life = Life::new();
    life.client(at(12, 0));
    let picture = || Kind::ImageReplied { by: "petrova".into(), image: image() };
    assert_eq!(life.hear(at(12, 1), picture()), ["MarkRead", "SendImage"]);
    assert_eq!(life.it.assignee, Some("petrova".into()));
    assert_eq!(life.it.last.as_ref().map(|last| last.summary.as_str()), Some("[фото]"));
    assert_eq!((life.due.0, life.it.round.replied_at), (None, Some(at(12, 1))));
    let ChatCommand::SendImage { image: sent, .. } = last_command(&life) else { panic!("a picture") };
    assert_eq!(sent, image());
    // Its echo comes first.
    life.outside(at(12, 2));
    assert_eq!(life.it.undecided.len(), 1);
    let (effect, echo) = (life.it.sends.keys().next().expect("it").clone(), life.it.undecided[0].message.clone());
    life.sent(at(12, 3), &effect, &echo);
    assert!(life.it.undecided.is_empty() && life.it.agent_wrote_at.is_none());
    life.inbox().takes_images = false;
    assert_eq!(life.it.may_reply_with_image(&life.policy), Err(NotReplied::NoImages));
    assert_eq!(life.hear(at(12, 4), picture()), NOTHING);
    life.policy.channels.clear();
    assert_eq!(life.it.may_reply_with_image(&life.policy), Err(NotReplied::ChannelOff));
    assert_eq!(Life::new().it.may_reply_with_image(&Life::new().policy), Err(NotReplied::NeverStarted));
}

#[test]
fn each_step_goes_out_once_when_its_delay_since_the_first_unanswered_message_is_over() {
    let mut life = Life::new();
    assert_eq!(life.client(at(12, 0)), NOTHING);
    assert_eq!(life.due.0, Some(at(12, 5)));
    assert_eq!(life.client(at(12, 4)), NOTHING, "a second message does not start the delay anew");
    assert_eq!(life.timers(Timestamp(at(12, 5).0 - 1)), NOTHING, "never early");
    assert_eq!(life.timers(at(12, 5)), [FIRST]);
    assert_eq!(life.due.0, Some(at(12, 20)));
    assert_eq!(life.timers(at(12, 5)), NOTHING);
    assert_eq!(life.timers(at(12, 20)), [SECOND]);
    assert_eq!(life.timers(at(13, 0)), NOTHING);
    assert_eq!(life.due.0, None);
    assert_eq!(life.texts(), ["Скоро ответим", "Ещё немного"]);
}

#[test]
fn any_number_of_steps_goes_out_in_the_order_of_their_delays_also_after_an_outage() {
    let mut inbox = inbox();
    inbox.working = (0..40).map(|n| step(&format!("{n}"), 40 - n)).collect();
    let mut life = Life::with(inbox);
    life.client(at(12, 0));
    assert_eq!(life.timers(at(12, 1)), ["SendMessage (autoreply 40)"]);
    assert_eq!(life.timers(at(14, 0)).len(), 39);
    assert_eq!(life.texts(), (0..40).rev().map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn two_steps_with_one_delay_both_go_out() {
    let mut life = Life::with(Inbox { working: vec![step("раз", 0), step("два", 0)], ..inbox() });
    assert_eq!(life.client(at(12, 0)), [FIRST, SECOND], "a delay of nothing is over at once");
}

#[test]
fn the_first_human_reply_cancels_them_when_it_is_taken_not_when_it_is_delivered() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    assert_eq!(life.reply(at(12, 6)), ["MarkRead", REPLY]);
    let reply = life.last_send();
    assert_eq!(life.due.0, None);
    life.ended(at(12, 7), &reply, JobResult::Failed { why: "чат закрыт".into(), made: None });
    assert_eq!(life.timers(at(13, 0)), NOTHING);
    life.client(at(13, 1));
    assert_eq!(life.timers(at(15, 0)), NOTHING, "none before it was closed and opened again");
}

#[test]
fn what_a_person_wrote_in_the_providers_application_cancels_them_too() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.outside(at(12, 3));
    assert_eq!(life.timers(at(12, 5)), NOTHING);
    assert_eq!(life.it.waiting, Some(Waiting { who: Side::Us, since: at(12, 3) }));
}

#[test]
fn what_was_written_outside_before_the_round_cancels_nothing() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.take(&[event(at(11, 58), at(12, 1), message("late", Author::Agent))], at(12, 1));
    assert_eq!(life.it.waiting.map(|waiting| waiting.who), Some(Side::Client));
    assert_eq!(life.timers(at(12, 5)), [FIRST]);
}

#[test]
fn an_answer_written_outside_that_comes_before_its_question_leaves_nobody_waiting_for_us() {
    let mut life = Life::new();
    life.outside(at(12, 1));
    life.take(&[event(at(12, 0), at(12, 2), message("c", Author::Client))], at(12, 2));
    assert_eq!(life.it.waiting.map(|waiting| waiting.who), Some(Side::Us));
    assert_eq!(life.timers(at(13, 0)), NOTHING);
}

#[test]
fn the_set_is_chosen_when_the_request_arrives_and_the_other_one_does_not_start_on_top() {
    let mut life = Life::new();
    life.client(at(17, 59));
    assert_eq!(life.timers(at(18, 4)), [FIRST]);
    life.client(at(18, 5));
    assert_eq!(life.timers(at(18, 30)), [SECOND]);
    assert_eq!(life.texts(), ["Скоро ответим", "Ещё немного"]);

    let mut night = Life::new();
    night.client(at(20, 0));
    assert_eq!(night.timers(at(20, 2)), [FIRST]);
    assert_eq!(night.texts(), ["Ответим утром"]);
}

#[test]
fn hours_and_delays_count_from_when_we_received_it() {
    let mut life = Life::new();
    life.take(&[event(at(17, 50), at(18, 1), message("c", Author::Client))], at(18, 1));
    assert_eq!(life.it.round.class, HoursClass::OffHours);
    assert_eq!(life.due, (Some(at(18, 3)), Some(at(66, 1))));
}

#[test]
fn a_new_round_has_its_steps_as_new() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    life.close(at(12, 6));
    assert_eq!(life.timers(at(12, 30)), NOTHING, "closed");
    life.client(at(20, 0));
    assert_eq!((life.it.round.number, life.it.round.class), (2, HoursClass::OffHours));
    assert_eq!(life.timers(at(20, 2)), [FIRST]);
}

#[test]
fn a_system_message_starts_and_opens_nothing() {
    let mut life = Life::new();
    life.hear(at(12, 0), message("s", Author::System));
    assert_eq!((&life.it.state, life.due), (&State::New, (None, None)));
    life.client(at(12, 1));
    life.close(at(12, 2));
    life.hear(at(12, 3), message("s2", Author::System));
    assert!(!life.is_open());
    assert_eq!(life.it.last.as_ref().map(|last| last.from), Some(Writer::System));
}

#[test]
fn a_deleted_message_starts_and_cancels_nothing() {
    let mut life = Life::new();
    life.hear(at(12, 0), message("c", Author::Client));
    life.hear(at(12, 1), Kind::MessageDeleted { message: "c".into() });
    assert_eq!(life.it.last.as_ref().map(|last| last.summary.as_str()), Some(""));
    assert_eq!(life.timers(at(12, 5)), [FIRST]);
    life.close(at(12, 6));
    assert_eq!(life.hear(at(12, 7), Kind::MessageDeleted { message: "c".into() }), NOTHING);
    assert!(!life.is_open());
}

#[test]
fn a_message_older_than_fifteen_minutes_opens_but_starts_no_autoreply() {
    let mut life = Life::new();
    life.take(&[event(at(11, 0), at(12, 0), message("old", Author::Client))], at(12, 0));
    assert!(life.is_open() && life.due.0.is_none());
    life.client(at(12, 10));
    assert_eq!(life.due.0, Some(at(12, 15)), "the next fresh one does");
    assert_eq!(life.said("chat_steps"), ["клиент ждёт ответа: автоответ 1 в 12:15, автоответ 2 в 12:30"]);
}

#[test]
fn changed_settings_hold_from_the_next_event_on_and_no_step_goes_out_twice() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    life.inbox().working = vec![step("Новый", 30), step("Скоро ответим", 5), step("Ещё немного", 10)];
    assert_eq!(life.timers(at(13, 0)), ["SendMessage (autoreply 3)"]);
    life.policy.hours = Hours::always();
    life.client(at(22, 0));
    assert_eq!(life.it.round.class, HoursClass::Working);
}

#[test]
fn nothing_goes_out_through_a_channel_that_is_off() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.policy.channels.get_mut(&"ads".into()).expect("the channel").inbox = None;
    assert_eq!(life.timers(at(99, 0)), NOTHING);
    assert_eq!(life.due, (None, None));
    assert!(life.is_open());
}

#[test]
fn nothing_is_said_by_itself_where_the_client_never_wrote() {
    let mut life = Life::new();
    life.outside(at(12, 0));
    assert_eq!(life.timers(at(13, 0)), NOTHING);
    assert_eq!(life.close(at(13, 1)), NOTHING);
    assert!(!life.is_open());
}

mod asked_again {
    use super::*;

    fn over(code: &str) -> StillWanted {
        StillWanted::No(crate::Reason::new(code, []))
    }

    #[test]
    fn nobody_gets_we_shall_answer_soon_after_the_answer() {
        let mut life = Life::new();
        life.client(at(12, 0));
        life.timers(at(12, 5));
        let first = life.last_send();
        assert!(Command::Chat(last_command(&life)).is_wanted_for_a_while());
        assert_eq!(still_wanted(&life.it, &first, at(12, 6)), StillWanted::Yes);
        life.reply(at(12, 7));
        assert!(!Command::Chat(last_command(&life)).is_wanted_for_a_while());
        assert_eq!(still_wanted(&life.it, &first, at(12, 8)), over("chat_over_replied"));
        assert_eq!(still_wanted(&life.it, &life.last_send(), at(99, 0)), StillWanted::Yes, "a person wrote it");
        life.ended(at(12, 9), &first, JobResult::Dropped { because: crate::Reason::new("chat_over_replied", []) });
        assert_eq!(life.said("chat_dropped"), ["автоответ 1: не отправлено, потому что клиенту уже ответили"]);
        assert_eq!(still_wanted(&life.it, &first, at(12, 9)), over("chat_over_done"));
    }

    #[test]
    fn nor_after_the_end_nor_in_another_round_nor_a_day_later() {
        let mut life = Life::new();
        life.client(at(12, 0));
        life.timers(at(12, 5));
        let first = life.last_send();
        assert_eq!(still_wanted(&life.it, &first, at(36, 6)), over("chat_over_stale"));
        life.close(at(12, 6));
        assert_eq!(still_wanted(&life.it, &first, at(12, 7)), over("chat_over_closed"));
        life.client(at(12, 8));
        assert_eq!(still_wanted(&life.it, &first, at(12, 9)), over("chat_over_closed"));
    }

    #[test]
    fn an_unplaced_outgoing_message_is_an_older_sends_echo_or_an_answer() {
        let mut life = Life::new();
        life.client(at(12, 0));
        life.timers(at(12, 5));
        let first = life.last_send();
        life.timers(at(12, 20));
        let second = life.last_send();
        life.outside(at(12, 21));
        assert_eq!(still_wanted(&life.it, &first, at(12, 22)), over("chat_over_replied"), "never sent: no echo");
        assert_eq!(still_wanted(&life.it, &second, at(12, 22)), StillWanted::Later);
        life.sent(at(12, 23), &first, &format!("o{}", at(12, 21).0));
        assert_eq!(still_wanted(&life.it, &second, at(12, 24)), StillWanted::Yes, "it was the echo");
    }
}
