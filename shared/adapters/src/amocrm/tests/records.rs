//! Specs of `MakeRecords`.

use super::*;
use perezvon_domain::job::{ContactPlan, DealPlan, FieldValue, RecordPlan, Records, TaskPlan};

fn field(field: &str, value: &str) -> FieldValue {
    FieldValue { field: field.into(), value: value.into() }
}

pub(super) fn plan() -> RecordPlan {
    RecordPlan {
        client: number().into(),
        only_new: false,
        known_contact: None,
        contact: Some(ContactPlan {
            name: "Клиент +79990001122".into(),
            tags: vec!["звонок".into()],
            fields: vec![field("POSITION", "Директор"), field("700001", "реклама")],
            responsible: Some(crm("504002")),
        }),
        deal: Some(DealPlan {
            marker: "call/pbx-1/entry-1".into(),
            name: "Звонок +79990001122".into(),
            pipeline: Some(3_177_727),
            status: Some(32_392_159),
            tags: vec!["звонок".into()],
            fields: vec![field("700010", "+74950000001")],
            responsible: Some(crm("504002")),
        }),
        task: Some(TaskPlan {
            text: "Перезвонить +79990001122".into(),
            due_at: Timestamp::from_seconds(1_737_000_000),
            kind: None,
            responsible: Some(crm("504002")),
            unless_reached_since: Some(NOW),
        }),
    }
}

pub(super) fn play(plan: RecordPlan) -> Play {
    Play::new(Command::MakeRecords(Box::new(plan)))
}

/// A known client and a known field: the deal is next.
fn at_the_deal() -> Play {
    let mut play = play(RecordPlan { known_contact: Some(crm("7143599")), contact: None, ..plan() });
    play.facts.insert("deal_marker_field".into(), "700900".into());
    play
}

fn at_the_contact() -> Play {
    let mut play = play(plan());
    play.point.claimed = true;
    play.read("", 204, &Value::Null);
    play
}

fn marked_lead(field: u64) -> Value {
    let values = json!([{ "value": "call/pbx-1/entry-1" }]);
    let lead = json!({
        "id": 3_912_180,
        "custom_fields_values": [{ "field_id": field, "values": values }],
    });
    json!({ "_embedded": { "leads": [{ "id": 3_912_171, "custom_fields_values": null }, lead] } })
}

fn contact_with_leads() -> Value {
    let leads = json!([{ "id": 3_912_171 }, { "id": "3912180" }]);
    json!({ "id": 7_143_599, "_embedded": { "leads": leads } })
}

fn made(play: &Play) -> Records {
    match play.done() {
        JobResult::RecordsMade(records) => records,
        other => panic!("records, not {other:?}"),
    }
}

#[test]
fn a_new_client_gets_contact_field_deal_and_task_in_turn() {
    let mut play = play(plan());
    play.read("", 204, &Value::Null);
    assert_eq!(play.next(), Step::Claim);
    play.point.claimed = true;
    play.write("make-contact", "contact", 200, &sample("contact-created"));
    assert_eq!(play.point.contact, Some(crm("7143600")));
    play.read("make-field-list", 204, &Value::Null);
    let field = json!({ "_embedded": { "custom_fields": [{ "id": 700_900 }] } });
    play.write("make-field", "field", 200, &field);
    assert_eq!(play.facts.get("deal_marker_field").map(String::as_str), Some("700900"));
    play.write("make-deal", "deal", 200, &sample("deal-created"));
    play.write("make-task", "task", 200, &sample("task-created"));
    let records = Records {
        contact: Some(crm("7143600")),
        contact_made: true,
        deal: Some(crm("3912180")),
        task: Some(crm("4745251")),
        task_needless: false,
    };
    assert_eq!(made(&play), records);
}

#[test]
fn a_client_found_meanwhile_is_used_and_not_made_again() {
    let mut play = play(RecordPlan { deal: None, task: None, ..plan() });
    play.read("", 200, &sample("contacts-found"));
    let records = made(&play);
    assert_eq!((records.contact, records.contact_made), (Some(crm("7143599")), false));
}

#[test]
fn a_contact_made_by_another_job_meanwhile_is_used() {
    let mut play = play(RecordPlan { deal: None, task: None, ..plan() });
    play.point.contact = Some(crm("7143600"));
    assert_eq!(made(&play).contact, Some(crm("7143600")));
}

#[test]
fn a_lost_contact_is_looked_up_by_its_number() {
    let mut play = at_the_contact();
    play.lose("contact");
    assert_eq!(play.read("", 204, &Value::Null), Outcome::NotThere);
    play.lose("contact");
    assert_eq!(play.read("find-search", 200, &sample("contacts-found")), Outcome::Next);
    assert!(play.work.progress.contains_key("contact_made"));
    assert_eq!(play.point.contact, Some(crm("7143599")));
}

#[test]
fn the_pages_of_a_look_up_go_on_after_the_first_answer() {
    let mut play = at_the_contact();
    play.lose("contact");
    let more = json!({ "_links": { "next": { "href": "https://x.test" } } });
    assert_eq!(play.read("", 200, &more), Outcome::Next);
    let Step::Read(request) = play.next() else { panic!("the second page") };
    assert!(request.url.ends_with("&page=2"), "{}", request.url);
    assert_eq!(play.absorb(&reply(204, &Value::Null)), Outcome::Next);
    play.write("make-contact", "contact", 200, &sample("contact-created"));
}

#[test]
fn a_creation_without_an_id_in_its_answer_is_unknown() {
    let mut play = at_the_contact();
    let outcome = play.write("", "contact", 200, &json!({ "_embedded": {} }));
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    assert!(matches!(play.next(), Step::Read(_)));
}

#[test]
fn a_lost_deal_is_looked_up_through_the_contacts_deals() {
    let mut play = at_the_deal();
    play.lose("deal");
    assert_eq!(play.read("make-deal-look-contact", 200, &contact_with_leads()), Outcome::Next);
    assert_eq!(play.read("make-deal-look", 200, &marked_lead(700_900)), Outcome::Next);
    play.write("", "task", 200, &sample("task-created"));
    assert_eq!(made(&play).deal, Some(crm("3912180")));
}

#[test]
fn a_deal_that_is_not_among_the_contacts_deals_is_sent_again() {
    let mut play = at_the_deal();
    play.lose("deal");
    play.read("", 200, &contact_with_leads());
    assert_eq!(play.read("", 200, &marked_lead(1)), Outcome::Next);
    play.lose("deal");
    assert_eq!(play.read("", 200, &json!({ "id": 7_143_599 })), Outcome::NotThere);
    assert_eq!(play.write("", "deal", 200, &sample("deal-created")), Outcome::Next);
}

#[test]
fn a_lost_field_and_a_listed_field_are_found_by_their_code() {
    let fields = json!({ "_embedded": { "custom_fields": [
        { "id": 1, "code": null }, { "id": "700900", "code": "PEREZVON_ID" },
    ] } });
    for lost in [false, true] {
        let mut play = at_the_deal();
        play.facts.clear();
        if lost {
            play.read("", 204, &Value::Null);
            play.lose("field");
        }
        assert_eq!(play.read("make-field-list", 200, &fields), Outcome::Next);
        assert_eq!(play.facts.get("deal_marker_field").map(String::as_str), Some("700900"));
        assert!(matches!(play.next(), Step::Write { marker: 1, .. }));
    }
}

#[test]
fn a_refused_field_says_whose_token_is_needed() {
    for status in [400, 403] {
        let mut play = at_the_deal();
        play.facts.clear();
        play.read("", 204, &Value::Null);
        let outcome = play.write("", "field", status, &json!({ "title": "Forbidden" }));
        let Outcome::Failed(JobResult::Failed { why, made }) = outcome else { panic!("failed") };
        assert!(why.contains("администратору"), "{why}");
        assert_eq!(made.and_then(|made| made.contact), Some(crm("7143599")));
    }
}

#[test]
fn a_marker_field_deleted_by_somebody_is_looked_for_once() {
    let mut play = at_the_deal();
    assert_eq!(play.write("", "deal", 400, &sample("error-validation")), Outcome::Next);
    let fields = json!({ "_embedded": { "custom_fields": [{ "id": 9, "code": "PEREZVON_ID" }] } });
    play.read("make-field-list", 200, &fields);
    let outcome = play.write("", "deal", 400, &sample("error-validation"));
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
}

#[test]
fn a_known_contact_that_is_gone_is_searched_once_again() {
    let mut play = at_the_deal();
    assert_eq!(play.write("", "deal", 404, &json!({ "title": "Not Found" })), Outcome::Next);
    play.read("find-search", 200, &sample("contacts-found"));
    let outcome = play.write("", "deal", 404, &json!({ "title": "Not Found" }));
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
}

#[test]
fn a_contact_that_is_gone_for_good_ends_the_job_with_a_reason() {
    let mut play = at_the_deal();
    play.point.contact = Some(crm("7143599"));
    play.write("", "deal", 404, &Value::Null);
    play.read("", 204, &Value::Null);
    let Step::Failed(JobResult::Failed { why, .. }) = play.next() else { panic!("failed") };
    assert!(why.contains("больше нет"), "{why}");
}

#[test]
fn a_lost_task_is_looked_up_by_text_and_due_time() {
    let mut play = at_the_deal();
    play.write("", "deal", 200, &sample("deal-created"));
    play.lose("task");
    // Reached meanwhile: the look-up comes first all the same.
    play.point.reached_at = Some(NOW);
    let task = json!({
        "id": 4_745_251,
        "text": "Перезвонить +79990001122",
        "complete_till": "1737000000",
    });
    let other = json!({ "id": 1, "text": "Перезвонить +79990001122", "complete_till": 5 });
    let tasks = json!({ "_embedded": { "tasks": [other, task] } });
    assert_eq!(play.read("make-task-look", 200, &tasks), Outcome::Next);
    assert_eq!(made(&play).task, Some(crm("4745251")));
}

#[test]
fn a_client_reached_meanwhile_needs_no_task() {
    let mut play = at_the_deal();
    play.write("", "deal", 200, &sample("deal-created"));
    play.point.reached_at = Some(NOW);
    let records = made(&play);
    assert_eq!((records.task, records.task_needless), (None, true));
}

#[test]
fn a_task_without_a_deal_stands_on_the_contact() {
    let plan = RecordPlan { known_contact: Some(crm("7143599")), contact: None, deal: None, ..plan() };
    let play = play(plan);
    let Step::Write { request, .. } = play.next() else { panic!("a task") };
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body[0]["entity_type"], "contacts");
    assert_eq!(body[0]["entity_id"], 7_143_599);
}

#[test]
fn a_refused_deal_names_the_value_and_what_was_made() {
    let mut play = at_the_contact();
    play.write("", "contact", 200, &sample("contact-created"));
    play.facts.insert("deal_marker_field".into(), "700900".into());
    let error = json!({ "code": "NotSupportedChoice", "path": "status_id", "detail": "Invalid." });
    let body = json!({ "validation-errors": [{ "errors": [error] }] });
    let outcome = play.write("", "deal", 400, &body);
    let Outcome::Failed(JobResult::Failed { why, made: Some(made) }) = outcome else {
        panic!("failed with what was made, not {outcome:?}");
    };
    assert!(why.contains("сделка") && why.contains("этап воронки (status_id)"), "{why}");
    assert_eq!((made.contact, made.contact_made), (Some(crm("7143600")), true));
}
