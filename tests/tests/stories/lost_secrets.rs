//! A secret that is not there: what waits for it says so, and applying the settings again is all it takes.

use perezvon_domain::{AccountId, ConnectionId};
use perezvon_engine::secrets::{LINK_KEY, seal_key};
use perezvon_platform::Secrets as _;
use perezvon_sandbox::mango::calls;
use perezvon_store::items::connection::{ConnectionRow, UNTIL_A_PERSON_ACTS};
use perezvon_store::items::intake::Quarantined;
use perezvon_store::{Table, keys};
use perezvon_tests::World;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, school};

fn lose(world: &mut World, name: &str) {
    assert!(world.secrets.records.lock().expect("nobody panicked").remove(name).is_some(), "{name} was there");
    // Nobody remembers it either.
    world.restart();
}

#[tokio::test(start_paused = true)]
async fn webhooks_of_a_channel_whose_secret_is_lost_wait_in_quarantine_until_the_settings_are_applied_again() {
    let mut world = school(Plan::default()).await;
    lose(&mut world, "channel/school.main");
    let webhooks = calls::answered(&call("x", "79991250001", 0, 30), &petrova());
    let posted = webhooks.len();
    play(&mut world, webhooks).await;
    minutes(&mut world, 1).await;
    let kept = world.quarantine.all();
    let kept: Vec<_> = kept.iter().filter_map(|row| Quarantined::read(row).ok()).collect();
    let kept: Vec<_> = kept.iter().filter(|request| request.message.is_some()).collect();
    assert_eq!(kept.len(), posted);
    assert!(kept.iter().all(|it| it.reason == "no_channel" && it.words.contains("примените настройки")), "{kept:?}");
    assert!(world.raw.dead().is_empty() && world.events.sent() == 0);
    assert!(!world.apply(&full("school")).await.changed);
    minutes(&mut world, 2).await;
    assert_eq!(world.release_all("school", "main").await, posted);
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_secret_is_lost_waits_with_a_reason_until_the_settings_are_applied_again() {
    let mut world = school(Plan::default()).await;
    lose(&mut world, "connection/school.crm:main");
    play(&mut world, calls::answered(&call("x", "79991250002", 0, 30), &petrova())).await;
    minutes(&mut world, 30).await;
    let key = keys::connection(&AccountId::from("school"), &ConnectionId::from("crm:main"));
    let row = Table::get(world.table.as_ref(), &key).await.expect("the model answers").expect("the connection");
    let row = ConnectionRow::read(&row).expect("a connection can be read");
    assert_eq!(row.retry_at, Some(UNTIL_A_PERSON_ACTS));
    assert!(row.why.as_deref().is_some_and(|why| why.contains("примените настройки")), "{:?}", row.why);
    assert_eq!((held(&world), world.crm_queue.dead().len()), (Held::default(), 0));
    assert!(!world.apply(&full("school")).await.changed);
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_our_own_that_is_missing_or_short_says_where_to_put_it() {
    let world = World::new(Plan::default());
    for (stored, is_good) in [(None, false), (Some("short"), false), (Some("0123456789abcdef"), true)] {
        if let Some(stored) = stored {
            world.secrets.put(LINK_KEY, stored).await.expect("stored");
        }
        match seal_key(world.secrets.as_ref(), LINK_KEY).await {
            Ok(_) => assert!(is_good, "{stored:?}"),
            Err(error) => assert!(!is_good && error.why.contains("`keys/link` is missing or shorter"), "{error}"),
        }
    }
}
