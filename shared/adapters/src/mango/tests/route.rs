//! A call is taken to an employee by one command, with a name that telephones can show.

use std::collections::BTreeMap;

use perezvon_domain::{Command, EffectId, JobResult, Timestamp};

use super::{FORM, golden, ours, request, secret, verified};
use crate::secret::Secret;
use crate::{Jobs, Known, Learned, Level, Outcome, Outgoing, Reply, Step, Work};

use super::super::Mango;

const NOW: Timestamp = Timestamp::from_seconds(1_760_000_001);
const LEG: &str = "MToxMDAwMDAwMToxMDA6MTAwMDE6MQ==";

fn work(name: &str) -> Work {
    let command = Command::RouteCall { leg: LEG.to_owned(), extension: "0511".into(), name: name.to_owned() };
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    let id = EffectId::from("call/main/MTAwMDAwMDAwMDE=/3/0");
    Work { id, command, progress, unknown: false, sent_at: None, learned }
}

fn with<T>(secret: &Secret, facts: &BTreeMap<String, String>, now: Timestamp, see: impl FnOnce(&Known<'_>) -> T) -> T {
    let (point, recording_link, base) = (None, None, "https://app.mango-office.ru/vpbx");
    see(&Known { now, base, secret, facts, point, recording_link, lag: None })
}

fn next(work: &Work) -> Step {
    with(&ours(), &BTreeMap::new(), NOW, |known| Mango.next(work, known))
}

fn written(work: &Work) -> Outgoing {
    let Step::Write { request, marker } = next(work) else { panic!("a write was expected") };
    assert_eq!((Mango.markers()[marker].level, Mango.markers()[marker].entity), (Level::E0, "route"));
    request
}

fn absorb(work: &mut Work, status: u16, body: &str) -> Outcome {
    let reply = Reply { status, headers: BTreeMap::new(), body: body.as_bytes().to_vec(), stored: None };
    with(&ours(), &BTreeMap::new(), NOW, |known| Mango.absorb(work, known, &reply))
}

fn json_of(name: &str) -> String {
    verified(&request("events/call", FORM, written(&work(name)).body)).expect("a signed form")
}

fn shown(name: &str) -> Option<String> {
    let asked: serde_json::Value = serde_json::from_str(&json_of(name)).expect("JSON");
    asked["sip_headers"]["From/display-name"].as_str().map(str::to_owned)
}

#[test]
fn the_command_names_the_leg_the_employee_and_the_client_in_the_documented_order() {
    golden("route", &written(&work("Ольга Иванова")));
    let json = r#"{"command_id":"call/main/MTAwMDAwMDAwMDE=/3/0","call_id":"MToxMDAwMDAwMToxMDA6MTAwMDE6MQ==","to_number":"0511","sip_headers":{"From/display-name":"Ольга Иванова"}}"#;
    assert_eq!(json_of("Ольга Иванова"), json);
}

#[test]
fn a_name_is_cut_at_64_bytes_and_never_inside_a_character() {
    assert_eq!(shown(&"ж".repeat(32)), Some("ж".repeat(32)), "64 bytes");
    assert_eq!(shown(&"ж".repeat(33)), Some("ж".repeat(32)));
    assert_eq!(shown(&format!("a{}", "ж".repeat(32))), Some(format!("a{}", "ж".repeat(31))), "63 bytes");
    assert_eq!(shown(&"😀".repeat(17)), Some("😀".repeat(16)));
    assert_eq!(shown(&format!("{} я", "ж".repeat(31))), Some("ж".repeat(31)), "and not behind a blank");
}

#[test]
fn characters_for_which_a_name_would_not_be_shown_become_blanks_and_no_name_is_no_header() {
    assert_eq!(shown("ООО «Ромашка»; Иван/Пётр, $5 =\n+7@x").as_deref(), Some("ООО «Ромашка» Иван Пётр 5 7 x"));
    for nameless in ["", "  ", "+:;"] {
        assert!(!json_of(nameless).contains("sip_headers"), "{nameless:?}");
    }
}

#[test]
fn an_id_that_is_too_long_for_the_provider_is_left_out() {
    let mut long = work("Ольга");
    long.id = EffectId(format!("call/main/{}/3/0", "a".repeat(128)));
    let json = verified(&request("events/call", FORM, written(&long).body)).expect("a signed form");
    assert!(json.starts_with(r#"{"command_id":"perezvon","call_id""#), "{json}");
}

#[test]
fn a_command_that_was_taken_is_done_and_a_lost_race_is_no_failure() {
    for (status, body) in [(200, r#"{"result":1000}"#), (200, r#"{"result":"1000"}"#)] {
        let mut work = work("Ольга");
        assert_eq!(absorb(&mut work, status, body), Outcome::Next, "{body}");
        assert_eq!(next(&work), Step::Done(JobResult::Routed), "{body}");
    }
    for (status, body) in [(200, r#"{"result":4101}"#), (420, r#"{"code":"4100"}"#)] {
        let mut work = work("Ольга");
        assert_eq!(absorb(&mut work, status, body), Outcome::Next, "{body}");
        let Step::Done(JobResult::Dropped { because }) = next(&work) else { panic!("{body}: dropped") };
        assert_eq!(because.code, "route_over_there");
    }
}

#[test]
fn every_other_answer_leads_somewhere_and_none_to_a_repetition_on_a_guess() {
    let refused = |body: &str| match absorb(&mut work("Ольга"), 200, body) {
        Outcome::Failed(JobResult::Failed { why, .. }) => why,
        other => panic!("{body}: {other:?}"),
    };
    assert!(refused(r#"{"result":3200}"#).contains("неверный номер абонента"));
    assert!(refused(r#"{"result":2230}"#).contains("услуга не подключена"));
    for (status, body) in [(429, ""), (401, ""), (403, "<html>"), (200, r#"{"result":3102}"#)] {
        let outcome = absorb(&mut work("Ольга"), status, body);
        assert!(matches!(outcome, Outcome::Pause { .. }), "{status} {body}: {outcome:?}");
    }
    for (status, body) in [(200, ""), (200, "<html>"), (502, "<html>"), (503, ""), (302, "")] {
        let outcome = absorb(&mut work("Ольга"), status, body);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{status} {body}: {outcome:?}");
    }
}

#[test]
fn the_next_command_waits_its_turn_and_longer_after_a_bad_request() {
    let waits = |body: &str| {
        let mut first = work("Ольга");
        absorb(&mut first, 200, body);
        let step = with(&ours(), &first.learned.facts, NOW, |known| Mango.next(&work("Иван"), known));
        match step {
            Step::Wait { until, .. } => until.since(NOW).0 / 1000,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!([r#"{"result":1000}"#, r#"{"result":4101}"#, r#"{"result":3200}"#].map(waits), [3, 3, 125]);
    let facts = BTreeMap::from([("next:commands/route".to_owned(), NOW.0.to_string())]);
    let step = with(&ours(), &facts, NOW, |known| Mango.next(&work("Иван"), known));
    assert!(matches!(step, Step::Write { .. }), "{step:?}");
}

#[test]
fn without_a_secret_it_waits_for_one() {
    let step = with(&secret("key", ""), &BTreeMap::new(), NOW, |known| Mango.next(&work("Ольга"), known));
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
}
