//! Bad input: a clear status at once, the bytes kept, the reason visible, never a panic, never a retry storm.

use std::time::Duration;

use perezvon_domain::{AccountId, ChannelId};
use perezvon_sandbox::mango;
use perezvon_store::items::intake::{Quarantined, Seen};
use perezvon_store::{Table, keys};
use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::settings::{KEY, SALT, full};
use perezvon_tests::world::Plan;

use crate::telling::{Held, held, post_all, school};

const FORM: &str = "application/x-www-form-urlencoded";

fn quarantined(world: &World) -> Vec<Quarantined> {
    let rows = world.quarantine.all();
    rows.iter().filter(|row| row.s("request").is_some()).map(|row| Quarantined::read(row).expect("a request")).collect()
}

async fn seen(world: &World) -> Seen {
    let key = keys::channel_status(&AccountId::from("school"), &ChannelId::from("main"));
    let row = Table::get(world.table.as_ref(), &key).await.expect("the model answers");
    row.as_ref().map(Seen::read).unwrap_or_default()
}

async fn soon(world: &mut World) {
    world.run_for(Duration::from_secs(30)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_gets_404_and_nothing_is_stored() {
    let mut world = school(Plan::default()).await;
    let good = world.hook_path("school", "main", 1, "events/call");
    for path in ["/h/nonsense/events/call", "/h/", "/other", &good.replace("/h/h1", "/h/h2")] {
        let answer = world.post_bytes(path, FORM, b"json={}").await;
        assert_eq!(answer.status_code, 404, "{path}");
    }
    assert_eq!(world.raw.sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_413_and_nothing_is_stored() {
    let mut world = school(Plan::default()).await;
    let path = world.hook_path("school", "main", 1, "events/call");
    assert_eq!(world.post_bytes(&path, FORM, &vec![b'x'; 65_537]).await.status_code, 413);
    assert_eq!(world.raw.sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_answered_200_and_kept_with_its_reason() {
    let mut world = school(Plan::default()).await;
    let signed = |json: &str| mango::form(KEY, SALT, json).into_bytes();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("events/call", b"\x00\xff not a form".to_vec()),
        ("events/call", b"vpbx_api_key=a&sign=b".to_vec()),
        ("events/call", signed("{broken")),
        ("events/call", signed(r#"{"entry_id":7,"seq":{}}"#)),
        ("events/unheard/of", signed("{}")),
        ("events/call", vec![0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]),
        ("events/call", mango::form("another-key-another-key-another-", SALT, "{}").into_bytes()),
        ("events/call", mango::form(KEY, "wrong-salt-wrong-salt-wrong-salt", "{}").into_bytes()),
    ];
    for (event, body) in &bodies {
        let path = world.hook_path("school", "main", 1, event);
        assert_eq!(world.post_bytes(&path, FORM, body).await.status_code, 200);
    }
    soon(&mut world).await;
    let kept = quarantined(&world);
    assert_eq!(kept.len(), bodies.len());
    assert!(kept.iter().all(|request| request.message.is_some() && !request.words.is_empty()));
    assert!(world.raw.dead().is_empty() && world.raw.is_empty(), "no retry storm");
    assert_eq!(seen(&world).await.refused, 8);
    assert_eq!(held(&world), Held::default());
}

#[tokio::test(start_paused = true)]
async fn known_events_of_no_use_are_counted_and_a_ping_is_seen() {
    let mut world = school(Plan::default()).await;
    for event in ["events/user/status_changed", "result/callback", "events/sms", "events/record/tagged"] {
        let path = world.hook_path("school", "main", 1, event);
        let body = mango::form(KEY, SALT, r#"{"abonent_id":1}"#);
        assert_eq!(world.post_bytes(&path, FORM, body.as_bytes()).await.status_code, 200);
    }
    let path = world.hook_path("school", "main", 1, "ping");
    assert_eq!(world.post_bytes(&path, FORM, b"").await.status_code, 200);
    soon(&mut world).await;
    let seen = seen(&world).await;
    assert_eq!((seen.counted, seen.pings, seen.refused), (4, 1, 0));
    assert!(quarantined(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_loses_nothing_once_it_is_mended() {
    let mut world = World::new(Plan::default());
    let wrong = full("school").replace(SALT, "not-the-salt-not-the-salt-not-the");
    world.apply(&wrong).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    soon(&mut world).await;
    assert_eq!(quarantined(&world).len(), 6);
    assert_eq!(held(&world), Held::default());
    world.apply(&full("school")).await;
    assert_eq!(world.release_all("school", "main").await, 6);
    world.run_for(Duration::from_secs(900)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn while_keys_are_rotated_both_are_good() {
    let mut world = World::new(Plan::default());
    let both = full("school").replace(
        &format!("[[channels.secrets]]\nkey = \"{KEY}\"\nsalt = \"{SALT}\""),
        &format!(
            "[[channels.secrets]]\nkey = \"new-key-new-key-new-key-new-key-\"\nsalt = \"new-salt-new-salt-new-salt-new-s\"\n\n[[channels.secrets]]\nkey = \"{KEY}\"\nsalt = \"{SALT}\""
        ),
    );
    assert_ne!(both, full("school"));
    world.apply(&both).await;
    let webhooks = captured("inbound_normal");
    post_all(&mut world, &webhooks[..3], 1).await;
    for webhook in &webhooks[3..] {
        let path = world.hook_path("school", "main", 1, &webhook.path);
        let body = mango::form("new-key-new-key-new-key-new-key-", "new-salt-new-salt-new-salt-new-s", &webhook.json);
        assert_eq!(world.post_bytes(&path, FORM, body.as_bytes()).await.status_code, 200);
    }
    world.run_for(Duration::from_secs(900)).await;
    assert!(quarantined(&world).is_empty());
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_url_and_a_channel_that_is_off_take_nothing_in() {
    let mut world = World::new(Plan::default());
    world.apply(&full("school").replace("provider = \"mango\"", "provider = \"mango\"\ngeneration = 2")).await;
    post_all(&mut world, &captured("inbound_normal")[..2], 1).await;
    soon(&mut world).await;
    assert!(quarantined(&world).iter().all(|request| request.reason == "revoked_url"));
    let off = full("school").replace("provider = \"mango\"", "provider = \"mango\"\nactive = false");
    world.apply(&off).await;
    post_all(&mut world, &captured("inbound_normal")[2..], 1).await;
    world.run_for(Duration::from_secs(120)).await;
    assert_eq!(quarantined(&world).iter().filter(|request| request.reason == "inactive").count(), 4);
    assert_eq!(world.events.sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_old_signed_replay_never_makes_a_new_deal() {
    let mut world = school(Plan::default()).await;
    world.run_for(Duration::from_secs(15 * 86_400)).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    soon(&mut world).await;
    assert!(quarantined(&world).iter().all(|request| request.reason == "too_old"));
    assert_eq!(quarantined(&world).len(), 6);
    assert_eq!(held(&world), Held::default());
    // Somebody who wants to try old samples says so, and releases them.
    let trying = full("school").replace("provider = \"mango\"", "provider = \"mango\"\noldest_event_days = 3650");
    world.apply(&trying).await;
    assert_eq!(world.release_all("school", "main").await, 6);
    world.run_for(Duration::from_secs(900)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn another_channels_key_touches_nothing_of_this_account() {
    let mut world = school(Plan::default()).await;
    let other = full("other").replace(KEY, "other-key-other-key-other-key-ot");
    world.apply(&other).await;
    for webhook in captured("inbound_normal") {
        let path = world.hook_path("other", "main", 1, &webhook.path);
        let body = mango::form(KEY, SALT, &webhook.json);
        assert_eq!(world.post_bytes(&path, FORM, body.as_bytes()).await.status_code, 200);
    }
    world.run_for(Duration::from_secs(300)).await;
    assert!(quarantined(&world).iter().all(|request| request.reason == "unknown_key"));
    assert_eq!(world.events.sent(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_on_a_queue_that_cannot_be_read_harms_only_itself() {
    let mut world = school(Plan::default()).await;
    for queue in [&world.raw, &world.events, &world.crm_queue] {
        let message = perezvon_platform::Message { body: "{not json".to_owned(), group: "x".to_owned(), delay_ms: 0 };
        perezvon_platform::Queue::send(queue.as_ref(), vec![message]).await.expect("sent");
    }
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.run_for(Duration::from_secs(1800)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert_eq!([&world.raw, &world.events, &world.crm_queue].map(|queue| queue.dead().len()), [1, 1, 1]);
}
