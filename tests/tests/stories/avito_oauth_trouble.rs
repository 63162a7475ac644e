//! Authorising a channel in the browser, in trouble: lost answers, a provider that is away, tokens that ended, crashes.

use perezvon_engine::Times;
use perezvon_sandbox::avito::Config;
use perezvon_sandbox::{Fault, FaultKind, Request};
use perezvon_store::items::connection::{ACCOUNT, TROUBLE};
use perezvon_tests::World;
use perezvon_tests::faults::Then;
use perezvon_tests::settings::SOON;
use perezvon_tests::world::Plan;
use serde_json::Value as Json;

use crate::avito::{addresses, asked, begin};
use crate::avito_oauth::{AUTHORISE, agreed, answers, authorise, given, page, row, shown, waiting, waits_because};
use crate::calls::minutes;
use crate::people::{of, owner, request, told};
use crate::telling::{at_every_crash, in_virtual_time};

#[test]
fn an_unclear_exchange_asks_to_authorise_again_and_one_that_did_not_happen_is_tried_again() {
    let status = |status| FaultKind::Status { status, body: String::new(), retry_after: None };
    for (path, kind, is_clear) in [
        ("/token", FaultKind::CarriedOutThenLost, false),
        ("/token", FaultKind::LostBeforeArrival, false),
        ("/token", FaultKind::CarriedOutThenStatus { status: 502 }, false),
        ("/self", FaultKind::LostBeforeArrival, false),
        ("/token", status(400), false),
        ("/token", status(429), true),
    ] {
        in_virtual_time(async {
            let mut world = waiting(Plan::default()).await;
            let method = if path == "/self" { "GET" } else { "POST" };
            world.ads(|ads| ads.inject(Fault::once(method, path, kind.clone())));
            assert_eq!(authorise(&mut world).await.0, 200);
            minutes(&mut world, 3).await;
            if !is_clear {
                waits_because(&world, &["авторизуйте канал ещё раз"]).await;
                minutes(&mut world, 30).await;
                waits_because(&world, &["авторизуйте канал ещё раз"]).await;
                authorise(&mut world).await;
            }
            answers(&mut world).await;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_away_too_long_leaves_no_code_behind() {
    let mut world = waiting(Plan::default()).await;
    world.ads(|ads| {
        ads.inject(Fault {
            times: 100,
            ..Fault::once("POST", "/token", FaultKind::Status { status: 429, body: String::new(), retry_after: None })
        })
    });
    authorise(&mut world).await;
    assert!(shown(&world).await["why"].as_str().is_some_and(|why| why.contains("ещё не обменян")));
    minutes(&mut world, 30).await;
    waits_because(&world, &["не успели"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_refused_asks_for_a_new_authorisation() {
    let mut world = waiting(Plan::default()).await;
    authorise(&mut world).await;
    // A token that was issued a moment ago would not be taken for the culprit.
    minutes(&mut world, 25).await;
    let code = agreed(&world, &page(&world).await);
    // Somebody else spends a code twice: everything that was given ends.
    let code = code.split(['=', '&']).nth(1).expect("a code").to_owned();
    let Config { client_id, client_secret, .. } = Config::default();
    let form = format!("grant_type=authorization_code&code={code}&client_id={client_id}&client_secret={client_secret}");
    world.ads(|ads| {
        for _ in 0..2 {
            ads.handle(&Request::new("POST", "/token", form.clone()), 0);
        }
    });
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    let why = shown(&world).await["why"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("нужна новая авторизация") && why.contains("/channels/ads/authorise"), "{why}");
    authorise(&mut world).await;
    minutes(&mut world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON], "what waited goes out");
}

#[tokio::test(start_paused = true)]
async fn who_died_with_the_tokens_kept_leaves_no_code_to_be_exchanged_twice() {
    let mut world = waiting(Plan::default()).await;
    world.faults.before_first(|port| port.removes("grant"), || Then::Die);
    authorise(&mut world).await;
    assert!(row(&world).grant.is_some() && given(&world).is_some(), "kept, and the row does not say so");
    minutes(&mut world, 10).await;
    assert!(is_connected(&world));
    assert_eq!(asked(&world, "POST", "/token"), 1);
    answers(&mut world).await;
}

/// Connected: tokens are there, nothing is asked, nothing is wrong.
fn is_connected(world: &World) -> bool {
    let row = row(world);
    row.grant.is_none() && row.facts.contains_key(ACCOUNT) && !row.facts.contains_key(TROUBLE)
}

/// Sets out until it is connected, as somebody would who reads what the page says.
async fn authorise_surviving(world: &mut World) {
    for _ in 0..3 {
        let asks = request(world, &owner(), "GET", &of(AUTHORISE), None);
        let Some(answer) = world.ask_surviving(asks).await else { continue };
        let shown: Json = serde_json::from_slice(&told(answer).1).expect("JSON");
        let target = agreed(world, shown["url"].as_str().expect("a page"));
        // Who sees no page reloads it.
        for _ in 0..2 {
            let comes = request(world, "", "GET", &target, None);
            if world.ask_surviving(comes).await.is_some() {
                break;
            }
        }
        minutes(world, 5).await;
        if is_connected(world) {
            return;
        }
    }
}

async fn twice(plan: Plan) -> (World, u64) {
    // Looking for what was missed has crashes of its own (`healing`).
    let times = Times { look_at_connections_ms: 4 * 3_600_000, ..plan.times };
    let mut world = waiting(Plan { crash: Vec::new(), times, ..plan.clone() }).await;
    let first = world.faults.calls();
    world.faults.plan(plan.crash);
    authorise_surviving(&mut world).await;
    authorise_surviving(&mut world).await;
    begin(&world);
    minutes(&mut world, 15).await;
    (world, first)
}

#[test]
fn a_channel_is_authorised_and_authorised_again_through_a_crash_at_every_port_call() {
    let came_to = |world: &World| {
        let chat = world.ads(|ads| ads.chats()[0].id.clone());
        let row = row(world);
        let paused = row.is_paused(world.now(), 0);
        (is_connected(world), paused, row.grant, world.written_in(&chat), addresses(world).len())
    };
    let points = at_every_crash(twice, came_to, &(true, false, None, vec![SOON.to_owned()], 1));
    println!("a channel is authorised, twice: {points} crash points");
    assert_eq!(points, 456, "so many before this change: are all of them still tried?");
}
