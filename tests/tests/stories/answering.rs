//! What people do with conversations through `api`: reply, note, assign, close, take back; and what they see.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use perezvon_domain::conversation::State;
use perezvon_domain::conversation::event::Author;
use perezvon_domain::inbox::Inbox;
use perezvon_domain::time::Millis;
use perezvon_domain::{ChatCommand, Command, ConversationEventKind as Kind};
use perezvon_platform::link::Role;
use perezvon_store::items::due::Timer;
use perezvon_store::items::job::JobRow;
use perezvon_store::{Update, keys};
use perezvon_tests::World;
use perezvon_tests::chat::{CONNECTION, id, message};
use perezvon_tests::faults::Crash;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::calls::minutes;
use crate::conversations::inbox;
use crate::operators::ids;
use crate::people::{ask, of, request, token, told};
use crate::telling::in_virtual_time;

pub const CHAT: &str = "conversations/ads:u2i-1";
const HELLO: &str = "Здравствуйте!";

pub fn anna() -> String {
    token("school", "anna", Role::Operator)
}

pub fn petrova() -> String {
    token("school", "petrova", Role::Operator)
}

/// A client has just written; the group has it, and autoreplies will go out.
pub async fn asked(plan: Plan) -> World {
    asked_of(plan, Inbox { delete_within: Some(Millis::minutes(60)), ..inbox() }).await
}

async fn asked_of(plan: Plan, inbox: Inbox) -> World {
    let mut world = World::new(plan);
    let groups = "[groups]\n\"Продажи\" = [\"anna\", \"petrova\"]\n";
    world.apply(&format!("{}\n{groups}", full("school"))).await;
    world.add_chats(inbox);
    world.happens(message("c1", Author::Client)).await;
    seconds(&mut world, 5).await;
    world
}

pub async fn seconds(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds)).await;
}

pub async fn post(world: &World, token: &str, act: &str, body: Json) -> (i64, Json) {
    ask(world, token, "POST", &of(&format!("{CHAT}/{act}")), Some(body)).await
}

/// A request under an `Idempotency-Key`.
fn keyed(world: &World, token: &str, act: &str, body: Json, key: &str) -> ApiGatewayV2httpRequest {
    let mut asked = request(world, token, "POST", &of(&format!("{CHAT}/{act}")), Some(body));
    asked.headers.insert("idempotency-key", key.parse().expect("a header"));
    asked
}

async fn post_once(world: &World, token: &str, act: &str, body: Json, key: &str) -> i64 {
    told(world.answer(keyed(world, token, act, body, key)).await).0
}

pub fn hello() -> Json {
    json!({ "text": HELLO })
}

fn texts(world: &World) -> Vec<String> {
    world.chats(|chats| chats.texts.iter().map(|(_, text, _)| text.clone()).collect())
}

pub async fn shown(world: &World) -> Json {
    let (status, answer) = ask(world, &anna(), "GET", &of(CHAT), None).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// One field of all messages.
pub fn each(answer: &Json, field: &str) -> Vec<Json> {
    answer["messages"].as_array().expect("messages").iter().map(|message| message[field].clone()).collect()
}

/// How often the provider was asked to take something back.
fn deletions(world: &World) -> usize {
    let (account, connection) = (id().account, CONNECTION.into());
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == keys::jobs(&account, &connection));
    let jobs = rows.filter(|row| row.attributes.contains_key("command"));
    let jobs = jobs.map(|row| JobRow::read(&account, &connection, &row).expect("a job"));
    jobs.filter(|job| matches!(job.command, Command::Chat(ChatCommand::DeleteMessage { .. }))).count()
}

#[tokio::test(start_paused = true)]
async fn a_long_reply_leaves_once_in_parts_and_in_the_order_of_writing() {
    let mut world = asked(Plan { duplicates: 50, ..Plan::default() }).await;
    let words = |n: usize| format!("слово{n} ").repeat(150);
    let (status, answer) = post(&world, &anna(), "reply", json!({ "text": words(1) })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(post(&world, &petrova(), "reply", hello()).await.0, 200);
    minutes(&mut world, 2).await;
    let sent = texts(&world);
    assert!(sent.len() == 3 && sent.iter().all(|text| text.chars().count() <= 1000), "{sent:?}");
    assert_eq!(format!("{} {}", sent[0], sent[1]), words(1).trim());
    assert_eq!(sent[2], HELLO);
    let answer = shown(&world).await;
    assert_eq!(each(&answer, "text")[1..], sent.into_iter().map(Json::from).collect::<Vec<_>>());
    assert_eq!(each(&answer, "state")[1..], vec![json!("sent"); 3]);
    assert_eq!(each(&answer, "by")[1..], ["Анна Главная", "Анна Главная", "Мария Петрова"].map(|by| json!(by)));
}

#[tokio::test(start_paused = true)]
async fn who_replies_first_has_the_conversation_and_ends_the_autoreplies() {
    let mut world = asked(Plan::default()).await;
    assert_eq!(ids(&world, "?of=group:Продажи").await, ["ads:u2i-1"]);
    let before = shown(&world).await;
    assert_eq!((&before["assignee"], &before["conversation"]["waiting"]["who"]), (&Json::Null, &json!("client")));
    assert!(before["conversation"]["replies_at"].is_number(), "{before}");
    post(&world, &petrova(), "reply", hello()).await;
    post(&world, &anna(), "reply", json!({ "text": "И от меня" })).await;
    let after = shown(&world).await;
    assert_eq!(after["assignee"], json!({ "id": "petrova", "name": "Мария Петрова" }));
    assert_eq!(
        (&after["conversation"]["replies_at"], &after["conversation"]["waiting"]["who"]),
        (&Json::Null, &json!("us"))
    );
    for list in ["?of=group:Продажи", "?of=employee:petrova"] {
        assert!(ids(&world, list).await.is_empty(), "nobody waits in {list}");
    }
    minutes(&mut world, 30).await;
    assert_eq!(texts(&world), [HELLO, "И от меня"]);
    let told = shown(&world).await["text"].to_string();
    for words in ["Мария Петрова ответил первым", "автоответов больше не будет", "закроется само"]
    {
        assert!(told.contains(words), "`{words}` is missing in {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_is_one_reply_and_another_body_under_it_is_refused() {
    let mut world = asked(Plan::default()).await;
    for _ in 0..3 {
        assert_eq!(post_once(&world, &anna(), "reply", hello(), "k1").await, 200);
        seconds(&mut world, 5).await;
    }
    assert_eq!(post_once(&world, &anna(), "reply", json!({ "text": "Другое" }), "k1").await, 422);
    assert_eq!(post_once(&world, &anna(), "note", hello(), "k1").await, 422, "the same body, another act");
    assert_eq!(post_once(&world, &petrova(), "reply", json!({ "text": "Моё" }), "k1").await, 200, "her own key");
    assert_eq!(post_once(&world, &anna(), "reply", hello(), &"k".repeat(101)).await, 400);
    minutes(&mut world, 2).await;
    assert_eq!(texts(&world), [HELLO, "Моё"]);
    minutes(&mut world, 24 * 60).await;
    let before = texts(&world).len();
    assert_eq!(post_once(&world, &anna(), "reply", json!({ "text": "Завтра" }), "k1").await, 200, "a day later");
    minutes(&mut world, 2).await;
    assert_eq!(texts(&world)[before..], ["Завтра"]);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_closed_by_a_person_and_opened_again_by_a_reply() {
    let mut world = asked(Plan::default()).await;
    let (status, answer) = post(&world, &anna(), "close", json!({})).await;
    assert_eq!((status, &answer["conversation"]["cause"]), (200, &json!("agent")), "{answer}");
    assert_eq!(answer["conversation"]["cause_words"], "закрыл Анна Главная");
    assert_eq!(post(&world, &anna(), "close", json!({})).await.0, 200, "closed is closed");
    assert_eq!(post(&world, &anna(), "assign", json!({ "to": "anna" })).await.0, 409);
    minutes(&mut world, 1).await;
    assert_eq!(texts(&world).len(), 1, "the closing text");
    let (_, answer) = post(&world, &petrova(), "reply", hello()).await;
    assert_eq!(answer["conversation"]["state"], "open");
    minutes(&mut world, 30).await;
    assert_eq!(texts(&world)[1..], [HELLO], "no autoreplies in it");
    assert_eq!(ids(&world, "?state=open").await, ["ads:u2i-1"]);
    assert!(ids(&world, "?state=closed").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_note_stays_here_and_a_repeated_one_stands_once() {
    let mut world = asked(Plan::default()).await;
    for _ in 0..2 {
        assert_eq!(post_once(&world, &anna(), "note", json!({ "text": " перезвонить " }), "n1").await, 200);
        seconds(&mut world, 1).await;
    }
    for _ in 0..2 {
        assert_eq!(post(&world, &anna(), "note", json!({ "text": "важно" })).await.0, 200);
        seconds(&mut world, 1).await;
    }
    minutes(&mut world, 24 * 60).await;
    assert_eq!(post_once(&world, &anna(), "note", json!({ "text": "позвонил" }), "n1").await, 200, "a day later");
    let answer = shown(&world).await;
    let notes = answer["messages"].as_array().expect("messages").iter().filter(|one| one["from"] == "note");
    let notes: Vec<_> = notes.map(|note| note["text"].clone()).collect();
    assert_eq!(notes, ["перезвонить", "важно", "важно", "позвонил"].map(|text| json!(text)));
    assert!(!texts(&world).iter().any(|text| text.contains("важно") || text.contains("звонил")));
}

#[tokio::test(start_paused = true)]
async fn only_our_own_message_is_taken_back_once_and_in_time() {
    let mut world = asked(Plan::default()).await;
    post(&world, &anna(), "reply", hello()).await;
    let delete = async |world: &World, message: &str| {
        ask(world, &anna(), "DELETE", &of(&format!("{CHAT}/messages/{message}")), None).await
    };
    assert_eq!(each(&shown(&world).await, "state")[1], json!("waiting"));
    minutes(&mut world, 1).await;
    let answer = shown(&world).await;
    assert_eq!((&each(&answer, "message")[1], &each(&answer, "can_delete")[1]), (&json!("ours-0"), &json!(true)));
    for (message, expected) in [("c1", 409), ("nothing", 404)] {
        let (status, answer) = delete(&world, message).await;
        assert!(status == expected && answer["what_to_do"].is_string(), "{message}: {status} {answer}");
    }
    assert_eq!(delete(&world, "ours-0").await.0, 200);
    minutes(&mut world, 1).await;
    assert_eq!(deletions(&world), 1);
    world.happens(Kind::MessageDeleted { message: "ours-0".to_owned() }).await;
    seconds(&mut world, 1).await;
    let answer = shown(&world).await;
    assert_eq!((&each(&answer, "text")[1], &each(&answer, "can_delete")[1]), (&json!(""), &json!(false)));
    assert!(each(&answer, "deleted_at")[1].is_number(), "{answer}");
    assert_eq!(delete(&world, "ours-0").await.0, 409);
    post(&world, &anna(), "reply", hello()).await;
    minutes(&mut world, 62).await;
    let (status, answer) = delete(&world, "ours-1").await;
    assert!(status == 409 && answer["error"].to_string().contains("60 мин"), "{answer}");
    assert_eq!(deletions(&world), 1);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_given_to_who_works_here_and_back_to_its_group() {
    let mut world = asked(Plan::default()).await;
    let (status, answer) = post(&world, &anna(), "assign", json!({ "to": "petrova" })).await;
    assert_eq!((status, &answer["conversation"]["assignee"]), (200, &json!("Мария Петрова")), "{answer}");
    assert_eq!(ids(&world, "?of=employee:petrova").await, ["ads:u2i-1"]);
    assert!(ids(&world, "?of=group:Продажи").await.is_empty());
    assert_eq!(post(&world, &petrova(), "assign", json!({ "to": null })).await.0, 200);
    assert_eq!(ids(&world, "?of=group:Продажи").await, ["ads:u2i-1"]);
    assert_eq!(post(&world, &anna(), "assign", json!({ "to": "nobody" })).await.0, 404);
    assert_eq!(post(&world, &anna(), "assign", json!({})).await.0, 400);
    assert_eq!(shown(&world).await["conversation"]["unread"], true);
    assert_eq!(post(&world, &anna(), "open", json!({})).await.1["conversation"]["unread"], false);
    minutes(&mut world, 1).await;
    assert!(world.conversation().base.outbox.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_off_takes_no_reply_and_its_history_can_be_read() {
    let world = asked(Plan::default()).await;
    let mut policy = world.policy();
    policy.channels.clear();
    let place = keys::settings_version(&id().account, policy.version);
    let json = serde_json::to_string(&policy).expect("JSON");
    world.table.write(Update::new(place).set("policy", json)).expect("written");
    let (status, answer) = post(&world, &anna(), "reply", hello()).await;
    assert!(status == 409 && answer["error"].to_string().contains("отключён"), "{answer}");
    assert_eq!(each(&shown(&world).await, "text"), [json!("Текст c1")]);
}

/// No item waits for a hand-over, and no effect is left.
fn assert_settled(world: &World, what: &str) {
    let item = world.conversation();
    assert!(item.base.outbox.is_empty() && item.conversation.sends.is_empty(), "{what}");
    assert_eq!(item.base.due(Timer::Wake), None, "{what}");
}

/// Crashes at each port call of one request, lets the world heal by itself, and asks again under the same key.
fn at_every_crash(act: &str, check: impl Fn(&World, bool, &str)) -> usize {
    let quiet = || asked_of(Plan::default(), Inbox { working: Vec::new(), ..inbox() });
    let (first, end) = in_virtual_time(async {
        let mut world = quiet().await;
        let first = world.faults.calls();
        let asked = keyed(&world, &anna(), act, hello(), "k1");
        assert_eq!(world.ask_surviving(asked).await.map(|answer| told(answer).0), Some(200));
        (first, world.faults.calls())
    });
    let mut points = 0;
    for crash in (first..end).flat_map(|call| [Crash::Before(call), Crash::After(call)]) {
        points += 1;
        in_virtual_time(async {
            let mut world = quiet().await;
            world.faults.plan(vec![crash]);
            let asked = keyed(&world, &anna(), act, hello(), "k1");
            let (Crash::Before(call) | Crash::After(call)) = crash;
            assert!(world.ask_surviving(asked).await.is_none(), "{crash:?}: no answer");
            let what = format!("{crash:?} {}", world.faults.name(call));
            minutes(&mut world, 5).await;
            check(&world, false, &what);
            assert_eq!(post_once(&world, &anna(), act, hello(), "k1").await, 200, "{what}");
            minutes(&mut world, 5).await;
            check(&world, true, &what);
            assert_settled(&world, &what);
            assert!(matches!(world.conversation().conversation.state, State::Open), "{what}");
        });
    }
    points
}

#[test]
fn a_crash_at_any_port_call_of_a_reply_sends_it_once_or_leaves_it_undone() {
    let points = at_every_crash("reply", |world, again, what| {
        let committed = world.conversation().conversation.assignee.is_some();
        assert_eq!(texts(world).len(), usize::from(committed), "{what}: what is committed is sent by itself");
        assert!(committed || !again, "{what}");
    });
    println!("a reply: {points} crash points");
    assert!(points >= 16, "crash points went missing: {points}");
}

#[test]
fn a_crash_at_any_port_call_of_a_note_leaves_one_once_it_is_asked_for_again() {
    let notes = |world: &World| world.table.all().iter().filter(|row| row.key.sk().starts_with("note#")).count();
    let points = at_every_crash("note", |world, again, what| {
        assert!(notes(world) <= 1 && texts(world).is_empty(), "{what}");
        assert!(notes(world) == 1 || !again, "{what}");
    });
    assert!(points >= 8, "crash points went missing: {points}");
}
