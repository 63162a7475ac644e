//! Specs of tokens and of what every account knows.

use serde_json::{Value, json};

use super::World;
use crate::amocrm::{AmoCrm, Config};
use crate::http::{Request, Response};

fn exchange(crm: &mut AmoCrm, extra: Value, now_ms: i64) -> Response {
    let config = Config::default();
    let mut body = json!({
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "redirect_uri": config.redirect_uri,
    });
    for (key, value) in extra.as_object().expect("an object") {
        body[key] = value.clone();
    }
    crm.handle(&Request::new("POST", "/oauth2/access_token", body.to_string()), now_ms)
}

fn refresh(crm: &mut AmoCrm, token: &Value, now_ms: i64) -> Response {
    exchange(crm, json!({ "grant_type": "refresh_token", "refresh_token": token }), now_ms)
}

fn account(crm: &mut AmoCrm, token: &str, now_ms: i64) -> Response {
    let request = Request::new("GET", "/api/v4/account", "");
    crm.handle(&request.with_header("Authorization", &format!("Bearer {token}")), now_ms)
}

#[test]
fn a_request_without_a_known_token_is_refused_as_a_problem() {
    let mut crm = AmoCrm::new(Config::default());
    let answer = crm.handle(&Request::new("GET", "/api/v4/contacts", ""), 0);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(
        answer.json(),
        json!({
            "title": "Unauthorized",
            "type": "https://httpstatus.es/401",
            "status": 401,
            "detail": "Unauthorized",
        })
    );
    assert_eq!(account(&mut crm, "other", 1).status, 401);
    assert_eq!(account(&mut crm, "sandbox-token", 2).status, 200);
}

#[test]
fn a_code_becomes_a_pair_once_and_within_twenty_minutes() {
    let mut crm = AmoCrm::new(Config::default());
    let code = crm.grant_code(0);
    let grant = json!({ "grant_type": "authorization_code", "code": code });
    let pair = exchange(&mut crm, grant.clone(), 1_000).json();
    assert_eq!((&pair["expires_in"], &pair["server_time"]), (&json!(86_400), &json!(1)));
    let access = pair["access_token"].as_str().expect("a token");
    assert_eq!(account(&mut crm, access, 86_400_999).status, 200);
    assert_eq!(account(&mut crm, access, 86_401_000).status, 401);
    assert_eq!(exchange(&mut crm, grant, 86_402_000).status, 401);
    let late = crm.grant_code(0);
    let grant = json!({ "grant_type": "authorization_code", "code": late });
    assert_eq!(exchange(&mut crm, grant, 20 * 60_000).status, 401);
}

#[test]
fn a_refresh_token_works_once_and_its_second_use_says_revoked() {
    let mut crm = AmoCrm::new(Config::default());
    let first = crm.grant_pair(0);
    let second = refresh(&mut crm, &json!(first.refresh), 10);
    assert_eq!(second.status, 200);
    let reused = refresh(&mut crm, &json!(first.refresh), 20);
    assert_eq!((reused.status, &reused.json()["hint"]), (401, &json!("Token has been revoked")));
    let third = refresh(&mut crm, &second.json()["refresh_token"], 30).json();
    assert_eq!(account(&mut crm, third["access_token"].as_str().expect("a token"), 40).status, 200);
}

#[test]
fn another_client_or_another_redirect_gets_no_tokens() {
    let mut crm = AmoCrm::new(Config::default());
    let pair = crm.grant_pair(0);
    let grant = |key: &str| json!({ "grant_type": "refresh_token", "refresh_token": pair.refresh, key: "other" });
    assert_eq!(exchange(&mut crm, grant("client_secret"), 0).status, 401);
    assert_eq!(exchange(&mut crm, grant("redirect_uri"), 1).status, 400);
    assert_eq!(refresh(&mut crm, &json!(pair.refresh), 2).status, 200);
}

#[test]
fn revoked_tokens_stop_at_once() {
    let mut crm = AmoCrm::new(Config::default());
    let pair = crm.grant_pair(0);
    crm.revoke_tokens();
    assert_eq!(account(&mut crm, &pair.access, 0).status, 401);
    assert_eq!(account(&mut crm, "sandbox-token", 1).status, 401);
    assert_eq!(refresh(&mut crm, &json!(pair.refresh), 2).status, 401);
}

#[test]
fn users_pipelines_and_the_account_are_there_from_the_start() {
    let mut world = World::new();
    assert_eq!(world.get("/api/v4/account").json()["id"], 30_000_001);
    let users = world.get("/api/v4/users?limit=250").json();
    let ids = |list: &Value| -> Vec<u64> {
        let list = list.as_array().expect("a list");
        list.iter().map(|item| item["id"].as_u64().expect("an id")).collect()
    };
    assert_eq!(ids(&users["_embedded"]["users"]), [504_001, 504_002, 504_003]);
    let pipelines = world.get("/api/v4/leads/pipelines").json();
    let pipeline = &pipelines["_embedded"]["pipelines"][0];
    assert_eq!(pipeline["id"], 3_177_727);
    assert_eq!(ids(&pipeline["_embedded"]["statuses"]), [32_392_156, 32_392_159, 142, 143]);
}
