//! Specs of `Amend`.

use super::*;
use perezvon_domain::job::{Amendment, CallLog, Logged};

fn logged() -> Logged {
    Logged { note: crm("42888900"), entity_kind: "leads".into(), entity: crm("3912180"), fallback: false }
}

fn play(amendment: Amendment) -> Play {
    Play::new(Command::Amend(amendment))
}

pub(super) fn recording() -> Play {
    let log = Box::new(super::calls::log());
    let mut play = play(Amendment::AddRecording { logged: logged(), log });
    play.link = Some("https://hub.example.test/rec/signed".into());
    play
}

fn correct() -> Play {
    let (marker, text) = ("call/1#Answered-60".into(), "Уточнение к звонку: занято".into());
    play(Amendment::Correct { logged: logged(), marker, text })
}

pub(super) fn reassign() -> Play {
    play(Amendment::Reassign {
        contact: Some(crm("7143600")),
        deal: Some(crm("3912180")),
        task: Some(crm("4745251")),
        responsible: crm("504001"),
    })
}

fn complete() -> Play {
    let (task, text) = (crm("4745251"), "Звонок всё-таки был отвечен".into());
    play(Amendment::CompleteTask { task, text })
}

fn service_note(text: &str) -> Value {
    json!({ "_embedded": { "notes": [{ "id": 5, "params": { "text": text } }] } })
}

#[test]
fn a_late_recording_goes_into_the_same_record() {
    let mut play = recording();
    assert_eq!(play.write("amend-recording", "patch", 200, &json!({ "id": 1 })), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn a_lost_patch_is_looked_up_in_the_note() {
    let mut play = recording();
    play.lose("patch");
    let note = json!({ "id": 42_888_900, "params": { "link": null } });
    assert_eq!(play.read("amend-recording-look", 200, &note), Outcome::NotThere);
    play.lose("patch");
    let note = json!({ "params": { "link": "https://hub.example.test/rec/signed" } });
    assert_eq!(play.read("amend-recording-look", 200, &note), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn the_old_link_in_the_note_is_not_taken_for_the_new_one() {
    let mut play = recording();
    play.lose("patch");
    let note = json!({ "params": { "link": "https://hub.example.test/rec/signed-before" } });
    assert_eq!(play.read("amend-recording-look", 200, &note), Outcome::NotThere);
    assert_eq!(play.write("amend-recording", "patch", 200, &json!({ "id": 1 })), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn a_record_that_cannot_be_changed_gets_a_service_note_once() {
    for status in [400, 404, 405] {
        let mut play = recording();
        assert_eq!(play.write("", "patch", status, &Value::Null), Outcome::Next);
        play.lose("note");
        assert_eq!(play.read("", 200, &service_note("Запись разговора: x #other")), Outcome::NotThere);
        play.write("amend-recording-note", "note", 200, &sample("notes-created"));
        assert_eq!(play.done(), JobResult::Amended);
    }
}

#[test]
fn a_lost_service_note_is_found_by_the_effect_at_its_end() {
    let mut play = recording();
    play.write("", "patch", 405, &Value::Null);
    play.lose("note");
    let note = service_note("Запись разговора: https://old.test #call/pbx-1/entry-1/3/0");
    assert_eq!(play.read("", 200, &note), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn a_recording_without_a_link_is_given_up_with_a_reason() {
    let log = Box::new(CallLog { recording: None, ..super::calls::log() });
    let play = play(Amendment::AddRecording { logged: logged(), log });
    assert!(matches!(play.next(), Step::Failed(JobResult::Failed { .. })));
}

#[test]
fn a_correction_is_one_service_note_with_its_marker() {
    let mut play = correct();
    play.lose("note");
    assert_eq!(play.read("amend-correct-look", 204, &Value::Null), Outcome::NotThere);
    play.write("amend-correct", "note", 200, &sample("notes-created"));
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn a_lost_correction_is_found_by_its_marker() {
    let mut play = correct();
    play.lose("note");
    let note = service_note("Уточнение к звонку: занято [call/1#Answered-60]");
    assert_eq!(play.read("", 200, &note), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn all_records_change_hands_one_after_another() {
    let mut play = reassign();
    play.write("amend-reassign-contact", "patch", 200, &json!({ "id": 7_143_600 }));
    play.write("amend-reassign-deal", "patch", 404, &json!({ "title": "Not Found" }));
    play.write("amend-reassign-task", "patch", 200, &json!({ "id": 4_745_251 }));
    assert_eq!(play.done(), JobResult::Amended);
}

#[test]
fn a_lost_change_of_hands_is_seen_on_the_entity() {
    let mut play = reassign();
    play.lose("patch");
    let contact = json!({ "responsible_user_id": "504001" });
    assert_eq!(play.read("amend-reassign-contact-look", 200, &contact), Outcome::Next);
    play.write("amend-reassign-deal", "patch", 200, &json!({}));
}

#[test]
fn a_task_is_completed_and_a_deleted_one_is_fine() {
    for status in [200, 404] {
        let mut play = complete();
        let outcome = play.write("amend-complete", "patch", status, &json!({ "id": 4_745_251 }));
        assert_eq!(outcome, Outcome::Next);
        assert_eq!(play.done(), JobResult::Amended);
    }
}

#[test]
fn a_lost_completion_is_seen_on_the_task() {
    let mut play = complete();
    play.lose("patch");
    assert_eq!(play.read("amend-complete-look", 200, &json!({ "is_completed": true })), Outcome::Next);
    assert_eq!(play.done(), JobResult::Amended);
}
