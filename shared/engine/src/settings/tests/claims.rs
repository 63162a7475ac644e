//! Specs of claims: a channel is as old as the first version of the settings that names it.

use perezvon_domain::Timestamp;
use perezvon_store::items::claim::ClaimRow;
use perezvon_store::{Query, Table, keys};

use super::super::{Applier, Document, SecretText};
use super::accepted;
use super::connections::chats;
use super::world::World;

async fn claims(world: &World) -> Vec<ClaimRow> {
    let mut query = Query::table(keys::all_claims());
    let mut claims = Vec::new();
    loop {
        let page = world.query(query.clone()).await.expect("a table");
        claims.extend(page.rows.iter().filter_map(ClaimRow::read));
        if page.next.is_none() {
            return claims;
        }
        query.start = page.next;
    }
}

/// One more channel, of chats, that is this account at its provider.
fn talks(document: &mut Document, id: &str) {
    let telephony = document.channels[0].clone();
    chats(document);
    let mut channel = std::mem::replace(&mut document.channels[0], telephony);
    channel.id = "talks".into();
    for value in channel.secrets[0].values_mut() {
        *value = SecretText(id.to_owned());
    }
    document.channels.push(channel);
}

/// Applied at this second, the channel named so.
async fn apply(world: &World, at: i64, change: impl FnOnce(&mut Document)) {
    let applier = Applier { now: Timestamp(at * 1000), ..world.applier() };
    applier.apply(accepted(change), "romashka.toml", "maria").await.expect("applied");
}

#[tokio::test]
async fn a_channel_keeps_its_age_through_later_versions_and_other_accounts_at_the_provider() {
    let world = World::default();
    apply(&world, 1, |_| {}).await;
    assert_eq!(claims(&world).await, [], "telephony lays none");
    apply(&world, 2, |it| talks(it, "100000001")).await;
    apply(&world, 3, |it| {
        talks(it, "100000001");
        it.channels[1].name = "Другое имя".into();
    })
    .await;
    apply(&world, 4, |it| talks(it, "100000002")).await;
    let laid = claims(&world).await;
    let seen: Vec<_> = laid.iter().map(|it| (it.since, it.gone)).collect();
    assert_eq!(seen, [(Timestamp(2000), true), (Timestamp(2000), false)], "{laid:?}");
    apply(&world, 5, |it| talks(it, "100000001")).await;
    let seen: Vec<_> = claims(&world).await.iter().map(|it| (it.since, it.gone)).collect();
    assert_eq!(seen, [(Timestamp(2000), false), (Timestamp(2000), true)]);
    apply(&world, 6, |_| {}).await;
    assert!(claims(&world).await.iter().all(|it| it.gone));
}

#[test]
fn later_wins_then_the_lower_place_in_the_file_and_then_the_ids_so_that_all_agree() {
    let claim = |since, order, account: &str, channel: &str| ClaimRow {
        place: "shop#1".into(),
        account: account.into(),
        channel: channel.into(),
        since: Timestamp(since),
        order,
        gone: false,
    };
    let sorted = [
        claim(1, 7, "z", "z"),
        claim(2, 0, "z", "z"),
        claim(2, 1, "a", "b"),
        claim(2, 1, "b", "a"),
        claim(2, 1, "b", "b"),
    ];
    assert!(sorted.windows(2).all(|pair| pair[0].age() < pair[1].age()));
}
