//! A crash before or after any port call loses nothing and doubles nothing.

use std::time::Duration;

use perezvon_tests::World;
use perezvon_tests::scenario::{Webhook, captured};
use perezvon_tests::world::Plan;

use crate::telling::{Held, at_every_crash, held, school};

/// Long enough for the slowest healing: a lease, a doubt, a dead letter, the ten-minute look.
const LONG_ENOUGH: Duration = Duration::from_secs(3600);

async fn play(plan: Plan, webhooks: &[Webhook]) -> (World, u64) {
    let mut world = school(plan).await;
    let first = world.faults.calls();
    for webhook in webhooks {
        // A provider whose request died with the process tries no second time; it got no 200 either.
        while world.post_surviving("school", &webhook.path, &webhook.json).await != Some(200) {}
        world.run_for(Duration::from_millis(300)).await;
    }
    world.run_for(LONG_ENOUGH).await;
    (world, first)
}

/// Crashes at every point of a call, one world each; returns how many points there were.
fn crash_everywhere(webhooks: &[Webhook], expected: &Held) -> u64 {
    at_every_crash(async |plan| play(plan, webhooks).await, held, expected)
}

#[test]
fn an_incoming_call_survives_a_crash_at_every_port_call() {
    let points = crash_everywhere(&captured("inbound_normal"), &Held::ONE_OF_EACH);
    println!("incoming call: {points} crash points");
    assert_eq!(points, 264, "say in the README what changed");
}

#[test]
fn an_outgoing_call_survives_a_crash_at_every_port_call() {
    let expected = Held { tasks: 0, ..Held::ONE_OF_EACH };
    let points = crash_everywhere(&captured("outbound_summary_before_disconnect"), &expected);
    println!("outgoing call: {points} crash points");
    assert_eq!(points, 230, "say in the README what changed");
}
