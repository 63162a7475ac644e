//! Specs of `LogCall`.

use super::*;
use perezvon_domain::event::Direction;
use perezvon_domain::job::{CallLog, Logged, Outcome as How, RecordingLink};
use perezvon_domain::time::Millis;

pub(super) fn log() -> CallLog {
    CallLog {
        uniq: "call/pbx-1/entry-1".into(),
        number: number(),
        direction: Direction::Incoming,
        outcome: How::Answered,
        started_at: NOW,
        seconds: 60,
        responsible: Some(crm("504002")),
        recording: Some(RecordingLink {
            recording: "rec-1".into(),
            generation: 1,
            outside: Some("https://pbx.example.test/rec-1".into()),
        }),
        contact: Some(crm("7143600")),
        deal: Some(crm("3912180")),
    }
}

pub(super) fn play(log: CallLog) -> Play {
    Play::new(Command::LogCall(Box::new(log)))
}

fn logged(play: &Play) -> Logged {
    match play.done() {
        JobResult::CallLogged(logged) => logged,
        other => panic!("logged, not {other:?}"),
    }
}

fn on_the_deal(note: &str, fallback: bool) -> Logged {
    let (entity_kind, entity) = ("leads".to_owned(), crm("3912180"));
    Logged { note: crm(note), entity_kind, entity, fallback }
}

/// amoCRM does not find the number for a minute: the note is next.
fn at_the_note(log: CallLog) -> Play {
    let mut play = play(log);
    while !play.work.progress.contains_key("fallback") {
        assert_eq!(play.write("", "call", 400, &sample("call-nobody")), Outcome::Next);
        play.now = play.now.after(Millis::seconds(10));
    }
    play
}

#[test]
fn a_connection_with_a_lag_of_its_own_is_patient_for_so_long() {
    let mut play = play(log());
    play.lag = Some(Millis(0));
    assert_eq!(play.write("", "call", 400, &sample("call-nobody")), Outcome::Next);
    assert!(play.work.progress.contains_key("fallback"), "asked once, then the note");
}

fn notes(uniq: &str) -> Value {
    let other = json!({ "id": 1, "params": { "uniq": "another" } });
    let ours = json!({ "id": 42_888_900, "params": { "uniq": uniq } });
    json!({ "_embedded": { "notes": [other, ours] } })
}

fn body_of(play: &Play) -> Value {
    let Step::Write { request, .. } = play.next() else { panic!("a write") };
    serde_json::from_slice(&request.body).expect("JSON")
}

#[test]
fn a_call_is_placed_by_the_crm() {
    let mut play = play(log());
    play.link = Some("https://hub.example.test/rec/signed".into());
    assert_eq!(play.write("log-call", "call", 200, &sample("call-placed")), Outcome::Next);
    assert_eq!(logged(&play), on_the_deal("42888900", false));
}

#[test]
fn a_call_without_a_recording_carries_no_link_at_all() {
    let body = body_of(&play(CallLog { recording: None, ..log() }));
    assert!(body[0].get("link").is_none());
    assert_eq!(body_of(&play(log()))[0]["link"], "https://pbx.example.test/rec-1");
}

#[test]
fn results_and_directions_are_told_in_their_codes() {
    let cases = [
        (How::Answered, Direction::Incoming, 4, "inbound"),
        (How::NotAnswered, Direction::Outgoing, 6, "outbound"),
        (How::Busy, Direction::Outgoing, 7, "outbound"),
    ];
    for (outcome, direction, status, word) in cases {
        let body = body_of(&play(CallLog { outcome, direction, ..log() }));
        assert_eq!((&body[0]["call_status"], &body[0]["direction"]), (&json!(status), &json!(word)));
    }
}

#[test]
fn a_call_without_a_contact_is_searched_and_not_placed_if_nobody_has_the_number() {
    let mut play = play(CallLog { contact: None, deal: None, ..log() });
    play.read("find-search", 204, &Value::Null);
    assert_eq!(play.done(), JobResult::CallNotPlaced);
}

#[test]
fn a_call_without_a_contact_goes_on_with_the_one_found() {
    let mut play = play(CallLog { contact: None, deal: None, ..log() });
    play.read("", 200, &sample("contacts-found"));
    play.write("", "call", 200, &sample("call-placed"));
    assert_eq!(logged(&play).note, crm("42888900"));
}

#[test]
fn the_kind_of_entity_is_told_in_the_plural() {
    for (told, kind) in [(json!("contact"), "contacts"), (json!("leads"), "leads"), (json!(3), "companies")] {
        let mut body = sample("call-placed");
        body["_embedded"]["calls"][0]["entity_type"] = told;
        let mut play = play(log());
        play.write("", "call", 200, &body);
        assert_eq!(logged(&play).entity_kind, kind);
    }
}

#[test]
fn a_number_not_found_yet_is_asked_again_in_ten_seconds() {
    let mut play = play(log());
    assert_eq!(play.write("", "call", 400, &sample("call-nobody")), Outcome::Next);
    let Step::Wait { until, .. } = play.next() else { panic!("a wait") };
    assert_eq!(until.since(NOW), Millis::seconds(10));
    play.now = until;
    play.write("", "call", 200, &sample("call-placed"));
    assert_eq!(logged(&play), on_the_deal("42888900", false));
}

#[test]
fn an_error_in_a_success_counts_as_the_error_it_is() {
    let mut play = play(log());
    assert_eq!(play.write("", "call", 200, &sample("call-nobody")), Outcome::Next);
    assert!(matches!(play.next(), Step::Wait { .. }));
}

#[test]
fn after_a_minute_the_call_becomes_a_note_on_the_deal() {
    let mut play = at_the_note(log());
    assert_eq!(play.now.since(NOW), Millis::seconds(70));
    play.write("log-call-note", "call", 200, &sample("notes-created"));
    assert_eq!(logged(&play), on_the_deal("42888817", true));
}

#[test]
fn a_deal_deleted_meanwhile_leaves_the_note_to_the_contact() {
    let mut play = at_the_note(log());
    assert_eq!(play.write("", "call", 404, &Value::Null), Outcome::Next);
    play.write("", "call", 200, &sample("notes-created"));
    assert_eq!(logged(&play).entity_kind, "contacts");
}

#[test]
fn a_lost_call_is_looked_up_on_the_deal() {
    let mut play = play(log());
    play.lose("call");
    let outcome = play.read("log-call-look-deal", 200, &notes("call/pbx-1/entry-1"));
    assert_eq!(outcome, Outcome::Next);
    assert_eq!(logged(&play), on_the_deal("42888900", false));
}

#[test]
fn a_lost_call_is_looked_up_on_the_contact_and_its_other_deals() {
    let mut play = play(log());
    play.lose("call");
    play.read("", 200, &notes("no"));
    play.read("log-call-look-contact", 204, &Value::Null);
    let leads = json!([{ "id": 3_912_180 }, { "id": 3_912_171 }]);
    play.read("", 200, &json!({ "_embedded": { "leads": leads } }));
    play.read("log-call-look-further", 200, &notes("call/pbx-1/entry-1"));
    assert_eq!(logged(&play).entity, crm("3912171"));
}

#[test]
fn a_lost_call_that_is_nowhere_is_sent_again() {
    let mut play = play(CallLog { deal: None, ..log() });
    play.lose("call");
    play.read("", 204, &Value::Null);
    assert_eq!(play.read("", 200, &json!({})), Outcome::Next);
    play.write("", "call", 200, &sample("call-placed"));
    assert_eq!(logged(&play).note, crm("42888900"));
}

#[test]
fn a_refused_call_says_why() {
    let body = json!({ "errors": [{ "status": 400, "title": "phone is invalid" }] });
    for status in [200, 400] {
        let outcome = play(log()).write("", "call", status, &body);
        let Outcome::Failed(JobResult::Failed { why, .. }) = outcome else { panic!("failed") };
        assert!(why.contains("phone is invalid"), "{why}");
    }
}
