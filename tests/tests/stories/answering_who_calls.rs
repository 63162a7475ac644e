//! The PBX asks who calls and whom to ring, and waits: always in time, never the wrong manager, never another account's.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::encodings::Body;
use perezvon_domain::{AccountId, ChannelId, Number};
use perezvon_sandbox::fault::{Fault, FaultKind};
use perezvon_store::items::answer::Decision;
use perezvon_store::items::intake::Seen;
use perezvon_store::{Query, Table, keys};
use perezvon_tests::World;
use perezvon_tests::settings::{LINE, full};
use perezvon_tests::world::Plan;
use perezvon_tests::world::asking::Asking;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ID: &str = "0123456789ABCDEF0123456789ABCDEF";
const KEY: &str = "FEDCBA9876543210FEDCBA9876543210";
pub const CALLER: &str = "79990001122";
/// Who keeps the client: internal number 12.
const PETROVA: u64 = 504_002;

/// The account with a PBX that asks, and the contact manager on.
pub fn settings(account: &str) -> String {
    let on = "follow_transfers = true\ncontact_manager = true";
    let channel = format!(
        "[[channels]]\nid = \"vats\"\nprovider = \"rostelecom\"\nname = \"ВАТС\"\nbase = \"https://pbx.test\"\n\n\
         [[channels.secrets]]\nclient_id = \"{ID}\"\nsign_key = \"{KEY}\"\n"
    );
    format!("{}\n{channel}", full(account).replace("follow_transfers = true", on))
}

pub async fn world_with(change: impl FnOnce(String) -> String) -> World {
    set_up(Plan::default(), change).await
}

pub async fn set_up(plan: Plan, change: impl FnOnce(String) -> String) -> World {
    let world = World::new(plan);
    world.apply(&change(settings("school"))).await;
    world
}

async fn world() -> World {
    world_with(|settings| settings).await
}

/// The world with one client, whom Petrova keeps.
pub async fn with_client() -> World {
    let world = world().await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, PETROVA));
    world
}

fn signed(body: &[u8], key: &str) -> Vec<(&'static str, String)> {
    let digest = Sha256::new().chain_update(ID).chain_update(body).chain_update(key).finalize();
    let sign = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![("x-client-id", ID.to_owned()), ("x-client-sign", sign)]
}

fn body(caller: &str) -> Vec<u8> {
    let asked = json!({ "domain": "test.20.rt.ru", "from_number": caller, "request_number": LINE });
    asked.to_string().into_bytes()
}

pub fn asks_of(world: &mut World, account: &str, caller: &str) -> ApiGatewayV2httpRequest {
    let path = world.hook_path(account, "vats", 1, "get_number_info");
    let body = body(caller);
    world.question(&path, &signed(&body, KEY), &body)
}

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub status: i64,
    result: String,
    name: String,
    pub pin: String,
    pub took_ms: i64,
}

impl Told {
    pub fn said(&self) -> (&str, &str) {
        assert_eq!((self.status, self.result.as_str()), (200, "0"), "{self:?}");
        (&self.name, &self.pin)
    }
}

pub async fn told(asking: &Asking, request: ApiGatewayV2httpRequest) -> Told {
    let (response, took_ms) = asking.ask(request).await;
    let Some(Body::Text(text)) = response.body else { panic!("an answer has a body") };
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let of = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    Told { status: response.status_code, result: of("result"), name: of("displayName"), pin: of("PIN"), took_ms }
}

pub async fn ask(world: &mut World, caller: &str) -> Told {
    let request = asks_of(world, "school", caller);
    let asking = world.asking();
    told(&asking, request).await
}

/// One question, so that the CRM's word is in the cache; and time for the next slot.
pub async fn asked_once(world: &mut World) {
    assert_eq!(ask(world, CALLER).await.said(), ("Ольга Иванова", "12"));
    world.run_for(Duration::from_secs(2)).await;
}

pub fn hangs(world: &World) {
    let kind = FaultKind::LostBeforeArrival;
    world.crm(|crm| crm.inject(Fault { times: 10_000, ..Fault::once("GET", "/contacts", kind) }));
}

pub fn number(text: &str) -> Number {
    Number::parse(text).expect("a number")
}

pub async fn decisions(world: &World, account: &str, caller: &str) -> Vec<Decision> {
    let query = Query::table(keys::decisions(&AccountId::from(account), &number(caller)));
    let page = Table::query(world.table.as_ref(), query).await.expect("the model answers");
    page.rows.iter().map(|row| Decision::read(row).expect("a decision")).collect()
}

/// The codes of the last decision about the number.
pub async fn why(world: &World, caller: &str) -> Vec<String> {
    let last = decisions(world, "school", caller).await.pop().expect("a decision is kept");
    last.answered.because.into_iter().map(|reason| reason.code).collect()
}

#[tokio::test(start_paused = true)]
async fn a_client_is_announced_by_name_and_put_through_to_whoever_keeps_them() {
    let mut world = with_client().await;
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("Ольга Иванова", "12"));
    assert_eq!(why(&world, CALLER).await, ["answer_name", "answer_responsible"]);
}

#[tokio::test(start_paused = true)]
async fn the_answer_carries_the_signature_of_the_pbx() {
    let mut world = with_client().await;
    let request = asks_of(&mut world, "school", CALLER);
    let (response, _) = world.asking().ask(request).await;
    let Some(Body::Text(text)) = response.body else { panic!("a body") };
    assert_eq!(text, r#"{"result":"0","resultMessage":"","displayName":"Ольга Иванова","PIN":"12"}"#);
    for (name, value) in signed(text.as_bytes(), KEY) {
        assert_eq!(response.headers.get(name).and_then(|value| value.to_str().ok()), Some(value.as_str()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn unknown_hidden_and_internal_callers_go_by_the_rules_of_the_pbx() {
    let mut world = with_client().await;
    for caller in ["79991234567", "", "anonymous", "12", "sip:petrova@test.20.rt.ru"] {
        let answer = ask(&mut world, caller).await;
        assert_eq!(answer.said(), ("", ""), "{caller}");
        world.run_for(Duration::from_secs(1)).await;
    }
    let asked = world.crm(|crm| crm.requests().iter().filter(|it| it.path.contains("/contacts")).count());
    assert_eq!(asked, 1, "who is no number is not asked about");
    let point = keys::point(&AccountId::from("school"), &number("79991234567").into());
    assert!(world.table.row(&point).is_none(), "a stranger leaves no contact point");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_believed_learns_nothing_and_is_counted() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    let asking = world.asking();
    let body = body(CALLER);
    let good = world.hook_path("school", "vats", 1, "get_number_info");
    let old = world.hook_path("school", "vats", 2, "get_number_info");
    let mut foreign = signed(&body, KEY);
    foreign[0].1 = "F".repeat(32);
    let wrong =
        [(&good, signed(&body, "another-key")), (&good, foreign), (&good, Vec::new()), (&old, signed(&body, KEY))];
    for (path, headers) in &wrong {
        let request = world.question(path, headers, &body);
        let (response, took_ms) = asking.ask(request).await;
        assert!(response.headers.get("x-client-sign").is_none() && took_ms <= 500);
        let Some(Body::Text(text)) = &response.body else { panic!("a body") };
        let expected = r#"{"result":"1","resultMessage":"refused","displayName":"","PIN":""}"#;
        assert_eq!((response.status_code, text.as_str()), (403, expected));
    }
    let row = Table::get(world.table.as_ref(), &keys::channel_status(&"school".into(), &ChannelId::from("vats"))).await;
    let seen = Seen::read(&row.expect("the model answers").expect("counts"));
    assert_eq!((seen.refused, seen.accepted), (4, 1));
    assert!(seen.last_refusal.is_some());
    let stranger = world.question("/h/nonsense/get_number_info", &signed(&body, KEY), &body);
    assert_eq!(told(&asking, stranger).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn of_two_contacts_the_last_active_one_is_taken_and_it_is_flagged() {
    let mut world = with_client().await;
    world.crm(|crm| crm.add_contact("Тоже она", "8 (999) 000-11-22", 504_003));
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("Тоже она", "23"), "both changed in one second: the greater id");
    assert!(why(&world, CALLER).await.contains(&"client_duplicates".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_client_who_was_deleted_in_the_crm_is_forgotten() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    world.crm(|crm| crm.delete_contact(crm.contacts()[0].id));
    assert_eq!(ask(&mut world, CALLER).await.said(), ("", ""));
    hangs(&world);
    assert_eq!(ask(&mut world, CALLER).await.said(), ("", ""), "also when the CRM does not answer afterwards");
}

#[tokio::test(start_paused = true)]
async fn a_responsible_who_was_read_a_day_ago_routes_nobody() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    hangs(&world);
    tokio::time::sleep(Duration::from_secs(25 * 3600)).await;
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("Ольга Иванова", ""));
}

#[tokio::test(start_paused = true)]
async fn what_jobs_learned_about_a_number_is_an_answer_too() {
    let mut world = with_client().await;
    crate::calls::play(
        &mut world,
        perezvon_sandbox::mango::calls::answered(&crate::calls::call("c", CALLER, 0, 5), &crate::calls::petrova()),
    )
    .await;
    world.run_for(Duration::from_secs(30)).await;
    hangs(&world);
    assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", "12"));
}

#[tokio::test(start_paused = true)]
async fn exceptions_and_forwarding_off_leave_the_name_alone() {
    let exceptions = "contact_manager = true\nexceptions = [\"12\"]";
    let off = "contact_manager = true\nforwarding = false";
    for instead in [exceptions, off] {
        let mut world = world_with(|settings| settings.replace("contact_manager = true", instead)).await;
        world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, PETROVA));
        assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", ""), "{instead}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_responsible_nobody_knows_leaves_it_to_the_fallback_manager() {
    let mut world = world().await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, 999_999));
    assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", "10"));
}

#[tokio::test(start_paused = true)]
async fn switched_off_nobody_is_asked_and_no_row_is_written() {
    let mut world = world_with(|settings| settings.replace("contact_manager = true\n", "")).await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, PETROVA));
    assert_eq!(ask(&mut world, CALLER).await.said(), ("", ""));
    assert_eq!(world.crm(|crm| crm.requests().len()), 0);
    assert!(decisions(&world, "school", CALLER).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_number_at_another_account_is_another_client() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    world.apply(&settings("other").replace("https://crm.test", "https://crm2.test")).await;
    hangs(&world);
    let request = asks_of(&mut world, "other", CALLER);
    let answer = told(&world.asking(), request).await;
    assert_eq!(answer.said(), ("", ""), "what one account knows is not told to another");
    assert!(
        decisions(&world, "other", CALLER).await.len() == 1 && decisions(&world, "school", CALLER).await.len() == 1
    );
}

#[tokio::test(start_paused = true)]
async fn the_page_of_a_call_shows_what_the_pbx_asked_about_it() {
    let mut world = with_client().await;
    assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", "12"));
    let decision = decisions(&world, "school", CALLER).await.pop().expect("a decision");
    assert_eq!((decision.channel.as_str(), decision.line.as_str()), ("vats", LINE));
    let events = [("new", "", 2), ("calling", "12", 3), ("disconnected", "12", 20), ("end", "", 21)];
    for (state, pin, second) in events {
        let body = json!({
            "session_id": "S1", "type": "incoming", "state": state, "from_number": format!("sip:{CALLER}@test.20.rt.ru"),
            "request_number": format!("sip:{LINE}@test.20.rt.ru"), "request_pin": pin,
            "timestamp": format!("2025-10-09 11:53:{:02}.000", 20 + second), "is_record": "false",
        });
        let body = body.to_string().into_bytes();
        let path = world.hook_path("school", "vats", 1, "call_events");
        let request = world.question(&path, &signed(&body, KEY), &body);
        assert_eq!(world.post_request(request).await, 200);
        world.run_for(Duration::from_secs(1)).await;
    }
    world.run_for(Duration::from_secs(120)).await;
    let path = crate::people::of("calls/vats:S1");
    let (status, call) = crate::people::ask(&world, &crate::people::owner(), "GET", &path, None).await;
    let reasons = call["reasons"].to_string();
    assert_eq!(status, 200, "{call}");
    assert!(reasons.contains("кому звонить: Мария Петрова (доб. 12)"), "{reasons}");
}
