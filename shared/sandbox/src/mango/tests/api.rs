//! Specs of the API: signs, recordings, limits.

use serde_json::json;

use super::RECORDING;
use crate::fault::{Fault, FaultKind};
use crate::http::{Request, Response};
use crate::mango::{Config, Mango, digest, form};

const POST: &str = "/vpbx/queries/recording/post";

fn pbx() -> Mango {
    let mut pbx = Mango::new(Config::default());
    pbx.add_recording(RECORDING, 0);
    pbx
}

fn ask_with(pbx: &mut Mango, key: &str, salt: &str, now_ms: i64) -> Response {
    let asked = json!({ "recording_id": RECORDING, "action": "download" }).to_string();
    pbx.handle(&Request::new("POST", POST, form(key, salt, &asked)), now_ms)
}

fn ask(pbx: &mut Mango, now_ms: i64) -> Response {
    let Config { key, salt, .. } = Config::default();
    ask_with(pbx, &key, &salt, now_ms)
}

fn fetch(pbx: &mut Mango, location: &str, now_ms: i64) -> Response {
    let path = location.strip_prefix("https://files.mango.test").expect("a file of this PBX");
    pbx.handle(&Request::new("GET", path, ""), now_ms)
}

#[test]
fn the_sign_is_the_published_one() {
    let Config { key, salt, .. } = Config::default();
    let sign = |json: &str| digest(&[&key, json, &salt]);
    let published = "a3db691565f460c30c2aa5b4f59ded9daa47cba29353070dcbb91636cf449a15";
    assert_eq!(sign("{}"), published);
    let official = digest(&["<YOUR_API_KEY>", "{\"key\":\"<REQUEST_KEY>\"}", "<YOUR_API_SALT>"]);
    assert_eq!(official, "515069b8c079df62f408e36dd7933912b8e86d833c5927ee77eb4b68d766c4f5");
    assert_eq!(form(&key, &salt, "{}"), format!("vpbx_api_key={key}&sign={published}&json=%7B%7D"));
}

#[test]
fn a_recording_is_fetched_once_and_its_address_then_dies() {
    let mut pbx = pbx();
    let answer = ask(&mut pbx, 1_000);
    assert_eq!(answer.status, 302);
    let location = answer.header("location").expect("an address").to_owned();
    let file = fetch(&mut pbx, &location, 1_100);
    assert_eq!((file.status, file.header("content-type")), (200, Some("audio/wav")));
    assert_eq!((&file.body[..4], &file.body[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
    let size = u32::from_le_bytes(file.body[4..8].try_into().expect("four bytes"));
    assert_eq!(size as usize + 8, file.body.len());
    assert_eq!(fetch(&mut pbx, &location, 1_200).status, 404);
    let again = ask(&mut pbx, 1_300);
    assert_ne!(again.header("location"), Some(location.as_str()));
}

#[test]
fn a_wrong_key_a_wrong_sign_and_a_recording_that_is_not_ready_have_their_codes() {
    let Config { key, salt, .. } = Config::default();
    let mut pbx = Mango::new(Config::default());
    assert_eq!(ask_with(&mut pbx, "other", &salt, 0).json(), json!({ "result": 3105 }));
    let mut pbx = Mango::new(Config::default());
    assert_eq!(ask_with(&mut pbx, &key, "other", 0).json(), json!({ "result": 3102 }));
    let mut pbx = Mango::new(Config::default());
    pbx.add_recording(RECORDING, 60_000);
    let early = ask(&mut pbx, 59_999);
    assert_eq!((early.status, early.json()), (200, json!({ "result": 3320 })));
    assert_eq!(ask(&mut pbx, 60_000).status, 302);
}

#[test]
fn a_second_invalid_request_within_two_minutes_locks_the_key_until_they_are_over() {
    let mut pbx = pbx();
    assert_eq!(ask_with(&mut pbx, "other", "", 0).json(), json!({ "result": 3105 }));
    assert_eq!(ask(&mut pbx, 30_000).status, 302);
    assert_eq!(ask_with(&mut pbx, "other", "", 60_000).json(), json!({ "result": 3105 }));
    assert_eq!(ask(&mut pbx, 119_999).status, 401);
    assert_eq!(ask(&mut pbx, 120_000).status, 302);
}

#[test]
fn invalid_requests_further_apart_than_two_minutes_lock_nothing() {
    let mut pbx = pbx();
    ask_with(&mut pbx, "other", "", 0);
    ask_with(&mut pbx, "other", "", 120_000);
    assert_eq!(ask(&mut pbx, 120_100).status, 302);
}

#[test]
fn a_missing_recording_need_not_count_as_an_invalid_request() {
    let config = Config { missing_recording_counts: false, ..Config::default() };
    let mut pbx = Mango::new(config);
    for second in 0..5 {
        assert_eq!(ask(&mut pbx, second * 1_000).json(), json!({ "result": 3320 }));
    }
}

#[test]
fn a_pbx_for_webhooks_made_elsewhere_has_a_recording_of_every_id() {
    let mut pbx = Mango::new(Config { every_recording: true, ..Config::default() });
    assert_eq!(ask(&mut pbx, 0).status, 302);
    pbx.add_recording(RECORDING, 60_000);
    assert_eq!(ask(&mut pbx, 1_000).json(), json!({ "result": 3320 }), "one that is being made is not ready");
}

#[test]
fn a_signed_link_works_until_it_expires() {
    let Config { key, salt, .. } = Config::default();
    let sign = digest(&[&key, "1760003600", RECORDING, &salt]);
    assert_eq!(sign, "381e6555f6f1f741966016c0f9dadb404f91046fdf142bd8d226cefcf6301cd8");
    let path = format!("/vpbx/queries/recording/link/{RECORDING}/play/{key}/1760003600/{sign}");
    let mut pbx = pbx();
    let mut get = |path: &str, at_s: i64| pbx.handle(&Request::new("GET", path, ""), at_s * 1000);
    assert_eq!(get(&path, 1_760_003_599).status, 302);
    assert_eq!(get(&path, 1_760_003_600).json(), json!({ "result": 3100 }));
    let forged = path.replace("/play/", "/download/").replace("1760003600", "1760009999");
    assert_eq!(get(&forged, 1_760_005_000).json(), json!({ "result": 3102 }));
}

#[test]
fn the_eleventh_request_in_a_second_is_refused() {
    let mut pbx = pbx();
    let statuses: Vec<u16> = (0..11).map(|n| ask(&mut pbx, n).status).collect();
    assert_eq!(statuses[..10], [302; 10]);
    assert_eq!(statuses[10], 429);
    assert_eq!((pbx.violations(), pbx.max_requests_in_any_second()), (1, 11));
    assert_eq!(ask(&mut pbx, 1_100).status, 302);
    assert_eq!(pbx.requests().len(), 12);
}

#[test]
fn faults_and_outages_hit_the_pbx_too() {
    let mut pbx = pbx();
    pbx.inject(Fault::once("POST", "/recording/", FaultKind::CarriedOutThenLost));
    assert_eq!(ask(&mut pbx, 0).status, 0);
    let curl = Request::new("POST", "/sandbox/faults", r#"{"path_contains":"/recording","kind":"html200"}"#);
    assert_eq!(pbx.handle(&curl, 0).status, 204);
    assert_eq!(ask(&mut pbx, 1).header("content-type"), Some("text/html; charset=utf-8"));
    pbx.set_outage(10, 20, 503);
    assert_eq!([ask(&mut pbx, 9).status, ask(&mut pbx, 10).status, ask(&mut pbx, 20).status], [302, 503, 302]);
}

#[test]
fn a_saved_pbx_goes_on_where_it_was() {
    let mut before = pbx();
    let location = ask(&mut before, 0).header("location").expect("an address").to_owned();
    let mut after = Mango::load(&before.save()).expect("a saved state");
    assert_eq!(fetch(&mut after, &location, 1).status, 200);
    assert_eq!(fetch(&mut after, &location, 2).status, 404);
}
