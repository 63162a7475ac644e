//! What an event, a call and a million webhooks cost: requests, units and time counted exactly, at list prices.
//! docs/costs.md has the formula and the prices; a spec fails when a number changes.

use std::time::Duration;

use perezvon_sandbox::amocrm::{AmoCrm, Config};
use perezvon_sandbox::mango::{self, calls};
use perezvon_store::{Key, Table, Update};
use perezvon_tests::World;
use perezvon_tests::bill::{Bill, idle_polls};
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::scenario::captured;
use perezvon_tests::settings::{self, KEY, SOON, full};
use perezvon_tests::world::Plan;
use perezvon_tests::world::cloud::{FULL, Post};
use serde_json::json;

use crate::calls::{call, petrova};
use crate::telling::{post_all, school};
use crate::{answering, avito, people};

/// What a million webhooks at load should cost, in USD.
const GOAL: f64 = 4.50;
/// What the template's `GatherSeconds` may be set to where much comes.
const GATHER_MS: i64 = 1_000;
/// Until the last job of a call is done and its last due time is over; whole looks of `wake`.
const SETTLED: Duration = Duration::from_secs(1200);
/// Nothing begins in the very moment of a sweep.
const BESIDE_THE_SWEEP_MS: i64 = 7_000;
/// Seconds of talk.
const TALK_S: i64 = 42;
/// Requests of an hour of 500 a second.
const FLOOD: f64 = 500.0 * 3600.0;

fn posts(world: &World, account: &str, after_ms: i64, webhooks: Vec<calls::Webhook>) -> Vec<Post> {
    let after_ms = BESIDE_THE_SWEEP_MS + after_ms;
    let post = |hook: calls::Webhook| world.webhook(account, after_ms + hook.after_ms, hook.path, &hook.json);
    webhooks.into_iter().map(post).collect()
}

/// The `n`th new client calls.
fn client(world: &World, n: usize, talk_s: i64) -> calls::Call {
    let start_s = (world.now().0 - EPOCH_MS) / 1000;
    call(&format!("entry-{n:04}"), &format!("7999{n:07}"), start_s, talk_s)
}

/// Menu, ringing, talk, summary: six webhooks, those of the captured `inbound_normal`. No recording.
fn answered(world: &World, n: usize) -> Vec<calls::Webhook> {
    calls::answered(&client(world, n, TALK_S), &petrova())
}

/// Menu, ringing, summary: five webhooks.
fn missed(world: &World, n: usize) -> Vec<calls::Webhook> {
    calls::missed_new(&client(world, n, 0), &petrova())
}

/// Accounts that had a call before: marker field, settings and secrets are known. The sandbox is the CRM of all of
/// them, so its own limit is off; each connection keeps its pace.
async fn warm(accounts: &[String]) -> World {
    let mut world = World::new(Plan::default());
    world.crm(|crm| *crm = AmoCrm::new(Config { requests_per_second: 1000, ..Config::default() }));
    let mut first = Vec::new();
    for (n, account) in accounts.iter().enumerate() {
        world.apply(&full(account)).await;
        first.extend(posts(&world, account, 0, answered(&world, 9_000 + n)));
    }
    world.run_cloud(first, SETTLED, 1).await;
    world
}

/// The bill of these requests and of all that follows, without what the same time costs when nothing comes.
async fn bill_of(world: &mut World, posts: Vec<Post>, batch: usize) -> Bill {
    let start = world.bill();
    world.run_cloud(Vec::new(), SETTLED, batch).await;
    let idle = world.bill();
    world.run_cloud(posts, SETTLED, batch).await;
    world.bill().since(&idle).since(&idle.since(&start))
}

/// Prints a bill; returns USD for a million of what it is for.
fn a_million(title: &str, bill: &Bill, of: usize) -> String {
    println!("{title}: {} requests to AWS, {} write units. {bill:?}", bill.requests(), bill.write_units);
    for line in bill.lines() {
        let usd = line.usd() * 1e6 / of as f64;
        println!("  {:<34} {:>9.2} x {:>7.4} / {of} = {usd:>5.2} USD", line.what, line.count, line.per_million);
    }
    let usd = format!("{:.2}", bill.usd() * 1e6 / of as f64);
    println!("  a million of {of}: {usd} USD");
    usd
}

async fn alone(webhooks: fn(&World, usize) -> Vec<calls::Webhook>) -> (Bill, usize) {
    let mut world = warm(&["school".to_owned()]).await;
    let posts = posts(&world, "school", 0, webhooks(&world, 1));
    let count = posts.len();
    (bill_of(&mut world, posts, 1).await, count)
}

#[tokio::test(start_paused = true)]
async fn one_answered_call_alone() {
    let (bill, webhooks) = alone(answered).await;
    let usd = a_million("one answered call", &bill, webhooks);
    assert_eq!((bill.requests(), bill.write_units, usd.as_str()), (152, 61, "15.01"), "say in the README what changed");
    assert_eq!(parts(&bill), (26, 60, 35, 49, 1, 6), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn one_answered_call_with_popups() {
    let mut world = warm(&["school".to_owned()]).await;
    world.apply(&format!("{}\n[popups]\n", full("school"))).await;
    // Settings are remembered for a while.
    world.run_cloud(Vec::new(), SETTLED, 1).await;
    // What is told of a call while it goes on depends on the provider's clock: it calls after the idle time.
    let mut told = client(&world, 1, TALK_S);
    told.start_s += (SETTLED.as_millis() as i64 + BESIDE_THE_SWEEP_MS) / 1000;
    let posts = posts(&world, "school", 0, calls::answered(&told, &petrova()));
    let count = posts.len();
    let bill = bill_of(&mut world, posts, 1).await;
    let usd = a_million("one answered call with pop-ups", &bill, count);
    assert_eq!(
        (bill.requests(), bill.write_units, usd.as_str()),
        (178, 74, "18.46"),
        "say in docs/costs.md what changed"
    );
    assert_eq!(parts(&bill), (28, 66, 42, 58, 4, 7), "say in docs/costs.md what changed");
}

/// A known client's answered call, by a scenario with these words more.
async fn known(scenario: &str) -> (Bill, usize) {
    let mut world = warm(&["school".to_owned()]).await;
    let on = format!("follow_transfers = true\n{scenario}");
    world.apply(&full("school").replace("follow_transfers = true", &on)).await;
    world.run_cloud(Vec::new(), SETTLED, 1).await;
    let mut told = client(&world, 1, TALK_S);
    told.start_s += (SETTLED.as_millis() as i64 + BESIDE_THE_SWEEP_MS) / 1000;
    world.crm(|crm| crm.add_contact("Ольга", &told.client, 504_003));
    let webhooks = calls::answered(&told, &petrova());
    world.pbx(|pbx| pbx.knows(&told, &webhooks));
    let posts = posts(&world, "school", 0, webhooks);
    let count = posts.len();
    let bill = bill_of(&mut world, posts, 1).await;
    assert_eq!(world.pbx(|pbx| pbx.commands().len()), usize::from(scenario.contains("true")));
    (bill, count)
}

#[tokio::test(start_paused = true)]
async fn one_call_that_is_taken_to_the_clients_manager() {
    let (off, webhooks) = known("").await;
    let (on, _) = known("contact_manager = true").await;
    let usd = [&off, &on].map(|bill| a_million("a known client's call", bill, webhooks));
    let counts = [&off, &on].map(|bill| (bill.requests(), bill.write_units));
    let usd = usd.each_ref().map(String::as_str);
    assert_eq!((counts, usd), ([(146, 61), (177, 76)], ["14.74", "18.21"]), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn one_missed_call_alone() {
    let (bill, webhooks) = alone(missed).await;
    let usd = a_million("one missed call", &bill, webhooks);
    assert_eq!((bill.requests(), bill.write_units, usd.as_str()), (134, 54, "15.89"), "say in the README what changed");
    assert_eq!(parts(&bill), (22, 51, 32, 44, 1, 6), "say in docs/costs.md what changed");
}

/// 200 calls within a minute, of so many companies in turn; every other round is missed. Webhooks are gathered so long.
async fn load(companies: usize, gather_ms: i64) -> (Bill, usize) {
    let accounts: Vec<String> = (0..companies).map(|n| format!("school-{n}")).collect();
    let mut world = warm(&accounts).await;
    world.gather_ms = gather_ms;
    let mut all = Vec::new();
    for n in 0..200 {
        let kind = if (n / companies).is_multiple_of(2) { answered } else { missed };
        all.extend(posts(&world, &accounts[n % companies], 300 * n as i64, kind(&world, n)));
    }
    let webhooks = all.len();
    let logged = world.crm(|crm| crm.notes().len());
    let bill = bill_of(&mut world, all, FULL).await;
    assert_eq!(world.crm(|crm| crm.notes().len()) - logged, 200, "every call has its records");
    (bill, webhooks)
}

#[tokio::test(start_paused = true)]
async fn a_million_webhooks_at_load() {
    let (bill, webhooks) = load(10, 0).await;
    let usd = a_million("200 calls of ten companies within a minute", &bill, webhooks);
    assert_eq!((bill.requests(), bill.write_units, usd.as_str()), (26_309, 11_257, "13.69"), "say in the README");
    let (bill, webhooks) = load(10, GATHER_MS).await;
    let usd = a_million("the same, gathered for a second", &bill, webhooks);
    println!("  goal: {GOAL:.2} USD a million webhooks, not reached");
    assert_eq!((bill.requests(), bill.write_units, webhooks), (21_789, 10_740, 1100), "say in the README what changed");
    assert_eq!(usd, "11.71", "say in the README what changed; under {GOAL} say that the goal is reached");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_of_one_company_costs_no_more() {
    let (bill, webhooks) = load(1, GATHER_MS).await;
    let usd = a_million("200 calls of one company within a minute", &bill, webhooks);
    assert_eq!(usd, "11.14", "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_month_in_which_nothing_comes() {
    let mut world = warm(&["school".to_owned()]).await;
    world.has_chats = true;
    let start = world.bill();
    world.run_cloud(Vec::new(), Duration::from_secs(3600), FULL).await;
    let hour = world.bill().since(&start);
    let polls = idle_polls(4);
    let secrets = world.secrets.records.lock().expect("free").len();
    let schedule = 3.0 * 60.0 * 24.0 * 30.0 / 1e6;
    let parts = [hour.usd() * 24.0 * 30.0, polls.usd(), schedule].map(|usd| format!("{usd:.2}"));
    println!(
        "a month: sweeps {}, empty polls {}, schedule {} USD, {secrets} secrets. {hour:?}",
        parts[0], parts[1], parts[2]
    );
    assert_eq!((parts.join(" "), secrets), ("0.07 1.04 0.13".to_owned(), 3), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_month_of_looking_for_what_was_missed_in_a_channel_where_nobody_writes() {
    let hour = async |toml: &str| {
        let mut world = avito::ads_of(Plan::default(), toml).await;
        let start = world.bill();
        world.run_cloud(Vec::new(), Duration::from_secs(3600), FULL).await;
        world.bill().since(&start)
    };
    let off = settings::ads().replace("id = \"ads\"", "id = \"ads\"\nactive = false");
    let (on, off) = (hour(&settings::ads()).await, hour(&off).await);
    let healing = on.since(&off);
    let usd = format!("{:.2}", healing.usd() * 24.0 * 30.0);
    println!("a month of looking: {usd} USD. An hour: {healing:?}");
    assert_eq!((healing.outside, usd.as_str()), (6, "0.03"), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_month_of_looking_for_calls_that_nobody_told_of() {
    let hour = async |toml: &str| {
        let mut world = World::new(Plan::default());
        world.apply(toml).await;
        // In the first minutes there is nothing to be read.
        world.run_cloud(Vec::new(), Duration::from_secs(3600), FULL).await;
        let start = world.bill();
        world.run_cloud(Vec::new(), Duration::from_secs(3600), FULL).await;
        world.bill().since(&start)
    };
    let off = full("school");
    let looking = hour(&off.replace("finds_lost = false\n", "")).await.since(&hour(&off).await);
    let usd = format!("{:.2}", looking.usd() * 24.0 * 30.0);
    println!("a month of looking for calls: {usd} USD. An hour: {looking:?}");
    assert_eq!((looking.outside, usd.as_str()), (4, "0.02"), "say in docs/costs.md what changed");
}

/// The bill of something done in a chat and of all that follows: the account's channel is warm, its own chat began
/// with one answered by an autoreply, and nothing closes it so soon.
async fn bill_of_chat(answered_before: bool, act: impl AsyncFnOnce(&mut World, &str)) -> Bill {
    let toml = settings::ads().replace("close_after = \"1h\"", "close_after = \"7d\"");
    let mut world = avito::ads_of(Plan::default(), &toml).await;
    let first = avito::begin(&world);
    world.run_cloud(Vec::new(), SETTLED, 1).await;
    assert_eq!(world.written_in(&first), [SOON]);
    let chat = if answered_before { first } else { String::new() };
    let start = world.bill();
    world.run_cloud(Vec::new(), SETTLED, 1).await;
    let idle = world.bill();
    world.run_cloud(Vec::new(), Duration::from_millis(BESIDE_THE_SWEEP_MS.unsigned_abs()), 1).await;
    act(&mut world, &chat).await;
    world.run_cloud(Vec::new(), SETTLED - Duration::from_millis(BESIDE_THE_SWEEP_MS.unsigned_abs()), 1).await;
    world.bill().since(&idle).since(&idle.since(&start))
}

fn parts(bill: &Bill) -> (u64, u64, u64, u64, u64, u64) {
    (bill.invocations(), bill.queue_requests(), bill.writes, bill.reads, bill.facts, bill.outside)
}

#[tokio::test(start_paused = true)]
async fn the_first_message_of_a_chat_and_its_autoreply() {
    let bill = bill_of_chat(false, async |world, _| _ = avito::begin(world)).await;
    let usd = a_million("first message and its autoreply", &bill, 2);
    assert_eq!(
        (bill.http, bill.requests(), bill.write_units, usd.as_str()),
        (2, 84, 53, "32.36"),
        "say in the README what changed"
    );
    assert_eq!(parts(&bill), (11, 27, 24, 28, 1, 3), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_further_message_of_a_client() {
    let bill = bill_of_chat(true, async |world, chat| {
        world.ads(|ads| ads.client_writes(chat, "Алло?", world.now().0)).expect("a chat");
    });
    let bill = bill.await;
    let usd = a_million("a further message", &bill, 1);
    assert_eq!(
        (bill.http, bill.requests(), bill.write_units, usd.as_str()),
        (1, 15, 6, "13.91"),
        "say in docs/costs.md what changed"
    );
    assert_eq!(parts(&bill), (3, 6, 3, 4, 0, 1), "say in docs/costs.md what changed");
}

#[tokio::test(start_paused = true)]
async fn a_reply_of_a_person() {
    let bill = bill_of_chat(true, async |world, chat| {
        let path = people::of(&format!("conversations/ads:{chat}/reply"));
        let body = Some(json!({ "text": "Да, приезжайте" }));
        let request = people::request(world, &answering::anna(), "POST", &path, body);
        let (api, ends_ms) = (world.api(), world.clock.monotonic_ms() + 30_000);
        world.meter.http();
        let work = api.handle(request, ends_ms);
        let answer = world.meter.invocation("api", 1, world.clock.as_ref(), work).await;
        assert_eq!(answer.status_code, 200);
    });
    let bill = bill.await;
    let usd = a_million("a reply of a person and its echo", &bill, 2);
    assert_eq!(
        (bill.http, bill.requests(), bill.write_units, usd.as_str()),
        (2, 55, 29, "18.53"),
        "say in docs/costs.md what changed"
    );
    assert_eq!(parts(&bill), (7, 15, 15, 22, 0, 3), "say in docs/costs.md what changed");
}

/// A thousand requests in two seconds; USD for one of them.
async fn forged(world: &mut World, path: &str, body: &[u8]) -> f64 {
    let post = |n: i64| Post { after_ms: BESIDE_THE_SWEEP_MS + 2 * n, path: path.to_owned(), body: body.to_vec() };
    let bill = bill_of(world, (0..1000).map(post).collect(), FULL).await;
    println!("{bill:?}");
    bill.usd() / 1000.0
}

/// Bytes that quarantine has counted.
fn kept(world: &World) -> f64 {
    world.quarantine.all().iter().filter_map(|row| row.n("quarantined_bytes")).sum::<i64>() as f64
}

/// From now on only digests are kept today.
async fn fill_the_day(world: &World) {
    let day = |key: &Key| key.sk().starts_with("day#");
    let keys: Vec<Key> = world.quarantine.all().into_iter().map(|row| row.key).filter(day).collect();
    for key in keys {
        world.quarantine.update(Update::new(key).add("quarantined_bytes", 64 << 20)).await.expect("written");
    }
}

/// An hour of such requests: whole bodies until the day is full, then digests.
async fn hour_of(forged_body: &[u8]) -> String {
    let mut world = warm(&["school".to_owned()]).await;
    let path = world.hook_path("school", "main", 1, "events/call");
    let before = kept(&world);
    let whole = forged(&mut world, &path, forged_body).await;
    let each = (kept(&world) - before) / 1000.0;
    fill_the_day(&world).await;
    let digest = forged(&mut world, &path, forged_body).await;
    let wholes = (f64::from(64 << 20) / each).min(FLOOD);
    let hour = wholes * whole + (FLOOD - wholes) * digest;
    println!("{each} B kept of each: {wholes:.0} x {whole:.3e} + {:.0} x {digest:.3e} = {hour:.2} USD", FLOOD - wholes);
    format!("{hour:.2}")
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_500_forged_requests_a_second() {
    let mut world = warm(&["school".to_owned()]).await;
    let stranger = forged(&mut world, "/h/nonsense/events/call", b"json={}").await * FLOOD;
    let json = &captured("inbound_normal")[1].json;
    let usual = mango::form(KEY, "a guessed salt", json).into_bytes();
    let largest = mango::form(KEY, "a guessed salt", &"x".repeat(65_000)).into_bytes();
    let hours = [format!("{stranger:.2}"), hour_of(&usual).await, hour_of(&largest).await];
    println!("an hour of strangers, of forged webhooks, of forged webhooks of 64 KiB: {hours:?} USD");
    assert_eq!(hours, ["2.16", "7.62", "9.23"], "say in the README what changed");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_changes_nothing_writes_nothing() {
    let mut world = school(Plan::default()).await;
    let webhooks = captured("inbound_normal");
    post_all(&mut world, &webhooks, 1).await;
    let before = world.bill();
    post_all(&mut world, &webhooks[1..2], 1).await;
    let cost = world.bill().since(&before);
    assert_eq!((cost.write_units, cost.writes), (0, 0), "the count of the channel waits: {cost:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_without_effects_is_one_write_of_the_item() {
    let mut world = school(Plan::default()).await;
    let webhooks = captured("inbound_normal");
    post_all(&mut world, &webhooks[..3], 1).await;
    world.run_for(Duration::from_secs(5)).await;
    let before = world.bill();
    post_all(&mut world, &webhooks[3..4], 1).await;
    let cost = world.bill().since(&before);
    // The item, one unit more because its feed row changed; the count of the channel waits.
    assert_eq!((cost.writes, cost.write_units), (1, 2), "{cost:?}");
}
