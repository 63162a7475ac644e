//! A chat makes a contact and a deal in the CRM: once for each client, whatever comes twice, at once, late or not at all.

use std::time::Duration;

use perezvon_domain::OutsideId;
use perezvon_engine::Times;
use perezvon_sandbox::amocrm::{self, Kind};
use perezvon_sandbox::avito::Manner;
use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::point::PointRow;
use perezvon_store::{Key, keys};
use perezvon_tests::World;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings;
use perezvon_tests::world::Plan;
use perezvon_tests::world::cloud::FULL;

use crate::answering::seconds;
use crate::avito::{ads_of, asked, begin};
use crate::calls::{call, minutes, petrova, play as play_call};
use crate::telling::{Held, at_every_crash, held, in_virtual_time};

const ONE: Held = Held { contacts: 1, deals: 1, tasks: 0, calls: 0, service_notes: 0 };
const NEW: &str = r#"new_client = { contact = { name = "$(client)", tags = ["$(channel)"], fields = { 700001 = "$(text)" } }, deal = { name = "$(item)", fields = { 700010 = "$(item_url)" } } }"#;
const KNOWN: &str = r#"known_client = { deal = { name = "Снова: $(item)" } }"#;

/// The account whose chats make this.
fn making(rules: &[&str]) -> String {
    settings::ads().replace("close_after = \"1h\"", &format!("close_after = \"1h\"\n{}", rules.join("\n")))
}

async fn recorded(plan: Plan) -> World {
    ads_of(plan, &making(&[NEW])).await
}

/// The client of a chat begins another one.
fn begin_another(world: &World, chat: &str) -> String {
    world.ads(|ads| ads.begin_another(chat, "А самокат?", world.now().0)).expect("a chat").0
}

fn deals(world: &World) -> Vec<String> {
    world.crm(|crm| crm.leads().iter().map(|lead| lead.name.clone()).collect())
}

fn said(world: &World, chat: &str) -> String {
    let because = world.conversation_in(chat).expect("a conversation").conversation.because;
    because.iter().map(|because| because.reason.words()).collect::<Vec<_>>().join("\n")
}

/// The contact point of the client with this id at the provider.
fn point(world: &World, id: i64) -> PointRow {
    PointRow::read(&world.table.row(&point_of(id)).expect("a contact point"))
}

fn point_of(id: i64) -> Key {
    keys::point(&"school".into(), &OutsideId(format!("avito:{id}")).into())
}

/// Id and name of the first client.
fn client(world: &World) -> (i64, String) {
    let client = world.ads(|ads| ads.chats()[0].client.clone());
    (client.id, client.name)
}

#[tokio::test(start_paused = true)]
async fn the_first_message_makes_one_contact_and_one_deal_however_often_it_comes() {
    let mut world = recorded(Plan { duplicates: 40, ..Plan::default() }).await;
    world.ads(|ads| ads.behave(Manner { copies: 2, ..Manner::default() }));
    let chat = begin(&world);
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), ONE);
    let (id, name) = client(&world);
    let contact = world.crm(|crm| {
        let (contact, lead) = (crm.contacts()[0].clone(), crm.leads()[0].clone());
        assert_eq!((contact.name, contact.responsible), (name, 504_001));
        assert_eq!(
            (lead.name.as_str(), lead.contacts.clone(), lead.responsible),
            ("Велосипед", vec![contact.id], 504_001)
        );
        assert!(lead.text(700_010).is_some_and(|url| url.starts_with("https://avito.example.test/item/")));
        let fields: Vec<_> = contact.fields.iter().flat_map(|filled| &filled.values).map(|it| &it.value).collect();
        assert_eq!(fields, [&format!("avito:{id}"), "Ещё продаёте?"]);
        let of_contacts = |field: &&amocrm::CustomField| field.entity == Kind::Contacts;
        assert!(
            crm.custom_fields().iter().filter(of_contacts).any(|field| field.code.as_deref() == Some("PEREZVON_ID"))
        );
        contact.id
    });
    let known = point(&world, id);
    assert_eq!((known.contact, known.responsible), (Some(contact.to_string().as_str().into()), Some("504001".into())));
    let said = said(&world, &chat);
    for part in [
        format!("спросили CRM, есть ли там клиент avito:{id}"),
        "первое сообщение нового клиента: контакт, сделка".to_owned(),
        "ответственный Анна Главная: из группы «Продажи»".to_owned(),
        format!("создано в CRM: контакт {contact}, сделка "),
    ] {
        assert!(said.contains(&part), "{part} in {said}");
    }
    // It is closed, and opened again by the client.
    minutes(&mut world, 70).await;
    world.ads(|ads| ads.client_writes(&chat, "Алло?", world.now().0)).expect("a chat");
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), ONE);
}

#[tokio::test(start_paused = true)]
async fn a_second_conversation_of_the_client_makes_what_is_set_for_known_clients_or_nothing() {
    for (rules, expected) in [(&[NEW][..], &["Велосипед"][..]), (&[NEW, KNOWN], &["Велосипед", "Снова: Самокат"])]
    {
        let mut world = ads_of(Plan::default(), &making(rules)).await;
        let first = begin(&world);
        minutes(&mut world, 5).await;
        let second = begin_another(&world, &first);
        minutes(&mut world, 5).await;
        assert_eq!(deals(&world), expected);
        assert_eq!(held(&world).contacts, 1);
        let said = said(&world, &second);
        assert!(said.contains(&format!("контакт «{}»", client(&world).1)) && said.contains("клиент из базы"), "{said}");
        let it = world.conversation_in(&second).expect("a conversation").conversation;
        assert_eq!(it.client.responsible, Some("504001".into()), "as the CRM knows it");
    }
}

#[test]
fn two_conversations_of_a_new_client_at_once_make_one_contact() {
    for (rules, lag, expected) in [
        (&[NEW][..], 0, &["Велосипед"][..]),
        (&[NEW], 25_000, &["Велосипед"]),
        (&[NEW, KNOWN], 25_000, &["Велосипед", "Снова: Самокат"]),
    ] {
        for beside in [false, true] {
            in_virtual_time(async {
                let mut world = ads_of(Plan { parallel: 3, ..Plan::default() }, &making(rules)).await;
                let config = amocrm::Config { search_lag_ms: lag, ..Default::default() };
                world.crm(|crm| crm.configure(config));
                let first = begin(&world);
                begin_another(&world, &first);
                match beside {
                    true => world.run_cloud(Vec::new(), Duration::from_secs(600), FULL).await,
                    false => minutes(&mut world, 10).await,
                }
                assert_eq!(held(&world).contacts, 1, "{rules:?}, lag {lag}, beside each other: {beside}");
                assert_eq!(deals(&world), expected, "{rules:?}, lag {lag}, beside each other: {beside}");
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_was_made_by_another_installation_is_found_by_the_marker() {
    let mut world = recorded(Plan::default()).await;
    let first = begin(&world);
    minutes(&mut world, 5).await;
    let (id, _) = client(&world);
    world.table.erase(&point_of(id));
    begin_another(&world, &first);
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), ONE);
    assert!(point(&world, id).contact.is_some(), "remembered again");
}

#[tokio::test(start_paused = true)]
async fn a_crm_that_is_down_for_an_hour_gets_all_of_it_afterwards() {
    let mut world = recorded(Plan::default()).await;
    let now = world.now().0;
    world.crm(|crm| crm.set_outage(now, now + 3_600_000, 503));
    let chat = begin(&world);
    minutes(&mut world, 59).await;
    assert_eq!(held(&world), Held::default());
    minutes(&mut world, 60).await;
    assert_eq!(held(&world), ONE);
    assert!(said(&world, &chat).contains("создано в CRM"), "closed meanwhile, and explained");
}

#[test]
fn a_request_that_succeeded_and_timed_out_is_looked_up_and_never_repeated() {
    for path in ["/contacts/custom_fields", "/contacts", "/leads/custom_fields", "/leads"] {
        for search_lag_ms in [0, 25_000] {
            in_virtual_time(async {
                let mut world = recorded(Plan::default()).await;
                world.crm(|crm| {
                    crm.configure(amocrm::Config { search_lag_ms, ..Default::default() });
                    crm.inject(Fault::once("POST", path, FaultKind::CarriedOutThenLost));
                });
                begin(&world);
                minutes(&mut world, 20).await;
                assert_eq!(held(&world), ONE, "{path}, lag {search_lag_ms}");
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_cannot_be_read_does_not_hold_up_the_records_for_long() {
    let mut world = recorded(Plan::default()).await;
    let kind = FaultKind::Status { status: 500, body: String::new(), retry_after: None };
    let fault =
        Fault { method: Some("GET".to_owned()), path_contains: "/chats/u2i".to_owned(), skip: 0, times: 1000, kind };
    world.ads(|ads| ads.inject(fault));
    begin(&world);
    seconds(&mut world, 115).await;
    assert_eq!(held(&world), Held::default(), "they wait for the names");
    seconds(&mut world, 30).await;
    assert_eq!(held(&world), ONE);
    let (id, _) = client(&world);
    let name = world.crm(|crm| crm.contacts()[0].name.clone());
    assert_eq!((name, deals(&world)), (format!("Avito {id}"), vec![format!("Avito {id}")]));
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_push_was_lost_makes_records_too() {
    let mut world = recorded(Plan::default()).await;
    begin(&world);
    world.ads(perezvon_sandbox::avito::Avito::take_pushes);
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), ONE);
}

#[tokio::test(start_paused = true)]
async fn without_such_settings_the_crm_is_not_even_asked() {
    let mut world = ads_of(Plan::default(), &settings::ads()).await;
    begin(&world);
    minutes(&mut world, 90).await;
    assert_eq!(held(&world), Held::default());
    assert_eq!((world.crm(|crm| crm.requests().len()), asked(&world, "GET", "/subscriptions")), (0, 0));
}

const NUMBER: &str = "79991230000";

/// The client of the chat writes a number.
fn says_number(world: &World, chat: &str) {
    world.ads(|ads| ads.client_writes(chat, "Звоните: 8 (999) 123-00-00", world.now().0)).expect("a chat");
}

/// The client calls, and petrova answers.
async fn calls_us(world: &mut World) {
    let start_s = (world.now().0 - EPOCH_MS) / 1000;
    play_call(world, calls::answered(&call("later", NUMBER, start_s, 30), &petrova())).await;
    minutes(world, 20).await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_the_client_writes_later_joins_the_contact_and_a_call_of_it_finds_that() {
    let mut world = recorded(Plan { duplicates: 40, ..Plan::default() }).await;
    world.crm(|crm| crm.configure(amocrm::Config { search_lag_ms: 3_600_000, ..Default::default() }));
    let chat = begin(&world);
    minutes(&mut world, 5).await;
    says_number(&world, &chat);
    says_number(&world, &chat);
    minutes(&mut world, 5).await;
    assert_eq!(world.crm(|crm| crm.contacts()[0].phones.clone()), [format!("+{NUMBER}")]);
    let fields = world.crm(|crm| crm.contacts()[0].fields.len());
    assert_eq!(fields, 3, "marker and comment are as they were");
    assert!(said(&world, &chat).contains("телефон +79991230000 есть у контакта клиента"));
    calls_us(&mut world).await;
    let held = held(&world);
    assert_eq!((held.contacts, held.service_notes), (1, 0), "the call is that of a known client");
}

#[tokio::test(start_paused = true)]
async fn a_number_that_another_contact_has_is_told_by_one_note_and_its_calls_stay_there() {
    let mut world = recorded(Plan { duplicates: 40, ..Plan::default() }).await;
    calls_us(&mut world).await;
    assert_eq!(held(&world).contacts, 1);
    let chat = begin(&world);
    minutes(&mut world, 1).await;
    says_number(&world, &chat);
    minutes(&mut world, 5).await;
    let held = held(&world);
    assert_eq!((held.contacts, held.service_notes), (2, 1));
    world.crm(|crm| {
        let (of_call, of_chat) = (&crm.contacts()[0], &crm.contacts()[1]);
        assert_eq!((of_call.phones.len(), of_chat.phones.len()), (1, 0));
        let note = crm.notes().iter().find(|note| !note.is_call()).expect("a note");
        let link = format!("/contacts/detail/{}", of_call.id);
        assert!(note.entity_id == of_chat.id && note.params.to_string().contains(&link), "{note:?}");
    });
}

/// The first message has a number in it.
async fn play_number(plan: Plan) -> (World, u64) {
    let times = Times { look_at_connections_ms: 4 * 3_600_000, ..plan.times };
    let mut world = recorded(Plan { times, ..plan }).await;
    world.ads(|ads| ads.behave(Manner { repeats: 3, ..Manner::default() }));
    let chat = begin(&world);
    minutes(&mut world, 5).await;
    let first = world.faults.calls();
    says_number(&world, &chat);
    minutes(&mut world, 30).await;
    (world, first)
}

#[test]
fn a_number_survives_a_crash_at_every_port_call() {
    let phones = |world: &World| world.crm(|crm| crm.contacts()[0].phones.clone());
    let expected = (ONE, vec![format!("+{NUMBER}")]);
    let points = at_every_crash(play_number, |world| (held(world), phones(world)), &expected);
    println!("a number of a chat: {points} crash points");
}

/// A client asks and is told to wait, while contact and deal are made.
async fn play(plan: Plan) -> (World, u64) {
    // Looking for what was missed has crashes of its own (`healing`).
    let times = Times { look_at_connections_ms: 4 * 3_600_000, ..plan.times };
    let mut world = recorded(Plan { times, ..plan }).await;
    world.ads(|ads| ads.behave(Manner { repeats: 3, ..Manner::default() }));
    let first = world.faults.calls();
    begin(&world);
    minutes(&mut world, 30).await;
    (world, first)
}

/// Should the names come too late, because a process died, both are called by the client's id.
fn came_to(world: &World) -> (Held, bool, bool) {
    let (chat, (id, name)) = (world.ads(|ads| ads.chats()[0].id.clone()), client(world));
    let contact = world.crm(|crm| crm.contacts().first().map(|contact| contact.name.clone()).unwrap_or_default());
    let named = [(name, "Велосипед".to_owned()), (format!("Avito {id}"), format!("Avito {id}"))];
    let is_named = named.contains(&(contact, deals(world).concat()));
    (held(world), is_named, said(world, &chat).contains("создано в CRM: контакт"))
}

#[test]
fn the_records_of_a_chat_survive_a_crash_at_every_port_call() {
    let points = at_every_crash(play, came_to, &(ONE, true, true));
    println!("a chat and its records: {points} crash points");
}
