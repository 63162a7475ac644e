//! Specs of limits, lags and faults, and of the page that shows it all.

use serde_json::{Value, json};

use super::World;
use crate::amocrm::{AmoCrm, Config};
use crate::fault::{Fault, FaultKind};
use crate::http::{Request, Response};

fn account(crm: &mut AmoCrm, now_ms: i64) -> Response {
    let request = Request::new("GET", "/api/v4/account", "");
    crm.handle(&request.with_header("authorization", "Bearer sandbox-token"), now_ms)
}

#[test]
fn the_eighth_request_in_any_second_is_refused() {
    let mut crm = AmoCrm::new(Config::default());
    let statuses: Vec<u16> = (0..8).map(|n| account(&mut crm, n * 100).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 429]);
    assert_eq!((crm.violations(), crm.max_requests_in_any_second()), (1, 8));
    assert_eq!(account(&mut crm, 1_100).status, 200);
    assert_eq!(crm.requests().len(), 9);
}

#[test]
fn who_ignores_twenty_refusals_is_blocked_for_a_minute() {
    let mut crm = AmoCrm::new(Config::default());
    let statuses: Vec<u16> = (0..28).map(|n| account(&mut crm, n * 10).status).collect();
    assert_eq!((statuses[7], statuses[26], statuses[27]), (429, 429, 403));
    let blocked = account(&mut crm, 60_269);
    assert_eq!((blocked.status, blocked.header("content-type")), (403, Some("text/html; charset=utf-8")));
    assert_eq!(account(&mut crm, 60_270).status, 200);
}

#[test]
fn who_waits_a_second_after_each_refusal_is_never_blocked() {
    let mut crm = AmoCrm::new(Config::default());
    for round in 0..40 {
        for n in 0..8 {
            assert_ne!(account(&mut crm, round * 2_000 + n).status, 403);
        }
    }
    assert_eq!(crm.violations(), 40);
}

#[test]
fn a_new_contact_is_invisible_to_search_and_calls_until_the_lag_is_over() {
    let mut world = World::with(Config { search_lag_ms: 30_000, ..Config::default() });
    let phone = json!([{ "field_code": "PHONE", "values": [{ "value": "+79990001122" }] }]);
    let person = world.make("contacts", json!({ "name": "К", "custom_fields_values": phone }));
    let deal = world.make("leads", json!({ "_embedded": { "contacts": [{ "id": person }] } }));
    let call = json!([{ "direction": "inbound", "duration": 1, "source": "П", "phone": "+79990001122" }]);
    assert_eq!(world.get("/api/v4/contacts?query=9990001122").status, 204);
    assert_eq!(world.post("/api/v4/calls", call.clone()).status, 400);
    let card = world.get(&format!("/api/v4/contacts/{person}?with=leads"));
    assert_eq!(card.json()["_embedded"]["leads"][0]["id"], deal);
    assert_eq!(world.get(&format!("/api/v4/leads?filter[id][]={deal}")).status, 200);
    world.now_ms += 30_000;
    assert_eq!(world.get("/api/v4/contacts?query=9990001122").status, 200);
    assert_eq!(world.post("/api/v4/calls", call).status, 200);
}

#[test]
fn lists_of_deals_tasks_and_notes_have_a_lag_of_their_own() {
    let mut world = World::with(Config { list_lag_ms: 5_000, ..Config::default() });
    let deal = world.make("leads", json!({ "name": "Звонок" }));
    let on_deal = json!({ "text": "А", "complete_till": 1, "entity_type": "leads", "entity_id": deal });
    world.make("tasks", on_deal);
    world.make(&format!("leads/{deal}/notes"), json!({ "note_type": "common", "params": { "text": "А" } }));
    let lists = [
        format!("/api/v4/leads?filter[id]={deal}"),
        format!("/api/v4/tasks?filter[entity_id]={deal}"),
        format!("/api/v4/leads/{deal}/notes"),
    ];
    let statuses = |world: &mut World| lists.each_ref().map(|list| world.get(list).status);
    assert_eq!(statuses(&mut world), [204; 3]);
    assert_eq!(world.get(&format!("/api/v4/leads/{deal}")).status, 200);
    world.now_ms += 5_000;
    assert_eq!(statuses(&mut world), [200; 3]);
}

#[test]
fn faults_hit_in_order_let_some_pass_and_end() {
    let mut world = World::new();
    let unavailable = FaultKind::Status { status: 503, body: "later".to_owned(), retry_after: Some(7) };
    world.crm.inject(Fault { skip: 1, times: 2, ..Fault::once("POST", "/leads", unavailable) });
    world.crm.inject(Fault::once("POST", "/leads", FaultKind::Html200));
    let deal = || json!([{ "name": "Звонок" }]);
    let answers: Vec<Response> = (0..5).map(|_| world.post("/api/v4/leads", deal())).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    // The second fault hits what the first one lets pass.
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    assert_eq!(answers[0].header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answers[1].header("retry-after"), Some("7"));
    assert_eq!(world.crm.leads().len(), 2);
    assert_eq!(world.get("/api/v4/leads").status, 200);
}

#[test]
fn a_lost_answer_and_a_lost_request_look_the_same_from_outside() {
    let mut world = World::new();
    let deal = || json!([{ "name": "Звонок" }]);
    world.crm.inject(Fault::once("POST", "/leads", FaultKind::CarriedOutThenLost));
    assert_eq!(world.post("/api/v4/leads", deal()).status, 0);
    assert_eq!(world.crm.leads().len(), 1);
    world.crm.inject(Fault::once("POST", "/leads", FaultKind::LostBeforeArrival));
    assert_eq!(world.post("/api/v4/leads", deal()).status, 0);
    assert_eq!(world.crm.leads().len(), 1);
    world.crm.inject(Fault::once("POST", "/leads", FaultKind::CarriedOutThenStatus { status: 504 }));
    assert_eq!(world.post("/api/v4/leads", deal()).status, 504);
    assert_eq!(world.crm.leads().len(), 2);
}

#[test]
fn an_outage_begins_and_ends_on_time_and_does_nothing_else() {
    let mut crm = AmoCrm::new(Config::default());
    crm.set_outage(1_000, 5_000, 502);
    let statuses = [999, 1_000, 4_999, 5_000].map(|now_ms| account(&mut crm, now_ms).status);
    assert_eq!(statuses, [200, 502, 502, 200]);
}

#[test]
fn a_person_tries_a_fault_with_curl() {
    let mut world = World::new();
    let fault = json!({ "path_contains": "/account", "kind": { "status": { "status": 500 } } });
    assert_eq!(world.post("/sandbox/faults", fault).status, 204);
    assert_eq!(world.get("/api/v4/account").status, 500);
    assert_eq!(world.get("/api/v4/account").status, 200);
    let typo = json!({ "path": "/account", "kind": "html200" });
    assert_eq!(world.post("/sandbox/faults", typo).status, 400);
    let unsendable = json!({ "kind": { "status": { "status": 99 } } });
    assert_eq!(world.post("/sandbox/faults", unsendable).status, 400);
}

#[test]
fn the_page_shows_everything_escaped_and_needs_no_token() {
    let mut world = World::new();
    let person = world.crm.add_contact("<b>Клиент</b>", "+79990001122", 504_002);
    world.crm.add_lead("Сделка & Ко", person, 504_001);
    let call = json!([{
        "direction": "inbound", "duration": 60, "source": "П", "phone": "+79990001122",
        "link": "javascript:alert(1)", "call_result": "Разговор состоялся",
    }]);
    world.post("/api/v4/calls", call);
    let asked = world.crm.requests().len();
    let page = world.crm.handle(&Request::new("GET", "/", ""), 0);
    let html = String::from_utf8(page.body).expect("text");
    for part in ["&lt;b&gt;Клиент&lt;/b&gt;", "Сделка &amp; Ко", "Разговор состоялся", "Оператор Второй"]
    {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<b>") && !html.contains("javascript:"));
    let state = world.crm.handle(&Request::new("GET", "/sandbox/state", ""), 0).json();
    assert_eq!(state["counts"], json!({ "contacts": 1, "leads": 1, "tasks": 0, "notes": 1 }));
    assert_eq!(state["contacts"][0]["phones"], json!(["+79990001122"]));
    assert_eq!(world.crm.requests().len(), asked);
    assert_eq!(world.ask("GET", "/sandbox/other", &Value::Null).status, 404);
}
