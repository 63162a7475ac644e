//! Whatever the order and the multiplicity of the webhooks, the records are the same.

use std::time::Duration;

use perezvon_tests::scenario::{Webhook, captured, permutations};
use perezvon_tests::world::Plan;

use crate::telling::{Held, held, in_virtual_time, post_all, school};

fn every_order_of(name: &str, expected: &Held) {
    let orders = permutations(&captured(name));
    for (number, order) in orders.iter().enumerate() {
        in_virtual_time(one_order(number as u64, order, expected));
    }
    println!("{name}: {} arrival orders", orders.len());
}

async fn one_order(seed: u64, order: &[Webhook], expected: &Held) {
    let plan = Plan { seed, duplicates: 20, ..Plan::default() };
    let mut world = school(plan).await;
    // Each webhook twice: providers repeat, and so do queues.
    post_all(&mut world, order, 2).await;
    world.run_for(Duration::from_secs(900)).await;
    let told: Vec<&str> = order.iter().map(|webhook| webhook.json.as_str()).collect();
    assert_eq!(held(&world), *expected, "seed {seed}, order {told:#?}");
    world.crm(|crm| {
        let call = crm.notes().iter().find(|note| note.is_call()).expect("the call's note");
        assert!(call.params["duration"].as_i64() > Some(0), "seed {seed}: {:?}", call.params);
    });
}

#[test]
fn an_incoming_call_is_the_same_in_each_of_720_arrival_orders() {
    every_order_of("inbound_normal", &Held::ONE_OF_EACH);
}

#[test]
fn a_reordered_incoming_call_is_the_same_in_each_of_720_arrival_orders() {
    every_order_of("inbound_reordered", &Held::ONE_OF_EACH);
}

#[test]
fn an_outgoing_call_is_the_same_in_each_of_24_arrival_orders() {
    every_order_of("outbound_summary_before_disconnect", &Held { tasks: 0, ..Held::ONE_OF_EACH });
}
