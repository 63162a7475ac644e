//! Chats through the whole program, against a messenger over HTTP: each autoreply reaches its chat once, however
//! the messenger tells of it, and though the program is killed in between.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};
use support::chats::{AUTOREPLIES, Messenger};
use support::{Process, Random, World, api, free_address, redirect, request, until};

/// From a client's message until it is answered, a look-up after a kill included.
const ANSWERED: Duration = Duration::from_secs(60);
/// Whatever is still to come has come.
const QUIET: Duration = Duration::from_millis(2_500);
const CHATS: usize = 6;
const KILLS: usize = 5;

fn serve(world: &World, address: SocketAddr) -> Process {
    world.serve(address, &world.path("data"), &["--lease-seconds", "3"])
}

/// A running program that told the messenger its address.
fn begin(world: &World) -> (Process, Messenger) {
    let server = serve(world, free_address());
    let messenger = Messenger(world.sandbox.address);
    let is_told = || messenger.state()["subscriptions"].as_array().is_some_and(|told| !told.is_empty());
    until("the messenger is told where to post", ANSWERED, is_told);
    (server, messenger)
}

/// Waits until every chat is answered and nothing is on its way; then each has each autoreply once: what we send
/// ourselves is nobody's answer.
fn answered_once(messenger: Messenger, server: SocketAddr, data: &Path, chats: &[String]) {
    for chat in chats {
        until("the client is answered", ANSWERED, || messenger.ours_in(chat).len() >= AUTOREPLIES.len());
    }
    let is_idle = || api(server, data, "jobs?state=open")["jobs"].as_array().is_some_and(Vec::is_empty);
    until("no job is on its way", ANSWERED, is_idle);
    std::thread::sleep(QUIET);
    for chat in chats {
        assert_eq!(messenger.ours_in(chat), AUTOREPLIES, "{chat}: {:#}", messenger.state());
    }
    let failed = api(server, data, "jobs?state=failed");
    assert_eq!(failed["jobs"].as_array().map(Vec::len), Some(0), "{failed:#}");
}

#[test]
fn an_autoreply_reaches_each_chat_once_however_often_and_early_it_is_told_of() {
    let world = World::of_chats("1s");
    let (server, messenger) = begin(&world);
    let mut chats = Vec::new();
    for echo in ["before", "after", "twice"] {
        messenger.behave(&json!({ "echo": echo, "copies": 2 }));
        let chat = messenger.begin("Здравствуйте! Ещё продаёте?");
        until("the client is answered", ANSWERED, || !messenger.ours_in(&chat).is_empty());
        chats.push(chat);
    }
    answered_once(messenger, server.address, &world.path("data"), &chats);
    let state = messenger.state();
    let pushed = state["pushed"].as_array().expect("pushes");
    assert!(pushed.iter().all(|push| push["status"] == 200), "{pushed:#?}");
    let echoes = pushed.iter().filter(|push| push["body"].as_str().is_some_and(|body| body.contains(AUTOREPLIES[0])));
    assert_eq!(echoes.count(), 8, "two, two and four: {pushed:#?}");
}

#[test]
fn a_second_message_begins_nothing_anew_and_what_we_wrote_there_ourselves_is_an_answer() {
    let world = World::of_chats("1s");
    let (server, messenger) = begin(&world);
    let chat = messenger.begin("Здравствуйте!");
    messenger.write(&chat, "client", "Ещё продаёте?");
    answered_once(messenger, server.address, &world.path("data"), std::slice::from_ref(&chat));
    messenger.write(&chat, "us", "Да, продаём.");
    messenger.write(&chat, "client", "Спасибо!");
    std::thread::sleep(QUIET);
    assert_eq!(messenger.ours_in(&chat), [AUTOREPLIES[0], AUTOREPLIES[1], "Да, продаём."]);
}

#[test]
fn what_somebody_of_ours_writes_in_the_application_in_time_keeps_the_autoreply_back() {
    let world = World::of_chats("4s");
    let (server, messenger) = begin(&world);
    let answered = messenger.begin("Здравствуйте!");
    let other = messenger.begin("Здравствуйте!");
    messenger.write(&answered, "us", "Да, продаём.");
    // The other one shows that its time has come.
    answered_once(messenger, server.address, &world.path("data"), &[other]);
    assert_eq!(messenger.ours_in(&answered), ["Да, продаём."]);
}

#[test]
fn a_channel_is_authorised_in_the_browser_and_answers_from_then_on_after_a_kill_too() {
    let world = World::of_chats_in_browser("1s");
    let (mut server, messenger) = (serve(&world, free_address()), Messenger(world.sandbox.address));
    messenger.behave(&json!({ "callback": format!("http://{}/oauth/callback", server.address) }));
    let data = world.path("data");
    let connection = |server| api(server, &data, "connections")["connections"][0].clone();
    until("it waits to be authorised", ANSWERED, || connection(server.address)["mood"] == "paused");
    let page = api(server.address, &data, "channels/chats/authorise")["url"].as_str().expect("a page").to_owned();
    let path = |url: &str| url[url.find("://").map_or(0, |at| at + 3)..].split_once('/').expect("a path").1.to_owned();
    let back = redirect(world.sandbox.address, &format!("/{}", path(&page)));
    let (status, told) = request(server.address, "GET", &format!("/{}", path(&back)), &[], b"").expect("an answer");
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&told));
    let is_known = |it: &Json| it["authorisation"]["account"]["id"] == "100000001";
    // Whoever dies with the connection in its hands holds it for a minute more.
    let is_at_rest = |it: &Json| is_known(it) && it["held"] == false && it["counts"]["open"] == 0;
    until("it is known whose account it is", ANSWERED, || is_at_rest(&connection(server.address)));
    server.kill();
    let server = serve(&world, server.address);
    let chat = messenger.begin("Здравствуйте! Ещё продаёте?");
    answered_once(messenger, server.address, &data, &[chat]);
}

#[test]
fn refusals_that_pass_and_doubtful_answers_delay_a_reply_and_double_nothing() {
    let world = World::of_chats("1s");
    let (server, messenger) = begin(&world);
    let status = |status: u16| json!({ "status": { "status": status, "retry_after": 1 } });
    let after_that = json!({ "carried_out_then_status": { "status": 500 } });
    for kind in [status(401), status(429), status(500), status(503), after_that] {
        messenger.inject(&json!({ "method": "POST", "path_contains": "/messages", "kind": kind }));
    }
    let chat = messenger.begin("Здравствуйте!");
    answered_once(messenger, server.address, &world.path("data"), &[chat]);
}

#[test]
fn a_reply_whose_answer_was_lost_is_looked_up_after_a_kill_and_not_sent_again() {
    let world = World::of_chats("1s");
    let (mut server, messenger) = begin(&world);
    // Carried out, and nobody is told: no echo comes, for nobody is there to take it.
    let lost = json!({ "method": "POST", "path_contains": "/messages", "kind": "carried_out_then_lost" });
    messenger.inject(&lost);
    let chat = messenger.begin("Здравствуйте!");
    until("the message stands there", ANSWERED, || !messenger.ours_in(&chat).is_empty());
    server.kill();
    let server = serve(&world, server.address);
    answered_once(messenger, server.address, &world.path("data"), &[chat]);
}

#[test]
fn killed_again_and_again_it_answers_every_client_once() {
    let mut random = Random::from_environment();
    let world = World::of_chats("1s");
    let (mut server, messenger) = begin(&world);
    messenger.behave(&json!({ "echo": "twice", "copies": 2, "repeats": 100 }));
    let mut chats = Vec::new();
    for turn in 0..KILLS.max(CHATS) {
        if turn < CHATS {
            chats.push(messenger.begin("Здравствуйте! Ещё продаёте?"));
        }
        std::thread::sleep(Duration::from_millis(random.below(1_800)));
        if turn < KILLS {
            server.kill();
            server = serve(&world, server.address);
        }
    }
    answered_once(messenger, server.address, &world.path("data"), &chats);
}
