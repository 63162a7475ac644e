//! Specs of applying: one version, tokens once, nothing lost when it breaks off.

use perezvon_domain::{AccountId, ConnectionId, Lane, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::settings::SettingsHead;
use perezvon_store::{Table, Update, keys};

use super::super::{Applied, Checked, Document, SecretText, current};
use super::world::World;
use super::{accepted, crm_address};
use crate::Failure;
use crate::secrets::{ChannelSecret, ConnectionSecret, read};

fn account() -> AccountId {
    "romashka".into()
}

async fn apply(world: &World, checked: Checked) -> Result<Applied, Failure> {
    world.applier().apply(checked, "romashka.toml", "maria").await
}

async fn row(world: &World, id: &str) -> Option<ConnectionRow> {
    let row = world.get(&keys::connection(&account(), &id.into())).await.expect("a table");
    row.map(|row| ConnectionRow::read(&row).expect("a row"))
}

async fn crm_secret(world: &World) -> ConnectionSecret {
    let name = ConnectionSecret::name(&account(), &"crm:main".into());
    read(&world.secrets, &name).await.expect("a store").expect("a record")
}

async fn channel_record(world: &World, id: &str) -> ChannelSecret {
    let name = ChannelSecret::name("romashka", id);
    read(&world.secrets, &name).await.expect("a store").expect("a record")
}

/// The CRM with a pair of tokens that are exchanged.
fn with_pair(document: &mut Document, refresh_token: &str) {
    let crm = document.crm.as_mut().expect("a CRM");
    crm.secret.clear();
    for name in ["access_token", "client_id", "client_secret"] {
        crm.secret.insert(name.to_owned(), SecretText(format!("some-{name}")));
    }
    let uri = SecretText("https://example.com/".to_owned());
    crm.secret.insert("redirect_uri".to_owned(), uri);
    crm.secret.insert("refresh_token".to_owned(), SecretText(refresh_token.to_owned()));
}

#[tokio::test]
async fn the_first_apply_writes_everything_as_version_one() {
    let world = World::default();
    let applied = apply(&world, accepted(|_| {})).await;
    assert_eq!(applied, Ok(Applied { version: 1, changed: true }));
    let (head, version) = current(&world, &account()).await.expect("a table").expect("settings");
    assert_eq!((head.version, head.source.as_str()), (1, "romashka.toml"));
    assert_eq!((version.policy.version, version.applied_by.as_str()), (1, "maria"));
    assert!(!version.document.contains("Env("), "{}", version.document);
    assert!(channel_record(&world, "main").await.active);
    assert_eq!(crm_secret(&world).await.base, crm_address("romashka"));
    let crm = row(&world, "crm:main").await.expect("a row");
    assert_eq!((crm.lane, crm.code), (Some(Lane::Crm), 1));
    let entry = world.get(&keys::account_entry(&account())).await.expect("a table");
    assert!(entry.is_some());
    assert!(world.crm.0.lock().expect("free").is_empty());
}

#[tokio::test]
async fn the_same_settings_change_nothing() {
    let world = World::default();
    apply(&world, accepted(|_| {})).await.expect("applied");
    world.interrupt(usize::MAX, None);
    let again = apply(&world, accepted(|_| {})).await;
    assert_eq!(again, Ok(Applied { version: 1, changed: false }));
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn another_document_is_the_next_version_and_leaves_pauses_alone() {
    let world = World::default();
    apply(&world, accepted(|_| {})).await.expect("applied");
    let pause = Update::new(keys::connection(&account(), &"crm:main".into()));
    world.update(pause.set("retry_at", 9_000).set("why", "revoked")).await.expect("paused");
    let applied = apply(&world, accepted(|it| it.fallback = "ivanov".into())).await;
    assert_eq!(applied, Ok(Applied { version: 2, changed: true }));
    let crm = row(&world, "crm:main").await.expect("a row");
    // The code rises: workers read the record again, for its address and times may be others.
    assert_eq!((crm.retry_at, crm.code), (Some(Timestamp(9_000)), 2));
    assert!(world.crm.0.lock().expect("free").is_empty());
}

#[tokio::test]
async fn a_new_token_ends_the_pause_and_wakes_its_connection_alone() {
    let world = World::default();
    apply(&world, accepted(|_| {})).await.expect("applied");
    let pause = Update::new(keys::connection(&account(), &"crm:main".into()));
    world.update(pause.set("retry_at", 9_000).set("why", "revoked")).await.expect("paused");
    let fresh = accepted(|it| {
        let crm = it.crm.as_mut().expect("a CRM");
        crm.secret.insert("token".to_owned(), SecretText("fresh".to_owned()));
    });
    apply(&world, fresh).await.expect("applied");
    let crm = row(&world, "crm:main").await.expect("a row");
    assert_eq!((crm.retry_at, crm.why, crm.code), (None, None, 2));
    assert_eq!(crm_secret(&world).await.secret.get("token"), "fresh");
    assert_eq!(*world.crm.0.lock().expect("free"), [r#"{"account":"romashka","connection":"crm:main"}"#]);
    assert!(world.outbound.0.lock().expect("free").is_empty());
}

#[tokio::test]
async fn a_token_that_is_exchanged_is_taken_from_a_file_once() {
    let world = World::default();
    apply(&world, accepted(|it| with_pair(it, "first"))).await.expect("applied");
    let mut exchanged = crm_secret(&world).await;
    exchanged.secret.0.insert("refresh_token".to_owned(), "exchanged".to_owned());
    let name = ConnectionSecret::name(&account(), &"crm:main".into());
    crate::secrets::write(&world.secrets, &name, &exchanged).await.expect("written");

    let other = |it: &mut Document| {
        with_pair(it, "first");
        it.fallback = "ivanov".into();
    };
    apply(&world, accepted(other)).await.expect("applied");
    assert_eq!(crm_secret(&world).await, exchanged);

    apply(&world, accepted(|it| with_pair(it, "second"))).await.expect("applied");
    assert_eq!(crm_secret(&world).await.secret.get("refresh_token"), "second");
    assert_eq!(row(&world, "crm:main").await.expect("a row").code, 2);
    // The first one is as dead as before.
    apply(&world, accepted(|it| with_pair(it, "first"))).await.expect("applied");
    assert_eq!(crm_secret(&world).await.secret.get("refresh_token"), "second");
}

#[tokio::test]
async fn an_exchanged_token_cannot_follow_to_another_address_or_id() {
    let world = World::default();
    apply(&world, accepted(|it| with_pair(it, "first"))).await.expect("applied");
    let changes: [fn(&mut super::super::Crm); 4] = [
        |crm| crm.base = Some(crm_address("romashka-2")),
        |crm| crm.times.backoff_ms = 1,
        |crm| crm.id = "second".to_owned(),
        |crm| {
            crm.secret.insert("client_secret".to_owned(), SecretText("another".to_owned()));
        },
    ];
    for change in changes {
        let with = |token: &'static str| {
            accepted(|it| {
                with_pair(it, token);
                change(it.crm.as_mut().expect("a CRM"));
            })
        };
        let refused = apply(&world, with("first")).await.expect_err("no fresh token");
        assert!(refused.to_string().contains("give a fresh token"), "{refused}");
        assert!(world.applier().difference(&with("first")).await.is_err());
        assert!(world.applier().difference(&with("second")).await.is_ok());
    }
    assert_eq!(crm_secret(&world).await.base, crm_address("romashka"));
}

#[tokio::test]
async fn a_lasting_token_may_follow_to_another_address() {
    let world = World::default();
    apply(&world, accepted(|_| {})).await.expect("applied");
    let moved = |it: &mut Document| {
        it.crm.as_mut().expect("a CRM").base = Some(crm_address("romashka-2"));
    };
    apply(&world, accepted(moved)).await.expect("applied");
    assert_eq!(crm_secret(&world).await.base, crm_address("romashka-2"));
}

#[tokio::test]
async fn what_the_settings_name_no_more_is_switched_off_for_good() {
    let world = World::default();
    let two = |it: &mut Document| {
        let channel = it.channels[0].clone();
        it.channels.push(super::super::Channel { id: "second".into(), ..channel });
    };
    apply(&world, accepted(two)).await.expect("applied");
    let other: (AccountId, ConnectionId) = ("romashka-2".into(), "channel:second".into());
    for update in [
        ConnectionRow::put(&other.0, &other.1, Lane::Outbound),
        ConnectionRow::put_entry(&other.0, &other.1, Lane::Outbound),
    ] {
        world.update(update).await.expect("written");
    }
    apply(&world, accepted(|it| it.crm = None)).await.expect("applied");
    assert!(row(&world, "crm:main").await.expect("a row").off);
    assert!(row(&world, "channel:second").await.expect("a row").off);
    assert!(!row(&world, "channel:main").await.expect("a row").off);
    let theirs = world.get(&keys::connection(&other.0, &other.1)).await.expect("a table");
    assert!(!ConnectionRow::read(&theirs.expect("a row")).expect("a row").off);
    let closed = channel_record(&world, "second").await;
    assert!(!closed.active && closed.secrets.is_empty());
    assert_eq!(world.crm.0.lock().expect("free").len(), 1);
    assert_eq!(world.outbound.0.lock().expect("free").len(), 1);

    let refused = apply(&world, accepted(|_| {})).await.expect_err("the id is used up");
    assert_eq!(
        refused,
        Failure::Reject("choose another id for the CRM connection: `main` was disconnected".to_owned())
    );
    let renamed = accepted(|it| it.crm.as_mut().expect("a CRM").id = "main-2".to_owned());
    apply(&world, renamed).await.expect("applied");
}

#[tokio::test]
async fn whatever_breaks_off_is_finished_by_applying_again() {
    let without_crm = || accepted(|it| it.crm = None);
    for nth in 1..=20 {
        let world = World::default();
        world.interrupt(nth, None);
        let first = apply(&world, accepted(|_| {})).await;
        let all_written = first.is_ok();
        assert!(apply(&world, accepted(|_| {})).await.is_ok(), "write {nth}");
        world.interrupt(nth, None);
        let second = apply(&world, without_crm()).await;
        let all_written = all_written && second.is_ok();
        apply(&world, without_crm()).await.expect("applied");
        let (_, version) = current(&world, &account()).await.expect("a table").expect("settings");
        assert_eq!(version.policy.crm, None, "write {nth}");
        assert!(row(&world, "crm:main").await.expect("a row").off, "write {nth}");
        if all_written {
            return;
        }
    }
    panic!("it never ran through");
}

#[tokio::test]
async fn somebody_elses_version_is_never_written_over() {
    for nth in 1..=20 {
        let world = World::default();
        let head = SettingsHead { version: 7, digest: "theirs".to_owned(), ..SettingsHead::default() };
        world.interrupt(nth, Some(head.advance(&account(), 0)));
        match apply(&world, accepted(|_| {})).await {
            Err(Failure::Retry(why)) => {
                assert!(why.contains("at the same moment"), "{why}");
                let row = world.get(&keys::settings_head(&account())).await.expect("a table");
                let head = SettingsHead::read(&row.expect("a head")).expect("a head");
                assert_eq!(head.version, 7);
            }
            other => {
                assert!(other.is_ok() && nth > 1, "write {nth}: {other:?}");
                return;
            }
        }
    }
    panic!("it never ran through");
}
