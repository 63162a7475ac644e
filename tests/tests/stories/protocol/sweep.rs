//! Section 3 of the protocol: the sweep, and what a timer event does to a due time.

use perezvon_domain::Timestamp;
use perezvon_store::Update;
use perezvon_store::items::due::Due;
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::minutes;
use crate::telling::{Held, held, post_all, school};

/// How far a sweep moves a due time.
const MOVED_BY_MS: i64 = 490_000;

/// A call that has ended without a summary; its due time stands, and no message of its own waits for it.
async fn due_call() -> (World, Timestamp) {
    let mut world = school(Plan::default()).await;
    let legs: Vec<_> = captured("inbound_normal").into_iter().filter(|w| w.path == "events/call").collect();
    post_all(&mut world, &legs, 1).await;
    assert!(world.events.lose_all() > 0, "the delayed message is lost");
    let due = due(&world).expect("it wants to be looked at");
    world.table.write(Update::new(call_key()).remove("told")).expect("as one that was armed");
    (world, due)
}

fn due(world: &World) -> Option<Timestamp> {
    world.table.row(&call_key())?.n("wake_due").map(Timestamp)
}

fn is_move(port: &Port<'_>) -> bool {
    matches!(port, Port::Update(update) if update.key == call_key() && update.set.len() == 1 && port.sets("wake_due"))
}

#[tokio::test(start_paused = true)]
async fn a_sweep_leaves_a_due_time_alone_that_was_settled_meanwhile() {
    let (mut world, _) = due_call().await;
    let (table, settled) = (world.table.clone(), Timestamp(world.now().0 + 3_600_000));
    world.faults.before_first(is_move, move || {
        table.write(Due::Set(settled).apply(Update::new(call_key()))).expect("settled");
        Then::GoOn
    });
    let sent = world.events.sent();
    minutes(&mut world, 2).await;
    assert_eq!((due(&world), world.events.sent()), (Some(settled), sent), "neither moved nor asked");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_never_makes_an_item() {
    let (mut world, _) = due_call().await;
    let table = world.table.clone();
    world.faults.before_first(is_move, move || {
        table.erase(&call_key());
        Then::GoOn
    });
    minutes(&mut world, 2).await;
    assert!(world.table.row(&call_key()).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sweep_moves_a_due_time_and_never_removes_it() {
    let (mut world, before) = due_call().await;
    world.faults.before_first(|port| matches!(port, Port::Other("queue.events")), || Then::Die);
    seconds(&mut world, 60).await;
    assert_eq!(due(&world), Some(Timestamp(before.0 + MOVED_BY_MS)), "its event was never sent");
    minutes(&mut world, 20).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH, "the next sweep finds it again");
}

#[tokio::test(start_paused = true)]
async fn a_due_time_is_moved_before_its_event_is_sent() {
    let (mut world, before) = due_call().await;
    let (stood, notes) = notes();
    let table = world.table.clone();
    world.faults.before_first(
        |port| matches!(port, Port::Other("queue.events")),
        move || {
            note(&notes, table.row(&call_key()).and_then(|row| row.n("wake_due")));
            Then::GoOn
        },
    );
    seconds(&mut world, 60).await;
    assert_eq!(noted(&stood), [Some(before.0 + MOVED_BY_MS)]);
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
async fn a_due_time_that_a_message_waits_for_is_swept_only_when_it_has_come() {
    let mut world = school(Plan::default()).await;
    let legs: Vec<_> = captured("inbound_normal").into_iter().filter(|w| w.path == "events/call").collect();
    post_all(&mut world, &legs, 1).await;
    let (first, sent) = (due(&world).expect("it wants to be looked at"), world.events.sent());
    world.run_for(Duration::from_millis((first.since(world.now()).0 - 1).unsigned_abs())).await;
    assert_eq!((due(&world), world.events.sent()), (Some(first), sent), "neither moved nor asked");
    assert!(world.events.lose_all() > 0, "its message is lost after all");
    minutes(&mut world, 2).await;
    let call = world.call("school", CALL).await.expect("the call").call;
    assert!(call.final_at.is_some_and(|at| at.since(first).0 <= 61_000), "{:?}", call.final_at);
}

#[tokio::test(start_paused = true)]
async fn a_timer_event_removes_the_due_time_of_a_call_that_wants_none() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    minutes(&mut world, 40).await;
    assert_eq!(due(&world), None);
    world.table.write(Due::Set(world.now()).apply(Update::new(call_key()))).expect("armed");
    minutes(&mut world, 2).await;
    assert_eq!(due(&world), None);
}

#[tokio::test(start_paused = true)]
async fn a_timer_event_sets_a_due_time_far_away_to_the_true_one() {
    let mut world = school(Plan::default()).await;
    post_all(&mut world, &captured("inbound_normal")[..1], 1).await;
    seconds(&mut world, 10).await;
    let wanted = due(&world);
    assert!(wanted.is_some_and(|at| at.since(world.now()).0 > 500_000), "ten minutes of silence: {wanted:?}");
    world.table.write(Due::Set(world.now()).apply(Update::new(call_key()))).expect("armed");
    seconds(&mut world, 70).await;
    assert_eq!(due(&world), wanted);
}
