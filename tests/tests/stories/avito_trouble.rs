//! Avito in trouble: lost answers, tokens, an account without access, chats that are gone.

use perezvon_domain::conversation::State;
use perezvon_sandbox::avito::Manner;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_tests::World;
use perezvon_tests::settings::SOON;
use perezvon_tests::world::Plan;
use serde_json::Value as Json;

use crate::answering::{anna, seconds};
use crate::avito::{ads, asked, begin, we_write};
use crate::calls::minutes;
use crate::people::{ask, of, owner};
use crate::telling::in_virtual_time;

/// How the page shows the channel's connection.
async fn connection(world: &World) -> Json {
    let (status, shown) = ask(world, &owner(), "GET", &of("connections"), None).await;
    assert_eq!(status, 200, "{shown}");
    let all = shown["connections"].as_array().expect("connections");
    all.iter().find(|one| one["id"] == "channel:ads").expect("the channel").clone()
}

fn refused(path: &str, times: u32, status: u16) -> Fault {
    let kind = FaultKind::Status { status, body: String::new(), retry_after: None };
    Fault { method: None, path_contains: path.to_owned(), skip: 0, times, kind }
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

#[tokio::test(start_paused = true)]
async fn an_autoreply_that_waited_behind_a_pause_is_dropped_once_somebody_answered() {
    let mut world = ads(Plan::default()).await;
    world.ads(|ads| ads.inject(refused("/messenger/", 1, 402)));
    let chat = begin(&world);
    minutes(&mut world, 5).await;
    assert!(!world.conversation_in(&chat).expect("it").conversation.sends.is_empty(), "the autoreply waits");
    we_write(&world, &chat);
    minutes(&mut world, 30).await;
    assert_eq!(world.written_in(&chat).len(), 1, "what was written in the application");
    assert_eq!(asked(&world, "POST", "/messages"), 0);
    assert!(codes(&world, &chat).contains(&"chat_dropped".to_owned()), "{:?}", codes(&world, &chat));
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
