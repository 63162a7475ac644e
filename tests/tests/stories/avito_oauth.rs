//! A channel of Avito is authorised in the browser: there and back, refused, forged, twice, with too few rights, by the
//! wrong account, again.

use perezvon_domain::{AccountId, ConnectionId};
use perezvon_platform::link::{Role, State, sign_state};
use perezvon_sandbox::Request;
use perezvon_sandbox::avito::{Config, Manner};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::keys;
use perezvon_tests::World;
use perezvon_tests::settings::{self, SOON};
use perezvon_tests::world::{PERSON_KEY, Plan};
use serde_json::{Value as Json, json};

use crate::answering::seconds;
use crate::avito::{addresses, ads_of, apply, asked, begin};
use crate::calls::minutes;
use crate::people::{ask, ask_bytes, of, owner, request, token};

pub const AUTHORISE: &str = "channels/ads/authorise";
const OTHER: i64 = 100_000_777;

pub fn in_browser() -> String {
    let whole = settings::ads();
    whole.replace("client_secret = \"", "authorise = \"browser\"\nclient_secret = \"")
}

/// How the page behaves when it asks.
pub fn manner() -> Manner {
    Manner { callback: "https://calls.test/oauth/callback".to_owned(), ..Manner::default() }
}

/// The account with its channel, which nobody has authorised yet.
pub async fn waiting(plan: Plan) -> World {
    let world = ads_of(plan, &in_browser()).await;
    world.ads(|ads| ads.behave(manner()));
    world
}

/// The page of the provider that an owner is led to.
pub async fn page(world: &World) -> String {
    let (status, shown) = ask(world, &owner(), "GET", &of(AUTHORISE), None).await;
    assert_eq!(status, 200, "{shown}");
    shown["url"].as_str().expect("a page").to_owned()
}

/// Whoever is logged in there answers, and the browser is sent back to this path of ours.
pub fn agreed(world: &World, page: &str) -> String {
    let target = page.strip_prefix("https://ads.test").expect("the provider's");
    let answer = world.ads(|ads| ads.handle(&Request::new("GET", target, ""), world.now().0));
    let back = answer.header("location").unwrap_or_else(|| panic!("sent back, not {answer:?}"));
    back.strip_prefix("https://calls.test").expect("to us").to_owned()
}

/// The browser comes back; nobody is logged in with us there.
pub async fn back(world: &World, target: &str) -> (i64, String) {
    let (status, page) = ask_bytes(world, "", "GET", target, None).await;
    (status, String::from_utf8(page).expect("a page"))
}

/// The whole way, once.
pub async fn authorise(world: &mut World) -> (i64, String) {
    let target = agreed(world, &page(world).await);
    let seen = back(world, &target).await;
    seconds(world, 10).await;
    seen
}

/// How the list shows the channel's connection.
pub async fn shown(world: &World) -> Json {
    let (_, list) = ask(world, &owner(), "GET", &of("connections"), None).await;
    let all = list["connections"].as_array().expect("connections");
    all.iter().find(|one| one["id"] == "channel:ads").expect("the channel").clone()
}

pub fn row(world: &World) -> ConnectionRow {
    let key = keys::connection(&AccountId::from("school"), &ConnectionId::from("channel:ads"));
    ConnectionRow::read(&world.table.row(&key).expect("the connection")).expect("readable")
}

pub fn given(world: &World) -> Option<String> {
    world.secrets.records.lock().expect("nobody panicked").get("connection/school.channel:ads.given").cloned()
}

/// It is paused, and these words say why and what to do.
pub async fn waits_because(world: &World, words: &[&str]) {
    let shown = shown(world).await;
    let why = shown["why"].as_str().unwrap_or_default();
    assert_eq!(shown["mood"], "paused", "{shown}");
    for word in words.iter().chain(&["/api/v1/accounts/school/channels/ads/authorise"]) {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert!(row(world).grant.is_none() && given(world).is_none());
}

pub async fn answers(world: &mut World) {
    assert_eq!((&shown(world).await["mood"], row(world).grant), (&json!("fine"), None));
    let chat = begin(world);
    minutes(world, 2).await;
    assert_eq!(world.written_in(&chat), [SOON]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_waits_to_be_authorised_and_works_from_then_on() {
    let mut world = waiting(Plan::default()).await;
    waits_because(&world, &["не авторизован"]).await;
    assert_eq!(shown(&world).await["authorisation"], json!({ "account": null, "asked": false, "trouble": null }));
    world.ads(|ads| ads.configure(Config { access_life_s: 1200, ..Config::default() }));
    let (status, words) = authorise(&mut world).await;
    assert!(status == 200 && words.contains("канал подключается") && words.contains("href=\"/\""), "{words}");
    let account = json!({ "id": "100000001", "name": "Тестовый магазин" });
    assert_eq!(shown(&world).await["authorisation"]["account"], account);
    assert_eq!((addresses(&world).len(), asked(&world, "POST", "/token")), (1, 1));
    answers(&mut world).await;
    minutes(&mut world, 60).await;
    assert!(asked(&world, "POST", "/token") >= 4, "the pair is renewed ahead of its time");
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_browser_is_led_to_the_page_itself() {
    let world = waiting(Plan::default()).await;
    let mut asks = request(&world, &owner(), "GET", &of(AUTHORISE), None);
    asks.headers.insert("accept", "text/html,*/*;q=0.8".parse().expect("a header"));
    let answer = world.answer(asks).await;
    let to = answer.headers.get("location").expect("elsewhere").to_str().expect("text");
    assert!(answer.status_code == 303 && to.starts_with("https://ads.test/oauth?response_type=code&"), "{to}");
}

#[tokio::test(start_paused = true)]
async fn who_refuses_is_told_what_to_do_and_may_agree_later() {
    let mut world = waiting(Plan::default()).await;
    world.ads(|ads| ads.behave(Manner { refuses: true, ..manner() }));
    let (status, words) = authorise(&mut world).await;
    assert!(status == 403 && words.contains("отказ") && words.contains("заново"), "{words}");
    waits_because(&world, &["не авторизован"]).await;
    world.ads(|ads| ads.behave(manner()));
    assert_eq!(authorise(&mut world).await.0, 200);
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn only_an_owner_sets_out_and_only_for_a_channel_that_asks_for_it() {
    let world = waiting(Plan::default()).await;
    for (path, who, expected) in [
        (AUTHORISE, token("school", "anna", Role::Admin), 403),
        (AUTHORISE, token("school", "anna", Role::Integrator), 403),
        (AUTHORISE, token("school", "anna", Role::Operator), 403),
        (AUTHORISE, token("other", "owner", Role::Owner), 404),
        (AUTHORISE, String::new(), 401),
        ("channels/main/authorise", owner(), 409),
        ("channels/nobody/authorise", owner(), 404),
    ] {
        let (status, answer) = ask(&world, &who, "GET", &of(path), None).await;
        assert_eq!((status, answer["what_to_do"].is_string()), (expected, true), "{path} {answer}");
    }
    apply(&world, &settings::ads()).await;
    assert_eq!(ask(&world, &owner(), "GET", &of(AUTHORISE), None).await.0, 409, "keys of one's own");
}

#[tokio::test(start_paused = true)]
async fn no_state_but_a_fresh_one_of_ours_brings_a_code_in() {
    let mut world = waiting(Plan::default()).await;
    let state = |account: &str, channel: &str, at_ms: i64, key: &[u8]| {
        sign_state(&State { account: account.to_owned(), channel: channel.to_owned(), at_ms }, key)
    };
    let now = world.now().0;
    for (state, expected) in [
        (String::new(), 400),
        ("x.y".to_owned(), 400),
        (token("school", "owner", Role::Owner), 400),
        (state("school", "ads", now, b"another key of sixteen bytes"), 400),
        (state("school", "ads", now - 600_000, PERSON_KEY), 400),
        (state("other", "ads", now, PERSON_KEY), 409),
        (state("school", "main", now, PERSON_KEY), 409),
    ] {
        for query in ["code=abc", "error=access_denied"] {
            let (status, words) = back(&world, &format!("/oauth/callback?{query}&state={state}")).await;
            let expected = if expected == 409 && query != "code=abc" { 403 } else { expected };
            assert!(status == expected && words.contains("заново"), "{state}: {status} {words}");
        }
    }
    for query in ["", "&code=", "&error=server_error"] {
        let state = state("school", "ads", now, PERSON_KEY);
        let (status, words) = back(&world, &format!("/oauth/callback?state={state}{query}")).await;
        assert!(status >= 400 && words.contains("не прислал код"), "{words}");
    }
    minutes(&mut world, 2).await;
    assert_eq!(asked(&world, "POST", "/token"), 0);
    let late = agreed(&world, &page(&world).await);
    minutes(&mut world, 10).await;
    assert_eq!(back(&world, &late).await.0, 400, "ten minutes are over");
    waits_because(&world, &["не авторизован"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_state_brings_one_code_and_the_newest_one_counts() {
    let mut world = waiting(Plan::default()).await;
    let older = page(&world).await;
    seconds(&mut world, 1).await;
    let newer = page(&world).await;
    let target = agreed(&world, &newer);
    assert_eq!(back(&world, &target).await.0, 200);
    assert_eq!(back(&world, &target).await.0, 200, "a browser that asks twice");
    let another = agreed(&world, &newer);
    assert_eq!(back(&world, &another).await.0, 409);
    seconds(&mut world, 10).await;
    let pair = given(&world);
    for target in [&target, &another, &agreed(&world, &older)] {
        let (status, words) = back(&world, target).await;
        assert!(status == 409 && words.contains("уже принята"), "{words}");
    }
    seconds(&mut world, 30).await;
    assert_eq!((given(&world), asked(&world, "POST", "/token")), (pair, 1), "nothing was exchanged after it");
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn a_code_is_shown_nowhere_and_leaves_the_row_once_it_is_exchanged() {
    let mut world = waiting(Plan::default()).await;
    let target = agreed(&world, &page(&world).await);
    assert_eq!(back(&world, &target).await.0, 200);
    let code = row(&world).grant.expect("a code").code;
    assert!(target.contains(&code) && !format!("{:?}", row(&world)).contains(&code));
    assert_eq!(shown(&world).await["authorisation"]["asked"], true);
    for list in ["connections", "channels", "settings", "jobs"] {
        let (_, shown) = ask(&world, &owner(), "GET", &of(list), None).await;
        assert!(!shown.to_string().contains(&code), "{list}");
    }
    seconds(&mut world, 10).await;
    assert!(world.table.all().iter().all(|row| !format!("{row:?}").contains(&code)));
    assert!(given(&world).is_some_and(|given| !given.contains(&code)));
}

#[tokio::test(start_paused = true)]
async fn too_few_rights_are_named_and_all_of_them_open_the_channel() {
    let mut world = waiting(Plan::default()).await;
    world.ads(|ads| ads.behave(Manner { scope: "messenger:read,user:read".to_owned(), ..manner() }));
    assert_eq!(authorise(&mut world).await.0, 200);
    waits_because(&world, &["нет messenger:write", "ещё раз"]).await;
    // "Connect again" alone does not help, and the reason stays.
    assert_eq!(ask(&world, &owner(), "POST", &of("connections/channel:ads/retry"), None).await.0, 202);
    seconds(&mut world, 10).await;
    waits_because(&world, &["нет messenger:write"]).await;
    world.ads(|ads| ads.behave(Manner { scope: String::new(), ..manner() }));
    assert_eq!(authorise(&mut world).await.0, 200);
    assert_eq!(shown(&world).await["authorisation"]["trouble"], Json::Null);
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn another_account_is_refused_and_a_channel_that_works_goes_on() {
    let mut world = waiting(Plan::default()).await;
    let log_in = |world: &World, user_id| world.ads(|ads| ads.configure(Config { user_id, ..Config::default() }));
    log_in(&world, OTHER);
    authorise(&mut world).await;
    waits_because(&world, &["другой аккаунт", "100000777", "100000001"]).await;
    log_in(&world, Config::default().user_id);
    authorise(&mut world).await;
    let pair = given(&world);
    log_in(&world, OTHER);
    authorise(&mut world).await;
    log_in(&world, Config::default().user_id);
    let list = shown(&world).await;
    assert!(list["authorisation"]["trouble"].as_str().is_some_and(|why| why.contains("другой аккаунт")), "{list}");
    assert_eq!((given(&world), &list["authorisation"]["account"]["id"]), (pair, &json!("100000001")));
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn authorising_again_replaces_the_pair() {
    let mut world = waiting(Plan::default()).await;
    authorise(&mut world).await;
    let first = given(&world);
    world.ads(|ads| ads.expire_tokens());
    authorise(&mut world).await;
    assert_ne!(given(&world), first);
    assert_eq!(asked(&world, "POST", "/token"), 2, "two codes, nothing else");
    answers(&mut world).await;
}

#[tokio::test(start_paused = true)]
async fn settings_keep_what_was_given_unless_they_name_another_account() {
    let mut world = waiting(Plan::default()).await;
    authorise(&mut world).await;
    let pair = given(&world);
    for toml in [
        in_browser().replace("Объявления", "Авито"),
        in_browser().replace("id = \"ads\"", "id = \"ads\"\ntimes = { pace_ms = 300 }"),
    ] {
        apply(&world, &toml).await;
        world.restart();
        minutes(&mut world, 1).await;
        answers(&mut world).await;
    }
    assert_eq!((given(&world), asked(&world, "POST", "/token")), (pair, 1));
    let user = Config::default().user_id.to_string();
    apply(&world, &in_browser().replace(&user, "100000002")).await;
    minutes(&mut world, 1).await;
    assert_eq!(shown(&world).await["mood"], "paused");
    apply(&world, &settings::ads()).await;
    minutes(&mut world, 1).await;
    assert_eq!(shown(&world).await["authorisation"], Json::Null);
    answers(&mut world).await;
}
