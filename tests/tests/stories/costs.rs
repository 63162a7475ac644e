//! What an event and a call cost: AWS calls and write units, counted exactly.

use std::time::Duration;

use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;

use crate::telling::{post_all, school};

/// What was spent, as AWS would count it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spent {
    writes: u64,
    table_calls: u64,
    reads: u64,
    sends: u64,
    bus: u64,
    crm: usize,
}

fn spent(world: &World) -> Spent {
    let units = world.table.units();
    let queues = [&world.raw, &world.events, &world.crm_queue, &world.outbound_queue];
    Spent {
        writes: units.writes,
        table_calls: units.calls,
        reads: units.reads,
        sends: queues.iter().map(|queue| queue.sent()).sum(),
        bus: world.faults.count("bus") as u64,
        crm: world.crm(|crm| crm.requests().len()),
    }
}

fn minus(after: &Spent, before: &Spent) -> Spent {
    Spent {
        writes: after.writes - before.writes,
        table_calls: after.table_calls - before.table_calls,
        reads: after.reads - before.reads,
        sends: after.sends - before.sends,
        bus: after.bus - before.bus,
        crm: after.crm - before.crm,
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_changes_nothing_writes_nothing_but_the_channels_count() {
    let mut world = school(Plan::default()).await;
    let webhooks = captured("inbound_normal");
    post_all(&mut world, &webhooks, 1).await;
    let before = spent(&world);
    post_all(&mut world, &webhooks[1..2], 1).await;
    let cost = minus(&spent(&world), &before);
    assert_eq!((cost.writes, cost.table_calls), (1, 1), "the status row of the channel alone: {cost:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_without_effects_is_one_write_of_the_item() {
    let mut world = school(Plan::default()).await;
    let webhooks = captured("inbound_normal");
    post_all(&mut world, &webhooks[..3], 1).await;
    world.run_for(Duration::from_secs(5)).await;
    let before = spent(&world);
    post_all(&mut world, &webhooks[3..4], 1).await;
    let cost = minus(&spent(&world), &before);
    // The channel's count, and the item: 2 KB, one unit more because its feed row changed.
    assert_eq!((cost.table_calls, cost.writes), (2, 4), "{cost:?}");
}

#[tokio::test(start_paused = true)]
async fn one_answered_call_in_sum() {
    let mut world = school(Plan::default()).await;
    let before = spent(&world);
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.run_for(Duration::from_secs(900)).await;
    let cost = minus(&spent(&world), &before);
    println!("one answered call: {cost:?}");
    let expected = Spent { writes: 96, table_calls: 44, reads: 126, sends: 21, bus: 1, crm: 8 };
    assert_eq!(cost, expected, "say in the README what changed");
}
