//! A second PBX beside the first: one that names no legs, gives no account by itself and tells nothing twice.

use std::time::Duration;

use perezvon_domain::call::{Call, Reading, RecordsState};
use perezvon_sandbox::rostelecom::{Manner, Placed, Trouble, TroubleKind, What};
use perezvon_tests::World;
use perezvon_tests::settings::vats;
use perezvon_tests::world::Plan;

use crate::telling::{Held, assert_pace_was_kept, at_every_crash, held};

/// The account with both PBXs; the second one knows its address.
async fn both(plan: Plan) -> World {
    let world = World::new(plan);
    world.apply(&vats()).await;
    world.tell_vats("school", "vats");
    world
}

fn placed(what: What, talk_s: i64) -> Placed {
    Placed {
        what,
        client: "79995550000".to_owned(),
        employee: "12".to_owned(),
        second: "23".to_owned(),
        talk_s,
        recorded: true,
        ..Placed::default()
    }
}

/// Places a call; its id.
fn place(world: &World, placed: Placed) -> String {
    let now_ms = world.now().0;
    world.vats(|vats| vats.place(placed, now_ms)).expect("a call that can be placed")
}

async fn call(world: &World, session: &str) -> Call {
    world.call_of("school", "vats", session).await.expect("the call").call
}

async fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds)).await;
}

fn trouble(world: &World, on: &str, kind: TroubleKind) {
    world.vats(|vats| vats.trouble(Trouble { on: on.to_owned(), times: 1, kind }));
}

fn codes(call: &Call) -> Vec<&str> {
    call.because.iter().map(|because| because.reason.code.as_str()).collect()
}

/// How often its API was asked for this.
fn asked(world: &World, method: &str) -> usize {
    world.vats(|vats| vats.requests().iter().filter(|request| request.path.ends_with(method)).count())
}

#[tokio::test(start_paused = true)]
async fn an_answered_call_makes_the_same_records_as_with_the_other_pbx_and_brings_its_recording() {
    let mut world = both(Plan::default()).await;
    let session = place(&world, placed(What::Incoming, 60));
    seconds(&mut world, 300).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    let call = call(&world, &session).await;
    assert_eq!((call.answered(), call.talk_seconds()), (true, 60));
    assert_eq!(call.reading, Reading::Told);
    world.crm(|crm| {
        let note = crm.notes().iter().find(|note| note.is_call()).expect("the call");
        assert_eq!(note.params["duration"], 60);
        assert!(note.params["link"].as_str().is_some_and(|link| link.starts_with("https://calls.test/r/")));
        assert_eq!(crm.leads()[0].responsible, 504_002, "who talked");
    });
    assert_eq!((asked(&world, "call_info"), asked(&world, "get_record")), (1, 1));
    assert_pace_was_kept(&world);
}

#[tokio::test(start_paused = true)]
async fn a_missed_call_is_decided_by_the_providers_account_and_becomes_a_task() {
    let mut world = both(Plan::default()).await;
    let session = place(&world, placed(What::Incoming, 0));
    seconds(&mut world, 300).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| {
        assert_eq!(crm.tasks()[0].text, "Перезвонить +79995550000");
        assert_eq!(crm.tasks()[0].responsible, 504_002, "whose telephone rang");
    });
    assert!(codes(&call(&world, &session).await).contains(&"final_summary"));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_makes_the_last_one_responsible_and_counts_both_talks() {
    let mut world = both(Plan::default()).await;
    let session = place(&world, placed(What::Transfer, 40));
    seconds(&mut world, 300).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert_eq!(world.crm(|crm| crm.leads()[0].responsible), 504_003);
    assert_eq!(call(&world, &session).await.talk_seconds(), 40);
}

#[tokio::test(start_paused = true)]
async fn an_outgoing_call_belongs_to_the_scenario_of_the_channels_own_line() {
    let mut world = both(Plan::default()).await;
    place(&world, placed(What::Outbound, 15));
    seconds(&mut world, 300).await;
    assert_eq!(held(&world), Held { tasks: 0, ..Held::ONE_OF_EACH });
    assert_eq!(world.crm(|crm| crm.leads()[0].name.clone()), "Исходящий +79995550000");
}

#[tokio::test(start_paused = true)]
async fn a_call_between_employees_and_a_hidden_number_make_nothing() {
    let mut world = both(Plan::default()).await;
    place(&world, placed(What::Internal, 15));
    let hidden = place(&world, Placed { client: String::new(), ..placed(What::Incoming, 10) });
    seconds(&mut world, 900).await;
    assert_eq!(held(&world), Held::default());
    let records = call(&world, &hidden).await.records;
    assert!(matches!(records, RecordsState::Unlinked { because } if because.code == "client_hidden"));
}

#[tokio::test(start_paused = true)]
async fn both_pbxs_stand_in_one_feed_and_one_client_is_one_contact() {
    let mut world = both(Plan::default()).await;
    let other = crate::calls::call("mango", "79995550000", 0, 30);
    crate::calls::play(&mut world, perezvon_sandbox::mango::calls::answered(&other, &crate::calls::petrova())).await;
    place(&world, placed(What::Incoming, 20));
    seconds(&mut world, 600).await;
    let held = held(&world);
    assert_eq!((held.contacts, held.calls), (1, 2), "the second one is a call of a known client");
}

#[tokio::test(start_paused = true)]
async fn notices_that_come_twice_or_in_another_order_change_nothing() {
    for kind in [TroubleKind::Twice, TroubleKind::Swapped, TroubleKind::Blanks, TroubleKind::NumericReason] {
        for on in ["new", "calling", "connected", "disconnected"] {
            let mut world = both(Plan { duplicates: 30, ..Plan::default() }).await;
            trouble(&world, on, kind);
            let session = place(&world, placed(What::Incoming, 30));
            seconds(&mut world, 300).await;
            assert_eq!(held(&world), Held::ONE_OF_EACH, "{kind:?} {on}");
            assert_eq!(call(&world, &session).await.talk_seconds(), 30, "{kind:?} {on}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_one_lost_notice_is_made_good_by_asking() {
    for on in ["new", "calling", "connected", "disconnected", "end"] {
        for talk_s in [30, 0] {
            let mut world = both(Plan::default()).await;
            trouble(&world, on, TroubleKind::Lost);
            let session = place(&world, placed(What::Incoming, talk_s));
            seconds(&mut world, 3 * 3600).await;
            assert_eq!(held(&world), Held::ONE_OF_EACH, "without `{on}`, {talk_s} s");
            let call = call(&world, &session).await;
            assert_eq!((call.answered(), call.talk_seconds()), (talk_s > 0, talk_s), "without `{on}`");
            assert!(call.summary.is_some(), "without `{on}`, {talk_s} s: by a question, or by the log of the domain");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_there_yet_is_asked_for_again() {
    let mut world = both(Plan::default()).await;
    world.vats(|vats| {
        let slow = Manner { account_after_ms: 600_000, ..vats.manner().clone() };
        vats.behave(slow);
    });
    let missed = place(&world, placed(What::Incoming, 0));
    seconds(&mut world, 300).await;
    assert_eq!(held(&world).tasks, 0, "nothing is decided before it is known");
    seconds(&mut world, 1800).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert!(codes(&call(&world, &missed).await).contains(&"final_summary"));
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_does_not_answer_for_hours_keeps_no_talk_waiting_and_settles_the_rest_marked() {
    let mut world = both(Plan::default()).await;
    let (now, hours) = (world.now().0, 3_600_000);
    world.vats(|vats| vats.behave(Manner { off: vec!["call_info".to_owned()], ..vats.manner().clone() }));
    world.vats(|vats| vats.set_outage(now, now + 60_000, 503));
    let talked = place(&world, placed(What::Incoming, 30));
    let missed = place(&world, Placed { client: "79996660000".to_owned(), ..placed(What::Incoming, 0) });
    seconds(&mut world, 600).await;
    assert_eq!(call(&world, &talked).await.talk_seconds(), 30, "by its legs");
    seconds(&mut world, 4 * 3600).await;
    assert!(world.now().0 > now + 4 * hours);
    let held = held(&world);
    assert_eq!((held.contacts, held.tasks, held.calls, held.service_notes), (2, 2, 2, 0));
    for session in [&talked, &missed] {
        assert!(codes(&call(&world, session).await).contains(&"account_failed"), "it says that it could not be asked");
    }
    assert!(codes(&call(&world, &missed).await).contains(&"final_unread"));
}

#[tokio::test(start_paused = true)]
async fn a_missed_call_becomes_a_task_within_two_hours_though_the_pbx_cannot_be_reached_at_all() {
    let mut world = both(Plan::default()).await;
    let (now, hour) = (world.now().0, 3_600_000);
    world.vats(|vats| vats.set_outage(now, now + 5 * hour, 503));
    let missed = place(&world, placed(What::Incoming, 0));
    seconds(&mut world, 3600).await;
    assert_eq!(held(&world).tasks, 0, "it may have been answered: that is asked");
    seconds(&mut world, 3900).await;
    assert_eq!((held(&world).tasks, held(&world).calls), (1, 1));
    assert!(codes(&call(&world, &missed).await).contains(&"account_missing"));
    seconds(&mut world, 5 * 3600).await;
    assert_eq!((held(&world).tasks, held(&world).calls), (1, 1), "the account that came at last changes nothing");
    assert_eq!(call(&world, &missed).await.reading, Reading::Told);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_is_late_is_asked_for_until_it_is_there() {
    let mut world = both(Plan::default()).await;
    world.vats(|vats| vats.behave(Manner { record_tries: 5, ..vats.manner().clone() }));
    place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 600).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH, "the link is added to the same record");
    assert_eq!(asked(&world, "get_record"), 6);
    let linked = |note: &&perezvon_sandbox::amocrm::Note| note.is_call() && !note.params["link"].is_null();
    assert!(world.crm(|crm| crm.notes().iter().any(|note| linked(&note))));
}

#[tokio::test(start_paused = true)]
async fn forged_and_foreign_notices_are_kept_and_make_nothing_until_the_key_is_right() {
    let mut world = both(Plan::default()).await;
    for kind in [TroubleKind::BadSign, TroubleKind::UnknownClient] {
        trouble(&world, "", kind);
    }
    let session = place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 300).await;
    assert_eq!(world.release_all("school", "vats").await, 2, "two notices wait for a person");
    assert_eq!(held(&world), Held::ONE_OF_EACH, "what they would have told was asked for");
    assert_eq!(call(&world, &session).await.line(), Some("74950000001"));
}

#[tokio::test(start_paused = true)]
async fn what_comes_from_a_foreign_address_waits_until_the_settings_name_it() {
    // The gateway of the world sees everything come from 81.88.80.132.
    let from = |network: &str| {
        vats().replace("name = \"Вторая АТС\"", &format!("{}\nallowed_ips = [\"{network}\"]", "name = \"Вторая АТС\""))
    };
    let mut world = World::new(Plan::default());
    world.apply(&from("10.0.0.0/8")).await;
    world.tell_vats("school", "vats");
    place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 120).await;
    assert_eq!(held(&world), Held::default());
    world.apply(&from("81.88.80.0/24")).await;
    assert_eq!(world.release_all("school", "vats").await, 5, "nothing of it is lost");
    seconds(&mut world, 600).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_charset_that_is_not_the_real_one_loses_nothing() {
    let mut world = both(Plan::default()).await;
    for _ in 0..5 {
        trouble(&world, "", TroubleKind::WrongCharset);
    }
    place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 300).await;
    assert_eq!((held(&world), world.release_all("school", "vats").await), (Held::ONE_OF_EACH, 0));
}

/// No notice of the next call is posted.
fn silence(world: &World) {
    for on in ["new", "calling", "connected", "disconnected", "end"] {
        trouble(world, on, TroubleKind::Lost);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_no_notice_told_of_are_found_in_the_log_of_the_domain_once() {
    let mut world = both(Plan::default()).await;
    silence(&world);
    place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 60).await;
    silence(&world);
    let missed = place(&world, Placed { client: "79996660000".to_owned(), ..placed(What::Incoming, 0) });
    seconds(&mut world, 3 * 3600).await;
    let held = held(&world);
    assert_eq!((held.contacts, held.deals, held.tasks, held.calls, held.service_notes), (2, 2, 2, 2, 0));
    assert!(asked(&world, "domain_call_history") >= 5, "each half hour");
    assert!(call(&world, &missed).await.recordings.values().all(|recording| !recording.ready));
    let linked = |note: &&perezvon_sandbox::amocrm::Note| note.is_call() && !note.params["link"].is_null();
    assert_eq!(world.crm(|crm| crm.notes().iter().filter(linked).count()), 1, "the talk has its recording");
}

#[tokio::test(start_paused = true)]
async fn a_log_too_large_to_unpack_fails_with_a_reason_and_the_next_one_is_read() {
    let mut world = both(Plan::default()).await;
    world.vats(|vats| vats.behave(Manner { history_padding_mib: 65, ..vats.manner().clone() }));
    silence(&world);
    place(&world, placed(What::Incoming, 30));
    seconds(&mut world, 2400).await;
    assert_eq!(held(&world), Held::default());
    world.vats(|vats| vats.behave(Manner { history_padding_mib: 0, ..vats.manner().clone() }));
    seconds(&mut world, 2 * 3600).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[test]
fn finding_a_call_in_the_log_survives_a_crash_at_every_port_call() {
    let play = async |plan| {
        let mut world = both(plan).await;
        world.vats(|vats| {
            vats.behave(Manner { history_polls: 0, history_after_ms: 0, ..vats.manner().clone() });
        });
        let first = world.faults.calls();
        silence(&world);
        place(&world, placed(What::Incoming, 0));
        seconds(&mut world, 25 * 60).await;
        (world, first)
    };
    let points = at_every_crash(play, held, &Held::ONE_OF_EACH);
    println!("call found in the log: {points} crash points");
    assert_eq!(points, 476, "say in the README what changed");
}

async fn crashing(plan: Plan, what: What, talk_s: i64) -> (World, u64) {
    let mut world = both(plan).await;
    // Without the log of the domain: what is lost must come to light by questions.
    world.vats(|vats| vats.behave(Manner { off: vec!["domain_call_history".to_owned()], ..vats.manner().clone() }));
    let first = world.faults.calls();
    place(&world, placed(what, talk_s));
    seconds(&mut world, 25 * 60).await;
    (world, first)
}

#[test]
fn a_call_survives_a_crash_at_every_port_call_although_nothing_is_posted_again() {
    let points = at_every_crash(async |plan| crashing(plan, What::Transfer, 40).await, held, &Held::ONE_OF_EACH);
    println!("call of the second PBX: {points} crash points");
    let missed = at_every_crash(async |plan| crashing(plan, What::Incoming, 0).await, held, &Held::ONE_OF_EACH);
    println!("missed call of the second PBX: {missed} crash points");
    assert_eq!((points, missed), (586, 496), "say in the README what changed");
}
