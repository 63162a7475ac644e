//! A channel of Avito goes: switched off, another address, out of the settings. Avito is told to post there no more.

use perezvon_domain::conversation::{Cause, Closed, State};
use perezvon_domain::{AccountId, ConnectionId};
use perezvon_engine::settings::parse;
use perezvon_platform::link::{Consent, Role, sign_consent};
use perezvon_sandbox::avito::Config;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::intake::Seen;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::faults::Then;
use perezvon_tests::settings::{self, SOON};
use perezvon_tests::world::{PERSON_KEY, Plan};
use serde_json::{Value as Json, json};

use crate::answering::seconds;
use crate::avito::{addresses, ads, apply, asked, begin, posted, push, quarantined};
use crate::calls::minutes;
use crate::people::{ask, of, owner, request, token, told};
use crate::telling::at_every_crash;

const END: &str = "/webhook/unsubscribe";

/// The account without its channel of chats.
fn without() -> String {
    let whole = settings::ads();
    let at = whole.find("[[channels]]\nid = \"ads\"").expect("the channel of chats stands last");
    whole[..at].to_owned()
}

fn off() -> String {
    settings::ads().replace("id = \"ads\"", "id = \"ads\"\nactive = false")
}

fn ids() -> (AccountId, ConnectionId) {
    (AccountId::from("school"), ConnectionId::from("channel:ads"))
}

fn connection(world: &World) -> ConnectionRow {
    let row = world.table.row(&keys::connection(&ids().0, &ids().1)).expect("the connection");
    ConnectionRow::read(&row).expect("a connection")
}

fn jobs(world: &World) -> Vec<JobRow> {
    let (account, id) = ids();
    let pk = keys::jobs(&account, &id);
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == pk && row.key.sk().starts_with("job#"));
    rows.map(|row| JobRow::read(&account, &id, &row).expect("a job")).collect()
}

fn refused(path: &str, times: u32, status: u16) -> Fault {
    let kind = FaultKind::Status { status, body: String::new(), retry_after: None };
    Fault { method: None, path_contains: path.to_owned(), skip: 0, times, kind }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_switched_off_is_taken_back_and_told_anew_when_it_is_on_again() {
    let mut world = ads(Plan::default()).await;
    apply(&world, &off()).await;
    seconds(&mut world, 5).await;
    assert_eq!((addresses(&world).len(), asked(&world, "POST", END)), (0, 1));
    for _ in 0..2 {
        assert_eq!(ask(&world, &owner(), "POST", &of("urls"), None).await.0, 202);
        minutes(&mut world, 1).await;
    }
    assert_eq!(asked(&world, "POST", END), 1, "once");
    assert!(!connection(&world).off && connection(&world).leave_by.is_none(), "it may be switched on again");
    apply(&world, &settings::ads()).await;
    seconds(&mut world, 5).await;
    assert_eq!((addresses(&world).len(), asked(&world, "POST", END)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_is_told_and_taken_back_in_one_breath_is_not_left_behind() {
    let world = &mut World::new(Plan::default());
    world.open_for_chats();
    apply(world, &settings::ads()).await;
    apply(world, &settings::ads().replace("id = \"ads\"", "id = \"ads\"\ngeneration = 2")).await;
    apply(world, &off()).await;
    apply(world, &settings::ads().replace("id = \"ads\"", "id = \"ads\"\ngeneration = 3")).await;
    minutes(world, 2).await;
    assert_eq!(addresses(world).len(), 1);
    let left = addresses(world)[0].as_str().expect("an address").to_owned();
    let (_, shown) = ask(world, &owner(), "GET", &of("urls"), None).await;
    let urls = shown["urls"].as_array().expect("a list");
    assert!(urls.iter().any(|one| one["channel"] == "ads" && one["url"] == left), "{left} {shown}");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_leaves_the_settings_is_taken_back_first_and_says_nothing_more() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 58).await;
    let before = world.ads(|ads| ads.requests().len());
    apply(&world, &without()).await;
    minutes(&mut world, 3).await;
    assert_eq!((addresses(&world).len(), asked(&world, "POST", END)), (0, 1));
    assert!(world.written_in(&chat).is_empty(), "the autoreply was two seconds away");
    assert_eq!(world.ads(|ads| ads.requests().len()), before + 1, "nothing but that");
    assert!(connection(&world).disconnected);
    assert!(jobs(&world).iter().all(|job| !job.state.is_open()));
    assert_eq!(connection(&world).wake_due, None);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_keeps_no_channel_from_being_switched_off() {
    let mut world = ads(Plan::default()).await;
    let now = world.now().0;
    world.ads(|ads| ads.set_outage(now, now + 86_400_000, 503));
    apply(&world, &without()).await;
    minutes(&mut world, 9).await;
    assert!(!connection(&world).off && asked(&world, "POST", END) > 1, "it is tried");
    minutes(&mut world, 4).await;
    assert!(connection(&world).off && connection(&world).disconnected);
    assert!(jobs(&world).iter().all(|job| !job.state.is_open()));
    assert_eq!(connection(&world).wake_due, None);
}

#[tokio::test(start_paused = true)]
async fn neither_a_pause_nor_a_lost_secret_keeps_a_channel_from_being_switched_off() {
    for lose in [false, true] {
        let mut world = ads(Plan::default()).await;
        if lose {
            let name = "connection/school.channel:ads";
            assert!(world.secrets.records.lock().expect("free").remove(name).is_some());
            world.restart();
        } else {
            world.ads(|ads| ads.inject(refused("", 1000, 402)));
        }
        apply(&world, &without()).await;
        minutes(&mut world, 14).await;
        assert!(connection(&world).disconnected, "lost: {lose}");
        assert!(jobs(&world).iter().all(|job| !job.state.is_open()), "lost: {lose}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_stands_as_a_failed_job_that_is_not_repeated_once_the_address_is_used_again() {
    let mut world = ads(Plan::default()).await;
    world.ads(|ads| ads.inject(refused(END, 1, 400)));
    apply(&world, &off()).await;
    minutes(&mut world, 1).await;
    let failed = jobs(&world).into_iter().filter(|job| job.state == JobState::Failed).count();
    assert_eq!((failed, addresses(&world).len()), (1, 1));
    apply(&world, &settings::ads()).await;
    minutes(&mut world, 1).await;
    let (_, listed) = ask(&world, &owner(), "GET", &of("jobs?state=failed"), None).await;
    let id = listed["jobs"][0]["id"].as_str().expect("the failed job").to_owned();
    let again = of(&format!("connections/channel:ads/jobs/{id}/retry"));
    let (status, answer) = ask(&world, &owner(), "POST", &again, None).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(addresses(&world).len(), 1);
    apply(&world, &off()).await;
    minutes(&mut world, 1).await;
    assert!(addresses(&world).is_empty(), "under another version it is tried again");
}

#[tokio::test(start_paused = true)]
async fn a_farewell_whose_wake_up_is_lost_or_whose_holder_dies_is_taken_up_by_its_due_time() {
    for dies in [false, true] {
        let mut world = ads(Plan::default()).await;
        apply(&world, &without()).await;
        if dies {
            world.faults.before_first(|port| port.is_http("POST"), || Then::Die);
        } else {
            world.outbound_queue.lose_all();
        }
        minutes(&mut world, 12).await;
        assert!(addresses(&world).is_empty() && connection(&world).disconnected, "dies: {dies}");
    }
}

/// The settings without the channel, applied until somebody answers.
async fn leave(plan: Plan) -> (World, u64) {
    let mut world = ads(plan).await;
    let first = world.faults.calls();
    let body: Json = serde_json::to_value(parse(&without()).expect("a document")).expect("JSON");
    let mut left = 5;
    while left > 0 {
        let asked = request(&world, &owner(), "PUT", &of("settings"), Some(body.clone()));
        let status = world.ask_surviving(asked).await.map(|answer| told(answer).0);
        left = if status == Some(200) { 0 } else { left - 1 };
    }
    minutes(&mut world, 30).await;
    (world, first)
}

#[test]
fn a_channel_leaves_through_a_crash_at_every_port_call() {
    let came_to = |world: &World| {
        let it = connection(world);
        let open = jobs(world).iter().filter(|job| job.state.is_open()).count();
        (world.ads(|ads| ads.is_subscribed()), it.disconnected, it.wake_due, open)
    };
    let points = at_every_crash(leave, came_to, &(false, true, None, 0));
    println!("a channel leaves: {points} crash points");
    assert_eq!(points, 158, "say in the README what changed");
}

/// Asks to switch the channel off, with this consent.
async fn disable(world: &World, consent: Option<&str>) -> (i64, Json) {
    let body = consent.map_or_else(|| json!({}), |consent| json!({ "consent": consent }));
    ask(world, &owner(), "POST", &of("channels/ads/disable"), Some(body)).await
}

async fn consent(world: &World) -> String {
    let (status, shown) = disable(world, None).await;
    assert_eq!(status, 200, "{shown}");
    shown["consent"].as_str().expect("a consent").to_owned()
}

fn closed(world: &World, chat: &str) -> Option<Closed> {
    match world.conversation_in(chat).expect("a conversation").conversation.state {
        State::Closed(closed) => Some(closed),
        State::New | State::Open => None,
    }
}

#[tokio::test(start_paused = true)]
async fn switching_off_tells_first_what_it_does_and_closes_without_a_word_once_that_is_agreed_to() {
    let mut world = ads(Plan::default()).await;
    let (one, two) = (begin(&world), begin(&world));
    minutes(&mut world, 59).await;
    let (status, shown) = disable(&world, None).await;
    assert_eq!((status, &shown["open"], &shown["open_at_least"]), (200, &json!(2), &json!(false)), "{shown}");
    assert!(shown["what"].as_array().is_some_and(|lines| lines.len() == 5));
    assert!(closed(&world, &one).is_none() && addresses(&world).len() == 1, "nothing was done");
    let consent = shown["consent"].as_str().expect("a consent").to_owned();
    let (status, done) = disable(&world, Some(&consent)).await;
    assert_eq!((status, &done["closing"], &done["more"]), (202, &json!(2), &json!(false)), "{done}");
    seconds(&mut world, 10).await;
    for chat in [&one, &two] {
        assert!(closed(&world, chat).is_some_and(|it| it.silent && it.cause == Cause::ChannelDisabled));
    }
    assert!(addresses(&world).is_empty());
    let (_, shown) = ask(&world, &owner(), "GET", &of("settings"), None).await;
    let channels = shown["document"]["channels"].as_array().expect("channels").clone();
    assert!(channels.iter().any(|it| it["id"] == "ads" && it["active"] == false) && shown["source"] == "");
    minutes(&mut world, 180).await;
    assert_eq!(world.written_in(&one), [SOON], "no closing text");
    let (status, again) = disable(&world, Some(&consent)).await;
    assert_eq!(status, 409, "ten minutes are over: {again}");
}

#[tokio::test(start_paused = true)]
async fn what_came_while_it_was_off_never_comes_in_and_the_settings_switch_it_on_anew() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    let consent = consent(&world).await;
    assert_eq!(disable(&world, Some(&consent)).await.0, 202);
    minutes(&mut world, 2).await;
    let before = world.conversation_in(&chat);
    posted(&mut world, &push(&chat, Config::default().user_id, "text")).await;
    assert!(world.conversation_in(&chat).map(|it| it.conversation) == before.map(|it| it.conversation));
    assert_eq!(quarantined(&world), Vec::<String>::new(), "dropped");
    let row = world.table.row(&keys::channel_status(&ids().0, &"ads".into())).expect("heard of");
    assert!(Seen::read(&row).counted > 0, "and counted");
    world.ads(|ads| ads.client_writes(&chat, "Алло?", world.now().0)).expect("a chat");
    let looks = asked(&world, "GET", "/chats");
    minutes(&mut world, 30).await;
    assert_eq!(asked(&world, "GET", "/chats"), looks, "nor fetched");
    assert_eq!(apply(&world, &settings::ads()).await["changed"], json!(true));
    minutes(&mut world, 2).await;
    assert_eq!(addresses(&world).len(), 1);
    assert!(closed(&world, &chat).is_some());
    minutes(&mut world, 11).await;
    assert!(closed(&world, &chat).is_some(), "not afterwards either");
    world.ads(|ads| ads.client_writes(&chat, "Вы ещё здесь?", world.now().0)).expect("a chat");
    minutes(&mut world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON, SOON], "a new round");
}

#[tokio::test(start_paused = true)]
async fn no_consent_but_a_fresh_one_for_this_very_thing_switches_a_channel_off() {
    let mut world = ads(Plan::default()).await;
    let good = consent(&world).await;
    let other = |channel: &str| {
        let consent = Consent { account: "school".into(), channel: channel.into(), version: 1 };
        sign_consent(&consent, i64::MAX, PERSON_KEY)
    };
    let forged = sign_consent(
        &Consent { account: "school".into(), channel: "ads".into(), version: 1 },
        i64::MAX,
        b"another key of sixteen bytes",
    );
    for wrong in ["", "x.y", other("main").as_str(), forged.as_str()] {
        let (status, answer) = disable(&world, Some(wrong)).await;
        assert_eq!((status, answer["what_to_do"].is_string()), (409, true), "{wrong} {answer}");
    }
    for (path, who, expected) in [
        ("channels/main/disable", owner(), 409),
        ("channels/nobody/disable", owner(), 404),
        ("channels/ads/disable", token("school", "anna", Role::Operator), 403),
        ("channels/ads/disable", token("school", "anna", Role::Auditor), 403),
        ("channels/ads/disable", token("other", "owner", Role::Owner), 404),
    ] {
        assert_eq!(ask(&world, &who, "POST", &of(path), Some(json!({}))).await.0, expected, "{path}");
    }
    apply(&world, &settings::ads().replace("Объявления", "Авито")).await;
    assert_eq!(disable(&world, Some(&good)).await.0, 409, "other settings than it was given for");
    let good = consent(&world).await;
    minutes(&mut world, 10).await;
    assert_eq!(disable(&world, Some(&good)).await.0, 409, "it is too old");
    assert_eq!(addresses(&world).len(), 1);
}

/// Switched off in the middle of a conversation; whoever gets no answer asks again.
async fn switch_off(plan: Plan) -> (World, u64) {
    let mut world = ads(Plan { crash: Vec::new(), ..plan.clone() }).await;
    begin(&world);
    seconds(&mut world, 58).await;
    let consent = consent(&world).await;
    let first = world.faults.calls();
    world.faults.plan(plan.crash);
    let body = json!({ "consent": consent });
    for _ in 0..5 {
        let asked = request(&world, &owner(), "POST", &of("channels/ads/disable"), Some(body.clone()));
        if world.ask_surviving(asked).await.map(|answer| told(answer).0) == Some(202) {
            break;
        }
    }
    minutes(&mut world, 30).await;
    (world, first)
}

#[test]
fn a_channel_is_switched_off_through_a_crash_at_every_port_call() {
    let came_to = |world: &World| {
        let chat = world.ads(|ads| ads.chats()[0].id.clone());
        let open = jobs(world).iter().filter(|job| job.state.is_open()).count();
        let silent = closed(world, &chat).is_some_and(|it| it.silent);
        (world.ads(|ads| ads.is_subscribed()), silent, world.written_in(&chat), open)
    };
    let points = at_every_crash(switch_off, came_to, &(false, true, Vec::new(), 0));
    println!("a channel is switched off: {points} crash points");
    assert_eq!(points, 78, "say in the README what changed");
}
