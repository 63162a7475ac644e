//! Avito in trouble: lost answers, tokens, an account without access, chats that are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use perezvon_domain::conversation::State;
use perezvon_sandbox::avito::{Echo, Manner};
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_tests::World;
use perezvon_tests::faults::Crash;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings::{SOON, THANKS};
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{anna, seconds};
use crate::avito::{ads, asked, begin, we_write};
use crate::calls::minutes;
use crate::chaos::Seeded;
use crate::people::{ask, of, owner};
use crate::telling::in_virtual_time;

/// How the page shows the channel's connection.
pub async fn connection(world: &World) -> Json {
    let (status, shown) = ask(world, &owner(), "GET", &of("connections"), None).await;
    assert_eq!(status, 200, "{shown}");
    let all = shown["connections"].as_array().expect("connections");
    all.iter().find(|one| one["id"] == "channel:ads").expect("the channel").clone()
}

pub fn refused(path: &str, times: u32, status: u16) -> Fault {
    let kind = FaultKind::Status { status, body: String::new(), retry_after: None };
    Fault { method: None, path_contains: path.to_owned(), skip: 0, times, kind }
}

async fn reply(world: &World, chat: &str, text: &str) {
    let path = of(&format!("conversations/ads:{chat}/reply"));
    let (status, answer) = ask(world, &anna(), "POST", &path, Some(json!({ "text": text }))).await;
    assert_eq!(status, 200, "{answer}");
}

fn codes(world: &World, chat: &str) -> Vec<String> {
    let because = world.conversation_in(chat).expect("a conversation").conversation.because;
    because.into_iter().map(|because| because.reason.code).collect()
}

#[test]
fn an_unknown_outcome_is_looked_up_and_a_message_that_stands_is_not_sent_again() {
    for (kind, sent) in [
        (FaultKind::CarriedOutThenLost, 1),
        (FaultKind::CarriedOutThenStatus { status: 502 }, 1),
        (FaultKind::LostBeforeArrival, 2),
        (FaultKind::Html200, 2),
    ] {
        in_virtual_time(async {
            let mut world = ads(Plan::default()).await;
            world.ads(|ads| ads.inject(Fault::once("POST", "/messages", kind.clone())));
            let chat = begin(&world);
            minutes(&mut world, 10).await;
            assert_eq!(world.written_in(&chat), [SOON], "{kind:?}");
            assert_eq!(asked(&world, "POST", "/messages"), sent, "{kind:?}");
            assert!(asked(&world, "GET", "/messages/") > 0, "{kind:?}");
            let it = world.conversation_in(&chat).expect("a conversation").conversation;
            assert!(it.sends.is_empty() && it.undecided.is_empty() && it.round.replied_at.is_none(), "{kind:?}");
        });
    }
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    for expired_status in [401, 403] {
        in_virtual_time(async {
            let mut world = ads(Plan::default()).await;
            minutes(&mut world, 30).await;
            world.ads(|ads| {
                ads.behave(Manner { expired_status, ..Manner::default() });
                ads.expire_tokens();
            });
            let before = asked(&world, "POST", "/token");
            let chat = begin(&world);
            minutes(&mut world, 5).await;
            assert_eq!(asked(&world, "POST", "/token") - before, 1, "{expired_status}");
            assert_eq!(world.written_in(&chat), [SOON], "{expired_status}");
            assert_eq!(connection(&world).await["mood"], "fine", "{expired_status}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_paid_level_the_channel_pauses_says_so_and_goes_on_later() {
    let mut world = ads(Plan::default()).await;
    world.ads(|ads| ads.inject(refused("/messenger/", 2, 402)));
    let chat = begin(&world);
    minutes(&mut world, 5).await;
    let shown = connection(&world).await;
    assert_eq!(shown["mood"], "paused", "{shown}");
    assert!(shown["why"].as_str().is_some_and(|why| why.contains("402") && why.contains("тариф")), "{shown}");
    assert!(world.written_in(&chat).is_empty());
    minutes(&mut world, 20).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    assert_eq!(connection(&world).await["mood"], "fine");
}

/// Without access: not paid for, or refused, first here and then for the whole account.
const NO_ACCESS: [(u16, u32); 2] = [(402, 1), (403, 2)];

#[test]
fn a_reply_that_waited_for_access_for_a_day_fails_visibly_and_a_younger_one_goes_out() {
    for (status, times) in NO_ACCESS {
        in_virtual_time(async {
            let mut world = ads(Plan::default()).await;
            let chat = begin(&world);
            minutes(&mut world, 1).await;
            world.ads(|ads| ads.inject(refused("/messenger/", times, status)));
            reply(&world, &chat, "Приезжайте сегодня до шести").await;
            minutes(&mut world, 5).await;
            let now = world.now().0;
            world.ads(|ads| ads.set_outage(now, now + 25 * 3_600_000, 402));
            minutes(&mut world, 23 * 60).await;
            reply(&world, &chat, "Извините за ожидание").await;
            minutes(&mut world, 3 * 60).await;
            assert_eq!(world.written_in(&chat), [SOON, "Извините за ожидание", THANKS], "{status}");
            assert!(codes(&world, &chat).contains(&"chat_failed".to_owned()), "{:?}", codes(&world, &chat));
            put_back(&world, "напишите заново").await;
            minutes(&mut world, 5).await;
            assert_eq!(world.written_in(&chat).len(), 4, "a person wants it all the same");
        });
    }
}

/// A person puts the failed job back that says this.
async fn put_back(world: &World, why: &str) {
    let shown = connection(world).await;
    let is_it = |job: &&Json| job["result"].as_str().is_some_and(|result| result.contains(why));
    let failed = shown["stopped"].as_array().and_then(|jobs| jobs.iter().find(is_it));
    let place = failed.and_then(|job| job["id"].as_str()).unwrap_or_else(|| panic!("a failed job: {shown}"));
    let again = of(&format!("connections/channel:ads/jobs/{place}/retry"));
    assert_eq!(ask(world, &owner(), "POST", &again, None).await.0, 200);
}

#[test]
fn an_autoreply_that_waited_behind_a_pause_is_dropped_once_somebody_answered() {
    for (status, times) in NO_ACCESS {
        in_virtual_time(async {
            let mut world = ads(Plan::default()).await;
            let chat = begin(&world);
            seconds(&mut world, 30).await;
            world.ads(|ads| ads.inject(refused("/messenger/", times, status)));
            minutes(&mut world, 5).await;
            assert!(!world.conversation_in(&chat).expect("it").conversation.sends.is_empty(), "the autoreply waits");
            we_write(&world, &chat);
            minutes(&mut world, 30).await;
            assert_eq!(world.written_in(&chat).len(), 1, "{status}: what was written in the application");
            assert_eq!(asked(&world, "POST", "/messages"), 1, "{status}: the refused one");
            assert!(codes(&world, &chat).contains(&"chat_dropped".to_owned()), "{:?}", codes(&world, &chat));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_is_gone_fails_visibly_and_is_not_tried_again() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 30).await;
    world.ads(|ads| ads.inject(refused("/messages", 100, 404)));
    minutes(&mut world, 30).await;
    let it = world.conversation_in(&chat).expect("a conversation").conversation;
    assert!(it.trouble.is_some_and(|trouble| trouble.why.contains("404")) && it.sends.is_empty());
    assert!(codes(&world, &chat).contains(&"chat_failed".to_owned()), "{:?}", codes(&world, &chat));
    assert_eq!((asked(&world, "POST", "/messages"), it.state), (1, State::Open));
    let (_, list) = ask(&world, &anna(), "GET", &of("conversations?limit=5"), None).await;
    assert!(list["conversations"][0]["trouble"].as_str().is_some_and(|why| why.contains("404")), "{list}");
    assert_eq!(connection(&world).await["counts"]["failed"], 1);
    minutes(&mut world, 60).await;
    assert_eq!(asked(&world, "POST", "/messages"), 2, "the closing text, once");
}

/// Clients, somebody in the application, crashes, lost answers, an outage; all by the seed. Whoever got no autoreply
/// was answered by one of us.
async fn chaos(seed: u64) {
    let mut random = Seeded(seed);
    let plan = Plan { seed, duplicates: 15, parallel: 1 + (seed % 3) as usize, batch: 5, ..Plan::default() };
    let mut world = ads(plan).await;
    let echo = [Echo::Before, Echo::After, Echo::Twice][(seed % 3) as usize];
    let wrapped = seed.is_multiple_of(2);
    let first = world.faults.calls();
    let crash = (0..6).map(|_| first + random.below(1_200));
    world.faults.plan(crash.map(|n| if n % 2 == 0 { Crash::Before(n) } else { Crash::After(n) }).collect());
    world.ads(|ads| {
        ads.behave(Manner { echo, repeats: 5, wrapped, ..Manner::default() });
        for skip in [0, 2, 5] {
            let kind = match random.below(4) {
                0 => FaultKind::CarriedOutThenLost,
                1 => FaultKind::LostBeforeArrival,
                2 => FaultKind::Status { status: 429, body: String::new(), retry_after: Some(2) },
                _ => FaultKind::CarriedOutThenStatus { status: 502 },
            };
            ads.inject(Fault { skip, ..Fault::once("POST", "/messages", kind) });
        }
        if seed.is_multiple_of(4) {
            ads.set_outage(EPOCH_MS + 60_000, EPOCH_MS + 400_000, 503);
        }
    });
    let chats: Vec<String> = (0..6).map(|_| begin(&world)).collect();
    let mut answered = BTreeSet::new();
    for _ in 0..6 {
        world.run_for(Duration::from_millis(random.below(25_000))).await;
        let chat = &chats[usize::try_from(random.below(6)).unwrap_or_default()];
        if random.below(2) == 0 {
            we_write(&world, chat);
            answered.insert(chat.clone());
        } else {
            world.ads(|ads| ads.client_writes(chat, "Алло?", world.now().0)).expect("a chat");
        }
    }
    minutes(&mut world, 180).await;
    for chat in &chats {
        let written = world.written_in(chat);
        let what = format!("seed {seed}, {} crashes: {written:?}", world.faults.crashes());
        let count = |text: &str| written.iter().filter(|one| *one == text).count();
        assert!(count(SOON) == 1 || (count(SOON) == 0 && answered.contains(chat)), "{what}");
        assert_eq!(count(THANKS), 1, "{what}");
        let it = world.conversation_in(chat).expect("a conversation").conversation;
        assert!(matches!(it.state, State::Closed(_)) && it.sends.is_empty() && it.undecided.is_empty(), "{what}");
        assert_eq!(it.round.replied_at.is_some(), answered.contains(chat), "{what}");
    }
    assert_eq!(world.ads(|ads| ads.violations()), 0, "seed {seed}");
}

#[test]
fn forty_seeds_of_chaos_end_with_every_text_sent_once_and_every_answer_known_as_one() {
    for seed in 1..=40 {
        in_virtual_time(chaos(seed));
    }
}
