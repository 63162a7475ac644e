//! A client of a chat: found and made by the id that the provider of chats gave them.

use perezvon_domain::job::{FoundClient, RecordPlan, Records};
use perezvon_domain::{ClientId, OutsideId};

use super::records::plan;
use super::*;

fn client() -> ClientId {
    OutsideId::from("chats:94235311").into()
}

/// For a new client.
fn of_chat() -> Play {
    Play::new(Command::MakeRecords(Box::new(RecordPlan { client: client(), task: None, only_new: true, ..plan() })))
}

fn fields(id: u64) -> Value {
    json!({ "_embedded": { "custom_fields": [{ "id": id, "code": "PEREZVON_ID" }] } })
}

fn marked(id: u64, marker: &str) -> Value {
    let values = json!([{ "value": marker }]);
    json!({ "id": id, "name": "Олег", "custom_fields_values": [{ "field_code": "PEREZVON_ID", "values": values }] })
}

/// Nobody is known by the id; the marker field of contacts is.
fn at_the_contact() -> Play {
    let mut play = of_chat();
    play.facts.insert("contact_marker_field".into(), "700901".into());
    play.facts.insert("deal_marker_field".into(), "700900".into());
    play.read("find-outside", 204, &Value::Null);
    assert_eq!(play.next(), Step::Claim);
    play.point.claimed = true;
    play
}

fn made(play: &Play) -> Records {
    match play.done() {
        JobResult::RecordsMade(records) => records,
        other => panic!("records, not {other:?}"),
    }
}

#[test]
fn only_the_very_id_in_our_field_is_the_client() {
    let mut play = Play::new(Command::FindClient { client: client() });
    let others =
        [marked(1, "chats:942353110"), json!({ "id": 2, "name": "chats:94235311" }), marked(3, "chats:94235311")];
    play.read("find-outside", 200, &json!({ "_embedded": { "contacts": others } }));
    let found = FoundClient { contact: crm("3"), name: "Олег".into(), responsible: None, duplicates: 0 };
    assert_eq!(play.done(), JobResult::ClientFound(Some(found)));
    assert_eq!(play.news.expect("news").client, client());
}

#[test]
fn a_new_client_gets_a_contact_with_the_id_in_a_field_of_its_own() {
    let mut play = of_chat();
    play.read("find-outside", 204, &Value::Null);
    play.read("make-contact-field-list", 204, &Value::Null);
    play.write("make-contact-field", "field", 200, &fields(700_901));
    assert_eq!(play.facts.get("contact_marker_field").map(String::as_str), Some("700901"));
    play.point.claimed = true;
    play.write("make-contact-outside", "contact", 200, &sample("contact-created"));
    assert!(play.news.as_ref().is_some_and(|news| news.made));
    play.facts.insert("deal_marker_field".into(), "700900".into());
    play.write("", "deal", 200, &sample("deal-created"));
    let records = made(&play);
    assert_eq!((records.contact_made, records.deal), (true, Some(crm("3912180"))));
}

#[test]
fn a_lost_contact_is_looked_up_by_its_marker() {
    let mut play = at_the_contact();
    play.lose("contact");
    assert_eq!(play.read("find-outside", 204, &Value::Null), Outcome::NotThere);
    play.lose("contact");
    let ours = json!({ "_embedded": { "contacts": [marked(7, "chats:94235311")] } });
    assert_eq!(play.read("find-outside", 200, &ours), Outcome::Next);
    assert!(matches!(play.next(), Step::Write { .. }), "the deal");
}

#[test]
fn a_client_who_became_known_meanwhile_gets_no_second_deal() {
    let mut play = of_chat();
    play.read("", 200, &json!({ "_embedded": { "contacts": [marked(7, "chats:94235311")] } }));
    let records = made(&play);
    assert_eq!((records.contact, records.contact_made, records.deal), (Some(crm("7")), false, None));
    let mut play = of_chat();
    play.point.contact = Some(crm("7"));
    assert_eq!(made(&play).deal, None, "as the contact point says");
    play.point.made = true;
    play.facts.insert("deal_marker_field".into(), "700900".into());
    assert!(matches!(play.next(), Step::Write { .. }), "it was this very job that made the contact, and died");
}

#[test]
fn a_marker_field_that_was_deleted_is_made_anew() {
    let mut play = at_the_contact();
    let detail = json!({ "path": "custom_fields_values.0.field_id", "code": "NotSupportedChoice", "detail": "" });
    let refusal = json!({ "validation-errors": [{ "request_id": "0", "errors": [detail] }] });
    assert_eq!(play.write("", "contact", 400, &refusal), Outcome::Next);
    play.read("make-contact-field-list", 200, &fields(700_902));
    assert!(matches!(play.next(), Step::Write { .. }), "with the new field");
}
