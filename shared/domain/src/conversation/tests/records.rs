//! What a client's first message makes in the CRM.

use super::*;
use crate::conversation::records::{First, InCrm, Stage};
use crate::ids::CrmId;
use crate::inbox::FirstRecords;
use crate::job::{FoundClient, RecordPlan, Records};
use crate::policy::{ContactRule, DealRule, Responsible, Rules};

fn contact(name: &str) -> Option<ContactRule> {
    Some(ContactRule { name: name.into(), tags: vec![], fields: vec![], responsible: Responsible::Usual })
}

fn deal(name: &str, responsible: Responsible) -> Option<DealRule> {
    Some(DealRule { name: name.into(), pipeline: None, status: None, tags: vec![], fields: vec![], responsible })
}

/// The chat is read, then contact and deal are made; a known client gets a deal.
fn recorded() -> Life {
    let new =
        Rules { contact: contact("$(client)"), deal: deal("$(item) $(item_url)", Responsible::Usual), task: None };
    let known = Rules { deal: deal("Снова $(text)", Responsible::Usual), ..Rules::default() };
    let records = Some(FirstRecords { source: "chats".into(), new, known });
    let mut life = Life::with(Inbox { read_chat: true, records, ..quiet() });
    life.policy.crm = Some("crm:main".into());
    life
}

fn wrote(life: &mut Life, now: Timestamp, author: Option<&str>) -> Vec<String> {
    let Kind::MessageReceived(text) = message(&format!("c{}", now.0), Author::Client) else { return Vec::new() };
    life.hear(now, Kind::MessageReceived(Message { author: author.map(str::to_owned), ..text }))
}

/// The effect of the last job of this name.
fn job(life: &Life, name: &str) -> EffectId {
    life.effects.iter().rev().find(|effect| describe(effect) == name).expect(name).id.clone()
}

fn read(life: &mut Life, now: Timestamp) -> Vec<String> {
    let [name, about, title] = ["Олег", "Диван, 5 000 ₽", "Диван"].map(|text| Some(text.to_owned()));
    let result = ChatResult::ChatRead { name, about, title, url: Some("https://ads.test/1".into()) };
    let effect = job(life, "ReadChat");
    life.ended(now, &effect, JobResult::Chat(result))
}

fn found(life: &mut Life, now: Timestamp, client: Option<FoundClient>) -> Vec<String> {
    let effect = job(life, "FindClient");
    life.ended(now, &effect, JobResult::ClientFound(client))
}

fn known(responsible: Option<&str>) -> Option<FoundClient> {
    Some(FoundClient {
        contact: "11".into(),
        name: "Олег".into(),
        responsible: responsible.map(CrmId::from),
        duplicates: 0,
    })
}

fn plan(life: &Life) -> RecordPlan {
    let mut plans = life.effects.iter().filter_map(|effect| match &effect.wanted {
        Wanted::Job(order) => match &order.command {
            Command::MakeRecords(plan) => Some((**plan).clone()),
            _ => None,
        },
        _ => None,
    });
    plans.next_back().expect("a plan")
}

fn made(life: &mut Life, now: Timestamp, records: Records) -> Vec<String> {
    let effect = job(life, "MakeRecords");
    life.ended(now, &effect, JobResult::RecordsMade(records))
}

#[test]
fn a_first_message_asks_who_the_client_is_and_waits_for_the_names() {
    for found_first in [true, false] {
        let mut life = recorded();
        assert_eq!(wrote(&mut life, at(12, 0), Some("7")), ["ReadChat", "FindClient"]);
        let second = if found_first {
            assert_eq!(found(&mut life, at(12, 0), None), NOTHING);
            read(&mut life, at(12, 1))
        } else {
            assert_eq!(read(&mut life, at(12, 0)), NOTHING);
            found(&mut life, at(12, 1), None)
        };
        assert_eq!(second, ["MakeRecords"]);
        let plan = plan(&life);
        assert_eq!((plan.client.words().as_str(), plan.only_new), ("chats:7", true));
        assert_eq!(plan.contact.map(|contact| contact.name).as_deref(), Some("Олег"));
        let deal = plan.deal.expect("a deal");
        assert_eq!((deal.name.as_str(), deal.marker.as_str()), ("Диван https://ads.test/1", "chat/ads/u2i-1"));
        assert_eq!(deal.responsible, Some("petrova".into()), "the first of the group that has it");
    }
}

#[test]
fn once_for_the_conversation_whatever_comes_later() {
    let mut life = recorded();
    wrote(&mut life, at(12, 0), Some("7"));
    assert_eq!(wrote(&mut life, at(12, 1), Some("7")), NOTHING);
    read(&mut life, at(12, 1));
    found(&mut life, at(12, 1), None);
    let records =
        Records { contact: Some("11".into()), contact_made: true, deal: Some("12".into()), ..Records::default() };
    assert_eq!(made(&mut life, at(12, 2), records.clone()), NOTHING);
    assert_eq!(made(&mut life, at(12, 3), Records::default()), NOTHING, "told twice");
    assert_eq!(life.it.crm.as_ref().and_then(InCrm::made), Some(&records));
    let row = life.it.row(&life.policy);
    assert_eq!(
        (row.contact, row.deal, row.responsible),
        (Some("11".into()), Some("12".into()), Some("Петрова".into()))
    );
    life.close(at(12, 4));
    assert_eq!(wrote(&mut life, at(13, 0), Some("7")), NOTHING, "opened again");
    assert_eq!(life.said("records_made"), ["создано в CRM: контакт 11, сделка 12"]);
}

#[test]
fn a_chat_that_is_not_read_is_waited_for_two_minutes_and_not_at_all_once_that_failed() {
    let mut life = recorded();
    wrote(&mut life, at(12, 0), Some("7"));
    found(&mut life, at(12, 0), None);
    let due = decide(&life.it, &[], &life.policy, at(12, 1)).wake_due;
    assert_eq!(due, Some(at(12, 2)));
    assert_eq!(life.hear(at(12, 1), Kind::WakeDue), NOTHING);
    let mut failed =
        Life { it: life.it.clone(), policy: life.policy.clone(), effects: life.effects.clone(), due: life.due };
    assert_eq!(life.hear(at(12, 2), Kind::WakeDue), ["MakeRecords"]);
    assert_eq!(plan(&life).contact.map(|contact| contact.name).as_deref(), Some("Чаты 7"));
    assert_eq!(decide(&life.it, &[], &life.policy, at(12, 3)).wake_due, None);
    let effect = job(&failed, "ReadChat");
    let refused = JobResult::Failed { why: "нет доступа".into(), made: None };
    assert_eq!(failed.ended(at(12, 1), &effect, refused), ["MakeRecords"]);
}

#[test]
fn a_known_client_goes_by_rules_of_their_own_and_keeps_their_responsible() {
    for (responsible, expected) in
        [(Some("anna"), "anna"), (Some("sidorov"), "anna"), (Some("9"), "anna"), (None, "petrova")]
    {
        let mut life = recorded();
        wrote(&mut life, at(12, 0), Some("7"));
        read(&mut life, at(12, 0));
        assert_eq!(found(&mut life, at(12, 1), known(responsible)), ["MakeRecords"]);
        let plan = plan(&life);
        assert_eq!((plan.contact, plan.only_new, plan.known_contact), (None, false, Some("11".into())));
        let deal = plan.deal.expect("a deal");
        assert_eq!((deal.name.as_str(), deal.responsible), ("Снова Текст c1795176000000", Some(expected.into())));
        assert_eq!(life.it.client.responsible, responsible.map(CrmId::from));
    }
    let mut life = recorded();
    life.inbox().records.as_mut().expect("records").known = Rules::default();
    wrote(&mut life, at(12, 0), Some("7"));
    read(&mut life, at(12, 0));
    assert_eq!(found(&mut life, at(12, 1), known(None)), NOTHING);
    assert_eq!(life.said("chat_no_rules"), ["первое сообщение клиента из базы: настройки ничего в CRM не создают"]);
    assert_eq!(life.it.row(&life.policy).contact, Some("11".into()));
}

#[test]
fn a_contact_that_another_conversation_made_meanwhile_makes_this_client_a_known_one() {
    let mut life = recorded();
    wrote(&mut life, at(12, 0), Some("7"));
    read(&mut life, at(12, 0));
    found(&mut life, at(12, 0), None);
    let elsewhere = Records { contact: Some("11".into()), ..Records::default() };
    assert_eq!(made(&mut life, at(12, 1), elsewhere), ["MakeRecords"]);
    assert_eq!((plan(&life).contact, plan(&life).known_contact), (None, Some("11".into())));
    let records = Records { contact: Some("11".into()), deal: Some("12".into()), ..Records::default() };
    assert_eq!(made(&mut life, at(12, 2), records), NOTHING);
}

#[test]
fn what_failed_is_shown_and_counts_once_a_person_has_put_it_back() {
    let mut life = recorded();
    wrote(&mut life, at(12, 0), Some("7"));
    read(&mut life, at(12, 0));
    found(&mut life, at(12, 0), None);
    let effect = job(&life, "MakeRecords");
    life.ended(at(12, 1), &effect, JobResult::Failed { why: "нет прав".into(), made: None });
    assert_eq!(life.said("records_failed"), ["записи в CRM не созданы: нет прав"]);
    let records = Records { contact: Some("11".into()), contact_made: true, ..Records::default() };
    made(&mut life, at(12, 5), records.clone());
    assert_eq!(life.it.crm.map(|crm| crm.stage), Some(Stage::Made(records)));
}

#[test]
fn nobody_is_asked_about_whom_nothing_is_known_or_wanted() {
    let mut life = recorded();
    assert_eq!(life.hear(at(12, 0), message("s", Author::System)), NOTHING);
    assert_eq!(wrote(&mut life, at(12, 0), None), ["ReadChat"], "a call that only we are named in");
    assert_eq!(wrote(&mut life, at(12, 1), Some("7")), ["FindClient"]);
    for change in [(|life: &mut Life| life.policy.crm = None) as fn(&mut Life), |life| life.inbox().records = None] {
        let mut life = recorded();
        change(&mut life);
        assert_eq!(wrote(&mut life, at(12, 0), Some("7")), ["ReadChat"]);
        assert_eq!(life.it.crm, None);
    }
}

#[test]
fn a_conversation_that_was_closed_meanwhile_gets_its_records_too() {
    let mut life = recorded();
    wrote(&mut life, at(12, 0), Some("7"));
    read(&mut life, at(12, 0));
    life.close(at(12, 10));
    assert_eq!(found(&mut life, at(14, 0), None), ["MakeRecords"]);
}

#[test]
fn a_long_first_message_is_cut_before_it_is_kept() {
    let mut life = recorded();
    let long = Message {
        id: "c".into(),
        from: Author::Client,
        author: Some("7".into()),
        kind: MessageKind::Text,
        text: "Ж \n".repeat(10_000),
        details: BTreeMap::new(),
    };
    life.hear(at(12, 0), Kind::MessageReceived(long));
    let Some(Stage::Asked { first: First { text, .. }, .. }) = life.it.crm.map(|crm| crm.stage) else {
        panic!("asked")
    };
    assert_eq!((text.chars().count(), text.contains('\n')), (crate::template::LIMIT, false));
}

/// The client writes this.
fn says(life: &mut Life, now: Timestamp, text: &str) -> Vec<String> {
    let message = Message {
        id: format!("c{}", now.0),
        from: Author::Client,
        author: Some("7".into()),
        kind: MessageKind::Text,
        text: text.into(),
        details: BTreeMap::new(),
    };
    life.hear(now, Kind::MessageReceived(message))
}

#[test]
fn a_number_that_the_client_writes_waits_for_the_contact_and_is_joined_once() {
    let mut life = recorded();
    says(&mut life, at(12, 0), "Позвоните: 8 999 000-11-22");
    read(&mut life, at(12, 0));
    found(&mut life, at(12, 0), None);
    let records = Records { contact: Some("11".into()), contact_made: true, ..Records::default() };
    assert_eq!(made(&mut life, at(12, 1), records), ["JoinPhone"]);
    assert_eq!(says(&mut life, at(12, 2), "+79990001122, жду"), NOTHING, "the same number");
    let effect = job(&life, "JoinPhone");
    assert_eq!(life.ended(at(12, 3), &effect, JobResult::PhoneJoined { elsewhere: None }), NOTHING);
    assert_eq!(life.said("chat_phone_joined"), ["телефон +79990001122 есть у контакта клиента"]);
    assert_eq!(says(&mut life, at(12, 4), "Или 8 999 000 11 33"), ["JoinPhone"], "another one");
    let effect = job(&life, "JoinPhone");
    life.ended(at(12, 5), &effect, JobResult::PhoneJoined { elsewhere: Some("12".into()) });
    assert!(life.said("chat_phone_elsewhere")[0].contains("уже есть у контакта 12"));
}

#[test]
fn nobodys_number_is_joined_where_no_records_are_wanted_or_we_wrote_it() {
    let mut life = recorded();
    life.inbox().records = None;
    says(&mut life, at(12, 0), "8 999 000-11-22");
    assert!(!life.effects.iter().any(|effect| describe(effect) == "JoinPhone"));
    assert_eq!(life.it.crm, None);
}
