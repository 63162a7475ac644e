//! Specs of the API: signatures, calls that are asked for, records, accounts, users.

use serde_json::json;

use super::{START_MS, World, body};
use crate::fault::{Fault, FaultKind};
use crate::http::{Request, Response};
use crate::rostelecom::{Config, Kind, Manner, Placed, Rostelecom, TroubleKind, sign};

#[test]
fn the_signature_is_the_published_one() {
    let published = r#"{"request_number": "+74951234567","from_sipuri": "test_user@cloudpbx.rt.ru"}"#;
    let (id, key) = ("000003C405E6525C64C184258C44EC99", "00000716ABDA6D4DFF10F82BCBBFC532");
    let official = "fc95a524342dc68df90f7488e6d821c5a8a3b667d585490b50ebf939f1202c36";
    assert_eq!(sign(id, published.as_bytes(), key), official);
    let Config { client_id, sign_key, .. } = Config::default();
    let computed = "8aae9ef7654f5d9d742b37ee61f0de5680276a059dc2eac3300de3321bfceff3";
    assert_eq!(sign(&client_id, r#"{"displayName":"Щербакова Ёлка","PIN":"102"}"#.as_bytes(), &sign_key), computed);
}

#[test]
fn a_wrong_id_or_signature_is_refused_and_bytes_count_as_they_are() {
    let mut world = World::new();
    let mut ask = |request: &Request| world.vats.handle(request, START_MS).status;
    let spaced = World::signed("users_info", "{ }\n");
    assert_eq!(ask(&spaced), 200);
    assert_eq!(ask(&Request { body: b"{}".to_vec(), ..spaced.clone() }), 401);
    assert_eq!(ask(&spaced.clone().with_header("x-client-id", "other")), 401);
    let upper = spaced.headers["x-client-sign"].to_uppercase();
    assert_eq!(ask(&spaced.with_header("x-client-sign", &upper)), 200);
    assert_eq!(ask(&Request::new("POST", "/users_info", "{}")), 401);
    assert_eq!(ask(&World::signed("users_info", "[]")), 400);
}

#[test]
fn a_method_that_the_domain_does_not_have_is_a_page_of_html() {
    let mut world = World::new();
    world.vats.behave(Manner { off: vec!["get_record".to_owned()], ..Manner::default() });
    for method in ["get_record", "user_calls_charges"] {
        let answer = world.ask(method, json!({}));
        assert_eq!((answer.status, answer.header("content-type")), (404, Some("text/html; charset=utf-8")), "{method}");
    }
}

#[test]
fn a_call_that_is_asked_for_answers_with_its_session_and_is_told() {
    let mut world = World::told();
    world.vats.behave(Manner { call_back_kind: Kind::Incoming, ..Manner::default() });
    let answer = world
        .ask("call_back", json!({ "request_number": "+79990000001", "from_sipuri": "petrova@testdomain.20.rt.ru" }));
    let session = answer.json()["session_id"].clone();
    assert_eq!(answer.json()["result"], "0", "as text");
    let all = world.rest(&json!({}));
    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|post| body(post)["session_id"] == session && body(post)["type"] == "incoming"));
    assert_eq!((&body(&all[1])["request_pin"], &body(&all[2])["request_pin"]), (&"102".into(), &json!(null)));
    let info = world.ask("call_info", json!({ "session_id": session })).json()["info"].clone();
    assert_eq!(info, json!(null), "not yet");
    world.now_ms += 2_000;
    let info = world.ask("call_info", json!({ "session_id": session })).json()["info"].clone();
    assert_eq!((&info["call_type"], &info["direction"], &info["duration"]), (&3.into(), &2.into(), &20.into()));
}

#[test]
fn a_call_that_cannot_be_placed_has_its_code() {
    let mut world = World::new();
    for wrong in [
        json!({ "request_number": "79990000001", "from_pin": "999" }),
        json!({ "request_number": "79990000001", "from_sipuri": "sip:ivanov@other.20.rt.ru" }),
        json!({ "request_number": "ivanov", "from_pin": "101" }),
        json!({ "request_number": "79990000001" }),
    ] {
        assert_eq!(world.ask("call_back", wrong.clone()).json()["result"], "-20", "{wrong}");
    }
    assert!(world.vats.calls().is_empty());
    let other = json!({ "domain": "other.20.rt.ru", "request_number": "79990000001", "from_pin": "101" });
    assert_eq!(world.ask("call_back", other).json()["result"], "-1");
}

fn recorded() -> (World, String) {
    let mut world = World::new();
    let session = world.place(Placed { talk_s: 10, ..Placed::default() });
    (world, session)
}

fn link(answer: &Response) -> String {
    let url = answer.json()["url"].as_str().expect("a link").to_owned();
    url.strip_prefix("https://vats.test").expect("a link of this PBX").to_owned()
}

#[test]
fn a_record_is_refused_at_first_and_its_link_then_works_once_and_from_one_address() {
    let (mut world, session) = recorded();
    world.vats.behave(Manner { record_tries: 2, ..Manner::default() });
    let asked = json!({ "session_id": session, "ip_adress": "203.0.113.10" });
    assert_eq!(world.ask("get_record", asked.clone()).json()["result"], "-1", "the call goes on");
    world.now_ms += 60_000;
    for _ in 0..2 {
        let early = world.ask("get_record", asked.clone()).json();
        assert_eq!((&early["result"], &early["url"]), (&"-1".into(), &json!(null)));
    }
    let link = link(&world.ask("get_record", asked));
    assert!(link.ends_with("/203011310") && link.starts_with("/records_new_scheme/record/download/"));
    let get = |address: &str| Request::new("GET", &link, "").from_peer(address);
    assert_eq!(world.vats.handle(&get("198.51.100.7"), world.now_ms).status, 404);
    let file = world.vats.handle(&get("203.0.113.10"), world.now_ms);
    assert_eq!((file.status, &file.body[..4]), (200, &b"RIFF"[..]));
    assert_eq!(world.vats.handle(&get("203.0.113.10"), world.now_ms).status, 404);
}

#[test]
fn a_link_without_an_address_is_bound_to_whoever_asked() {
    let (mut world, session) = recorded();
    world.now_ms += 60_000;
    let asked = World::signed("get_record", &json!({ "session_id": session }).to_string()).from_peer("192.0.2.1");
    let link = link(&world.vats.handle(&asked, world.now_ms));
    let get = |address: &str| Request::new("GET", &link, "").from_peer(address);
    assert_eq!(world.vats.handle(&get("192.0.2.2"), world.now_ms).status, 404);
    assert_eq!(world.vats.handle(&get("192.0.2.1"), world.now_ms + 300_000).status, 404, "it is over");
    assert_eq!(world.vats.handle(&get("192.0.2.1"), world.now_ms + 299_999).status, 200);
}

#[test]
fn an_account_of_a_call_comes_a_while_after_its_end() {
    let (mut world, session) = recorded();
    let asked = json!({ "session_id": session });
    let early = world.ask("call_info", asked.clone()).json();
    assert_eq!((&early["info"], &early["result"]), (&json!(null), &(-1).into()));
    world.now_ms += 60_000;
    let told = world.ask("call_info", asked).json();
    let expected = json!({
        "result": 0,
        "resultMessage": "",
        "info": {
            "call_type": 1,
            "direction": 1,
            "state": 1,
            "orig_number": "sip:79990000001@testdomain.20.rt.ru",
            "orig_pin": null,
            "dest_number": "sip:74950000001@testdomain.20.rt.ru",
            "answering_sipuri": "sip:ivanov@testdomain.20.rt.ru",
            "answering_pin": "101",
            "start_call_date": "1772435700",
            "duration": 10,
            "session_log": "0:ct:74950000001;7:cc:101;17:cd:101;",
            "is_voicemail": false,
            "is_record": true,
            "is_fax": false,
            "status_code": "0",
            "status_string": "",
        }
    });
    assert_eq!(told, expected);
}

#[test]
fn users_are_all_or_one_and_one_may_be_an_object() {
    let mut world = World::new();
    assert_eq!(world.ask("users_info", json!({})).json()["users"].as_array().map(Vec::len), Some(3));
    let one = json!({ "domain": "testdomain.20.rt.ru", "user_pin": "102" });
    let petrova = json!({ "display_name": "Петрова Анна", "name": "petrova", "pin": "102" });
    assert_eq!(world.ask("users_info", one.clone()).json()["users"], json!([petrova]));
    world.vats.behave(Manner { one_user_is_an_object: true, ..Manner::default() });
    assert_eq!(world.ask("users_info", one).json()["users"], petrova);
    assert_eq!(world.ask("users_info", json!({ "user_pin": "999" })).json()["result"], -1);
}

#[test]
fn faults_and_levers_are_reached_by_hand() {
    let mut world = World::new();
    world.vats.inject(Fault::once("POST", "/call_info", FaultKind::CarriedOutThenLost));
    assert_eq!(world.ask("call_info", json!({})).status, 0);
    let mut post = |path: &str, body: &str| world.vats.handle(&Request::new("POST", path, body), START_MS).status;
    assert_eq!(post("/sandbox/faults", r#"{"kind":"html200"}"#), 204);
    assert_eq!(post("/sandbox/troubles", r#"{"on":"end","kind":"lost"}"#), 204);
    assert_eq!(post("/sandbox/troubles", r#"{"on":"end","kind":"none"}"#), 400);
    assert_eq!(post("/sandbox/manner", r#"{"deadline_ms":500}"#), 204);
    assert_eq!(post("/sandbox/address", r#"{"address":"https://calls.example.test/h/token/"}"#), 200);
    assert_eq!(post("/sandbox/address", r#"{"address":"calls"}"#), 400);
    assert_eq!(post("/sandbox/calls", "what=transfer&client=79990000001&employee=102&second=101&talk_s=4"), 303);
    assert_eq!(post("/sandbox/calls", r#"{"what":"outbound","talk_s":4}"#), 200);
    assert_eq!(post("/sandbox/calls", r#"{"employee":"999"}"#), 400);
    assert_eq!(post("/sandbox/calls", r#"{"client":"+7999"}"#), 400);
    assert_eq!(world.vats.manner().deadline_ms, 500);
    let page = world.vats.handle(&Request::new("GET", "/", ""), START_MS);
    assert!(String::from_utf8(page.body).expect("text").contains("https://calls.example.test/h/token\""));
    assert_eq!(world.vats.handle(&Request::new("GET", "/sandbox/state", ""), START_MS).status, 200);
}

#[test]
fn a_saved_pbx_goes_on_where_it_was() {
    let mut world = World::told();
    world.place(Placed { talk_s: 10, ..Placed::default() });
    world.vats.trouble(crate::rostelecom::Trouble { on: "end".to_owned(), times: 1, kind: TroubleKind::Lost });
    world.vats = Rostelecom::load(&world.vats.save()).expect("a saved state");
    let told: Vec<String> = world.rest(&super::nobody()).iter().map(|post| post.method.clone()).collect();
    assert_eq!(told, ["get_number_info", "call_events", "call_events", "call_events", "call_events"]);
}
