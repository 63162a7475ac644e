//! Section 2 of the protocol: taking the lease, poking, releasing.

use perezvon_domain::Timestamp;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::due::Due;
use perezvon_store::items::job::JobState;
use perezvon_store::{Table, Update};
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::minutes;
use crate::telling::school;

fn is_release(port: &Port<'_>) -> bool {
    port.removes("holder")
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_dies_leaves_a_due_time_behind() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The look at start is over.
    put_question(&world, 1, world.now()).await;
    let first_look = |port: &Port<'_>| matches!(port, Port::Get(key) if **key == connection_key());
    world.faults.before_first(first_look, || Then::Freeze(Duration::from_secs(3600)));
    let dead = world.begin_crm("dead", wake_up(), 0);
    minutes(&mut world, 4).await;
    assert_eq!(dead.await.expect("no panic"), None, "it died at its time-out");
    assert_eq!(jobs(&world).await[0].state, JobState::Done, "before the look at every connection");
}

#[tokio::test(start_paused = true)]
async fn pokes_from_before_the_lease_do_not_hold_up_its_release() {
    let mut world = school(Plan::default()).await;
    let pause = Update::new(connection_key()).set("retry_at", EPOCH_MS + 3_600_000).set("why", "test").add("pokes", 3);
    world.table.write(pause).expect("paused");
    let (writes, notes) = notes();
    world.faults.watch(move |port| {
        if port.writes(&connection_key()) {
            note(&notes, ());
        }
        None
    });
    wake(&world).await;
    seconds(&mut world, 1).await;
    assert_eq!(noted(&writes).len(), 2, "taken and released");
    assert_eq!(connection(&world).await.holder, None);
}

#[tokio::test(start_paused = true)]
async fn a_frozen_holder_is_alone_until_its_time_is_over_whatever_the_clocks_say() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    world.faults.before_first(|port| port.is_http("GET"), || Then::Freeze(Duration::from_secs(61)));
    let frozen = world.begin_crm("frozen", wake_up(), -5_000);
    for n in 0..62 {
        // A host whose clock is 10 s ahead of the frozen one's.
        world.begin_crm(&format!("other-{n}"), wake_up(), 5_000);
        seconds(&mut world, 1).await;
        assert_eq!(connection(&world).await.lease, 1, "after {n} s");
    }
    assert_eq!(frozen.await.expect("no panic"), None, "ended before it thawed");
    assert_eq!(world.crm(|crm| crm.requests().len()), 0);
    minutes(&mut world, 15).await;
    assert_eq!(world.crm(|crm| crm.requests().len()), 1);
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
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
async fn a_poke_to_a_lease_that_has_ended_is_refused_and_the_lease_is_taken() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The look at start is over.
    put_question(&world, 1, world.now()).await;
    let until = world.now().0 + 60_000;
    let held = Update::new(connection_key()).set("holder", "other").add("lease", 1).set("until", until);
    world.table.write(held).expect("held");
    let table = world.table.clone();
    world.faults.before_first(
        |port| port.adds("pokes"),
        move || {
            table.write(Update::new(connection_key()).remove("holder").remove("until")).expect("released");
            Then::GoOn
        },
    );
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_poke_counts_for_the_lease_it_was_meant_for() {
    let mut world = school(Plan::default()).await;
    let until = world.now().0 + 60_000;
    let held = |holder: &str| Update::new(connection_key()).set("holder", holder).add("lease", 1).set("until", until);
    world.table.write(held("other")).expect("held");
    let (table, next) = (world.table.clone(), held("next"));
    world.faults.before_first(
        |port| port.adds("pokes"),
        move || {
            table.write(next).expect("held by the next one");
            Then::GoOn
        },
    );
    let (takings, notes) = notes();
    world.faults.watch(move |port| {
        if port.sets("holder") {
            note(&notes, ());
        }
        None
    });
    wake(&world).await;
    seconds(&mut world, 1).await;
    assert_eq!(noted(&takings).len(), 2, "refused, so it tries to take the lease again");
    assert_eq!(connection(&world).await.pokes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_poke_just_before_the_release_is_not_lost() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The look at start is over.
    let (table, put) = (world.table.clone(), question_put(1, world.now()));
    world.faults.before_first(is_release, move || {
        table.write(put).expect("put");
        table.write(Update::new(connection_key()).add("pokes", 1)).expect("poked");
        Then::GoOn
    });
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_release_leaves_the_smallest_due_time_of_the_open_jobs_behind() {
    let mut world = school(Plan::default()).await;
    let now = world.now();
    for (n, wait_ms) in [(1, 500_000), (2, 400_000)] {
        put_question(&world, n, now).await;
        let mut job = jobs(&world).await.into_iter().find(|job| job.id == question_id(n)).expect("put");
        (job.state, job.retry_at) = (JobState::Waiting, Some(Timestamp(now.0 + wait_ms)));
        world.table.write(job.save(now)).expect("put off");
    }
    wake(&world).await;
    seconds(&mut world, 5).await;
    let row = connection(&world).await;
    assert_eq!((row.holder, row.wake_due), (None, Some(Timestamp(now.0 + 410_000))), "with its 2 skew");
    // A pause that lasts longer counts instead.
    world.table.write(Update::new(connection_key()).set("retry_at", now.0 + 800_000).set("why", "test")).expect("set");
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(connection(&world).await.wake_due, Some(Timestamp(now.0 + 810_000)));
    minutes(&mut world, 30).await;
    assert!(jobs(&world).await.iter().all(|job| job.state == JobState::Done));
    assert_eq!(connection(&world).await.wake_due, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_only_waits_for_the_clocks_is_not_left_to_the_sweep() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The first sweep is over.
    put_question(&world, 1, world.now()).await;
    let mut job = jobs(&world).await.remove(0);
    (job.state, job.retry_at) = (JobState::Waiting, Some(world.now()));
    world.table.write(job.save(world.now())).expect("put off");
    wake(&world).await;
    seconds(&mut world, 15).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done, "2 skew later, by a wake-up of its own");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_is_not_left_to_the_sweep_because_of_those_behind_it() {
    for by_point in [true, false] {
        let mut world = school(Plan::default()).await;
        seconds(&mut world, 1).await; // The first sweep is over.
        let now = world.now();
        put_question(&world, 1, now).await;
        let mut job = jobs(&world).await.remove(0);
        (job.state, job.retry_at) = (JobState::Waiting, Some(Timestamp(now.0 + 2_000)));
        world.table.write(job.save(now)).expect("put off");
        let prev = (!by_point).then(|| Prev { at: now, id: question_id(1) });
        let points = question(if by_point { 1 } else { 2 }).points;
        let order = JobOrder { points, prev, ..question(2) };
        let behind = JobRow::put(&ids().0, Timestamp(now.0 + 1), &question_id(2), &order, false);
        world.table.update(behind).await.expect("put");
        wake(&world).await;
        seconds(&mut world, 2).await;
        assert_eq!(connection(&world).await.wake_due, Some(Timestamp(now.0 + 12_000)), "with its 2 skew");
        seconds(&mut world, 15).await;
        assert!(jobs(&world).await.iter().all(|job| job.state == JobState::Done), "by a wake-up of its own");
    }
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
async fn a_lost_wake_up_is_healed_by_the_look_at_every_connection() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    assert!(world.crm_queue.is_empty(), "its wake-up is lost");
    minutes(&mut world, 11).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn the_look_at_every_connection_leaves_a_paused_one_alone() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    world
        .table
        .write(Update::new(connection_key()).set("retry_at", EPOCH_MS + 7_200_000).set("why", "test"))
        .expect("set");
    minutes(&mut world, 25).await;
    assert_eq!(world.crm_queue.sent(), 0);
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
