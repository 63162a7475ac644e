//! Waiting times are settings: of the installation, of a connection.

use std::time::Duration;

use perezvon_engine::Times;
use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::{Update, keys};
use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, post_all, school};

/// Five minutes after the timer's message was lost, and the sweep's first one too.
async fn five_minutes_after_two_lost_messages(times: &str) -> Held {
    let times = Times::parse(times).expect("times that fit");
    let mut world = school(Plan { times, ..Plan::default() }).await;
    let legs: Vec<_> = captured("inbound_normal").into_iter().filter(|w| w.path == "events/call").collect();
    post_all(&mut world, &legs, 1).await;
    assert!(world.events.lose_all() > 0, "the delayed message is lost");
    // The sweep would leave it alone until it is due.
    let item = keys::call(&"school".into(), &"main".into(), "MTAwMDAwMDAwMDE=");
    world.table.write(Update::new(item).remove("told")).expect("as one that was armed");
    let swept = world.now();
    while world.events.is_empty() {
        assert!(world.now().since(swept).0 < 120_000, "the sweep looks each minute");
        world.run_for(Duration::from_secs(1)).await;
    }
    assert!(world.events.lose_all() > 0, "what the sweep sent is lost too");
    minutes(&mut world, 5).await;
    held(&world)
}

#[tokio::test(start_paused = true)]
async fn how_far_a_sweep_looks_and_moves_is_a_setting_of_the_installation() {
    assert_eq!(five_minutes_after_two_lost_messages("").await, Held::default(), "490 s are not over");
    let soon = five_minutes_after_two_lost_messages("look_ahead_ms=100000, moved_by_ms=110000").await;
    assert_eq!(soon, Held::ONE_OF_EACH);
}

/// How often the CRM is asked in two hours of an outage.
async fn tries_in_two_hours(times: &str) -> usize {
    let mut world = World::new(Plan::default());
    world.apply(&format!("{}\n[crm.times]\n{times}\n", full("school"))).await;
    world.crm(|crm| {
        let down = FaultKind::Status { status: 500, body: String::new(), retry_after: None };
        crm.inject(Fault { times: 10_000, ..Fault::once("GET", "/contacts", down) });
    });
    play(&mut world, calls::answered(&call("x", "79991230000", 0, 30), &petrova())).await;
    minutes(&mut world, 120).await;
    world.crm(|crm| crm.requests().len())
}

#[tokio::test(start_paused = true)]
async fn the_longest_wait_between_two_tries_is_a_setting_of_the_connection() {
    let (short, usual) = (tries_in_two_hours("longest_backoff_ms = 60000").await, tries_in_two_hours("").await);
    assert!(short > 70 && usual < 20, "{short} tries with a minute at most, {usual} with half an hour");
}
