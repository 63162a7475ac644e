//! Receivers, and what employees do.

use super::*;

fn opened(inbox: Inbox, time: Timestamp) -> Life {
    let mut life = Life::with(inbox);
    life.client(time);
    life
}

fn assigned(to: Option<&str>) -> Kind {
    Kind::Assigned { by: "petrova".into(), to: to.map(Into::into) }
}

#[test]
fn a_message_is_taken_back_while_the_provider_takes_it_and_the_channel_is_on() {
    let mut life = Life::with(Inbox { delete_within: Some(Millis::minutes(60)), ..inbox() });
    let (sent, hour) = (at(12, 0), at(13, 0));
    let may = |life: &Life, now| life.it.may_delete(&life.policy, sent, now);
    assert_eq!(may(&life, hour), Ok(()));
    let late = hour.after(Millis(1));
    assert_eq!(may(&life, late), Err(NotDeleted::TooOld(Millis::minutes(60))));
    life.inbox().delete_within = None;
    assert_eq!(may(&life, late), Ok(()), "the provider tells by itself");
    life.policy.channels.clear();
    assert_eq!(may(&life, sent), Err(NotDeleted::ChannelOff));
}

#[test]
fn a_voice_message_is_asked_for_once_at_a_time_and_a_refusal_is_told() {
    let mut life = opened(inbox(), at(12, 0));
    let ask = |message: &str| Kind::VoiceAsked { by: "anna".into(), message: message.into(), voice: "v".into() };
    assert_eq!(life.hear(at(12, 1), ask("one")), ["ReadVoice"]);
    assert_eq!(life.hear(at(12, 1), ask("one")), NOTHING);
    assert_eq!(life.hear(at(12, 1), ask("other")), ["ReadVoice"]);
    let asked: Vec<EffectId> = life.it.errands.keys().cloned().collect();
    let read = ChatResult::VoiceRead { message: "one".into(), url: "https://voice".into(), until: at(13, 1) };
    life.ended(at(12, 2), &asked[0], JobResult::Chat(read));
    life.ended(at(12, 2), &asked[1], JobResult::Failed { why: "нет".into(), made: None });
    assert_eq!(life.said("chat_no_voice"), ["голосовое сообщение не получено: нет"]);
    assert_eq!(life.hear(at(12, 3), ask("one")), ["ReadVoice"], "its link may be over");
    life.it.errands.clear();
    life.policy.channels.clear();
    assert_eq!(life.hear(at(12, 4), ask("one")), NOTHING);
}

#[test]
fn an_employee_has_the_request_at_once_also_off_hours() {
    for time in [at(12, 0), at(22, 0)] {
        let life = opened(employee_receives("petrova"), time);
        assert_eq!((life.it.assignee.clone(), life.it.round.available_at), (Some("petrova".into()), time));
    }
}

#[test]
fn a_groups_request_waits_off_hours_until_it_works_again() {
    let day = opened(inbox(), at(12, 0));
    assert_eq!((day.it.assignee.clone(), day.it.round.group.as_deref()), (None, Some("Продажи")));
    assert_eq!(day.it.round.available_at, at(12, 0));
    let night = opened(inbox(), at(22, 0));
    assert_eq!(night.it.round.available_at, at(33, 0));
    assert_eq!(night.it.row(&night.policy).available_at, at(33, 0));
    assert_eq!(night.said("chat_receiver_waits"), ["обращение получает группа «Продажи»: ждёт до субботы 09:00"]);
}

#[test]
fn a_receiver_who_cannot_answer_leaves_it_to_the_fall_back() {
    let group = |name: &str| Inbox { receiver: Receiver::Staff(Staff::Group(name.into())), ..inbox() };
    for (inbox, why) in [
        (employee_receives("sidorov"), "Сидоров здесь больше не работает"),
        (employee_receives("nobody"), "сотрудника nobody нет в настройках"),
        (group("Пустая"), "в группе «Пустая» никто не работает"),
        (group("Нет такой"), "в группе «Нет такой» никто не работает"),
    ] {
        let life = opened(inbox, at(12, 0));
        assert_eq!(life.it.assignee, Some("anna".into()));
        let words = format!("обращение получает Анна: менеджер на крайний случай ({why})");
        assert_eq!(life.said("chat_receiver_fallback"), [words]);
    }
}

#[test]
fn the_backup_of_a_bot_has_the_request() {
    let receiver = Receiver::Bot { bot: "bot".into(), backup: Staff::Employee("petrova".into()) };
    let life = opened(Inbox { receiver, ..inbox() }, at(12, 0));
    assert_eq!((life.it.assignee.clone(), life.due.0), (Some("petrova".into()), None));
}

#[test]
fn anybody_may_reply_and_takes_what_nobody_has() {
    let mut life = opened(inbox(), at(12, 0));
    life.hear(at(12, 1), Kind::ReplyWritten { by: "anna".into(), parts: vec!["Да".into()] });
    assert_eq!(life.it.assignee, Some("anna".into()));
    life.reply(at(12, 2));
    assert_eq!(life.it.assignee, Some("anna".into()), "somebody has it");
    assert_eq!(life.it.waiting, Some(Waiting { who: Side::Us, since: at(12, 1) }));
}

#[test]
fn a_reply_into_a_closed_conversation_opens_it_without_autoreplies() {
    let mut life = opened(inbox(), at(12, 0));
    life.close(at(12, 1));
    assert_eq!(life.reply(at(12, 2)), ["MarkRead", REPLY]);
    assert!(life.is_open());
    assert_eq!((life.it.round.number, life.it.assignee.clone()), (2, Some("petrova".into())));
    life.client(at(12, 3));
    assert_eq!(life.timers(at(13, 0)), NOTHING);
}

#[test]
fn the_parts_of_a_reply_keep_their_order() {
    let mut life = opened(inbox(), at(12, 0));
    let parts = text::parts("первое второе", 8);
    life.hear(at(12, 1), Kind::ReplyWritten { by: "anna".into(), parts });
    assert_eq!(life.texts(), ["первое", "второе"]);
    let orders = life.effects.iter().filter_map(|effect| match &effect.wanted {
        Wanted::Job(order) => Some((effect.id.clone(), order)),
        _ => None,
    });
    let orders: Vec<_> = orders.collect();
    for pair in orders.windows(2) {
        assert_eq!(pair[1].1.prev.as_ref().map(|prev| &prev.id), Some(&pair[0].0));
    }
    assert!(orders.iter().all(|(_, order)| order.points == [crate::Point::Conversation("u2i-1".into())]));
    assert!(orders.iter().all(|(_, order)| order.command.lane() == crate::Lane::Outbound));
}

#[test]
fn a_chat_is_never_started_not_even_by_command() {
    let mut life = Life::new();
    let parts = ["Здравствуйте".to_owned()];
    assert_eq!(life.it.may_reply(&life.policy, &parts), Err(NotReplied::NeverStarted));
    life.hear(at(12, 0), message("s", Author::System));
    life.hear(at(12, 0), message("o", Author::Agent));
    assert_eq!(life.reply(at(12, 1)), NOTHING);
    assert_eq!(life.it.may_reply(&life.policy, &parts), Err(NotReplied::NeverStarted));
    life.client(at(12, 2));
    assert_eq!(life.it.may_reply(&life.policy, &parts), Ok(()));
    assert_eq!(life.reply(at(12, 3)), ["MarkRead", REPLY]);

    let mut free = Life::with(Inbox { can_initiate: true, ..inbox() });
    assert_eq!(free.reply(at(12, 0)), [REPLY], "where the provider lets us, we may");
}

#[test]
fn a_reply_is_refused_empty_or_too_long_or_where_the_channel_is_off() {
    let mut life = opened(inbox(), at(12, 0));
    let refused = |life: &Life, parts: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        life.it.may_reply(&life.policy, &parts)
    };
    assert_eq!(refused(&life, &[]), Err(NotReplied::Empty));
    assert_eq!(refused(&life, &["Да", " \n"]), Err(NotReplied::Empty));
    assert_eq!(refused(&life, &[&"ж".repeat(101)]), Err(NotReplied::TooLong(100)));
    assert_eq!(refused(&life, &["Да"; 11]), Err(NotReplied::TooMany(10)));
    assert_eq!(refused(&life, &[&format!(" {} ", "ж".repeat(100))]), Ok(()));
    life.policy.channels.clear();
    assert_eq!(refused(&life, &["Да"]), Err(NotReplied::ChannelOff));
    let before = life.it.clone();
    assert_eq!(life.reply(at(12, 1)), NOTHING);
    assert_eq!(life.it, before);
}

#[test]
fn it_is_marked_read_once_when_an_agent_opens_it_or_replies() {
    let look = || Kind::Opened { by: "anna".into() };
    let mut life = opened(inbox(), at(12, 0));
    assert_eq!(life.it.unread_since, Some(at(12, 0)));
    assert_eq!(life.hear(at(12, 1), look()), ["MarkRead"]);
    assert_eq!(life.hear(at(12, 2), look()), NOTHING);
    assert_eq!(life.reply(at(12, 3)), [REPLY]);
    life.client(at(12, 4));
    assert_eq!(life.hear(at(12, 5), look()), ["MarkRead"]);
    life.client(at(12, 6));
    life.deliver(at(12, 6));
    life.outside(at(12, 7));
    assert_eq!(life.hear(at(12, 8), look()), NOTHING, "whoever answered outside has read it there");
}

#[test]
fn an_assignment_names_somebody_who_works_here_or_gives_it_back_to_the_group() {
    let mut life = opened(inbox(), at(12, 0));
    for (to, refused) in [(Some("sidorov"), NotAssigned::NotHere), (Some("nobody"), NotAssigned::NotHere)] {
        let id = to.map(EmployeeId::from);
        assert_eq!(life.it.may_assign(&life.policy, id.as_ref()), Err(refused));
        life.hear(at(12, 1), assigned(to));
        assert_eq!(life.it.assignee, None);
    }
    life.hear(at(12, 2), assigned(Some("petrova")));
    life.hear(at(12, 3), assigned(Some("anna")));
    life.hear(at(12, 4), assigned(None));
    assert_eq!(life.it.assignee, None);
    assert_eq!(life.said("chat_took"), ["Петрова взял обращение"]);
    assert_eq!(life.said("chat_assigned"), ["Петрова передал обращение: теперь его ведёт Анна"]);
    assert_eq!(life.said("chat_released"), ["Петрова вернул обращение группе «Продажи»"]);
    life.close(at(12, 5));
    assert_eq!(life.it.may_assign(&life.policy, None), Err(NotAssigned::NotOpen));
    let single = opened(employee_receives("anna"), at(12, 0));
    assert_eq!(single.it.may_assign(&single.policy, None), Err(NotAssigned::NoGroup));
}

#[test]
fn the_provider_is_asked_once_who_the_client_is() {
    let mut life = Life::with(Inbox { read_chat: true, ..inbox() });
    assert_eq!(life.client(at(12, 0)), ["ReadChat"]);
    assert_eq!(last_command(&life), ChatCommand::ReadChat { chat: "u2i-1".into() });
    let effect = life.it.errands.keys().next().expect("a question").clone();
    let read = ChatResult::ChatRead {
        name: Some("Олег".into()), about: Some("Диван".into()), title: None, url: None
    };
    life.ended(at(12, 1), &effect, JobResult::Chat(read));
    life.close(at(12, 2));
    assert_eq!(life.client(at(12, 3)), NOTHING);
    life.hear(at(12, 4), Kind::ClientKnown(ClientFacts { responsible: Some("anna".into()), ..Default::default() }));
    let row = life.it.row(&life.policy);
    assert_eq!((row.client.as_deref(), row.about.as_deref()), (Some("Олег"), Some("Диван")));
    assert_eq!(row.responsible.as_deref(), Some("Анна"), "as the contact point last knew it");
}
