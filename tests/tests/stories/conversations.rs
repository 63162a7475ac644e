//! Conversations through the real handlers: autoreplies, replies, closings, and what goes wrong between them.

use std::collections::BTreeSet;
use std::time::Duration;

use perezvon_domain::ConversationEventKind as Kind;
use perezvon_domain::conversation::State;
use perezvon_domain::conversation::event::Author;
use perezvon_domain::inbox::{AutoReply, Inbox, OffHours, Receiver, Staff};
use perezvon_domain::time::Millis;
use perezvon_engine::commit::question;
use perezvon_platform::Queue;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::due::Timer;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::{Key, Update, keys};
use perezvon_tests::World;
use perezvon_tests::chat::{CONNECTION, id, message};
use perezvon_tests::faults::Then;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

use crate::calls::minutes;
use crate::telling::{at_every_crash, in_virtual_time};

const SOON: &str = "Скоро ответим";
const MORE: &str = "Ещё немного";
const HELLO: &str = "Здравствуйте!";
const THANKS: &str = "Спасибо, что написали!";

pub fn inbox() -> Inbox {
    let step = |text: &str, seconds| AutoReply { text: text.to_owned(), delay: Millis::seconds(seconds) };
    Inbox {
        receiver: Receiver::Staff(Staff::Group("Продажи".to_owned())),
        working: vec![step(SOON, 60), step(MORE, 20 * 60)],
        off_hours: OffHours::default(),
        close_after: Some(Millis::minutes(60)),
        closing_text: Some(THANKS.to_owned()),
        max_text: 1000,
        can_initiate: false,
        read_chat: false,
        takes_images: false,
        delete_within: None,
        records: None,
    }
}

pub async fn talk(plan: Plan, inbox: Inbox) -> World {
    let mut world = World::new(plan);
    world.apply(&full("school")).await;
    world.add_chats(inbox);
    world
}

pub fn key() -> Key {
    keys::chat(&id().account, &id().channel, &id().entry)
}

async fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds)).await;
}

fn texts(world: &World) -> Vec<String> {
    world.chats(|chats| chats.texts.iter().map(|(_, text, _)| text.clone()).collect())
}

/// Rows of the history, by their sort keys.
fn history(world: &World) -> BTreeSet<String> {
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == key().pk() && row.key.sk() != "item");
    rows.map(|row| row.key.sk().to_owned()).collect()
}

fn is_open(world: &World) -> bool {
    world.conversation().conversation.state == State::Open
}

#[tokio::test(start_paused = true)]
async fn an_autoreply_goes_out_once_and_never_early() {
    let mut world = talk(Plan { duplicates: 50, ..Plan::default() }, inbox()).await;
    let asked = world.now();
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 59).await;
    assert!(texts(&world).is_empty(), "not before its time");
    seconds(&mut world, 3).await;
    assert_eq!(texts(&world), [SOON]);
    minutes(&mut world, 30).await;
    assert_eq!(texts(&world), [SOON, MORE]);
    let waited = world.chats(|chats| chats.texts.iter().map(|(.., at)| at.since(asked).0 / 1000).collect::<Vec<_>>());
    assert!((60..64).contains(&waited[0]) && (1200..1264).contains(&waited[1]), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_human_reply_cancels_the_steps() {
    let mut world = talk(Plan::default(), inbox()).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 30).await;
    assert_eq!(world.reply(HELLO, "k1").await, Some(true));
    minutes(&mut world, 30).await;
    assert_eq!(texts(&world), [HELLO]);
    let item = world.conversation();
    assert_eq!((item.base.due(Timer::Reply), item.base.due(Timer::Wake)), (None, None), "nobody asks any more");
    assert!(item.conversation.sends.is_empty() && item.base.outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_closed_by_time_after_the_last_word_and_never_early() {
    let mut world = talk(Plan::default(), Inbox { working: Vec::new(), ..inbox() }).await;
    world.happens(message("c1", Author::Client)).await;
    minutes(&mut world, 40).await;
    world.happens(message("c2", Author::Client)).await;
    let last = world.now();
    minutes(&mut world, 59).await;
    assert!(is_open(&world), "an hour after the last word, not after the first");
    minutes(&mut world, 2).await;
    let State::Closed(closed) = world.conversation().conversation.state else { panic!("still open") };
    assert!((3600..3604).contains(&(closed.at.since(last).0 / 1000)), "{:?}", closed.at.since(last));
    assert_eq!(texts(&world), [THANKS]);
    minutes(&mut world, 30).await;
    assert_eq!((texts(&world).len(), world.conversation().base.due(Timer::Close)), (1, None));
}

#[tokio::test(start_paused = true)]
async fn a_message_of_the_client_during_the_closing_wins() {
    let plan = Plan { parallel: 2, batch: 1, ..Plan::default() };
    let mut world = talk(plan, Inbox { working: Vec::new(), ..inbox() }).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 1).await;
    // Just before the closing is committed its process stops for a moment; both are delivered at once.
    world.faults.before_first(
        |port| port.writes(&key()) && port.sets("state") && !port.sets("window"),
        || Then::Freeze(Duration::from_secs(2)),
    );
    world.route_is_down = true;
    minutes(&mut world, 61).await;
    world.happens(message("c2", Author::Client)).await;
    assert_eq!(world.events.len(), 2, "the question of the timer, and the message");
    world.route_is_down = false;
    minutes(&mut world, 20).await;
    assert!(is_open(&world) && texts(&world).is_empty(), "{:?}", texts(&world));
    assert_eq!(world.conversation().conversation.round.number, 1, "it was never closed");
}

#[tokio::test(start_paused = true)]
async fn a_late_echo_of_our_own_text_is_no_reply() {
    let mut world = talk(Plan::default(), inbox()).await;
    world.happens(message("c1", Author::Client)).await;
    minutes(&mut world, 2).await;
    assert_eq!(texts(&world), [SOON]);
    world.happens(message("ours-0", Author::Agent)).await;
    minutes(&mut world, 20).await;
    assert_eq!(texts(&world), [SOON, MORE], "nobody has replied");
}

#[test]
fn an_echo_in_one_batch_with_its_result_is_no_reply_whichever_stands_first() {
    let told = |seed| {
        in_virtual_time(async move {
            let mut world = talk(Plan { seed, ..Plan::default() }, inbox()).await;
            // The send waits behind a pause, so that its result comes while nobody takes events in.
            let until = world.now().after(Millis::seconds(90));
            world.chats(|chats| chats.busy_until = until);
            world.happens(message("c1", Author::Client)).await;
            seconds(&mut world, 80).await;
            world.route_is_down = true;
            minutes(&mut world, 2).await;
            assert_eq!(texts(&world), [SOON]);
            world.happens(message("ours-0", Author::Agent)).await;
            assert_eq!(world.events.len(), 2, "the result and the echo");
            world.route_is_down = false;
            minutes(&mut world, 20).await;
            texts(&world)
        })
    };
    for seed in 1..9 {
        assert_eq!(told(seed), [SOON, MORE], "seed {seed}: nobody has replied");
    }
}

#[test]
fn duplicates_and_reordering_change_nothing() {
    let told = |seed| {
        in_virtual_time(async move {
            let mut world = talk(Plan { seed, duplicates: 60, ..Plan::default() }, inbox()).await;
            let began = world.now();
            for n in [3, 1, 2, 1, 3, 3] {
                world.happened(began.after(Millis(n)), message(&format!("c{n}"), Author::Client)).await;
            }
            minutes(&mut world, 2).await;
            world.happened(began.after(Millis(2)), message("c2", Author::Client)).await;
            minutes(&mut world, 3).await;
            let item = world.conversation().conversation;
            let last = item.last.expect("a last message").from;
            (texts(&world), history(&world).len(), item.round.number, item.client_wrote_at, last)
        })
    };
    let first = told(1);
    assert_eq!((first.0.as_slice(), first.1), ([SOON.to_owned()].as_slice(), 5), "three told, one sent with its id");
    assert!((2..30).all(|seed| told(seed) == first));
}

#[tokio::test(start_paused = true)]
async fn a_reply_asked_for_twice_under_one_key_goes_out_once() {
    let mut world = talk(Plan::default(), inbox()).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 5).await;
    assert_eq!(world.reply(HELLO, "k1").await, Some(true));
    assert_eq!(world.reply(HELLO, "k1").await, Some(true), "done already is done");
    assert_eq!(world.reply("Другое", "k1").await, Some(false), "another text under the same key is a mistake");
    seconds(&mut world, 5).await;
    assert_eq!(world.reply(HELLO, "k1").await, Some(true));
    minutes(&mut world, 5).await;
    assert_eq!(texts(&world), [HELLO]);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_autoreply_is_dropped_with_its_reason_when_somebody_answers() {
    let mut world = talk(Plan::default(), inbox()).await;
    let until = world.now().after(Millis::minutes(10));
    world.chats(|chats| chats.busy_until = until);
    world.happens(message("c1", Author::Client)).await;
    minutes(&mut world, 3).await;
    assert!(!world.conversation().conversation.sends.is_empty(), "the autoreply waits behind the pause");
    assert_eq!(world.reply(HELLO, "k1").await, Some(true));
    minutes(&mut world, 15).await;
    assert_eq!(texts(&world), [HELLO]);
    let because = world.conversation().conversation.because;
    assert!(because.iter().any(|because| because.reason.code == "chat_dropped"), "{because:?}");
    let (account, connection) = (id().account, CONNECTION.into());
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == keys::jobs(&account, &connection));
    let jobs = rows.filter(|row| row.attributes.contains_key("command"));
    let jobs: Vec<_> = jobs.map(|row| JobRow::read(&account, &connection, &row).expect("a job")).collect();
    let failed: Vec<_> = jobs.iter().filter(|job| job.state == JobState::Failed).collect();
    assert!(failed.len() == 1 && failed[0].why.is_some(), "{jobs:?}");
}

#[tokio::test(start_paused = true)]
async fn two_sweeps_at_once_ask_once() {
    let mut world = talk(Plan::default(), inbox()).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 1).await;
    assert!(world.events.lose_all() > 0, "the delayed message is lost");
    world.table.write(Update::new(key()).remove(Timer::Reply.told())).expect("as one that was armed");
    let (one, other, sent) = (world.sweep(), world.sweep(), world.events.sent());
    let (one, other) = tokio::join!(one.run(Timer::Reply), other.run(Timer::Reply));
    assert_eq!(one.expect("swept").conversations + other.expect("swept").conversations, 1);
    assert_eq!(world.events.sent() - sent, 1);
    minutes(&mut world, 2).await;
    assert_eq!(texts(&world), [SOON]);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_comes_early_or_twice_does_nothing_more() {
    let mut world = talk(Plan::default(), inbox()).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 1).await;
    let before = world.conversation();
    for timer in Timer::ALL {
        let ask = question::<ConversationItem>(&id(), timer, world.now(), 0);
        world.events.send(vec![ask.clone(), ask]).await.expect("sent");
    }
    seconds(&mut world, 1).await;
    let after = world.conversation();
    assert_eq!(after.conversation.round, before.conversation.round);
    assert_eq!(after.base.due(Timer::Close), before.base.due(Timer::Close));
    minutes(&mut world, 2).await;
    assert_eq!(texts(&world), [SOON]);
}

#[tokio::test(start_paused = true)]
async fn half_an_hour_without_route_sends_a_timer_seven_times_at_most() {
    let mut world = talk(Plan::default(), Inbox { close_after: None, ..inbox() }).await;
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 1).await;
    world.route_is_down = true;
    let sent = world.events.sent();
    minutes(&mut world, 30).await;
    // Its own delayed message went before.
    let questions = 1 + world.events.sent() - sent;
    assert!((2..=7).contains(&questions), "{questions}");
    world.route_is_down = false;
    minutes(&mut world, 10).await;
    assert_eq!(texts(&world), [SOON, MORE], "late, in their order, each once");
}

/// A client asks, is told to wait, gets a reply and a closing; each only after the one before stands in the chat.
async fn play(plan: Plan) -> (World, u64) {
    let step = AutoReply { text: SOON.to_owned(), delay: Millis::seconds(20) };
    let mut world = talk(plan, Inbox { working: vec![step], close_after: None, ..inbox() }).await;
    let first = world.faults.calls();
    world.happens(message("c1", Author::Client)).await;
    until_there_are(&mut world, 1).await;
    while world.reply(HELLO, "k1").await != Some(true) {
        seconds(&mut world, 1).await;
    }
    until_there_are(&mut world, 2).await;
    world.happens(Kind::ClosedByAgent { by: "anna".into() }).await;
    minutes(&mut world, 45).await;
    (world, first)
}

async fn until_there_are(world: &mut World, count: usize) {
    for _ in 0..2000 {
        if texts(world).len() < count {
            seconds(world, 1).await;
        }
    }
}

fn came_to(world: &World) -> (Vec<String>, usize, bool, usize) {
    let item = world.conversation();
    let settled = item.base.outbox.is_empty() && item.conversation.sends.is_empty();
    (texts(world), history(world).len(), settled, item.window.messages.len())
}

#[test]
fn a_conversation_survives_a_crash_at_every_port_call() {
    // One message told, three sent, each with the provider's id; and the key of the request.
    let expected = ([SOON, HELLO, THANKS].map(str::to_owned).to_vec(), 8, true, 4);
    let points = at_every_crash(play, came_to, &expected);
    println!("conversation: {points} crash points");
    assert_eq!(points, 220, "say in the README what changed");
}

#[tokio::test(start_paused = true)]
async fn what_a_message_of_a_chat_costs() {
    let mut world = talk(Plan::default(), Inbox { working: Vec::new(), ..inbox() }).await;
    let mut costs = Vec::new();
    for n in 0..3 {
        let before = world.table.units().writes;
        world.happens(message(&format!("c{n}"), Author::Client)).await;
        world.run_for(Duration::from_millis(500)).await;
        costs.push(world.table.units().writes - before);
    }
    println!("write units of the first, second and third message: {costs:?}");
    // The first: the item, its row, and one each for the feed, the list of who waits and `close_due`; the receipt of
    // the fact. The others: the item, its row, and what the two lists show.
    assert_eq!(costs, [6, 4, 4], "say in docs/protocol.md what changed");
}
