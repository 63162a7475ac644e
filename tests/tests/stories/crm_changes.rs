//! What somebody changes in the CRM: its webhook is believed in nothing, and the next question knows it all the same.

use std::time::Duration;

use perezvon_domain::job::FoundClient;
use perezvon_domain::{AccountId, ClientId, CrmId};
use perezvon_sandbox::amocrm::Edit;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::items::point::PointRow;
use perezvon_store::{Table, keys};
use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;
use serde_json::json;

use crate::answering_who_calls::{CALLER, ask, asked_once, hangs, number, set_up, settings, why};
use crate::backlog::put;
use crate::people::{ask as ask_api, of, owner};
use crate::telling::{at_every_crash, post_all};

const PETROVA: u64 = 504_002;
const SIDOROV: u64 = 504_003;
const FORM: &str = "application/x-www-form-urlencoded";
/// Long enough for a change to be told, gathered and asked about.
const SOON: Duration = Duration::from_secs(30);

/// Settings whose CRM tells of changes.
fn told(settings: String) -> String {
    settings.replace("base = \"https://crm.test\"\n", "base = \"https://crm.test\"\naccount_id = \"30000001\"\n")
}

/// A client whom Petrova keeps, and a CRM that tells of changes.
async fn world_of(plan: Plan) -> World {
    let world = set_up(plan, told).await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, PETROVA));
    world.tell_crm("school");
    world
}

/// The same, and the PBX has asked about the client before.
async fn world() -> World {
    let mut world = world_of(Plan::default()).await;
    asked_once(&mut world).await;
    world
}

fn edit(world: &World, edit: Edit<'_>) {
    let now_ms = world.now().0;
    world.crm(|crm| {
        let contact = crm.contacts()[0].id;
        crm.edit_contact(contact, edit, now_ms);
    });
}

fn handed_to(user: u64) -> Edit<'static> {
    Edit { responsible: Some(user), ..Edit::default() }
}

/// What the cache says while the CRM is silent: name and internal number.
async fn cached(world: &mut World, caller: &str) -> (String, String) {
    hangs(world);
    let answer = ask(world, caller).await;
    let (name, pin) = answer.said();
    (name.to_owned(), pin.to_owned())
}

fn says(name: &str, pin: &str) -> (String, String) {
    (name.to_owned(), pin.to_owned())
}

/// How often the CRM was asked who somebody is.
fn reads(world: &World) -> usize {
    world.crm(|crm| crm.requests().iter().filter(|request| request.path.starts_with("/api/v4/contacts")).count())
}

async fn point(world: &World, caller: &str) -> PointRow {
    let key = keys::point(&AccountId::from("school"), &ClientId::from(number(caller)));
    let row = Table::get(world.table.as_ref(), &key).await.expect("the model answers");
    PointRow::read(&row.expect("a point"))
}

fn refused(world: &World) -> Vec<String> {
    let rows = world.quarantine.all();
    let requests = rows.iter().filter(|row| row.s("request").is_some());
    requests.map(|row| Quarantined::read(row).expect("a request").reason).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_question_knows_who_keeps_the_client_now_and_what_they_are_called() {
    let mut world = world().await;
    edit(&world, Edit { name: Some("Ольга Смирнова"), responsible: Some(SIDOROV), ..Edit::default() });
    world.run_for(SOON).await;
    assert_eq!(cached(&mut world, CALLER).await, says("Ольга Смирнова", "23"));
    assert_eq!(why(&world, CALLER).await, ["answer_late", "answer_cached", "answer_name", "answer_responsible"]);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_moved_and_a_contact_that_was_deleted_are_known_too() {
    let mut moved = world().await;
    edit(&moved, Edit { phone: Some("+7 999 000-11-99"), ..Edit::default() });
    moved.run_for(SOON).await;
    assert_eq!(cached(&mut moved, CALLER).await, says("", ""));
    assert_eq!(why(&moved, CALLER).await, ["answer_late", "answer_cached", "answer_no_contact"]);
    let mut deleted = world().await;
    deleted.crm(|crm| crm.delete_contact(crm.contacts()[0].id));
    deleted.run_for(SOON).await;
    assert_eq!(cached(&mut deleted, CALLER).await, says("", ""));
    assert_eq!(point(&deleted, CALLER).await.contact, None);
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_changes_is_one_read_however_often_each_of_them_comes() {
    let mut world = world_of(Plan { duplicates: 60, ..Plan::default() }).await;
    asked_once(&mut world).await;
    let before = reads(&world);
    for n in 0..50 {
        edit(&world, handed_to(if n % 2 == 0 { PETROVA } else { SIDOROV }));
    }
    world.run_for(SOON).await;
    assert_eq!(reads(&world) - before, 1);
    assert_eq!(world.crm(|crm| crm.posted().count()), 50);
    assert_eq!(cached(&mut world, CALLER).await, says("Ольга Иванова", "23"));
}

#[tokio::test(start_paused = true)]
async fn of_whom_we_know_nothing_the_crm_is_asked_nothing() {
    let mut world = world().await;
    let before = reads(&world);
    let stranger = world.crm(|crm| crm.add_contact("Пётр", "79995556677", PETROVA));
    let now_ms = world.now().0;
    world.crm(|crm| crm.edit_contact(stranger, Edit { name: Some("Пётр Первый"), ..Edit::default() }, now_ms));
    world.run_for(SOON).await;
    assert_eq!(world.crm(|crm| crm.posted().map(|post| post.status).collect::<Vec<_>>()), [200]);
    assert_eq!((reads(&world) - before, refused(&world).len()), (0, 0));
    let key = keys::point(&AccountId::from("school"), &ClientId::from(number("79995556677")));
    assert_eq!(Table::get(world.table.as_ref(), &key).await.expect("the model answers"), None);
}

#[tokio::test(start_paused = true)]
async fn another_account_waits_in_quarantine_and_nothing_of_it_is_asked() {
    let mut world = world().await;
    let before = reads(&world);
    let path = world.hook_path("school", "crm:main", 1, "");
    let body = |account: &str| {
        format!("contacts[update][0][id]=7143600&contacts[update][0][name]=X&account[id]={account}")
            .replace('[', "%5B")
            .replace(']', "%5D")
    };
    for (account, status) in [("30000002", 200), ("", 200)] {
        assert_eq!(world.post_bytes(&path, FORM, body(account).as_bytes()).await.status_code, status);
    }
    let revoked = world.hook_path("school", "crm:main", 7, "");
    assert_eq!(world.post_bytes(&revoked, FORM, body("30000001").as_bytes()).await.status_code, 200);
    world.run_for(SOON).await;
    let mut reasons = refused(&world);
    reasons.sort();
    assert_eq!(reasons, ["other_account", "revoked_url", "unreadable"]);
    assert_eq!((reads(&world) - before, point(&world, CALLER).await.stale_at), (0, None));
}

#[tokio::test(start_paused = true)]
async fn while_the_crm_is_down_the_old_answer_goes_out_and_is_called_stale() {
    let mut world = world().await;
    let now_ms = world.now().0;
    world.crm(|crm| crm.set_outage(now_ms, now_ms + 300_000, 503));
    edit(&world, handed_to(SIDOROV));
    world.run_for(SOON).await;
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("Ольга Иванова", "12"));
    let told = why(&world, CALLER).await;
    assert!(told.contains(&"answer_stale".to_owned()), "{told:?}");
    world.run_for(Duration::from_secs(1_800)).await;
    assert_eq!(cached(&mut world, CALLER).await, says("Ольга Иванова", "23"));
    assert!(!why(&world, CALLER).await.contains(&"answer_stale".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_cards_that_change_at_once_hold_up_no_call() {
    let mut world = world().await;
    let callers: Vec<String> = (1..=150).map(|n| format!("7999{n:07}")).collect();
    for caller in &callers {
        let contact = world.crm(|crm| crm.add_contact("Клиент", caller, PETROVA));
        let (account, client) = (AccountId::from("school"), ClientId::from(number(caller)));
        let found = FoundClient {
            contact: CrmId(contact.to_string()),
            name: "Клиент".to_owned(),
            responsible: None,
            duplicates: 0,
        };
        world.table.update(PointRow::news(&account, &client, Some(&found), world.now())).await.expect("written");
    }
    let now_ms = world.now().0;
    world.crm(|crm| {
        let all: Vec<u64> = crm.contacts().iter().map(|contact| contact.id).collect();
        all.into_iter().for_each(|contact| crm.edit_contact(contact, handed_to(SIDOROV), now_ms));
    });
    // The span is over, and nobody was woken up yet: now a call asks who its client is.
    world.run_for(Duration::from_secs(10)).await;
    put(&world, 0, world.now(), |_| {}).await;
    world.run_for(Duration::from_secs(300)).await;
    let asked = world.crm(|crm| crm.requests().iter().map(|request| request.query.clone()).collect::<Vec<_>>());
    let place = asked.iter().position(|query| query.contains("query=9990000000"));
    assert!(place.is_some_and(|place| place < 4) && asked.len() > 150, "{place:?} of {}", asked.len());
    assert!(world.crm(|crm| crm.max_requests_in_any_second()) <= 4, "at the pace of jobs");
    for caller in [&callers[0], &callers[149]] {
        assert_eq!(point(&world, caller).await.responsible, Some(CrmId(SIDOROV.to_string())));
    }
}

#[tokio::test(start_paused = true)]
async fn the_address_is_shown_where_the_account_is_named_and_ends_with_it() {
    let mut world = world().await;
    let listed = async |world: &World| ask_api(world, &owner(), "GET", &of("urls"), None).await.1["urls"].clone();
    let last = listed(&world).await.as_array().and_then(|urls| urls.last().cloned()).expect("addresses");
    assert_eq!((&last["channel"], &last["name"]), (&json!("crm:main"), &json!("amoCRM")));
    world.apply(&told(settings("school")).replace("account_id = \"30000001\"\n", "")).await;
    assert_eq!(listed(&world).await.as_array().map(Vec::len), Some(2));
    edit(&world, handed_to(SIDOROV));
    world.run_for(SOON).await;
    assert_eq!(refused(&world), ["revoked_url"]);
    // Named again it is there again, until the whole connection goes.
    world.apply(&told(settings("school"))).await;
    edit(&world, handed_to(SIDOROV));
    world.run_for(SOON).await;
    assert_eq!((refused(&world).len(), point(&world, CALLER).await.responsible), (1, Some(CrmId(SIDOROV.to_string()))));
    let mut gone: toml::Table = settings("school").parse().expect("TOML");
    gone.remove("crm");
    world.apply(&gone.to_string()).await;
    // So long `verify` goes by what it remembers, as with a channel.
    world.run_for(Duration::from_secs(120)).await;
    edit(&world, handed_to(PETROVA));
    world.run_for(SOON).await;
    assert_eq!(refused(&world), ["revoked_url", "revoked_url"]);
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_we_made_ourselves_is_found_by_its_id_alone() {
    let mut world = set_up(Plan::default(), told).await;
    world.tell_crm("school");
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.run_for(Duration::from_secs(300)).await;
    let (contact, phone) = world.crm(|crm| (crm.contacts()[0].id, crm.contacts()[0].phones[0].clone()));
    assert_eq!(point(&world, &phone).await.contact, Some(CrmId(contact.to_string())));
    world.crm(|crm| crm.delete_contact(contact));
    world.run_for(SOON).await;
    assert_eq!((point(&world, &phone).await.contact, refused(&world)), (None, Vec::new()));
    assert_eq!(world.crm(|crm| (crm.contacts().len(), crm.leads().len())), (1, 1), "what came back made nothing");
}

#[tokio::test(start_paused = true)]
async fn who_is_dismissed_in_the_crm_is_rung_no_more_though_the_settings_name_them() {
    let mut world = world().await;
    world.crm(|crm| crm.dismiss(PETROVA));
    // The look at all connections, then the next day's.
    world.run_for(Duration::from_secs(24 * 3600)).await;
    assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", "10"), "the fall-back manager");
    assert!(why(&world, CALLER).await.contains(&"answer_fallback".to_owned()));
    let asked = world.crm(|crm| crm.requests().iter().filter(|request| request.path == "/api/v4/users").count());
    assert_eq!(asked, 2, "once a day");
}

/// One change of a client who called before; what was learned by the end, and what is left open.
async fn one_change(plan: Plan) -> (World, u64) {
    let mut world = set_up(Plan { crash: Vec::new(), ..plan.clone() }, told).await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, PETROVA));
    asked_once(&mut world).await;
    world.tell_crm("school");
    world.faults.plan(plan.crash);
    let first = world.faults.calls();
    edit(&world, handed_to(SIDOROV));
    world.run_for(Duration::from_secs(1_200)).await;
    (world, first)
}

#[test]
fn a_change_survives_a_crash_at_every_port_call() {
    let came_to = |world: &World| {
        let rows = world.table.all();
        let jobs = keys::jobs(&AccountId::from("school"), &"crm:main".into());
        let open = rows.iter().filter(|row| row.key.pk() == jobs && row.attributes.contains_key("open")).count();
        let responsible = rows.iter().find_map(|row| row.s("responsible").map(str::to_owned));
        (responsible, open)
    };
    let points = at_every_crash(one_change, came_to, &(Some(SIDOROV.to_string()), 0));
    println!("a change of a contact: {points} crash points");
    assert_eq!(points, 256, "say what changed");
}
