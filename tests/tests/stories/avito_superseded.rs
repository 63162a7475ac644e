//! One account of Avito in several channels: the one created last lives, the others take nothing in and send nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use perezvon_domain::AccountId;
use perezvon_domain::conversation::{Cause, Closed, State};
use perezvon_engine::settings::{current, parse};
use perezvon_platform::link::Role;
use perezvon_sandbox::avito::Config;
use perezvon_store::items::connection::{ConnectionRow, StandDown};
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::intake::Seen;
use perezvon_store::items::job::JobRow;
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::faults::Then;
use perezvon_tests::settings::{self, SOON};
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{anna, seconds};
use crate::avito::{addresses, ads, apply, asked, begin, posted, push, quarantined};
use crate::calls::minutes;
use crate::people::{ask, of, owner, request, token, told};
use crate::telling::{at_every_crash, in_virtual_time};

/// Another account of the installation, with the same account of Avito.
fn branch() -> String {
    settings::ads().replace("id = \"school\"", "id = \"branch\"")
}

/// An account without its channel of chats.
fn without(toml: &str) -> String {
    toml[..toml.find("[[channels]]\nid = \"ads\"").expect("the channel of chats stands last")].to_owned()
}

/// The first account with one more channel of the same account of Avito, below the other.
fn twice() -> String {
    let whole = settings::ads();
    let channel = &whole[whole.find("[[channels]]\nid = \"ads\"").expect("the channel of chats stands last")..];
    format!("{whole}\n{}", channel.replace("id = \"ads\"", "id = \"newer\""))
}

fn of_branch(path: &str) -> String {
    format!("/api/v1/accounts/branch/{path}")
}

async fn put(world: &World, account: &str, toml: &str) -> (i64, Json) {
    let document = serde_json::to_value(parse(toml).expect("a document")).expect("JSON");
    let path = format!("/api/v1/accounts/{account}/settings");
    ask(world, &token(account, "owner", Role::Owner), "PUT", &path, Some(document)).await
}

async fn join(world: &World, toml: &str) {
    let (status, answer) = put(world, "branch", toml).await;
    assert_eq!(status, 200, "{answer}");
}

fn connection(world: &World, account: &str, channel: &str) -> ConnectionRow {
    let id = format!("channel:{channel}").as_str().into();
    ConnectionRow::read(&world.table.row(&keys::connection(&account.into(), &id)).expect("a row"))
        .expect("a connection")
}

fn rests(world: &World, account: &str, channel: &str) -> Option<StandDown> {
    connection(world, account, channel).superseded
}

fn chat_of(world: &World, account: &str, channel: &str, chat: &str) -> Option<ConversationItem> {
    let row = world.table.row(&keys::chat(&account.into(), &channel.into(), chat))?;
    Some(ConversationItem::read(&row).expect("a conversation"))
}

fn closed(world: &World, chat: &str) -> Option<Closed> {
    match chat_of(world, "school", "ads", chat)?.conversation.state {
        State::Closed(closed) => Some(closed),
        State::New | State::Open => None,
    }
}

fn open_jobs(world: &World, account: &str) -> usize {
    let (account, id) = (AccountId::from(account), "channel:ads".into());
    let pk = keys::jobs(&account, &id);
    let rows = world.table.all().into_iter().filter(|row| row.key.pk() == pk && row.key.sk().starts_with("job#"));
    rows.filter(|row| JobRow::read(&account, &id, row).expect("a job").state.is_open()).count()
}

/// Whose addresses Avito posts to: account and channel of each.
async fn posts_to(world: &World) -> Vec<String> {
    let mut known = Vec::new();
    for account in ["school", "branch"] {
        let path = format!("/api/v1/accounts/{account}/urls");
        let (_, shown) = ask(world, &token(account, "owner", Role::Owner), "GET", &path, None).await;
        for one in shown["urls"].as_array().into_iter().flatten() {
            known.push((one["url"].clone(), format!("{account}/{}", one["channel"].as_str().unwrap_or_default())));
        }
    }
    let name = |url: &Json| known.iter().find(|(its, _)| its == url).map_or(url.to_string(), |(_, name)| name.clone());
    addresses(world).iter().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_channel_created_last_lives_and_the_other_one_ends_without_a_word() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 58).await;
    join(&world, &branch()).await;
    minutes(&mut world, 3).await;
    assert!(closed(&world, &chat).is_some_and(|it| it.silent && it.cause == Cause::ChannelSuperseded));
    assert_eq!(world.written_in(&chat), Vec::<String>::new(), "the autoreply was two seconds away");
    assert_eq!(posts_to(&world).await, ["branch/ads"]);
    assert!(rests(&world, "school", "ads").is_some_and(|it| it.closed) && open_jobs(&world, "school") == 0);
    assert_eq!(connection(&world, "school", "ads").wake_due, None);
    assert_eq!(rests(&world, "branch", "ads"), None);
    let next = begin(&world);
    minutes(&mut world, 30).await;
    assert_eq!(world.written_in(&next), [SOON], "one of them answers");
    assert!(chat_of(&world, "school", "ads", &next).is_none() && chat_of(&world, "branch", "ads", &next).is_some());
    minutes(&mut world, 180).await;
    assert_eq!(world.written_in(&chat), Vec::<String>::new(), "no closing text, nor an answer of the newer one");
}

#[tokio::test(start_paused = true)]
async fn what_still_comes_to_a_superseded_channel_is_dropped_and_counted() {
    let mut world = ads(Plan::default()).await;
    let looks = |world: &World| asked(world, "GET", "/chats");
    join(&world, &branch()).await;
    let body = push("u2i-late", Config::default().user_id, "text");
    posted(&mut world, &body).await;
    assert!(chat_of(&world, "school", "ads", "u2i-late").is_none(), "though `verify` still remembers the channel");
    minutes(&mut world, 11).await;
    let counted = |world: &World| {
        let row = world.table.row(&keys::channel_status(&"school".into(), &"ads".into())).expect("heard of");
        Seen::read(&row).counted
    };
    let before = counted(&world);
    posted(&mut world, &body).await;
    assert_eq!((counted(&world), quarantined(&world)), (before + 1, Vec::new()));
    assert!(chat_of(&world, "school", "ads", "u2i-late").is_none());
    let before = looks(&world);
    minutes(&mut world, 30).await;
    assert_eq!(looks(&world) - before, 3, "the living channel alone looks for what was missed");
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_waits_is_not_sent_and_a_new_one_is_refused_without_naming_the_other_account() {
    let mut world = ads(Plan::default()).await;
    let chat = begin(&world);
    seconds(&mut world, 5).await;
    let now = world.now().0;
    world.ads(|ads| ads.set_outage(now, now + 300_000, 503));
    let reply = of(&format!("conversations/ads:{chat}/reply"));
    let text = Some(json!({ "text": "Да, приезжайте" }));
    assert_eq!(ask(&world, &anna(), "POST", &reply, text.clone()).await.0, 200);
    seconds(&mut world, 5).await;
    join(&world, &branch()).await;
    minutes(&mut world, 40).await;
    assert_eq!(world.written_in(&chat), Vec::<String>::new());
    let (status, refused) = ask(&world, &anna(), "POST", &reply, text).await;
    let words = refused.to_string();
    assert_eq!(status, 409, "{words}");
    assert!(words.contains("в другом аккаунте этой установки") && !words.contains("branch"), "{words}");
    let why = chat_of(&world, "school", "ads", &chat).expect("a conversation").conversation.because;
    let why: Vec<String> = why.into_iter().map(|it| it.reason.words()).collect();
    assert!(why.iter().any(|words| words.contains("подключён позже в другом канале")), "{why:?}");
    for (path, list) in [("channels", "channels"), ("connections", "connections")] {
        let (_, shown) = ask(&world, &owner(), "GET", &of(path), None).await;
        let one = shown[list].as_array().expect("a list").iter().find(|it| it["mood"] == "superseded");
        let status = one.expect("the superseded one")["status"].as_str().expect("a sentence").to_owned();
        assert!(status.contains("в другом аккаунте") && !shown.to_string().contains("branch"), "{status}");
    }
    let (_, shown) = ask(&world, &owner(), "GET", &of("urls"), None).await;
    assert!(shown["urls"].as_array().expect("urls").iter().any(|it| it["superseded"] == true), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn of_two_channels_in_one_file_the_lower_one_lives_and_the_file_is_warned_about() {
    let mut world = World::new(Plan::default());
    world.open_for_chats();
    let answer = apply(&world, &twice()).await;
    assert!(
        answer["warnings"].to_string().contains("`newer` is the same account at the provider as `ads`"),
        "{answer}"
    );
    seconds(&mut world, 10).await;
    assert_eq!(posts_to(&world).await, ["school/newer"]);
    let by = rests(&world, "school", "ads").expect("superseded").by.by;
    assert_eq!((by, rests(&world, "school", "newer")), (Some("newer".into()), None));
    let (_, shown) = ask(&world, &owner(), "GET", &of("channels"), None).await;
    assert!(shown.to_string().contains("подключён позже каналом newer"), "{shown}");
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    assert!(chat_of(&world, "school", "newer", &chat).is_some());
    assert_eq!(apply(&world, &twice()).await["changed"], json!(false), "the file stands there already");
    assert_eq!(apply(&world, &twice().replace("Объявления", "Авито")).await["changed"], json!(true));
    minutes(&mut world, 1).await;
    assert!(rests(&world, "school", "ads").is_some() && posts_to(&world).await == ["school/newer"]);
}

#[tokio::test(start_paused = true)]
async fn the_older_one_lives_on_whatever_order_the_file_names_them_in_later() {
    let mut world = ads(Plan::default()).await;
    let at = |id: &str| {
        let whole = twice();
        let channels = whole.find("[[channels]]\nid = \"ads\"").expect("a channel");
        let (head, both) = whole.split_at(channels);
        let second = both.rfind("[[channels]]\nid").expect("a second one");
        let (ads, newer) = both.split_at(second);
        if id == "ads" { format!("{head}{newer}\n{ads}") } else { whole }
    };
    apply(&world, &at("ads")).await;
    minutes(&mut world, 1).await;
    assert_eq!(posts_to(&world).await, ["school/newer"], "created by a later version, though it stands above");
    let moved = at("newer").replacen("100000001", "100000002", 1);
    apply(&world, &moved).await;
    minutes(&mut world, 1).await;
    assert_eq!(rests(&world, "school", "ads"), None, "it is another account now");
}

#[tokio::test(start_paused = true)]
async fn removing_the_newer_one_revives_the_older_from_then_on_and_switching_it_off_does_not() {
    let mut world = ads(Plan::default()).await;
    join(&world, &branch()).await;
    minutes(&mut world, 3).await;
    join(&world, &branch().replace("id = \"ads\"", "id = \"ads\"\nactive = false")).await;
    minutes(&mut world, 12).await;
    assert_eq!((posts_to(&world).await, rests(&world, "school", "ads").is_some()), (Vec::new(), true));
    let between = begin(&world);
    minutes(&mut world, 12).await;
    join(&world, &without(&branch())).await;
    minutes(&mut world, 3).await;
    assert_eq!((posts_to(&world).await, rests(&world, "school", "ads")), (vec!["school/ads".to_owned()], None));
    minutes(&mut world, 12).await;
    assert!(chat_of(&world, "school", "ads", &between).is_none(), "nothing from before is fetched");
    let chat = begin(&world);
    minutes(&mut world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON]);
    let reply = of(&format!("conversations/ads:{chat}/reply"));
    assert_eq!(ask(&world, &anna(), "POST", &reply, Some(json!({ "text": "Да" }))).await.0, 200);
    seconds(&mut world, 10).await;
    assert_eq!(world.written_in(&chat), [SOON, "Да"]);
    let looks = asked(&world, "GET", "/chats");
    minutes(&mut world, 30).await;
    assert_eq!(asked(&world, "GET", "/chats") - looks, 3, "what it misses is fetched again");
    assert_eq!(apply(&world, &settings::ads()).await["changed"], json!(false), "its file was never touched");
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_superseded_may_be_so_again_and_says_what_a_dry_run_would_do() {
    let mut world = ads(Plan::default()).await;
    let document = serde_json::to_value(parse(&branch()).expect("a document")).expect("JSON");
    let (path, who) = (of_branch("settings?dry_run=true"), token("branch", "owner", Role::Owner));
    let (_, shown) = ask(&world, &who, "PUT", &path, Some(document)).await;
    let lines = shown["changes"].to_string();
    assert!(lines.contains("supersedes a channel in another account") && !lines.contains("school"), "{lines}");
    join(&world, &branch()).await;
    minutes(&mut world, 2).await;
    join(&world, &without(&branch())).await;
    minutes(&mut world, 2).await;
    join(&world, &branch().replace("id = \"ads\"", "id = \"third\"")).await;
    minutes(&mut world, 2).await;
    assert_eq!(posts_to(&world).await, ["branch/third"]);
    assert!(rests(&world, "school", "ads").is_some_and(|it| it.closed));
    join(&world, &without(&branch())).await;
    minutes(&mut world, 2).await;
    assert_eq!(posts_to(&world).await, ["school/ads"]);
}

/// Another account brings a newer channel in the middle of a conversation, applied until somebody answers.
async fn supersede(plan: Plan) -> (World, u64) {
    let mut world = ads(Plan { crash: Vec::new(), ..plan.clone() }).await;
    begin(&world);
    seconds(&mut world, 50).await;
    let first = world.faults.calls();
    world.faults.plan(plan.crash);
    let body: Json = serde_json::to_value(parse(&branch()).expect("a document")).expect("JSON");
    for _ in 0..5 {
        let who = token("branch", "owner", Role::Owner);
        let asked = request(&world, &who, "PUT", &of_branch("settings"), Some(body.clone()));
        if world.ask_surviving(asked).await.map(|answer| told(answer).0) == Some(200) {
            break;
        }
    }
    minutes(&mut world, 14).await;
    (world, first)
}

#[test]
fn a_channel_is_superseded_through_a_crash_at_every_port_call() {
    let came_to = |world: &World| {
        let chat = world.ads(|ads| ads.chats()[0].id.clone());
        let silent = closed(world, &chat).is_some_and(|it| it.silent);
        let rests = (rests(world, "school", "ads").is_some_and(|it| it.closed), rests(world, "branch", "ads"));
        (addresses(world).len(), silent, world.written_in(&chat), open_jobs(world, "school"), rests)
    };
    let points = at_every_crash(supersede, came_to, &(1, true, Vec::new(), 0, (true, None)));
    println!("a channel is superseded: {points} crash points");
    assert_eq!(points, 432, "say in the README what changed");
}

/// Two accounts bring the same account of Avito. The first is held up at one port call; the second, which begins
/// meanwhile and ends later, at another. Which of them were.
async fn race(first: u64, second: u64) -> (World, [bool; 2]) {
    let mut world = World::new(Plan::default());
    world.open_for_chats();
    apply(&world, &without(&settings::ads())).await;
    join(&world, &without(&branch())).await;
    let began = tokio::time::Instant::now();
    let held: Arc<[AtomicBool; 2]> = Arc::default();
    for (which, at, from) in [(0, first, 0), (1, second, 2)] {
        let (mut seen, held) = (0, held.clone());
        world.faults.watch(move |_| {
            seen += u64::from(began.elapsed().as_secs() == from);
            let now = seen > at && began.elapsed().as_secs() == from;
            now.then(|| held[which].store(true, Ordering::SeqCst));
            now.then_some(Then::Freeze(Duration::from_secs(5)))
        });
    }
    let late = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        join(&world, &branch()).await;
    };
    let toml = settings::ads();
    let ((status, answer), ()) = tokio::join!(put(&world, "school", &toml), late);
    assert_eq!(status, 200, "{answer}");
    minutes(&mut world, 3).await;
    (world, [0, 1].map(|which: usize| held[which].load(Ordering::SeqCst)))
}

async fn only_the_branch_lives(mut world: World, place: (u64, u64)) {
    let rests = ["school", "branch"].map(|account| rests(&world, account, "ads").is_some());
    let mut marks = Vec::new();
    for account in ["school", "branch"] {
        let (_, version) = current(&*world.table, &account.into()).await.expect("read").expect("settings");
        marks.push(version.policy.channels[&"ads".into()].superseded.is_some());
    }
    assert_eq!((rests, marks), ([true, false], vec![true, false]), "held up at {place:?}");
    assert_eq!(posts_to(&world).await, ["branch/ads"], "held up at {place:?}");
    let chat = begin(&world);
    minutes(&mut world, 3).await;
    assert_eq!(world.written_in(&chat), [SOON], "held up at {place:?}");
}

#[test]
fn of_two_accounts_that_apply_at_once_exactly_one_channel_lives_wherever_they_are_held_up() {
    let mut tried = 0;
    let mut place = (0, 0);
    loop {
        let [first, second] = in_virtual_time(async {
            let (world, held) = race(place.0, place.1).await;
            only_the_branch_lives(world, place).await;
            held
        });
        tried += 1;
        place = match (first, second) {
            (false, _) => break,
            (true, true) => (place.0, place.1 + 11),
            (true, false) => (place.0 + 1, (place.0 + 1) % 11),
        };
    }
    println!("two accounts apply at once: {tried} pairs of places, {} of the first", place.0);
    assert!(place.0 > 20 && tried > 100, "{place:?} {tried}");
}
