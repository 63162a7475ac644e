//! Timers of conversations in trouble and in a burst: `route` away, a sweep that dies, very many due at one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use perezvon_domain::conversation::event::Author;
use perezvon_domain::inbox::{AutoReply, Inbox};
use perezvon_domain::time::Millis;
use perezvon_domain::{ConversationEventKind as Kind, Envelope, Event};
use perezvon_platform::Queue;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::due::Timer;
use perezvon_tests::World;
use perezvon_tests::chat::{message, told_in};
use perezvon_tests::settings::{self, SOON, THANKS};
use perezvon_tests::world::Plan;

use crate::avito::{self, ads_of};
use crate::calls::minutes;
use crate::conversations::{inbox, talk};
use crate::telling::at_every_crash;

/// The most requests that the sandbox saw within a second.
fn most_in_a_second(world: &World) -> usize {
    let times: Vec<i64> = world.ads(|ads| ads.requests().iter().map(|logged| logged.at_ms).collect());
    let within = |place: usize| times[place..].iter().take_while(|at| **at - times[place] < 1000).count();
    (0..times.len()).map(within).max().unwrap_or_default()
}

/// Autoreplies of so many chats of one connection, all due in the same second, go out each once and at its pace.
async fn burst_at_avito(count: usize, toml: &str, a_second: usize) {
    let mut world = ads_of(Plan::default(), toml).await;
    let chats: Vec<String> = (0..count).map(|_| avito::begin(&world)).collect();
    // Two requests for each chat: who writes, and the autoreply. And the looks for what was missed.
    let time = Duration::from_secs(60 + (3 * count / a_second) as u64);
    world.run_for(time).await;
    for chat in &chats {
        assert_eq!(world.written_in(chat), [SOON]);
    }
    let most = most_in_a_second(&world);
    println!("{count} autoreplies due at once: at most {most} requests in a second");
    assert!(most <= a_second && world.ads(|ads| ads.violations()) == 0, "{most} in a second");
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_autoreplies_at_one_connection_keeps_its_pace() {
    burst_at_avito(200, &settings::ads(), 5).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "takes a while: .ci/run runs it by name"]
async fn a_burst_of_a_thousand_autoreplies_at_one_connection_keeps_its_pace() {
    burst_at_avito(1_000, &settings::ads(), 5).await;
}

#[tokio::test(start_paused = true)]
async fn the_pace_of_a_burst_is_a_setting_of_the_connection() {
    burst_at_avito(30, &format!("{}\n[channels.times]\npace_ms = 500\n", settings::ads()), 2).await;
}

/// How often each timer of each conversation stands on the event queue.
fn questions(world: &World) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for body in world.events.bodies() {
        let event: Envelope<Event> = serde_json::from_str(&body).expect("an event");
        if let Event::Conversation(event) = event.event
            && matches!(event.kind, Kind::ReplyDue | Kind::CloseDue | Kind::WakeDue)
        {
            *counts.entry((event.chat, format!("{:?}", event.kind))).or_default() += 1;
        }
    }
    counts
}

async fn begin(world: &World, chats: &[&str]) {
    for chat in chats {
        let told = told_in(chat, world.now(), world.now(), message("c1", Author::Client));
        world.events.send(vec![told]).await.expect("sent");
    }
}

#[tokio::test(start_paused = true)]
async fn half_an_hour_without_route_asks_for_each_timer_of_each_conversation_seven_times_at_most() {
    let close_after = Some(Millis::minutes(2));
    let mut world = talk(Plan::default(), Inbox { close_after, ..inbox() }).await;
    begin(&world, &["u2i-1", "u2i-2", "u2i-3"]).await;
    world.run_for(Duration::from_secs(5)).await;
    world.route_is_down = true;
    minutes(&mut world, 30).await;
    let counts = questions(&world);
    assert_eq!(counts.len(), 6, "both timers of three conversations: {counts:?}");
    assert!(counts.values().all(|count| (2..=7).contains(count)), "{counts:?}");
    world.route_is_down = false;
    minutes(&mut world, 10).await;
    let texts: Vec<String> = world.chats(|chats| chats.texts.iter().map(|(_, text, _)| text.clone()).collect());
    assert_eq!(texts, [THANKS; 3], "closing comes first, and each once");
}

const TWO: [&str; 2] = ["u2i-1", "u2i-2"];

/// Two conversations whose autoreply only a sweep asks about.
async fn play(plan: Plan) -> (World, u64) {
    // More than a sweep looks ahead: no message of its own waits for it.
    let step = AutoReply { text: SOON.to_owned(), delay: Millis::minutes(4) };
    let mut world = talk(plan, Inbox { working: vec![step], close_after: None, ..inbox() }).await;
    begin(&world, &TWO).await;
    world.run_for(Duration::from_secs(5)).await;
    let first = world.faults.calls();
    minutes(&mut world, 15).await;
    (world, first)
}

fn came_to(world: &World) -> (Vec<String>, bool) {
    let is_settled = |item: ConversationItem| {
        let waits = Timer::ALL.into_iter().any(|timer| item.base.due(timer).is_some());
        item.base.outbox.is_empty() && item.conversation.sends.is_empty() && !waits
    };
    let texts = world.chats(|chats| chats.texts.iter().map(|(_, text, _)| text.clone()).collect());
    (texts, TWO.iter().all(|chat| world.conversation_in(chat).is_some_and(is_settled)))
}

#[test]
fn a_sweep_that_dies_at_any_port_call_loses_no_timer_and_sends_nothing_twice() {
    let points = at_every_crash(play, came_to, &(vec![SOON.to_owned(); 2], true));
    println!("two conversations, asked by sweeps: {points} crash points");
    assert!(points > 100, "{points}");
}
