//! Avito through the real handlers: pushes in, autoreplies and closings out, in every order, through every crash.

use std::time::Duration;

use perezvon_domain::conversation::State;
use perezvon_domain::{AccountId, ChannelId};
use perezvon_engine::Times;
use perezvon_engine::settings::parse;
use perezvon_sandbox::Request;
use perezvon_sandbox::avito::{Config, Echo, Manner};
use perezvon_store::items::intake::{Quarantined, Seen};
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::settings::{self, SOON, THANKS, TOMORROW};
use perezvon_tests::world::Plan;
use perezvon_tests::world::cloud::FULL;
use serde_json::{Value as Json, json};

use crate::answering::{anna, each, seconds};
use crate::calls::minutes;
use crate::people::{ask, of, owner};
use crate::telling::{at_every_crash, in_virtual_time};

const MORE: &str = "Ещё немного";
const OURS: &str = "Да, приезжайте";

/// The account with its channel, which has told where its news go.
pub async fn ads(plan: Plan) -> World {
    ads_of(plan, &settings::ads()).await
}

pub async fn ads_of(plan: Plan, toml: &str) -> World {
    let mut world = World::new(plan);
    world.open_for_chats();
    apply(&world, toml).await;
    seconds(&mut world, 10).await;
    world
}

/// A second autoreply shows that the first was not taken for somebody's answer.
fn two_steps() -> String {
    settings::ads()
        .replace("delay = \"1m\" }]", &format!("delay = \"1m\" }}, {{ text = \"{MORE}\", delay = \"10m\" }}]"))
}

pub async fn apply(world: &World, toml: &str) -> Json {
    let document = serde_json::to_value(parse(toml).expect("a document")).expect("JSON");
    let (status, answer) = ask(world, &owner(), "PUT", &of("settings"), Some(document)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// A new client begins a chat; its id.
pub fn begin(world: &World) -> String {
    world.ads(|ads| ads.begin("Ещё продаёте?", world.now().0)).0
}

/// Somebody answers in the application.
pub fn we_write(world: &World, chat: &str) {
    world.ads(|ads| ads.we_write(chat, OURS, world.now().0)).expect("a chat");
}

/// Requests whose path ends so.
pub fn asked(world: &World, method: &str, tail: &str) -> usize {
    let is_it = |logged: &&&perezvon_sandbox::Logged| logged.method == method && logged.path.ends_with(tail);
    world.ads(|ads| ads.requests().iter().filter(is_it).count())
}

/// Where Avito posts now.
pub fn addresses(world: &World) -> Vec<Json> {
    let state = world.ads(|ads| ads.handle(&Request::new("GET", "/sandbox/state", ""), 0)).json();
    state["subscriptions"].as_array().expect("a list").clone()
}

/// Why requests stand in quarantine.
pub fn quarantined(world: &World) -> Vec<String> {
    let rows = world.quarantine.all().into_iter().filter(|row| row.s("request").is_some());
    rows.map(|row| Quarantined::read(&row).expect("a request").reason).collect()
}

/// Who wrote each message that the page shows.
pub async fn writers(world: &World, chat: &str) -> Vec<Json> {
    let (status, shown) = ask(world, &anna(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    assert_eq!(status, 200, "{shown}");
    each(&shown, "from")
}

/// Nobody of ours wrote, and nothing of ours waits for its result.
pub fn nobody_replied(world: &World, chat: &str) -> bool {
    let it = world.conversation_in(chat).expect("a conversation").conversation;
    nobody_waits(world, chat) && it.round.replied_at.is_none()
}

/// Nothing of ours waits for its result, and nothing was taken for an answer in the application.
pub fn nobody_waits(world: &World, chat: &str) -> bool {
    let item = world.conversation_in(chat).expect("a conversation");
    let it = item.conversation;
    item.base.outbox.is_empty() && it.sends.is_empty() && it.undecided.is_empty() && it.agent_wrote_at.is_none()
}

#[tokio::test(start_paused = true)]
async fn a_channel_subscribes_itself_once_for_each_version_and_again_when_its_address_changes() {
    let mut world = ads(Plan::default()).await;
    let told = |world: &World| asked(world, "POST", "/v3/webhook");
    assert_eq!((told(&world), addresses(&world).len()), (1, 1));
    assert_eq!(apply(&world, &settings::ads()).await["changed"], json!(false));
    for _ in 0..2 {
        assert_eq!(ask(&world, &owner(), "POST", &of("urls"), None).await.0, 202);
        minutes(&mut world, 1).await;
    }
    assert_eq!(told(&world), 1, "the same address under the same settings");
    apply(&world, &settings::ads().replace("Объявления", "Авито")).await;
    minutes(&mut world, 1).await;
    assert_eq!((told(&world), addresses(&world).len()), (2, 1));
    let moved = settings::ads().replace("id = \"ads\"", "id = \"ads\"\ngeneration = 2");
    apply(&world, &moved).await;
    minutes(&mut world, 1).await;
    assert_eq!((told(&world), addresses(&world).len()), (3, 1), "the old address is taken back");
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    assert!(quarantined(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_is_answered_at_its_time_and_the_chat_closed_at_its_time_each_once() {
    let mut world = ads(Plan { duplicates: 40, ..Plan::default() }).await;
    world.ads(|ads| ads.behave(Manner { copies: 2, ..Manner::default() }));
    let chat = begin(&world);
    seconds(&mut world, 59).await;
    assert!(world.written_in(&chat).is_empty(), "not before its time");
    seconds(&mut world, 4).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    minutes(&mut world, 58).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    minutes(&mut world, 3).await;
    assert_eq!(world.written_in(&chat), [SOON, THANKS]);
    minutes(&mut world, 180).await;
    assert_eq!(world.written_in(&chat), [SOON, THANKS]);
    let it = world.conversation_in(&chat).expect("a conversation").conversation;
    assert!(matches!(it.state, State::Closed(_)));
    let known = (it.client.name.unwrap_or_default(), it.client.about.unwrap_or_default());
    assert!(known.0.starts_with("Клиент ") && known.1.starts_with("Велосипед, 12 000"), "{known:?}");
    assert_eq!(writers(&world, &chat).await.len(), 3);
    assert!(world.ads(|ads| ads.pushed().count() == 6 && ads.pushed().all(|push| push.status == 200)));
}

#[tokio::test(start_paused = true)]
async fn who_answers_in_the_application_in_time_keeps_the_autoreply_back() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 30).await;
    we_write(&world, &chat);
    minutes(&mut world, 20).await;
    assert_eq!(world.written_in(&chat), [OURS]);
    assert_eq!(writers(&world, &chat).await, [json!("client"), json!("agent")]);
    world.ads(|ads| ads.client_writes(&chat, "Спасибо, еду", world.now().0)).expect("a chat");
    minutes(&mut world, 20).await;
    assert_eq!(world.written_in(&chat), [OURS], "one answer ends the autoreplies of the round");
}

#[test]
fn whatever_comes_first_echo_or_answer_one_message_stands_and_nobody_has_replied() {
    for echo in [Echo::Before, Echo::After, Echo::Twice] {
        for (seed, beside) in (1..=6).flat_map(|seed| [(seed, false), (seed, true)]) {
            in_virtual_time(async move {
                let mut world = ads_of(Plan { seed, duplicates: 30, ..Plan::default() }, &two_steps()).await;
                let copies = 1 + u32::try_from(seed % 2).unwrap_or_default();
                world.ads(|ads| ads.behave(Manner { echo, copies, ..Manner::default() }));
                let chat = begin(&world);
                // Beside each other, the echo is taken in while the worker still waits for its answer.
                match beside {
                    true => world.run_cloud(Vec::new(), Duration::from_secs(1500), FULL).await,
                    false => minutes(&mut world, 25).await,
                }
                let what = format!("{echo:?}, seed {seed}, beside each other: {beside}");
                assert_eq!(world.written_in(&chat), [SOON, MORE], "{what}");
                assert!(nobody_replied(&world, &chat), "{what}");
                assert_eq!(
                    writers(&world, &chat).await,
                    ["client", "automatic", "automatic"].map(|who| json!(who)),
                    "{what}"
                );
            });
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_thirty_autoreplies_keeps_the_pace() {
    let mut world = ads(Plan { parallel: 2, ..Plan::default() }).await;
    let chats: Vec<String> = (0..30).map(|_| begin(&world)).collect();
    minutes(&mut world, 4).await;
    for chat in &chats {
        assert_eq!(world.written_in(chat), [SOON]);
        assert!(nobody_replied(&world, chat));
    }
    assert_eq!((world.ads(|ads| ads.violations()), asked(&world, "POST", "/messages")), (0, 30));
}

#[tokio::test(start_paused = true)]
async fn out_of_hours_the_list_of_the_off_hours_answers() {
    let mut world = ads(Plan::default()).await;
    // From 11:53 in Moscow to eight past six.
    minutes(&mut world, 375).await;
    let chat = begin(&world);
    seconds(&mut world, 119).await;
    assert!(world.written_in(&chat).is_empty());
    seconds(&mut world, 5).await;
    assert_eq!(world.written_in(&chat), [TOMORROW]);
}

/// Posts a push that the sandbox would not make.
pub async fn posted(world: &mut World, body: &Json) {
    let path = world.hook_path("school", "ads", 1, "");
    let answer = world.post_bytes(path.trim_end_matches('/'), "application/json", body.to_string().as_bytes()).await;
    assert_eq!(answer.status_code, 200);
    seconds(world, 30).await;
}

/// A push of a message that nobody told yet.
pub fn push(chat: &str, user_id: i64, kind: &str) -> Json {
    let content = if kind == "deleted" { json!({}) } else { json!({ "text": "Здравствуйте" }) };
    let value = json!({
        "id": "never-told", "chat_id": chat, "user_id": user_id, "author_id": 7, "created": 1_760_000_005,
        "type": kind, "chat_type": "u2i", "content": content, "item_id": 1,
    });
    let payload = json!({ "type": "message", "value": value });
    json!({ "id": "e-1", "version": "v3.0.0", "timestamp": 1_760_000_006, "payload": payload })
}

#[tokio::test(start_paused = true)]
async fn a_push_for_another_account_goes_into_quarantine_and_an_empty_one_is_a_ping() {
    let mut world = ads(Plan::default()).await;
    posted(&mut world, &push("u2i-x", 5, "text")).await;
    assert_eq!(quarantined(&world), ["other_account"]);
    assert!(world.conversation_in("u2i-x").is_none());
    posted(&mut world, &json!({})).await;
    let row = world.table.row(&keys::channel_status(&AccountId::from("school"), &ChannelId::from("ads")));
    let seen = Seen::read(&row.expect("the channel was heard of"));
    assert_eq!((seen.pings, seen.refused, quarantined(&world).len()), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_off_says_nothing_by_itself_and_nobody_answers_in_it() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 30).await;
    apply(&world, &settings::ads().replace("id = \"ads\"", "id = \"ads\"\nactive = false")).await;
    minutes(&mut world, 180).await;
    let path = of(&format!("conversations/ads:{chat}/reply"));
    let (status, answer) = ask(&world, &anna(), "POST", &path, Some(json!({ "text": OURS }))).await;
    assert_eq!(status, 409, "{answer}");
    assert!(world.written_in(&chat).is_empty(), "neither autoreply nor closing text");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_of_a_message_that_never_came_changes_nothing() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    let before = (writers(&world, &chat).await, world.conversation_in(&chat).expect("it").conversation.round);
    for named in [chat.as_str(), "u2i-unheard"] {
        posted(&mut world, &push(named, Config::default().user_id, "deleted")).await;
    }
    minutes(&mut world, 5).await;
    let after = (writers(&world, &chat).await, world.conversation_in(&chat).expect("it").conversation.round);
    assert_eq!(after, before);
    let unheard = world.conversation_in("u2i-unheard");
    assert!(unheard.is_none_or(|item| matches!(item.conversation.state, State::New)), "nothing is opened");
    assert!(quarantined(&world).is_empty() && world.events.dead().is_empty());
    assert_eq!(world.written_in(&chat), [SOON]);
}

/// A client asks, is told to wait, and the chat is closed. A push that got no answer is repeated.
async fn play(plan: Plan) -> (World, u64) {
    // Looking for what was missed has crashes of its own (`healing`): here it looks once, and after each crash.
    let times = Times { look_at_connections_ms: 4 * 3_600_000, ..plan.times };
    let mut world = ads(Plan { times, ..plan }).await;
    world.ads(|ads| ads.behave(Manner { echo: Echo::Twice, repeats: 3, ..Manner::default() }));
    let first = world.faults.calls();
    begin(&world);
    minutes(&mut world, 100).await;
    (world, first)
}

fn came_to(world: &World) -> (Vec<String>, bool, bool, usize) {
    let chat = world.ads(|ads| ads.chats()[0].id.clone());
    let item = world.conversation_in(&chat).expect("a conversation");
    let key = keys::chat(&AccountId::from("school"), &ChannelId::from("ads"), &chat);
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == key.pk() && row.key.sk() != "item").count();
    let is_closed = matches!(item.conversation.state, State::Closed(_));
    (world.written_in(&chat), nobody_replied(world, &chat), is_closed, rows)
}

#[test]
fn a_chat_survives_a_crash_at_every_port_call() {
    // In the history: one message told, two sent, each with the provider's id.
    let expected = (vec![SOON.to_owned(), THANKS.to_owned()], true, true, 5);
    let points = at_every_crash(play, came_to, &expected);
    println!("a chat, its autoreply, its closing: {points} crash points");
    assert_eq!(points, 412, "say in the README what changed");
}
