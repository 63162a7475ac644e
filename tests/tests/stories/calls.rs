//! Kinds of calls, and what each leaves in the CRM and in the feed.

use std::time::Duration;

use perezvon_domain::call::{LogState, RecordsState};
use perezvon_sandbox::mango::calls::{self, Call, Employee};
use perezvon_tests::World;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings::LINE;
use perezvon_tests::world::Plan;

use crate::telling::{Held, held, school};

/// A call of the sandbox PBX that begins `start_s` seconds after the world.
pub fn call(entry: &str, client: &str, start_s: i64, talk_s: i64) -> Call {
    Call {
        entry: entry.to_owned(),
        client: client.to_owned(),
        line: LINE.to_owned(),
        recording: None,
        start_s: EPOCH_MS / 1000 + start_s,
        talk_s,
    }
}

pub fn petrova() -> Employee {
    Employee::new("12", "petrova")
}

pub fn sidorov() -> Employee {
    Employee::new("23", "sidorov")
}

/// Posts a call's webhooks at the times they would be sent.
pub async fn play(world: &mut World, webhooks: Vec<calls::Webhook>) {
    let mut passed = 0;
    for webhook in webhooks {
        let wait = (webhook.after_ms - passed).max(0);
        passed += wait;
        world.run_for(Duration::from_millis(wait.unsigned_abs())).await;
        assert_eq!(world.post("school", webhook.path, &webhook.json).await, 200);
    }
}

pub async fn minutes(world: &mut World, minutes: u64) {
    world.run_for(Duration::from_secs(60 * minutes)).await;
}

fn unlinked(state: &RecordsState) -> Option<&str> {
    match state {
        RecordsState::Unlinked { because } => Some(&because.code),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_missed_call_of_a_new_client_becomes_a_task_to_call_back() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::missed_new(&call("m", "79991110000", 0, 0), &petrova())).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| {
        let task = &crm.tasks()[0];
        assert_eq!(task.text, "Перезвонить +79991110000");
        assert_eq!(task.responsible, 504_002, "whose telephone rang last");
    });
}

#[tokio::test(start_paused = true)]
async fn a_known_client_gets_no_second_contact() {
    let mut world = school(Plan::default()).await;
    let known = world.crm(|crm| crm.add_contact("Иван Известный", "8 (999) 222-00-00", 504_003));
    play(&mut world, calls::answered(&call("k", "79992220000", 0, 60), &petrova())).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held { contacts: 1, deals: 0, tasks: 1, calls: 1, service_notes: 0 });
    world.crm(|crm| {
        assert_eq!(crm.tasks()[0].text, "Звонил Иван Известный");
        assert_eq!(crm.tasks()[0].entity.map(|(_, id)| id), Some(known));
        assert_eq!(crm.tasks()[0].responsible, 504_003, "who keeps this client");
    });
}

#[tokio::test(start_paused = true)]
async fn of_several_contacts_with_one_number_the_last_active_one_is_taken_and_the_rest_named() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| {
        crm.add_contact("Старый", "+79993330000", 504_001);
        crm.add_contact("Тоже он", "89993330000", 504_001);
    });
    play(&mut world, calls::answered(&call("d", "79993330000", 0, 5), &petrova())).await;
    minutes(&mut world, 10).await;
    let item = world.call("school", "d").await.expect("the call");
    assert!(item.call.because.iter().any(|because| because.reason.code == "client_duplicates"));
    assert_eq!(held(&world).contacts, 2);
}

#[tokio::test(start_paused = true)]
async fn a_hidden_number_makes_nothing_in_the_crm_and_stands_unlinked_in_the_feed() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::missed_new(&call("h", "", 0, 0), &petrova())).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::default());
    let item = world.call("school", "h").await.expect("the call");
    assert_eq!(unlinked(&item.call.records), Some("client_hidden"));
}

#[tokio::test(start_paused = true)]
async fn an_internal_call_makes_nothing() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::internal(&call("i", "", 0, 20), &petrova(), &sidorov())).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::default());
    assert_eq!(world.crm(|crm| crm.requests().len()), 0, "nobody is asked about colleagues");
}

#[tokio::test(start_paused = true)]
async fn a_scenario_acts_on_its_own_numbers_only() {
    let mut world = school(Plan::default()).await;
    let other = Call { line: "74950009999".to_owned(), ..call("o", "79994440000", 0, 10) };
    play(&mut world, calls::answered(&other, &petrova())).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::default());
    let item = world.call("school", "o").await.expect("the call");
    assert_eq!(unlinked(&item.call.records), Some("no_scenario"));
}

#[tokio::test(start_paused = true)]
async fn after_a_transfer_the_last_one_called_is_responsible() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::blind_transfer(&call("t", "79995550000", 0, 40), &petrova(), &sidorov())).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| assert_eq!(crm.leads()[0].responsible, 504_003));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_that_comes_to_light_late_reassigns_what_was_made() {
    let mut world = school(Plan::default()).await;
    let webhooks = calls::blind_transfer(&call("t", "79995550001", 0, 40), &petrova(), &sidorov());
    let is_late = |webhook: &calls::Webhook| webhook.json.contains("\"23\"") && webhook.path == "events/call";
    let (late, early): (Vec<_>, Vec<_>) = webhooks.into_iter().partition(is_late);
    assert!(!late.is_empty());
    play(&mut world, early).await;
    minutes(&mut world, 15).await;
    world.crm(|crm| assert_eq!(crm.leads()[0].responsible, 504_002));
    play(&mut world, late).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| {
        let made = [crm.contacts()[0].responsible, crm.leads()[0].responsible, crm.tasks()[0].responsible];
        assert_eq!(made, [504_003; 3]);
    });
}

#[tokio::test(start_paused = true)]
async fn a_group_in_which_somebody_answers_is_one_answered_call() {
    let mut world = school(Plan::default()).await;
    let group = [petrova(), sidorov()];
    play(&mut world, calls::ring_group(&call("g", "79996660000", 0, 30), &group, Some(1))).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| assert_eq!(crm.leads()[0].responsible, 504_003, "who answered"));
}

#[tokio::test(start_paused = true)]
async fn a_missed_call_of_a_client_who_was_reached_meanwhile_leaves_no_task() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.set_outage(EPOCH_MS, EPOCH_MS + 600_000, 503));
    play(&mut world, calls::missed_new(&call("first", "79997770000", 0, 0), &petrova())).await;
    play(&mut world, calls::outgoing(&call("back", "79997770000", 120, 30), &petrova())).await;
    minutes(&mut world, 60).await;
    assert_eq!(held(&world).contacts, 1, "one person, whoever called whom");
    assert_eq!(held(&world).tasks, 0);
    let item = world.call("school", "first").await.expect("the call");
    assert!(item.call.because.iter().any(|because| because.reason.code == "task_needless"));
}

#[tokio::test(start_paused = true)]
async fn the_recording_is_kept_and_its_link_stands_in_the_record() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.add_recording("rec-1", EPOCH_MS));
    let recorded = Call { recording: Some("rec-1".to_owned()), ..call("r", "79998880000", 0, 30) };
    play(&mut world, calls::answered(&recorded, &petrova())).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    let link = world.crm(|crm| crm.notes()[0].params["link"].as_str().map(str::to_owned)).expect("a link");
    assert!(link.starts_with("https://calls.test/r/"), "{link}");
    let stored = world.blobs.stored.lock().expect("the blobs").len();
    assert_eq!(stored, 1);
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_comes_late_goes_into_the_same_record() {
    let mut world = school(Plan::default()).await;
    let recorded = Call { recording: Some("rec-2".to_owned()), ..call("l", "79998880001", 0, 30) };
    let (late, early): (Vec<_>, Vec<_>) =
        calls::answered(&recorded, &petrova()).into_iter().partition(|w| w.path == "events/record/added");
    play(&mut world, early).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| assert!(crm.notes()[0].params.get("link").is_none()));
    let now = world.now().0;
    world.pbx(|pbx| pbx.add_recording("rec-2", now));
    play(&mut world, late).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH, "no second record, no service note");
    world.crm(|crm| assert!(crm.notes()[0].params["link"].as_str().is_some_and(|link| link.contains("/r/"))));
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_never_comes_is_made_up_for_by_the_legs() {
    let mut world = school(Plan::default()).await;
    let webhooks = calls::answered(&call("s", "79998880002", 0, 30), &petrova());
    play(&mut world, webhooks.into_iter().filter(|webhook| webhook.path != "events/summary").collect()).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    world.crm(|crm| assert_eq!(crm.notes()[0].params["duration"], 30));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_turns_out_answered_gets_one_note_and_its_task_is_completed() {
    let mut world = school(Plan::default()).await;
    let webhooks = calls::answered(&call("w", "79998880003", 0, 30), &petrova());
    // First only the menu is heard of, and it ended: a missed call, as far as anybody can tell.
    let (menu, rest): (Vec<_>, Vec<_>) = webhooks.into_iter().partition(|w| w.json.contains("\"location\":\"ivr\""));
    play(&mut world, menu).await;
    // So long the statistics are asked, which do not know the call either.
    minutes(&mut world, 180).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    play(&mut world, rest).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held { service_notes: 1, ..Held::ONE_OF_EACH });
    world.crm(|crm| assert!(crm.tasks()[0].is_completed));
}

#[tokio::test(start_paused = true)]
async fn a_known_client_is_logged_even_if_nothing_is_to_be_made() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.add_contact("Иван", "+79998880004", 504_003));
    let toml = perezvon_tests::settings::full("school")
        .replace("[scenarios.incoming_known]\ntask = { text = \"Звонил $(client)\", due_in = \"2h\" }", "");
    world.apply(&toml).await;
    play(&mut world, calls::answered(&call("n", "79998880004", 0, 30), &petrova())).await;
    minutes(&mut world, 15).await;
    assert_eq!(held(&world), Held { contacts: 1, calls: 1, ..Held::default() });
    let item = world.call("school", "n").await.expect("the call");
    assert!(matches!(item.call.log, LogState::Logged { .. }));
}
