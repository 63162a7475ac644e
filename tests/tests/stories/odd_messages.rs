//! Messages that are very long, empty or of no known kind, and a channel that loses its token while many are sent:
//! nothing is lost, nothing is sent twice.

use perezvon_domain::ConversationEventKind as Kind;
use perezvon_domain::conversation::State;
use perezvon_domain::conversation::event::{Author, Message, MessageKind};
use perezvon_domain::inbox::Inbox;
use perezvon_sandbox::avito::{Avito, Config};
use perezvon_store::table::size;
use perezvon_tests::World;
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::settings::{SOON, ads as settings};
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{anna, each, seconds};
use crate::avito::{addresses, ads, apply, asked, begin, posted, push, quarantined, writers};
use crate::avito_trouble::{connection, refused};
use crate::calls::minutes;
use crate::conversations::{inbox, talk};
use crate::healing::unheard;
use crate::people::{ask, of};
use crate::telling::at_every_crash;

/// As many characters as anybody will ever send.
const VERY_LONG: usize = 100_000;

fn very_long() -> String {
    "ё".repeat(VERY_LONG - 1) + "!"
}

async fn shown(world: &World, chat: &str) -> Json {
    let (status, shown) = ask(world, &anna(), "GET", &of(&format!("conversations/ads:{chat}")), None).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

/// The whole text of a message, or why there is none.
async fn whole(world: &World, chat: &str, message: &str) -> Result<String, i64> {
    let path = of(&format!("conversations/ads:{chat}/messages/{message}"));
    let (status, answer) = ask(world, &anna(), "GET", &path, None).await;
    if status == 200 { Ok(answer["text"].as_str().unwrap_or_default().to_owned()) } else { Err(status) }
}

/// Sizes of what lies in the blob store.
fn blobs(world: &World) -> Vec<usize> {
    world.blobs.stored.lock().expect("free").values().map(|(_, bytes)| bytes.len()).collect()
}

/// The largest row of the table, in bytes.
fn largest_row(world: &World) -> usize {
    world.table.all().iter().map(|row| size(&row.attributes)).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_message_of_a_hundred_thousand_characters_is_answered_kept_whole_and_gone_when_it_is_taken_back() {
    let mut world = ads(Plan { duplicates: 30, ..Plan::default() }).await;
    let (chat, message) = world.ads(|ads| ads.begin(&very_long(), world.now().0));
    minutes(&mut world, 3).await;
    assert!(world.ads(|ads| ads.pushed().all(|push| push.status == 200)));
    assert_eq!(world.written_in(&chat), [SOON]);
    let first = &shown(&world, &chat).await["messages"][0];
    let beginning = first["text"].as_str().expect("a text").chars().count();
    assert_eq!((beginning, &first["cut"], &first["from"]), (1000, &json!(true), &json!("client")));
    assert_eq!(whole(&world, &chat, &message).await, Ok(very_long()));
    assert_eq!((blobs(&world), largest_row(&world) < 8 * 1024), (vec![2 * VERY_LONG - 1], true));
    world.ads(|ads| ads.delete(&message, world.now().0)).expect("it stands there");
    seconds(&mut world, 30).await;
    let first = &shown(&world, &chat).await["messages"][0];
    assert_eq!((&first["text"], &first["cut"], first["deleted_at"].is_number()), (&json!(""), &Json::Null, true));
    assert_eq!((whole(&world, &chat, &message).await, blobs(&world)), (Err(404), vec![0]));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_for_a_webhook_is_refused_at_once_and_found_in_its_chat() {
    let mut world = ads(Plan::default()).await;
    let (chat, message) = unheard(&world, |ads, now_ms| ads.begin(&very_long(), now_ms));
    let path = address(&world);
    let body = push(&chat, Config::default().user_id, "text")
        .to_string()
        .replace("Здравствуйте", &"\\u0451".repeat(VERY_LONG));
    let before = world.raw.sent();
    assert_eq!(world.post_bytes(&path, "application/json", body.as_bytes()).await.status_code, 413);
    assert_eq!(world.raw.sent(), before);
    minutes(&mut world, 13).await;
    assert_eq!(
        (whole(&world, &chat, &message).await, world.written_in(&chat)),
        (Ok(very_long()), vec![SOON.to_owned()])
    );
    world.blobs.stored.lock().expect("free").clear();
    assert_eq!(whole(&world, &chat, &message).await, Err(410), "only the beginning is kept");
}

/// The path that the provider was told.
fn address(world: &World) -> String {
    let address = addresses(world)[0].as_str().expect("an address").to_owned();
    address.strip_prefix("https://calls.test").expect("ours").to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_largest_webhook_that_is_taken_in_fits_into_quarantine_as_it_came() {
    let mut world = ads(Plan::default()).await;
    let path = address(&world);
    let empty = push("u2i-x", 5, "text").to_string().replace("Здравствуйте", "");
    let body =
        |length: usize| empty.replace("\"text\":\"\"", &format!("\"text\":\"{}\"", "x".repeat(length - empty.len())));
    assert_eq!(world.post_bytes(&path, "application/json", body(262_145).as_bytes()).await.status_code, 413);
    assert_eq!(world.post_bytes(&path, "application/json", body(262_144).as_bytes()).await.status_code, 200);
    seconds(&mut world, 10).await;
    assert_eq!((quarantined(&world), world.release_all("school", "ads").await), (vec!["other_account".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn messages_of_no_known_kind_and_empty_ones_are_shown_and_answered_once() {
    let mut world = ads(Plan::default()).await;
    let (chat, _) = unheard(&world, |ads, now_ms| ads.begin("Ещё продаёте?", now_ms));
    let contents = [
        ("hologram", json!({ "hologram": { "x": 1 } })),
        ("text", json!({})),
        ("text", json!({ "text": "  \n" })),
        ("", json!(null)),
    ];
    for (n, (kind, content)) in contents.into_iter().enumerate() {
        let mut odd = push(&chat, Config::default().user_id, kind);
        let value = &mut odd["payload"]["value"];
        (value["id"], value["content"]) = (json!(format!("odd-{n}")), content);
        posted(&mut world, &odd).await;
    }
    minutes(&mut world, 3).await;
    let shown = shown(&world, &chat).await;
    assert_eq!(each(&shown, "kind"), ["other", "text", "text", "other", "text"].map(|kind| json!(kind)), "{shown}");
    assert_eq!(writers(&world, &chat).await[..4], ["client"; 4].map(|who| json!(who)));
    assert_eq!(world.written_in(&chat), [SOON]);
    assert!(quarantined(&world).is_empty() && world.events.dead().is_empty() && world.raw.dead().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_chat_that_the_provider_deleted_shows_its_trouble_and_holds_up_no_other() {
    let mut world = ads(Plan::default()).await;
    let (gone, other) = (begin(&world), begin(&world));
    world.ads(|ads| ads.inject(refused(&gone.replace('~', "%7E"), 1000, 404)));
    world.ads(|ads| ads.inject(refused(&gone, 1000, 404)));
    minutes(&mut world, 30).await;
    assert_eq!((world.written_in(&gone).len(), world.written_in(&other)), (0, vec![SOON.to_owned()]));
    let it = world.conversation_in(&gone).expect("a conversation").conversation;
    assert!(it.trouble.as_ref().is_some_and(|trouble| trouble.why.contains("404")), "{:?}", it.trouble);
    assert!(it.sends.is_empty() && it.state == State::Open);
    assert_eq!(connection(&world).await["mood"], "stopped", "one job has failed, and nothing is paused");
    assert_eq!(asked(&world, "POST", "/messages"), 2, "each once");
}

/// Thirty chats whose autoreplies are due together.
async fn thirty() -> (World, Vec<String>) {
    let mut world = ads(Plan::default()).await;
    // A token that was just given out is not refused for its age.
    minutes(&mut world, 30).await;
    let chats = (0..30).map(|_| begin(&world)).collect();
    (world, chats)
}

/// Something happens at the provider just before the tenth message is sent.
fn before_the_tenth(world: &World, act: impl FnOnce(&mut Avito) + Send + 'static) {
    let (http, mut sent, mut act) = (world.http.clone(), 0, Some(act));
    world.faults.watch(move |port| {
        let sends =
            matches!(port, Port::Http(request) if request.method == "POST" && request.url.ends_with("/messages"));
        sent += usize::from(sends);
        (sent == 10).then(|| {
            act.take().into_iter().for_each(|act| act(&mut http.ads.lock().expect("free")));
            Then::GoOn
        })
    });
}

fn all_answered_once(world: &World, chats: &[String]) {
    for chat in chats {
        assert_eq!(world.written_in(chat), [SOON]);
    }
    assert_eq!(world.ads(|ads| ads.violations()), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_revoked_in_the_middle_of_a_burst_is_renewed_and_each_message_goes_out_once() {
    let (mut world, chats) = thirty().await;
    before_the_tenth(&world, |ads| ads.expire_tokens());
    minutes(&mut world, 5).await;
    all_answered_once(&world, &chats);
    assert_eq!(connection(&world).await["mood"], "fine");
}

#[tokio::test(start_paused = true)]
async fn keys_revoked_in_the_middle_of_a_burst_pause_the_channel_until_settings_bring_new_ones() {
    let (mut world, chats) = thirty().await;
    let renewed = Config { client_secret: "renewed-secret".to_owned(), ..Config::default() };
    let config = renewed.clone();
    before_the_tenth(&world, |ads| {
        ads.configure(config);
        ads.expire_tokens();
    });
    minutes(&mut world, 10).await;
    let shown = connection(&world).await;
    assert_eq!(shown["mood"], "paused", "{shown}");
    assert!(shown["why"].as_str().is_some_and(|why| !why.is_empty()), "{shown}");
    let before = chats.iter().filter(|chat| !world.written_in(chat).is_empty()).count();
    assert_eq!(before, 9, "and nothing more is tried");
    apply(&world, &settings().replace(&Config::default().client_secret, &renewed.client_secret)).await;
    minutes(&mut world, 5).await;
    all_answered_once(&world, &chats);
    assert_eq!(connection(&world).await["mood"], "fine");
}

/// A message that is too long for its row.
fn long(id: &str) -> Kind {
    let text = format!("{id}: {}", "ё".repeat(5_000));
    let details = Default::default();
    let (from, kind) = (Author::Client, MessageKind::Text);
    Kind::MessageReceived(Message { id: id.to_owned(), from, author: None, kind, text, details })
}

fn taken_back(id: &str) -> Kind {
    Kind::MessageDeleted { message: id.to_owned() }
}

/// Two long messages, one of them taken back; and a third whose deletion is told first.
async fn play(plan: Plan) -> (World, u64) {
    let mut world = talk(plan, Inbox { working: Vec::new(), close_after: None, ..inbox() }).await;
    let first = world.faults.calls();
    for kind in [long("c1"), long("c2"), taken_back("c1"), taken_back("c3"), long("c3")] {
        world.happens(kind).await;
        seconds(&mut world, 1).await;
    }
    minutes(&mut world, 15).await;
    (world, first)
}

fn came_to(world: &World) -> (Vec<usize>, usize) {
    let mut sizes = blobs(world);
    sizes.sort_unstable();
    let rows = world.table.all().into_iter().filter(|row| row.key.sk().starts_with("message#"));
    (sizes, rows.filter(|row| row.n("deleted_at").is_some()).count())
}

#[test]
fn a_long_message_and_its_deletion_survive_a_crash_at_every_port_call() {
    let points = at_every_crash(play, came_to, &(vec![0, 0, 10_004], 2));
    println!("three long messages, two taken back: {points} crash points");
    assert!(points > 30, "{points}");
}
