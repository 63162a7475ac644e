//! What people do and see: the feed, explanations, quarantine, connections, settings, recordings.

use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use perezvon_engine::settings;
use perezvon_platform::hook::{self, Ring};
use perezvon_platform::link::{Person, Role, sign_person};
use perezvon_sandbox::mango::calls;
use perezvon_tests::World;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::scenario::captured;
use perezvon_tests::settings::{KEY, SALT, full};
use perezvon_tests::world::{PERSON_KEY, Plan};
use serde_json::{Value, json};

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, post_all, school};

/// The token of a person of an account.
pub fn token(account: &str, name: &str, role: Role) -> String {
    let person = Person { account: account.to_owned(), name: name.to_owned(), role };
    sign_person(&person, None, PERSON_KEY)
}

pub fn owner() -> String {
    token("school", "owner", Role::Owner)
}

/// Asks as the gateway would; the path may carry a query.
pub async fn ask(world: &World, token: &str, method: &str, path: &str, body: Option<Value>) -> (i64, Value) {
    let (status, bytes) = ask_bytes(world, token, method, path, body).await;
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

pub async fn ask_bytes(world: &World, token: &str, method: &str, path: &str, body: Option<Value>) -> (i64, Vec<u8>) {
    told(world.answer(request(world, token, method, path, body)).await)
}

/// A request as the gateway hands it over.
pub fn request(world: &World, token: &str, method: &str, path: &str, body: Option<Value>) -> ApiGatewayV2httpRequest {
    let (raw_path, query) = path.split_once('?').unwrap_or((path, ""));
    let event = json!({
        "version": "2.0", "rawPath": raw_path, "rawQueryString": query,
        "headers": {"authorization": format!("Bearer {token}"), "host": "calls.test", "content-type": "application/json"},
        "requestContext": {"requestId": "r", "timeEpoch": world.now().0, "http": {"method": method, "path": raw_path}},
        "body": body.map(|body| body.to_string()), "isBase64Encoded": false,
    });
    serde_json::from_value(event).expect("the shape of an HTTP API event")
}

/// Status and body of an answer.
pub fn told(response: ApiGatewayV2httpResponse) -> (i64, Vec<u8>) {
    let bytes = match response.body {
        Some(Body::Text(text)) => text.into_bytes(),
        Some(Body::Binary(bytes)) => bytes,
        _ => Vec::new(),
    };
    (response.status_code, bytes)
}

pub fn of(path: &str) -> String {
    format!("/api/v1/accounts/school/{path}")
}

#[tokio::test(start_paused = true)]
async fn the_feed_shows_calls_newest_first_with_their_records_and_reasons() {
    let mut world = school(Plan::default()).await;
    for n in 0..5 {
        play(&mut world, calls::missed_new(&call(&format!("c{n}"), &format!("7999111000{n}"), n * 60, 0), &petrova()))
            .await;
    }
    minutes(&mut world, 10).await;
    let (status, first) = ask(&world, &owner(), "GET", &of("calls?limit=3"), None).await;
    assert_eq!(status, 200, "{first}");
    let ids = |page: &Value| -> Vec<String> {
        page["calls"]
            .as_array()
            .expect("calls")
            .iter()
            .map(|call| call["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["main:c4", "main:c3", "main:c2"]);
    let cursor = first["cursor"].as_str().expect("a cursor");
    let (_, second) = ask(&world, &owner(), "GET", &of(&format!("calls?limit=3&cursor={cursor}")), None).await;
    assert_eq!(ids(&second), ["main:c1", "main:c0"]);
    let row = &first["calls"][0];
    assert!(row["contact"].is_string() && row["deal"].is_string() && row["task"].is_string(), "{row}");
    let (_, one) = ask(&world, &owner(), "GET", &of("calls?number=89991110002"), None).await;
    assert_eq!(ids(&one), ["main:c2"]);
    let (status, _) = ask(&world, &owner(), "GET", &of("calls?cursor=nonsense"), None).await;
    assert_eq!(status, 400);
}

#[tokio::test(start_paused = true)]
async fn explain_goes_from_the_webhook_to_the_id_in_the_crm() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::answered(&call("c1", "79991110001", 0, 30), &petrova())).await;
    minutes(&mut world, 10).await;
    let (status, story) = ask(&world, &owner(), "GET", &of("calls/main:c1"), None).await;
    assert_eq!(status, 200, "{story}");
    let text: Vec<&str> = story["text"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    let text = text.join("\n");
    let deal = world.crm(|crm| crm.leads()[0].id.to_string());
    for part in ["новый клиент", "Продажи", "Петрова", deal.as_str(), "заметка"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let (status, _) = ask(&world, &owner(), "GET", &of("calls/main:nobody"), None).await;
    assert_eq!(status, 404);
}

#[tokio::test(start_paused = true)]
async fn another_accounts_id_is_404_on_every_route_and_no_token_is_401() {
    let mut world = school(Plan::default()).await;
    world.apply(&full("other")).await;
    play(&mut world, calls::missed_new(&call("c1", "79991110001", 0, 0), &petrova())).await;
    minutes(&mut world, 5).await;
    let stranger = token("other", "owner", Role::Owner);
    for (method, path) in [
        ("GET", "calls"),
        ("GET", "calls/main:c1"),
        ("POST", "calls/main:c1/recordings/r/revoke"),
        ("GET", "quarantine"),
        ("POST", "quarantine/release"),
        ("GET", "channels"),
        ("GET", "urls"),
        ("GET", "connections"),
        ("POST", "connections/crm:main/retry"),
        ("GET", "jobs"),
        ("GET", "settings"),
        ("PUT", "settings"),
        ("POST", "tokens"),
    ] {
        let body = (method != "GET").then(|| json!({"channel": "main"}));
        let (status, _) = ask(&world, &stranger, method, &of(path), body.clone()).await;
        assert_eq!(status, 404, "{method} {path}");
        let (status, answer) = ask(&world, "nonsense", method, &of(path), body).await;
        assert_eq!(status, 401, "{method} {path}");
        assert!(answer["what_to_do"].is_string(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_mended_and_the_quarantine_released() {
    let mut world = World::new(Plan::default());
    world.apply(&full("school").replace(SALT, "not-the-salt-not-the-salt-not-the")).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.run_for(Duration::from_secs(20)).await;
    let (_, page) = ask(&world, &owner(), "GET", &of("quarantine"), None).await;
    assert_eq!(page["requests"].as_array().map(Vec::len), Some(6), "{page}");
    assert_eq!(page["requests"][0]["reason"], "wrong_signature");
    let (_, channels) = ask(&world, &owner(), "GET", &of("channels"), None).await;
    assert!(channels.to_string().contains("подпись не сходится"), "{channels}");
    world.apply(&full("school")).await;
    let (status, released) =
        ask(&world, &owner(), "POST", &of("quarantine/release"), Some(json!({"channel": "main"}))).await;
    assert_eq!((status, &released["released"]), (200, &json!(6)));
    world.run_for(Duration::from_secs(900)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    let (_, again) = ask(&world, &owner(), "POST", &of("quarantine/release"), Some(json!({"channel": "main"}))).await;
    assert_eq!(again["released"], 0, "nothing is held any more");
}

#[tokio::test(start_paused = true)]
async fn a_release_right_after_a_refusal_is_judged_by_the_mended_key() {
    let mut world = World::new(Plan::default());
    world.apply(&full("school").replace(SALT, "not-the-salt-not-the-salt-not-the")).await;
    post_all(&mut world, &captured("inbound_normal"), 1).await;
    world.apply(&full("school")).await;
    ask(&world, &owner(), "POST", &of("quarantine/release"), Some(json!({"channel": "main"}))).await;
    world.run_for(Duration::from_secs(900)).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_seen_and_tried_again_by_a_person() {
    let mut world = school(Plan::default()).await;
    let body = r#"{"validation-errors":[{"errors":[{"code":"NotSupportedChoice","path":"status_id","detail":"no"}]}],"status":400}"#;
    let kind = perezvon_sandbox::FaultKind::Status { status: 400, body: body.to_owned(), retry_after: None };
    world.crm(|crm| {
        crm.inject(perezvon_sandbox::Fault { skip: 1, ..perezvon_sandbox::Fault::once("POST", "/leads", kind) })
    });
    play(&mut world, calls::answered(&call("c1", "79991110001", 0, 30), &petrova())).await;
    minutes(&mut world, 5).await;
    assert_eq!(held(&world).deals, 0);
    let (_, jobs) = ask(&world, &owner(), "GET", &of("jobs?state=failed"), None).await;
    let job = &jobs["jobs"][0];
    assert!(job["why"].as_str().is_some_and(|why| why.contains("status_id")), "{jobs}");
    let path = of(&format!("connections/crm:main/jobs/{}/retry", job["id"].as_str().expect("an id")));
    let (status, answer) = ask(&world, &owner(), "POST", &path, None).await;
    assert!((200..300).contains(&status), "{status} {answer}");
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn settings_are_applied_whole_or_not_at_all() {
    let world = school(Plan::default()).await;
    let document = |toml: &str| serde_json::to_value(settings::parse(toml).expect("a document")).expect("JSON");
    let bad = full("school")
        .replace("fallback = \"anna\"", "fallback = \"nobody\"")
        .replace("extension = \"23\"", "extension = \"12\"");
    let (status, answer) = ask(&world, &owner(), "PUT", &of("settings"), Some(document(&bad))).await;
    assert_eq!(status, 422);
    assert!(answer["problems"].as_array().is_some_and(|problems| problems.len() >= 2), "{answer}");
    let changed = full("school").replace("Анна Главная", "Анна Старшая");
    let (status, dry) = ask(&world, &owner(), "PUT", &of("settings?dry_run=true"), Some(document(&changed))).await;
    assert_eq!(status, 200, "{dry}");
    assert!(dry["changes"].to_string().contains("Анна Старшая"), "{dry}");
    let (_, before) = ask(&world, &owner(), "GET", &of("settings"), None).await;
    assert_eq!(before["version"], 1);
    let (status, applied) = ask(&world, &owner(), "PUT", &of("settings"), Some(document(&changed))).await;
    assert_eq!((status, &applied["version"]), (200, &json!(2)), "{applied}");
    let (_, shown) = ask(&world, &owner(), "GET", &of("settings"), None).await;
    assert!(!shown.to_string().contains(KEY) && !shown.to_string().contains(SALT), "secrets are never shown");
}

#[tokio::test(start_paused = true)]
async fn the_link_in_the_record_plays_the_recording() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.add_recording("rec-1", EPOCH_MS));
    let recorded = calls::Call { recording: Some("rec-1".to_owned()), ..call("r", "79998880000", 0, 30) };
    play(&mut world, calls::answered(&recorded, &petrova())).await;
    minutes(&mut world, 10).await;
    let link = world.crm(|crm| crm.notes()[0].params["link"].as_str().map(str::to_owned)).expect("a link");
    let path = link.strip_prefix("https://calls.test").expect("our own link");
    let (status, bytes) = ask_bytes(&world, "", "GET", path, None).await;
    assert_eq!(status, 200);
    use base64::Engine as _;
    let sound = base64::engine::general_purpose::STANDARD.decode(&bytes).unwrap_or(bytes);
    assert!(sound.starts_with(b"RIFF"), "{:?}", &sound[..8.min(sound.len())]);
    let (status, _) = ask_bytes(&world, "", "GET", &format!("{path}x"), None).await;
    assert_eq!(status, 404);
    let strict = full("school").replace("provider = \"mango\"", "provider = \"mango\"\nrecordings_need_login = true");
    world.apply(&strict).await;
    for (token, expected) in [(String::new(), 401), (token("other", "owner", Role::Owner), 404), (owner(), 200)] {
        assert_eq!(ask_bytes(&world, &token, "GET", path, None).await.0, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn hook_urls_are_signed_with_the_key_that_the_owner_of_everything_brings() {
    let world = school(Plan::default()).await;
    let url = async || ask(&world, &owner(), "GET", &of("urls"), None).await.1["urls"][0]["url"].clone();
    assert_eq!(url().await, Value::Null, "nobody brought a key yet");
    let key = hook::generate().expect("random numbers");
    let body = Some(json!({ "private": hook::private_text(&key) }));
    let path = "/api/v1/keys/hook";
    assert_eq!(ask(&world, &owner(), "PUT", path, body.clone()).await.0, 403, "the owner of one account");
    let everything = token("*", "owner", Role::Owner);
    let wrong = Some(json!({ "private": hook::public_text(&key.verifying_key()) }));
    let (status, answer) = ask(&world, &everything, "PUT", path, wrong).await;
    assert!(status == 400 && answer["what_to_do"].is_string(), "{answer}");
    assert_eq!(ask(&world, &everything, "PUT", path, body).await.0, 200);
    let url = url().await;
    let token = url.as_str().and_then(|url| url.strip_prefix("https://calls.test/h/")).expect("a hook URL");
    let ring = Ring::parse(&hook::public_text(&key.verifying_key())).expect("a ring");
    assert_eq!(ring.check(token).expect("signed with it").account, "school");
}
