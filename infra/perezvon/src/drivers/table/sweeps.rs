//! What a sweep costs on the table of one machine, however many conversations are open.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use dynoxide::{AttributeValue, ImportOptions, Item};
use perezvon_engine::Times;
use perezvon_engine::sweep::{Sweep, Swept};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::{Clock as _, Message, PortError, Queue};
use perezvon_store::dynamo::{Dynamo, Units};
use perezvon_store::items::due::Timer;
use perezvon_store::keys;

use super::{Embedded, MAIN};

/// A queue that nothing is sent to.
struct Silent;

#[async_trait]
impl Queue for Silent {
    async fn send(&self, _: Vec<Message>) -> Result<(), PortError> {
        Err(PortError::new("queue", "nothing is due"))
    }
}

/// An open conversation whose timers will ask tomorrow.
fn open(n: i64, now_ms: i64) -> Item {
    let key = keys::chat(&"school".into(), &"ads".into(), &format!("u2i-{n}"));
    let tomorrow = AttributeValue::N((now_ms + 86_400_000 + n).to_string());
    let shard = AttributeValue::S(keys::due_shard(&key));
    let mut item = Item::from([
        ("pk".to_owned(), AttributeValue::S(key.pk().to_owned())),
        ("sk".to_owned(), AttributeValue::S(key.sk().to_owned())),
        ("state".to_owned(), AttributeValue::S("-".repeat(700))),
    ]);
    for timer in [Timer::Reply, Timer::Close] {
        let (place, due) = timer.index().keys();
        item.insert(place.to_owned(), shard.clone());
        item.insert(due.to_owned(), tomorrow.clone());
    }
    item
}

/// Requests, and tenths of a read unit, of a pass over the timer of each kind.
async fn passes(count: i64) -> Vec<(u64, u64)> {
    let embedded = Embedded::open_in_memory().await.expect("open");
    let clock = SystemClock::new();
    let items = (0..count).map(|n| open(n, clock.now_ms())).collect();
    embedded.database.import_items(MAIN, items, ImportOptions::default()).expect("imported");
    let mut costs = Vec::new();
    for timer in [Timer::Reply, Timer::Close] {
        let units = Arc::new(Units::default());
        let table = Arc::new(Dynamo::counting(embedded.client(), MAIN, Arc::clone(&units)));
        let clock = Arc::new(SystemClock::new());
        let sweep = Sweep { table, events: Arc::new(Silent), wake_ups: None, clock, times: Times::default() };
        assert_eq!(sweep.run(timer).await, Ok(Swept::default()));
        costs.push((units.calls(), units.reads_x10.load(Ordering::Relaxed)));
    }
    println!("a pass of auto-reply, of auto-close, {count} open: {costs:?} requests, tenths of a read unit");
    costs
}

async fn costs_no_more_among(count: i64) {
    let (few, many) = (passes(1_000).await, passes(count).await);
    for ((calls, units), (few_calls, few_units)) in many.iter().zip(&few) {
        assert!(calls * 10 <= few_calls * 11 && units * 10 <= few_units * 11, "{many:?}, {few:?}");
    }
    assert_eq!(many, [(4, 20), (4, 20)], "say in docs/costs.md what changed");
}

#[tokio::test]
async fn a_sweep_with_nothing_due_costs_the_same_at_a_thousand_and_at_ten_thousand_open() {
    costs_no_more_among(10_000).await;
}

#[tokio::test]
#[ignore = "seeds 100,000 rows: .ci/run runs it by name"]
async fn a_sweep_with_nothing_due_costs_the_same_at_a_thousand_and_at_a_hundred_thousand_open() {
    costs_no_more_among(100_000).await;
}
