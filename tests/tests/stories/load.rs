//! The sweeps of conversations under load: nothing due among very many, a thousand due at once. Counted; docs/costs.md
//! has the figures.

use std::time::Duration;

use perezvon_domain::conversation::event::Author;
use perezvon_domain::inbox::{AutoReply, Inbox};
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ConnectionId, Timestamp};
use perezvon_engine::commit::ItemId;
use perezvon_platform::Queue;
use perezvon_store::items::due::Timer;
use perezvon_store::items::job::JobRow;
use perezvon_store::{Row, Update, Value, keys};
use perezvon_tests::World;
use perezvon_tests::chat::{CONNECTION, id, message, told_in};
use perezvon_tests::settings::SOON;
use perezvon_tests::world::Plan;
use perezvon_tests::world::cloud::FULL;

use crate::conversations::{inbox, talk};

/// Conversations that are open in a very large installation.
const OPEN: i64 = 100_000;
/// And those of them whose autoreply is due in one and the same second.
const DUE: usize = 1_000;
/// The delay of that autoreply: more than a sweep looks ahead, so that no message of its own waits for it.
const DELAY: Millis = Millis::seconds(240);

/// This many conversations whose timers will ask tomorrow.
fn crowd(world: &World, count: i64) {
    let ItemId { account, channel, .. } = id();
    for n in 0..count {
        let key = keys::chat(&account, &channel, &format!("crowd-{n:06}"));
        let tomorrow = Value::N(world.now().0 + 86_400_000 + n);
        let due = [Timer::Reply, Timer::Close].map(|timer| {
            let (shard, due) = timer.index().keys();
            [(shard, Value::S(keys::due_shard(&key))), (due, tomorrow.clone())]
        });
        let attributes = due.into_iter().flatten().map(|(name, value)| (name.to_owned(), value)).collect();
        world.table.put_back(Row { key, attributes });
    }
}

/// What one pass costs among so many open conversations of which nothing is due: requests, and read units times two.
async fn idle_pass(timer: Timer, open: i64) -> (u64, u64) {
    let world = World::new(Plan::default());
    crowd(&world, open);
    let (before, calls) = (world.bill(), world.faults.calls());
    world.sweep().run(timer).await.expect("swept");
    let bill = world.bill().since(&before);
    assert_eq!((bill.writes, bill.sends), (0, 0), "nothing is due");
    assert_eq!(bill.requests(), world.faults.calls() - calls, "nothing else is asked");
    (bill.requests(), bill.half_read_units)
}

#[tokio::test(start_paused = true)]
async fn a_sweep_with_nothing_due_costs_the_same_at_a_thousand_and_at_a_hundred_thousand_open() {
    for timer in [Timer::Reply, Timer::Close] {
        let (few, many) = (idle_pass(timer, 1_000).await, idle_pass(timer, OPEN).await);
        println!(
            "{timer:?}, nothing due: {} requests, {} read units of 1,000 open; {}, {} of {OPEN}",
            few.0,
            few.1 / 2,
            many.0,
            many.1 / 2
        );
        assert!(many.0 * 10 <= few.0 * 11 && many.1 * 10 <= few.1 * 11, "at most a tenth more");
        assert_eq!(many, (4, 4), "say in the README what changed");
    }
}

/// The conversations that are due.
fn due_chats() -> impl Iterator<Item = String> {
    (0..DUE).map(|n| format!("due-{n:04}"))
}

/// A thousand autoreplies that are due at once among very many conversations. `swept`: the schedule goes on all the
/// time; else it stands still until they are due. The time, in ms, from the moment when somebody could know it (they
/// are due; the first pass after that) to the last decision; messages that ask; batches of `route`; write units.
async fn burst(open: i64, swept: bool) -> (i64, u64, u64, u64) {
    let step = AutoReply { text: SOON.to_owned(), delay: DELAY };
    let close_after = Some(Millis::minutes(48 * 60));
    let mut world = talk(Plan::default(), Inbox { working: vec![step], close_after, ..inbox() }).await;
    // What is counted is deciding: nothing is sent yet.
    let paused = keys::connection(&id().account, &ConnectionId::from(CONNECTION));
    world.table.write(Update::new(paused).set("retry_at", world.now().0 + 86_400_000)).expect("written");
    world.has_chats = false;
    crowd(&world, open - DUE as i64);
    let (asked, sent) = (world.now(), world.events.sent());
    let arrivals = due_chats().map(|chat| told_in(&chat, asked, asked, message("c1", Author::Client)));
    world.events.send(arrivals.collect()).await.expect("sent");
    world.has_chats = swept;
    world.run_cloud(Vec::new(), Duration::from_secs(10), FULL).await;
    let (before, due) = (world.bill(), asked.after(DELAY));
    let rest = due.since(world.now()).0.max(0).unsigned_abs();
    world.run_cloud(Vec::new(), Duration::from_millis(rest), FULL).await;
    world.has_chats = true;
    let begun = world.now();
    world.run_cloud(Vec::new(), Duration::from_secs(if swept { 30 } else { 90 }), FULL).await;
    let decided: Vec<Timestamp> = autoreplies(&world);
    assert_eq!(decided.len(), DUE, "each is decided once");
    let is_settled = |chat: String| world.conversation_in(&chat).is_some_and(|it| it.base.due(Timer::Reply).is_none());
    assert!(due_chats().all(is_settled), "nobody asks any more");
    let last = decided.into_iter().max().expect("the last one");
    let next_pass = begun.0 + (asked.0 - begun.0).rem_euclid(60_000);
    let from = if swept { due.0 } else { next_pass };
    let (bill, questions) = (world.bill().since(&before), world.events.sent() - sent - DUE as u64);
    let batches = bill.functions["route"].invocations;
    println!(
        "{DUE} due among {open}, the schedule goes on: {swept}: decided in {} ms; {questions} messages on the event \
         queue, {batches} batches of `route`, {} write units",
        last.0 - from,
        bill.write_units
    );
    (last.0 - from, questions, batches, bill.write_units)
}

/// When each autoreply was decided: its job's time.
fn autoreplies(world: &World) -> Vec<Timestamp> {
    let (account, connection) = (AccountId::from("school"), ConnectionId::from(CONNECTION));
    let partition = keys::jobs(&account, &connection);
    let jobs = world.table.all().into_iter().filter(|row| row.key.pk() == partition && row.s("id").is_some());
    jobs.map(|row| JobRow::read(&account, &connection, &row).expect("readable").at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_due_among_a_hundred_thousand_are_decided_at_their_time() {
    let counted = burst(OPEN, true).await;
    assert!(counted.0 <= 60_000, "{} ms", counted.0);
    assert_eq!(counted, (425, 1000, 100, 15_049), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_that_a_schedule_left_undone_are_decided_within_a_minute_of_its_next_pass() {
    let counted = burst(OPEN / 10, false).await;
    assert!(counted.0 <= 60_000, "{} ms", counted.0);
    assert_eq!(counted, (14_068, 1000, 1000, 16_350), "say in docs/costs.md what changed");
}
