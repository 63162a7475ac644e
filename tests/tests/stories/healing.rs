//! Pushes that are lost: what stands in the chats is fetched, once, and never from before the connection.

use perezvon_domain::conversation::State;
use perezvon_domain::{AccountId, ChannelId};
use perezvon_sandbox::avito::{Avito, Manner};
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::settings::{self, SOON, THANKS};
use perezvon_tests::world::Plan;
use serde_json::json;

use crate::answering::seconds;
use crate::avito::{ads, apply, asked, begin, nobody_replied, writers};
use crate::calls::minutes;
use crate::telling::{at_every_crash, in_virtual_time};

/// Longer than the schedule needs to find what was lost.
const FOUND: u64 = 11;

/// Something happens in the chats, and no push of it comes.
pub fn unheard<T>(world: &World, act: impl FnOnce(&mut Avito, i64) -> T) -> T {
    let now_ms = world.now().0;
    world.ads(|ads| {
        let done = act(ads, now_ms);
        ads.take_pushes();
        done
    })
}

/// A client begins a chat, and nobody tells us.
fn begun(world: &World) -> String {
    unheard(world, |ads, now_ms| ads.begin("Ещё продаёте?", now_ms)).0
}

/// For so many minutes every push is lost, those of our own messages too.
async fn minutes_unheard(world: &mut World, count: u64) {
    for _ in 0..60 * count {
        seconds(world, 1).await;
        unheard(world, |_, _| ());
    }
}

fn version(world: &World, chat: &str) -> u64 {
    world.conversation_in(chat).expect("a conversation").base.version
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_push_was_lost_is_found_within_ten_minutes_and_answered() {
    for wrapped in [false, true] {
        let mut world = ads(Plan::default()).await;
        world.ads(|ads| ads.behave(Manner { wrapped, ..Manner::default() }));
        let chat = begun(&world);
        minutes(&mut world, FOUND).await;
        assert_eq!(world.written_in(&chat), [SOON], "in a list of either shape");
        assert_eq!(writers(&world, &chat).await, ["client", "automatic"].map(|who| json!(who)));
        minutes(&mut world, 90).await;
        assert_eq!(world.written_in(&chat), [SOON, THANKS]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_hears_nothing_at_all_still_answers_and_knows_its_own_words() {
    let mut world = ads(Plan { duplicates: 30, ..Plan::default() }).await;
    let chat = begun(&world);
    minutes_unheard(&mut world, 30).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    assert!(nobody_replied(&world, &chat), "our own text came back by the list, and is no answer");
    unheard(&world, |ads, now_ms| ads.we_write(&chat, "Да", now_ms)).expect("a chat");
    minutes_unheard(&mut world, FOUND).await;
    assert!(!nobody_replied(&world, &chat), "what was written in the application is one");
    assert_eq!(writers(&world, &chat).await, ["client", "automatic", "agent"].map(|who| json!(who)));
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_connection_is_not_taken_in() {
    let mut world = World::new(Plan::default());
    world.open_for_chats();
    let before = begun(&world);
    seconds(&mut world, 2).await;
    apply(&world, &settings::ads()).await;
    let after = begun(&world);
    minutes(&mut world, FOUND).await;
    assert!(world.conversation_in(&before).is_none());
    assert!(world.conversation_in(&after).is_some());
    unheard(&world, |ads, now_ms| ads.client_writes(&before, "Алло?", now_ms)).expect("a chat");
    minutes(&mut world, FOUND).await;
    let writers = writers(&world, &before).await;
    assert_eq!(writers, ["client", "automatic"].map(|who| json!(who)), "the new message alone");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_off_fetches_nothing_of_that_time() {
    let mut world = ads(Plan::default()).await;
    let off = settings::ads().replace("id = \"ads\"", "id = \"ads\"\nactive = false");
    apply(&world, &off).await;
    let meanwhile = begun(&world);
    minutes(&mut world, FOUND).await;
    let lists = asked(&world, "GET", "/chats");
    minutes(&mut world, 30).await;
    assert_eq!(asked(&world, "GET", "/chats"), lists, "nobody asks for it");
    apply(&world, &settings::ads()).await;
    let afterwards = begun(&world);
    minutes(&mut world, FOUND).await;
    assert!(world.conversation_in(&meanwhile).is_none());
    assert!(world.conversation_in(&afterwards).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_found_after_an_outage_is_there_and_starts_no_autoreply() {
    let mut world = ads(Plan::default()).await;
    let from = world.now().0;
    world.ads(|ads| ads.set_outage(from, from + 25 * 60_000, 503));
    let chat = begun(&world);
    minutes(&mut world, 65).await;
    let it = world.conversation_in(&chat).expect("found").conversation;
    assert_eq!((it.state, it.round.steps_from), (State::Open, None));
    assert!(world.written_in(&chat).is_empty());
    minutes(&mut world, 60).await;
    assert_eq!(world.written_in(&chat), [THANKS], "an hour without a word since it was found");
}

#[tokio::test(start_paused = true)]
async fn what_was_pushed_is_read_again_and_changes_nothing() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    minutes(&mut world, 3).await;
    let (seen, pages) = (version(&world, &chat), asked(&world, "GET", "/messages/"));
    minutes(&mut world, FOUND).await;
    assert_eq!(asked(&world, "GET", "/messages/") - pages, 1, "the chat changed since the last time");
    minutes(&mut world, 30).await;
    assert_eq!(version(&world, &chat), seen);
    assert!(asked(&world, "GET", "/messages/") - pages <= 2, "and then not any more");
}

#[tokio::test(start_paused = true)]
async fn eighty_lost_chats_are_found_at_the_usual_pace_and_people_come_in_between() {
    let mut world = ads(Plan::default()).await;
    minutes(&mut world, 9).await;
    let chats: Vec<String> = (0..80).map(|_| begun(&world)).collect();
    // The look begins, and somebody who is pushed is answered before it ends.
    seconds(&mut world, 57).await;
    let pushed = begin(&world);
    minutes(&mut world, 6).await;
    assert_eq!(world.written_in(&pushed), [SOON]);
    for chat in &chats {
        assert_eq!(world.written_in(chat), [SOON]);
        assert!(nobody_replied(&world, chat));
    }
    assert_eq!((world.ads(|ads| ads.violations()), asked(&world, "POST", "/messages")), (0, 81));
}

#[test]
fn a_list_that_is_refused_or_lost_is_read_again() {
    for kind in [
        FaultKind::LostBeforeArrival,
        FaultKind::CarriedOutThenStatus { status: 502 },
        FaultKind::Status { status: 429, body: String::new(), retry_after: Some(5) },
        FaultKind::Html200,
    ] {
        in_virtual_time(async {
            let mut world = ads(Plan::default()).await;
            minutes(&mut world, 9).await;
            let chat = begun(&world);
            world.ads(|ads| {
                ads.inject(Fault::once("GET", "/chats", kind.clone()));
                ads.inject(Fault::once("GET", "/messages/", kind.clone()));
            });
            minutes(&mut world, 5).await;
            assert_eq!(world.written_in(&chat), [SOON], "{kind:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_refused_leaves_one_job_that_waits_and_finds_all_in_the_end() {
    let mut world = ads(Plan::default()).await;
    let kind = FaultKind::Status { status: 400, body: String::new(), retry_after: None };
    let refused = Fault { times: 10, ..Fault::once("GET", "/chats", kind) };
    world.ads(|ads| ads.inject(refused));
    let chat = begun(&world);
    minutes(&mut world, 80).await;
    let open = || world.table.all().into_iter().filter(|row| keys::is_healing(&row.key) && row.s("open").is_some());
    assert_eq!((open().count(), world.conversation_in(&chat).is_none()), (1, true));
    assert!(open().all(|row| row.s("why").is_some_and(|why| why.contains("400"))));
    minutes(&mut world, 120).await;
    assert!(world.conversation_in(&chat).is_some());
}

/// Two messages that nobody told us of; the second is found by a later look.
async fn play(plan: Plan) -> (World, u64) {
    let mut world = ads(plan).await;
    minutes(&mut world, 8).await;
    let chat = begun(&world);
    let first = world.faults.calls();
    minutes(&mut world, 6).await;
    unheard(&world, |ads, now_ms| ads.client_writes(&chat, "Алло?", now_ms)).expect("a chat");
    minutes(&mut world, 15).await;
    (world, first)
}

fn came_to(world: &World) -> (Vec<String>, bool, usize, bool) {
    let chat = world.ads(|ads| ads.chats()[0].id.clone());
    let key = keys::chat(&AccountId::from("school"), &ChannelId::from("ads"), &chat);
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == key.pk() && row.key.sk() != "item").count();
    let is_open = world.conversation_in(&chat).is_some_and(|item| item.conversation.state == State::Open);
    (world.written_in(&chat), nobody_replied(world, &chat), rows, is_open)
}

#[test]
fn what_was_missed_comes_once_through_a_crash_at_every_port_call() {
    // In the history: two messages found, one sent, with the provider's id.
    let expected = (vec![SOON.to_owned()], true, 4, true);
    let points = at_every_crash(play, came_to, &expected);
    println!("two lost messages: {points} crash points");
    assert_eq!(points, 410, "so many before this change: are all of them still tried?");
}
