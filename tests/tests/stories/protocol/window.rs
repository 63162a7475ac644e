//! Steps 1.3, 1.5 and 1.6: what was written is remembered, by the window or by its row.

use std::time::Duration;

use perezvon_domain::Timestamp;
use perezvon_domain::conversation::event::Author;
use perezvon_domain::inbox::Inbox;
use perezvon_domain::time::Millis;
use perezvon_store::items::window::HELD;
use perezvon_tests::chat::{id, message};
use perezvon_tests::faults::Then;
use perezvon_tests::world::Plan;

use super::*;
use crate::conversations::{inbox, key, talk};

async fn chat() -> World {
    talk(Plan::default(), Inbox { working: Vec::new(), ..inbox() }).await
}

fn row(n: i64) -> Key {
    keys::message(&id().account, &id().channel, &id().entry, &format!("c{n}"))
}

/// The n-th message of the client, told now.
async fn tell(world: &mut World, n: i64, began: Timestamp) {
    world.happened(began.after(Millis(n)), message(&format!("c{n}"), Author::Client)).await;
    world.run_for(Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn forty_messages_overflow_the_window_and_a_late_duplicate_is_known_by_its_row() {
    let mut world = chat().await;
    let began = world.now();
    for n in 0..40 {
        tell(&mut world, n, began).await;
    }
    let item = world.conversation();
    assert_eq!(item.window.messages.len(), HELD);
    assert_eq!(item.window.floor, Some(began.after(Millis(7))), "what was evicted last");
    tell(&mut world, 3, began).await;
    assert_eq!(world.conversation().base.version, item.base.version, "it was seen");
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_row_stays_in_the_window() {
    let mut world = chat().await;
    let began = world.now();
    for n in 0..32 {
        tell(&mut world, n, began).await;
    }
    // As if its process had died between the commit and the row.
    world.table.erase(&row(0));
    for n in 32..36 {
        tell(&mut world, n, began).await;
    }
    let window = world.conversation().window;
    assert!(window.messages.contains_key("c0") && !window.messages.contains_key("c1"), "{window:?}");
    assert_eq!((window.messages.len(), window.floor), (HELD, Some(began.after(Millis(4)))));
    let before = world.conversation().base.version;
    tell(&mut world, 0, began).await;
    assert_eq!(world.conversation().base.version, before, "it was seen, and nobody else could know");
    assert!(world.table.row(&row(0)).is_some());
}

#[tokio::test(start_paused = true)]
async fn the_row_of_a_message_is_put_after_its_commit_and_before_its_acknowledgement() {
    let mut world = chat().await;
    let (seen, notes) = notes();
    let (table, events) = (world.table.clone(), world.events.clone());
    world.faults.before_first(
        |port| port.writes(&row(1)),
        move || {
            note(&notes, (table.row(&key()).is_some(), events.is_empty()));
            Then::Die
        },
    );
    let began = world.now();
    tell(&mut world, 1, began).await;
    assert_eq!(noted(&seen), [(true, false)], "committed, and still on the queue");
    seconds(&mut world, 400).await;
    assert!(world.table.row(&row(1)).is_some(), "the same message came again");
}

#[tokio::test(start_paused = true)]
async fn the_row_of_a_message_is_put_also_when_it_was_seen() {
    let mut world = chat().await;
    let began = world.now();
    tell(&mut world, 1, began).await;
    let version = world.conversation().base.version;
    world.table.erase(&row(1));
    tell(&mut world, 1, began).await;
    assert_eq!(world.conversation().base.version, version);
    assert!(world.table.row(&row(1)).is_some());
}
