//! The marked rules of the protocol (docs/protocol.md), each on its own.

use std::time::Duration;

use perezvon_domain::call::{Call, LogState};
use perezvon_domain::effect::{Command, JobOrder};
use perezvon_domain::{AccountId, ConnectionId, EffectId, Lane, Number, Point, Timestamp};
use perezvon_engine::commit::wake_due;
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::Queue;
use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::call::Due;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::{Query, Table, Update, keys};
use perezvon_tests::World;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, post_all, school};

fn ids() -> (AccountId, ConnectionId) {
    (AccountId::from("school"), ConnectionId::from("crm:main"))
}

async fn jobs(world: &World) -> Vec<JobRow> {
    let (account, connection) = ids();
    let mut query = Query::table(keys::jobs(&account, &connection));
    let (from, to) = keys::job_range();
    (query.from, query.to, query.limit) = (Some(from.into()), Some(to.into()), 1000);
    let rows = Table::query(world.table.as_ref(), query).await.expect("the model answers").rows;
    rows.iter().map(|row| JobRow::read(&account, &connection, row).expect("a job")).collect()
}

async fn connection(world: &World) -> ConnectionRow {
    let (account, connection) = ids();
    let row = Table::get(world.table.as_ref(), &keys::connection(&account, &connection)).await;
    ConnectionRow::read(&row.expect("the model answers").expect("the connection")).expect("a connection")
}

async fn put_question(world: &World, n: i64, at: Timestamp) -> EffectId {
    let (account, connection) = ids();
    let number = Number::parse(&format!("7999{n:07}")).expect("a number");
    let id = EffectId(format!("call/main/entry-{n}/1/0"));
    let order = JobOrder {
        connection,
        command: Command::FindClient { number: number.clone() },
        points: vec![Point::Phone(number)],
        prev: None,
    };
    world.table.update(JobRow::put(&account, at, &id, &order, false)).await.expect("put");
    id
}

async fn wake(world: &World) {
    let (account, connection) = ids();
    world.crm_queue.send(vec![WakeUp { account, connection }.message(0)]).await.expect("sent");
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_up_is_healed_by_the_look_at_every_connection() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    assert!(world.crm_queue.is_empty(), "its wake-up is lost");
    minutes(&mut world, 11).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_that_was_dead_lettered_is_healed_too() {
    let mut world = school(Plan::default()).await;
    minutes(&mut world, 1).await; // The look at start is over.
    put_question(&world, 1, world.now()).await;
    wake(&world).await;
    for _ in 0..11 {
        world.crm_queue.receive(&world.crm_queue.visible());
        tokio::time::sleep(Duration::from_secs(361)).await;
    }
    world.crm_queue.receive(&world.crm_queue.visible());
    assert_eq!(world.crm_queue.dead().len(), 1);
    minutes(&mut world, 11).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_lost_timer_message_is_healed_by_the_sweep() {
    let mut world = school(Plan::default()).await;
    let legs: Vec<_> = captured("inbound_normal").into_iter().filter(|w| w.path == "events/call").collect();
    post_all(&mut world, &legs, 1).await;
    assert!(world.events.lose_all() > 0, "the delayed message is lost");
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_timer_never_makes_an_item() {
    let mut world = school(Plan::default()).await;
    let message = wake_due(&"school".into(), &"main".into(), "nobody", world.now(), 0);
    world.events.send(vec![message]).await.expect("sent");
    minutes(&mut world, 1).await;
    assert!(world.call("school", "nobody").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_early_timer_changes_nothing_but_the_due_time() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..4], 1).await;
    let before: Call = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call").call;
    let message = wake_due(&"school".into(), &"main".into(), "MTAwMDAwMDAwMDE=", world.now(), 0);
    world.events.send(vec![message.clone(), message]).await.expect("sent");
    world.run_for(Duration::from_secs(1)).await;
    let after = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call");
    assert_eq!((after.call.legs, after.call.final_at), (before.legs, None));
    assert_eq!(after.wake_due, None, "a connected leg is never timed out");
}

#[tokio::test(start_paused = true)]
async fn the_due_index_is_empty_when_a_call_is_over() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal"), 2).await;
    minutes(&mut world, 40).await;
    let due: Vec<_> = world.table.all().into_iter().filter(|row| row.n("wake_due").is_some()).collect();
    assert!(due.is_empty(), "{due:?}");
    let item = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call");
    assert!(item.outbox.is_empty() && matches!(item.call.log, LogState::Logged { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_dead_holders_lease_is_taken_only_after_its_end_and_the_first_request_waits() {
    let mut world = school(Plan::default()).await;
    let (account, id) = ids();
    put_question(&world, 1, world.now()).await;
    let until = world.now().0 + 70_000;
    let update = Update::new(keys::connection(&account, &id)).set("holder", "dead").add("lease", 1).set("until", until);
    world.table.update(Due::Set(Timestamp(until + 10_000)).apply(update)).await.expect("held");
    wake(&world).await;
    world.run_for(Duration::from_secs(75)).await;
    assert_eq!(world.crm(|crm| crm.requests().len()), 0, "the lease outlives its process");
    minutes(&mut world, 10).await;
    let first = world.crm(|crm| crm.requests().first().map(|request| request.at_ms)).expect("a request");
    assert!(first > until + 10_000 + 1_000, "until + 2 skew, and a second more: {}", first - until);
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn whoever_finds_the_lease_taken_pokes_and_the_holder_looks_again() {
    let mut world = school(Plan { parallel: 3, ..Plan::default() }).await;
    for n in 0..12 {
        put_question(&world, n, Timestamp(EPOCH_MS + n)).await;
        wake(&world).await;
    }
    minutes(&mut world, 3).await;
    assert!(jobs(&world).await.iter().all(|job| job.state == JobState::Done));
    assert_eq!(world.crm(|crm| crm.requests().len()), 12, "each asked once, by one holder at a time");
    world.crm(|crm| assert!(crm.max_requests_in_any_second() <= 5));
    assert!(connection(&world).await.pokes > 0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_connection_costs_one_read_whatever_waits() {
    let mut reads = Vec::new();
    for waiting in [10, 90] {
        let world = &mut school(Plan::default()).await;
        let (account, id) = ids();
        for n in 0..waiting {
            put_question(world, n, Timestamp(EPOCH_MS + n)).await;
        }
        let pause =
            Update::new(keys::connection(&account, &id)).set("retry_at", EPOCH_MS + 3_600_000).set("why", "test");
        world.table.update(pause).await.expect("paused");
        world.run_for(Duration::from_secs(1)).await;
        let before = world.table.units().reads;
        wake(world).await;
        world.run_for(Duration::from_secs(1)).await;
        reads.push(world.table.units().reads - before);
    }
    assert_eq!(reads[0], reads[1], "{reads:?}");
}

#[tokio::test(start_paused = true)]
async fn a_step_costs_the_same_with_many_done_jobs() {
    let mut costs = Vec::new();
    for done in [2, 40] {
        let world = &mut school(Plan::default()).await;
        for n in 0..done {
            put_question(world, n, Timestamp(EPOCH_MS + n)).await;
        }
        wake(world).await;
        world.run_for(Duration::from_secs(130)).await; // Between two sweeps.
        let before = world.table.units();
        put_question(world, 1000, world.now()).await;
        wake(world).await;
        world.run_for(Duration::from_secs(5)).await;
        let after = world.table.units();
        costs.push((after.reads - before.reads, after.writes - before.writes));
    }
    assert_eq!(costs[0], costs[1], "{costs:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_asked_about_before_its_time() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.inject(Fault::once("POST", "/api/v4/tasks", FaultKind::CarriedOutThenLost)));
    play(&mut world, calls::answered(&call("x", "79991230000", 0, 30), &petrova())).await;
    minutes(&mut world, 10).await;
    let (sent, asked) = world.crm(|crm| {
        let at = |method: &str| {
            crm.requests()
                .iter()
                .filter(|r| r.path == "/api/v4/tasks" && r.method == method)
                .map(|r| r.at_ms)
                .collect::<Vec<_>>()
        };
        (at("POST"), at("GET"))
    });
    assert_eq!((sent.len(), asked.len()), (1, 1));
    // D 30 s + lag 30 s + 2 skew 10 s.
    assert!(asked[0] - sent[0] >= 70_000, "{}", asked[0] - sent[0]);
}

#[tokio::test(start_paused = true)]
async fn after_a_disconnect_nothing_is_created_any_more() {
    let mut world = school(Plan::default()).await;
    let (account, id) = ids();
    play(&mut world, calls::missed_new(&call("x", "79991230000", 0, 0), &petrova())).await;
    let off = ConnectionRow::switch_off(&account, &id, world.now());
    world.table.update(off).await.expect("off");
    let made = held(&world);
    wake(&world).await;
    put_question(&world, 5, world.now()).await;
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), made);
    assert!(connection(&world).await.disconnected);
    assert!(jobs(&world).await.iter().all(|job| !job.state.is_open()));
    // A job that comes after the end fails as well.
    put_question(&world, 6, world.now()).await;
    wake(&world).await;
    minutes(&mut world, 2).await;
    assert!(jobs(&world).await.iter().all(|job| !job.state.is_open()));
}

#[tokio::test(start_paused = true)]
async fn a_job_handed_over_twice_stands_once_and_an_ended_one_is_not_opened_again() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, Timestamp(EPOCH_MS)).await;
    wake(&world).await;
    minutes(&mut world, 1).await;
    let (account, connection) = ids();
    let number = Number::parse("79990000001").expect("a number");
    let order = JobOrder { connection, command: Command::FindClient { number }, points: vec![], prev: None };
    let id = EffectId::from("call/main/entry-1/1/0");
    let again = world.table.update(JobRow::put(&account, Timestamp(EPOCH_MS), &id, &order, false)).await;
    assert!(again.is_err_and(|error| error.is_conflict()));
    wake(&world).await;
    minutes(&mut world, 1).await;
    assert_eq!(world.crm(|crm| crm.requests().len()), 1);
}

#[tokio::test(start_paused = true)]
async fn an_effect_older_than_twenty_days_is_parked_for_a_person() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    let (account, connection) = ids();
    let number = Number::parse("79990000001").expect("a number");
    let day = 86_400_000;
    for (id, age) in [("call/main/MTAwMDAwMDAwMDE=/0/8", 19 * day), ("call/main/MTAwMDAwMDAwMDE=/0/9", 21 * day)] {
        // Handing over broke off long ago: the effect still stands in the outbox.
        let command = Command::FindClient { number: number.clone() };
        let order = JobOrder { connection: connection.clone(), command, points: vec![], prev: None };
        let wanted = perezvon_domain::effect::Wanted::Job(order);
        let effect = perezvon_domain::Effect { id: id.into(), at: Timestamp(world.now().0 - age), wanted };
        let key = keys::call(&account, &"main".into(), "MTAwMDAwMDAwMDE=");
        let text = perezvon_store::items::text(&effect);
        world.table.update(Update::new(key).set_in("outbox", id, text)).await.expect("set");
    }
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    minutes(&mut world, 2).await;
    let state = |jobs: &[JobRow], id: &str| jobs.iter().find(|job| job.id.as_str().ends_with(id)).map(|job| job.state);
    let jobs = jobs(&world).await;
    assert_eq!(state(&jobs, "/0/8"), Some(JobState::Done));
    assert_eq!(state(&jobs, "/0/9"), Some(JobState::Parked));
}

#[tokio::test(start_paused = true)]
async fn the_wake_up_comes_again_although_the_row_was_there_already() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    let sent = world.crm_queue.sent();
    // The receipt was lost: the effect stands in the outbox again, its job row exists.
    let item = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call");
    let job = jobs(&world).await.remove(0);
    let effect = perezvon_domain::Effect {
        id: job.id.clone(),
        at: job.at,
        wanted: perezvon_domain::effect::Wanted::Job(JobOrder {
            connection: job.connection.clone(),
            command: job.command.clone(),
            points: job.points.clone(),
            prev: None,
        }),
    };
    let key = keys::call(&item.call.account, &item.call.channel, &item.call.entry);
    let text = perezvon_store::items::text(&effect);
    world.table.update(Update::new(key).set_in("outbox", effect.id.as_str(), text)).await.expect("set");
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(world.crm_queue.sent(), sent + 1, "a seen event hands over the whole outbox");
    assert_eq!(jobs(&world).await.len(), 1);
    assert!(world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call").outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn lanes_are_kept_apart() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.add_recording("rec", EPOCH_MS));
    let recorded = calls::Call { recording: Some("rec".to_owned()), ..call("x", "79991230000", 0, 30) };
    play(&mut world, calls::answered(&recorded, &petrova())).await;
    minutes(&mut world, 10).await;
    assert!(jobs(&world).await.iter().all(|job| job.command.lane() == Lane::Crm));
    assert_eq!(world.crm(|crm| crm.requests().iter().filter(|r| r.path.contains("vpbx")).count()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_poke_while_the_connection_is_paused_ends_in_a_release_not_in_a_circle() {
    let mut world = school(Plan { parallel: 3, ..Plan::default() }).await;
    let status = FaultKind::Status { status: 502, body: String::new(), retry_after: None };
    world.crm(|crm| crm.inject(Fault { times: 9, ..Fault::once("GET", "/contacts", status) }));
    for n in 0..6 {
        put_question(&world, n, Timestamp(EPOCH_MS + n)).await;
        wake(&world).await;
    }
    minutes(&mut world, 60).await;
    assert!(jobs(&world).await.iter().all(|job| job.state == JobState::Done));
}
