//! Calls that no webhook told of at all are found in the statistics of the PBX, and recorded once.

use std::ops::Range;
use std::time::Duration;

use perezvon_sandbox::mango::calls::{self, Webhook};
use perezvon_sandbox::mango::{Placed, What};
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::faults::Crash;
use perezvon_tests::settings::{SALT, full};
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, in_virtual_time};

const ENTRY: &str = "MTAwMDAwMDAwMDk=";
/// Until a call that is over by now is found: half an hour, and the ten minutes of a look before and after it.
const FOUND: u64 = 52;

/// The account `school`, whose channel looks for what was lost.
fn looking() -> String {
    full("school").replace("finds_lost = false\n", "")
}

async fn school(plan: Plan) -> World {
    let world = World::new(plan);
    world.apply(&looking()).await;
    world
}

fn place(world: &World, placed: &Placed) -> String {
    let now_ms = world.now().0;
    world.pbx(|pbx| pbx.place(placed, now_ms)).expect("a call that can be placed")
}

fn placed(what: What, talk_s: i64) -> Placed {
    Placed { what, client: "79995550000".to_owned(), talk_s, recorded: true, ..Placed::default() }
}

/// A missed call that the PBX knows, and the webhooks that tell of it.
fn missed(world: &World, entry: &str, client: &str) -> Vec<Webhook> {
    let start_s = (world.now().0 - perezvon_tests::ports::EPOCH_MS) / 1000;
    let call = call(entry, client, start_s, 0);
    let webhooks = calls::missed_new(&call, &petrova());
    world.pbx(|pbx| pbx.knows(&call, &webhooks));
    webhooks
}

fn asked(world: &World, method: &str) -> usize {
    world.pbx(|pbx| pbx.requests().iter().filter(|request| request.path.ends_with(method)).count())
}

/// Jobs that look for what was lost, and why they stand as they do.
fn looks(world: &World) -> Vec<String> {
    let rows = world.table.all().into_iter().filter(|row| keys::is_healing(&row.key));
    rows.map(|row| row.s("why").unwrap_or_default().to_owned()).collect()
}

/// All that stands in the CRM but for the moments at which it was written.
fn records(world: &World) -> Vec<String> {
    world.crm(|crm| {
        let leads =
            crm.leads().iter().map(|lead| format!("deal {} {}", lead.name, lead.responsible)).collect::<Vec<_>>();
        let tasks =
            crm.tasks().iter().map(|task| format!("task {} {}", task.text, task.responsible)).collect::<Vec<_>>();
        let notes = crm.notes();
        let notes = notes.iter().map(|note| {
            let (kind, params) = (&note.note_type, &note.params);
            let is_linked = params["link"].as_str().is_some_and(|link| !link.is_empty());
            format!("{kind} {} {} {} {is_linked}", params["phone"], params["duration"], note.responsible)
        });
        [leads, tasks, notes.collect()].concat()
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_that_no_webhook_told_of_is_recorded_as_if_they_had() {
    for (what, talk_s) in
        [(What::Incoming, 30), (What::Incoming, 0), (What::Transfer, 40), (What::Outgoing, 15), (What::Outgoing, 0)]
    {
        let mut kept = Vec::new();
        for told in [true, false] {
            let mut world = school(Plan::default()).await;
            if told {
                world.tell_pbx("school", "main");
            }
            place(&world, &placed(what, talk_s));
            minutes(&mut world, FOUND).await;
            let found = (held(&world), records(&world));
            minutes(&mut world, 120).await;
            assert_eq!((held(&world), records(&world)), found, "{what:?} {talk_s}: and no second time");
            assert_eq!(world.pbx(|pbx| pbx.violations()), 0, "at its pace");
            kept.push(found);
        }
        assert_eq!(kept[0], kept[1], "{what:?} {talk_s}");
        assert_eq!(kept[0].0.calls, 1, "{what:?} {talk_s}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_between_employees_and_hidden_numbers_are_found_and_make_nothing() {
    let mut world = school(Plan::default()).await;
    let internal = place(&world, &placed(What::Internal, 15));
    let hidden = place(&world, &Placed { client: String::new(), ..placed(What::Incoming, 10) });
    minutes(&mut world, FOUND).await;
    assert_eq!(held(&world), Held::default());
    for entry in [internal, hidden] {
        assert!(world.call("school", &entry).await.is_some_and(|item| item.call.final_at.is_some()));
    }
}

#[tokio::test(start_paused = true)]
async fn webhooks_that_come_after_the_statistics_change_nothing() {
    for lost in ["", "events/call", "events/summary"] {
        let mut world = school(Plan::default()).await;
        let late = missed(&world, ENTRY, "79991110000");
        minutes(&mut world, FOUND).await;
        let found = (held(&world), records(&world));
        assert_eq!(found.0, Held::ONE_OF_EACH);
        play(&mut world, late.into_iter().filter(|webhook| webhook.path != lost).collect()).await;
        minutes(&mut world, 120).await;
        assert_eq!((held(&world), records(&world)), found, "without `{lost}`");
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_that_come_after_the_webhooks_change_nothing() {
    let mut world = school(Plan::default()).await;
    world.tell_pbx("school", "main");
    let entry = place(&world, &placed(What::Transfer, 40));
    minutes(&mut world, 9).await;
    let version = |item: Option<perezvon_store::items::call::CallItem>| item.map(|item| item.base.version);
    let (before, told) = (version(world.call("school", &entry).await), held(&world));
    minutes(&mut world, 120).await;
    assert_eq!((version(world.call("school", &entry).await), held(&world)), (before, told));
    assert!(asked(&world, "stats/request") >= 4, "it was looked for");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_goes_on_is_left_alone_until_it_is_over() {
    let mut world = school(Plan::default()).await;
    let entry = place(&world, &placed(What::Incoming, 100 * 60));
    minutes(&mut world, 95).await;
    assert!(world.call("school", &entry).await.is_none());
    minutes(&mut world, FOUND).await;
    let item = world.call("school", &entry).await.expect("found");
    assert_eq!((item.call.talk_seconds(), held(&world)), (100 * 60, Held::ONE_OF_EACH));
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_days_is_read_part_by_part() {
    let mut world = school(Plan::default()).await;
    minutes(&mut world, 50).await;
    let before = asked(&world, "stats/request");
    for day in 0..3 {
        missed(&world, &format!("entry-{day}"), &format!("7999000200{day}"));
        tokio::time::advance(Duration::from_secs(86_400)).await;
    }
    minutes(&mut world, FOUND).await;
    let held = held(&world);
    assert_eq!((held.contacts, held.tasks, held.calls, held.service_notes), (3, 3, 3, 0));
    let parts = asked(&world, "stats/request") - before;
    assert!((12..=16).contains(&parts), "{parts} for three days and what followed");
    assert_eq!(world.pbx(|pbx| pbx.violations()), 0);
}

#[test]
fn bad_answers_lose_nothing() {
    let status = |status| FaultKind::Status { status, body: String::new(), retry_after: None };
    for kind in [FaultKind::Html200, status(401), status(429), status(503), status(404), FaultKind::LostBeforeArrival] {
        for method in ["stats/request", "stats/result"] {
            in_virtual_time(async {
                let mut world = school(Plan::default()).await;
                missed(&world, ENTRY, "79991110000");
                minutes(&mut world, 35).await;
                world.pbx(|pbx| pbx.inject(Fault::once("POST", method, kind.clone())));
                minutes(&mut world, FOUND + 30).await;
                assert_eq!(held(&world), Held::ONE_OF_EACH, "{kind:?} {method}");
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn statistics_that_nobody_understands_fail_with_a_reason_and_are_read_again() {
    let mut world = school(Plan::default()).await;
    missed(&world, ENTRY, "79991110000");
    minutes(&mut world, 35).await;
    world.pbx(|pbx| pbx.inject(Fault::once("POST", "stats/result", FaultKind::Html200)));
    minutes(&mut world, 10).await;
    let why = looks(&world).into_iter().find(|why| !why.is_empty()).unwrap_or_default();
    assert!(why.starts_with("статистика АТС не разобрана"), "{why}");
    assert_eq!(held(&world), Held::default());
    minutes(&mut world, FOUND).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_waits_for_the_right_one_and_then_all_is_found() {
    let mut world = World::new(Plan::default());
    world.apply(&looking().replace(SALT, "another-salt")).await;
    missed(&world, ENTRY, "79991110000");
    minutes(&mut world, 120).await;
    let requests = asked(&world, "stats/request");
    assert_eq!((requests, held(&world)), (1, Held::default()), "a second refusal would shut the API");
    world.apply(&looking()).await;
    minutes(&mut world, FOUND).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_told_not_to_look_asks_nothing() {
    let mut world = World::new(Plan::default());
    world.apply(&full("school")).await;
    place(&world, &placed(What::Incoming, 30));
    minutes(&mut world, 120).await;
    assert_eq!((held(&world), asked(&world, "stats/request"), looks(&world).len()), (Held::default(), 0, 0));
    world.apply(&looking()).await;
    minutes(&mut world, FOUND).await;
    assert_eq!(held(&world), Held::default(), "nothing from before it was told to");
}

/// A call that is found by the first look; which port calls are made from then on until it is told.
async fn crashing(plan: Plan) -> (World, Range<u64>) {
    let mut world = school(plan).await;
    missed(&world, ENTRY, "79991110000");
    tokio::time::advance(Duration::from_secs(39 * 60)).await;
    let (first, mut told) = (world.faults.calls(), None);
    let is_told = |world: &World| {
        world
            .table
            .all()
            .iter()
            .any(|row| keys::is_healing(&row.key) && row.s("open").is_none() && row.n("rev") > Some(0))
    };
    for _ in 0..40 {
        world.run_for(Duration::from_secs(1)).await;
        told = told.or_else(|| is_told(&world).then(|| world.faults.calls()));
    }
    minutes(&mut world, 25).await;
    let end = told.unwrap_or_default();
    (world, first..end)
}

#[test]
fn finding_a_call_that_no_webhook_told_of_survives_a_crash_at_every_port_call() {
    // What follows is any call: its stories crash there.
    let calls = in_virtual_time(async {
        let (world, calls) = crashing(Plan::default()).await;
        assert_eq!(held(&world), Held::ONE_OF_EACH);
        calls.filter(|call| !world.faults.is_idle(*call)).collect::<Vec<_>>()
    });
    let crashes: Vec<Crash> = calls.into_iter().flat_map(|call| [Crash::Before(call), Crash::After(call)]).collect();
    for crash in &crashes {
        in_virtual_time(async {
            let (world, _) = crashing(Plan { crash: vec![*crash], ..Plan::default() }).await;
            assert_eq!((world.faults.crashes(), held(&world)), (1, Held::ONE_OF_EACH), "{crash:?}");
        });
    }
    println!("call found in the statistics: {} crash points", crashes.len());
    assert_eq!(crashes.len(), 228, "so many before this change: are all of them still tried?");
}
