//! What the feed says, what lists show, and how much an item holds.

use super::*;

fn reasons(life: &Life) -> Vec<String> {
    life.it.because.iter().map(|because| because.reason.words()).collect()
}

#[test]
fn the_feed_says_what_will_happen_by_itself() {
    let mut life = Life::new();
    life.client(at(47, 10));
    assert_eq!(
        reasons(&life),
        [
            "обращение получает группа «Продажи»: ждёт до воскресенья 09:00",
            "суббота 23:10, нерабочее время: автоответ 1 в 23:12; закроется в понедельник 23:10, если никто не напишет",
        ]
    );
    life.timers(at(47, 12));
    life.reply(at(58, 0));
    life.timers(at(106, 0));
    assert_eq!(
        reasons(&life)[2..],
        [
            "отправляется автоответ 1: клиенту ещё никто не ответил",
            "Петрова ответил первым и стал ответственным",
            "ответил Петрова: автоответов больше не будет",
            "обращение закрыто: никто не писал с момента «воскресенье 10:00»",
            "клиенту отправляется сообщение о закрытии",
        ]
    );
}

#[test]
fn it_says_so_when_there_is_nothing_to_come() {
    let mut inbox = quiet();
    inbox.close_after = None;
    let mut life = Life::with(inbox);
    life.client(at(12, 0));
    assert_eq!(life.said("chat_opened"), ["пятница 12:00, рабочее время: автоответов нет; само не закроется"]);
    let mut late = Life::new();
    late.take(&[event(at(11, 0), at(12, 0), message("c", Author::Client))], at(12, 0));
    let words = "пятница 12:00, рабочее время: автоответов нет, сообщение опоздало больше чем на 15 минут; \
                 закроется в воскресенье 12:00, если никто не напишет";
    assert_eq!(late.said("chat_opened"), [words]);
}

#[test]
fn many_steps_and_far_days_are_put_in_few_words() {
    let working = (1..=5).map(|n| step("Ждите", n * 10)).collect();
    let mut life = Life::with(Inbox { working, close_after: Some(Millis::minutes(10 * 24 * 60)), ..inbox() });
    life.client(at(12, 0));
    life.close(at(12, 1));
    life.client(at(17, 45));
    let words = "пятница 17:45, рабочее время, обращение открыто снова: автоответ 1 в 17:55, автоответ 2 в 18:05, \
                 автоответ 3 в 18:15, и ещё 2; закроется 30.11.2026 в 17:45, если никто не напишет";
    assert_eq!(life.said("chat_reopened"), [words]);
    life.close(at(17, 46));
    life.reply(at(17, 47));
    let words = "пятница 17:47: обращение открыл сотрудник своим сообщением, автоответов не будет; \
                 закроется 30.11.2026 в 17:47, если никто не напишет";
    assert_eq!(life.said("chat_opened_by_agent"), [words]);
}

#[test]
fn every_reason_has_words_for_all_its_parameters() {
    let mut life = Life::with(Inbox { read_chat: true, ..inbox() });
    life.client(at(12, 0));
    life.timers(at(12, 5));
    life.reply(at(12, 6));
    life.close(at(12, 7));
    life.hear(at(12, 8), Kind::ChannelDisabled);
    for words in reasons(&life) {
        assert!(!words.contains('{') && !words.starts_with("chat_"), "{words}");
    }
}

#[test]
fn a_list_shows_who_waits_for_whom_and_what_comes() {
    let mut life = Life::new();
    life.client(at(12, 0));
    let row = life.it.row(&life.policy);
    assert_eq!(row.waiting, Some(Waiting { who: Side::Client, since: at(12, 0) }));
    assert_eq!((row.replies_at, row.closes_at), (Some(at(12, 5)), Some(at(60, 0))));
    assert_eq!((row.open, row.unread, row.group.as_deref()), (true, true, Some("Продажи")));
    assert_eq!(row.last.map(|last| last.summary), Some(format!("Текст c{}", at(12, 0).0)));
    life.close(at(12, 1));
    let row = life.it.row(&life.policy);
    assert_eq!((row.open, row.waiting, row.closes_at), (false, None, None));
    assert_eq!(row.cause, Some(Cause::Agent { by: "petrova".into() }));
}

#[test]
fn a_message_is_shown_in_one_short_line() {
    let with = |kind, text: &str| {
        Message {
            id: "m".into(),
            from: Author::Client,
            author: None,
            kind,
            text: text.into(),
            details: BTreeMap::new(),
        }
        .summary()
    };
    assert_eq!(with(MessageKind::Text, " Добрый\n\nдень! "), "Добрый день!");
    assert_eq!(with(MessageKind::Image, ""), "[фото]");
    assert_eq!(with(MessageKind::File, "смета"), "[файл] смета");
    let long = with(MessageKind::Text, &"ж".repeat(300));
    assert!(long.chars().count() == 60 && long.ends_with('…'));
}

#[test]
fn an_item_stays_within_a_kilobyte_and_its_reasons_are_bounded() {
    let mut life = Life::with(Inbox { read_chat: true, ..inbox() });
    for day in 0..60 {
        let hour = day * 24;
        life.hear(at(hour + 12, 0), message(&format!("{day:032}"), Author::Client));
        life.timers(at(hour + 12, 30));
        life.reply(at(hour + 12, 40));
        life.deliver(at(hour + 12, 41));
        life.close(at(hour + 13, 0));
    }
    life.client(at(60 * 24 + 12, 0));
    life.timers(at(60 * 24 + 12, 30));
    let size = serde_json::to_string(&life.it).expect("JSON").len();
    assert!(size <= 1024, "{size} bytes");
    let reasons = serde_json::to_string(&life.it.because).expect("JSON").len();
    assert!(life.it.because.len() == 16 && reasons < 4096, "{reasons} bytes");
}

#[test]
fn a_state_and_a_policy_are_read_back_as_they_were_written() {
    let mut life = Life::new();
    life.client(at(12, 0));
    life.timers(at(12, 5));
    life.outside(at(12, 6));
    life.close(at(12, 7));
    let Conversation { version, at, .. } = life.it;
    let because = life.it.because.clone();
    let text = serde_json::to_string(&life.it).expect("JSON");
    let back: Conversation = serde_json::from_str(&text).expect("a conversation");
    assert_eq!(Conversation { version, at, because, ..back }, life.it);
    let text = serde_json::to_string(&life.policy).expect("JSON");
    assert_eq!(serde_json::from_str::<Policy>(&text).expect("a policy"), life.policy);
}

#[test]
fn a_policy_of_the_version_before_has_no_conversations() {
    let mut value = serde_json::to_value(policy_of(None)).expect("JSON");
    value.as_object_mut().expect("an object").remove("hours");
    let policy: Policy = serde_json::from_value(value).expect("a policy");
    assert_eq!(policy.channels[&"ads".into()].inbox, None);
    assert!(policy.hours.is_open(at(3, 0)));
}

#[test]
fn a_fact_tells_who_has_it_and_why_it_ended() {
    let mut life = Life::with(employee_receives("anna"));
    life.client(at(12, 0));
    life.close(at(12, 1));
    let details = life.effects.iter().filter_map(|effect| match &effect.wanted {
        Wanted::Fact(fact) => Some(serde_json::to_value(fact.detail()).expect("JSON")),
        _ => None,
    });
    let details: Vec<_> = details.collect();
    assert_eq!((&details[0]["assignee"], &details[0]["cause"]), (&"anna".into(), &serde_json::Value::Null));
    assert_eq!((&details[1]["chat"], &details[1]["cause"]["Agent"]["by"]), (&"u2i-1".into(), &"petrova".into()));
}

#[test]
fn an_effect_names_its_conversation() {
    let effect = EffectId("chat/ads/u2i-1~x/12/0".into());
    assert_eq!(of_effect(&effect), Some(("ads".into(), "u2i-1~x".into())));
    assert_eq!(of_effect(&"call/main/1/2/0".into()), None);
    assert_eq!(crate::call::of_effect(&effect), None);
}
