//! Section 1 of the protocol: commit, hand over, receipt.

use std::time::Duration;

use perezvon_domain::Timestamp;
use perezvon_domain::call::{Call, LogState};
use perezvon_domain::effect::JobOrder;
use perezvon_domain::time::Millis;
use perezvon_engine::commit::{self, ItemId};
use perezvon_platform::{Message, Queue};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::due::{Due, Timer};
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::{Table, Update, table};
use perezvon_tests::World;
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::minutes;
use crate::telling::{post_all, school};

async fn ask(world: &World) {
    world.events.send(vec![asking(CALL, world.now())]).await.expect("sent");
}

fn asking(entry: &str, now: Timestamp) -> Message {
    let id = ItemId { account: ids().0, channel: "main".into(), entry: entry.to_owned() };
    commit::question::<CallItem>(&id, Timer::Wake, now, 0)
}

fn is_receipt(port: &Port<'_>) -> bool {
    port.removes("outbox")
}

/// The process dies after its commit, before it hands over; its message is lost too.
async fn committed_only() -> World {
    let mut world = school(Plan::default()).await;
    world.faults.before_first(|port| port.sets("command"), || Then::Die);
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    world.events.lose_all();
    assert_eq!(world.call("school", CALL).await.expect("the call").base.outbox.len(), 1);
    assert!(jobs(&world).await.is_empty());
    world
}

#[tokio::test(start_paused = true)]
async fn a_timer_event_only_asks_however_often_it_comes() {
    let mut world = school(Plan::default()).await;
    let legs: Vec<_> = captured("inbound_normal").into_iter().filter(|w| w.path == "events/call").collect();
    post_all(&mut world, &legs, 1).await;
    let told = world.call("school", CALL).await.expect("the call").call;
    for _ in 0..7 {
        ask(&world).await;
        ask(&world).await;
        seconds(&mut world, 10).await;
    }
    let call = world.call("school", CALL).await.expect("the call").call;
    assert_eq!(call.touched_at, told.touched_at, "a timer is no news");
    assert!(call.final_at.is_some_and(|at| at.since(told.touched_at).0 <= 71_000), "{:?}", call.final_at);
}

#[tokio::test(start_paused = true)]
async fn a_timer_never_makes_an_item() {
    let mut world = school(Plan::default()).await;
    let message = asking("nobody", world.now());
    world.events.send(vec![message]).await.expect("sent");
    minutes(&mut world, 1).await;
    assert!(world.call("school", "nobody").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_early_timer_changes_nothing_but_the_due_time() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..4], 1).await;
    let before: Call = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call").call;
    let message = asking("MTAwMDAwMDAwMDE=", world.now());
    world.events.send(vec![message.clone(), message]).await.expect("sent");
    world.run_for(Duration::from_secs(1)).await;
    let after = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call");
    assert_eq!((after.call.legs, after.call.final_at), (before.legs, None));
    let asked = after.call.touched_at.after(Millis::minutes(120));
    assert_eq!(after.base.due(Timer::Wake), Some(asked), "who talks is asked about after two hours, and not timed out");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_would_grow_above_7_kb_hands_over_before_it_is_committed() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    let before = world.call("school", CALL).await.expect("the call").call.version;
    // Nobody works on the jobs, so that the next moments are the call's alone.
    world
        .table
        .write(Update::new(connection_key()).set("retry_at", EPOCH_MS + 3_600_000).set("why", "test"))
        .expect("set");
    for n in 0..40 {
        let left = left_in_the_outbox(question_id(n).as_str(), Timestamp(EPOCH_MS + n), question(n));
        world.table.write(left).expect("set");
    }
    assert!(table::size(&world.table.row(&call_key()).expect("the call").attributes) > 7 * 1024);
    post_all(&mut world, &captured("inbound_normal")[1..2], 1).await;
    let item = world.call("school", CALL).await.expect("the call");
    assert_eq!((item.call.version, item.base.outbox.len()), (before, 0), "handed over, not committed");
    assert_eq!(jobs(&world).await.len(), 41);
    seconds(&mut world, 10).await;
    let item = world.call("school", CALL).await.expect("the call");
    assert_eq!(item.call.legs.len(), 2, "the event came again and found room");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_no_retry_would_find_smaller_is_committed_at_any_size() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    world.table.write(Update::new(call_key()).set("padding", "x".repeat(8 * 1024))).expect("set");
    post_all(&mut world, &captured("inbound_normal")[1..2], 1).await;
    assert_eq!(world.call("school", CALL).await.expect("the call").call.legs.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_another_commit_left_in_the_outbox_is_handed_over_too() {
    let mut world = committed_only().await;
    post_all(&mut world, &captured("inbound_normal")[1..2], 1).await;
    assert_eq!(jobs(&world).await.len(), 1, "the effect of the commit whose process died");
    assert!(world.call("school", CALL).await.expect("the call").base.outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_changes_nothing_hands_over_what_is_there() {
    let mut world = committed_only().await;
    let (writes, notes) = notes();
    world.faults.watch(move |port| {
        let kinds = [("state", "commit"), ("command", "job"), ("outbox", "receipt")];
        kinds
            .iter()
            .filter(|(name, _)| port.sets(name) || port.removes(name))
            .for_each(|(_, kind)| note(&notes, *kind));
        None
    });
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(noted(&writes)[..2], ["job", "receipt"], "without a commit");
}

#[tokio::test(start_paused = true)]
async fn a_job_handed_over_twice_stands_once_and_an_ended_one_is_not_opened_again() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, Timestamp(EPOCH_MS)).await;
    wake(&world).await;
    minutes(&mut world, 1).await;
    let again = world.table.update(question_put(1, Timestamp(EPOCH_MS))).await;
    assert!(again.is_err_and(|error| error.is_conflict()));
    wake(&world).await;
    minutes(&mut world, 1).await;
    assert_eq!(world.crm(|crm| crm.requests().len()), 1);
}

#[tokio::test(start_paused = true)]
async fn the_wake_up_comes_again_although_the_row_was_there_already() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    let sent = world.crm_queue.sent();
    // The receipt was lost: the effect stands in the outbox again, its job row exists.
    let job = jobs(&world).await.remove(0);
    let order = JobOrder { command: job.command.clone(), points: job.points.clone(), ..question(1) };
    world.table.write(left_in_the_outbox(job.id.as_str(), job.at, order)).expect("set");
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(world.crm_queue.sent(), sent + 1);
    assert_eq!(jobs(&world).await.len(), 1);
    assert!(world.call("school", CALL).await.expect("the call").base.outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_wake_up_per_connection_comes_after_its_last_row() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    for n in 0..3 {
        let left = left_in_the_outbox(question_id(n).as_str(), Timestamp(EPOCH_MS + n), question(n));
        world.table.write(left).expect("set");
    }
    let (rows_at_wake_up, notes) = notes();
    let table = world.table.clone();
    world.faults.watch(move |port| {
        if matches!(port, Port::Other("queue.crm")) {
            note(&notes, table.all().iter().filter(|row| row.attributes.contains_key("command")).count());
        }
        None
    });
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(noted(&rows_at_wake_up), [4], "one wake-up, and all four rows are there");
}

#[tokio::test(start_paused = true)]
async fn an_effect_older_than_twenty_days_is_parked_for_a_person() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    let day = 86_400_000;
    for (id, age) in [("call/main/MTAwMDAwMDAwMDE=/0/8", 19 * day), ("call/main/MTAwMDAwMDAwMDE=/0/9", 21 * day)] {
        // Handing over broke off long ago: the effect still stands in the outbox.
        world.table.write(left_in_the_outbox(id, Timestamp(world.now().0 - age), question(1))).expect("set");
    }
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    minutes(&mut world, 2).await;
    let state = |jobs: &[JobRow], id: &str| jobs.iter().find(|job| job.id.as_str().ends_with(id)).map(|job| job.state);
    let jobs = jobs(&world).await;
    assert_eq!(state(&jobs, "/0/8"), Some(JobState::Done));
    assert_eq!(state(&jobs, "/0/9"), Some(JobState::Parked));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_removes_exactly_what_was_handed_over() {
    let mut world = school(Plan::default()).await;
    let table = world.table.clone();
    world.faults.before_first(is_receipt, move || {
        table
            .write(left_in_the_outbox("call/main/MTAwMDAwMDAwMDE=/9/0", Timestamp(EPOCH_MS), question(1)))
            .expect("set");
        Then::GoOn
    });
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    minutes(&mut world, 1).await;
    let handed_over = jobs(&world).await.into_iter().any(|job| job.id.as_str() == "call/main/MTAwMDAwMDAwMDE=/9/0");
    assert!(handed_over, "what was committed meanwhile is handed over by the next event");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_never_makes_an_erased_call_again() {
    let mut world = school(Plan::default()).await;
    let table = world.table.clone();
    world.faults.before_first(is_receipt, move || {
        table.erase(&call_key());
        Then::GoOn
    });
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(jobs(&world).await.len(), 1, "it was handed over");
    minutes(&mut world, 10).await;
    assert!(world.call("school", CALL).await.is_none());
    assert!(world.events.dead().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_due_time_is_settled_under_the_version_that_was_read() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..4], 1).await;
    let connected = world.table.row(&call_key()).expect("the call");
    post_all(&mut world, &captured("inbound_normal")[4..5], 1).await;
    let ended = world.table.row(&call_key()).expect("the call");
    world.events.lose_all();
    // The timer finds a call that wants to be looked at in two hours; before it has said so, the call ends and wants that
    // in a minute.
    world.table.put_back(connected);
    world.table.write(Due::Set(world.now()).apply(Update::new(call_key()))).expect("armed");
    let (table, wanted) = (world.table.clone(), ended.clone());
    world.faults.before_first(
        |port| port.sets("wake_due"),
        move || {
            table.put_back(wanted);
            Then::GoOn
        },
    );
    ask(&world).await;
    seconds(&mut world, 1).await;
    let now = world.table.row(&call_key()).expect("the call");
    assert_eq!((now.n("wake_due"), now.attributes.get("state")), (ended.n("wake_due"), ended.attributes.get("state")));
    assert!(now.n("wake_due").is_some());
}

#[tokio::test(start_paused = true)]
async fn an_event_is_acknowledged_only_after_its_outbox_was_handed_over() {
    let mut world = school(Plan::default()).await;
    world.faults.before_first(|port| matches!(port, Port::Other("queue.crm")), || Then::Fail);
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    assert_eq!(world.events.len(), 1, "it comes again");
    seconds(&mut world, 10).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn the_due_index_is_empty_when_a_call_is_over() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal"), 2).await;
    minutes(&mut world, 40).await;
    let due: Vec<_> = world.table.all().into_iter().filter(|row| row.n("wake_due").is_some()).collect();
    assert!(due.is_empty(), "{due:?}");
    let item = world.call("school", "MTAwMDAwMDAwMDE=").await.expect("the call");
    assert!(item.base.outbox.is_empty() && matches!(item.call.log, LogState::Logged { .. }));
}
