//! `POST /calls`: finds the card by the number and puts a note there.

use serde_json::{Value, json};

use super::cards::{Author, last_ten};
use super::directory::{ACCOUNT, OWNER, is_user};
use super::item::{self, Item};
use super::model::{Contact, Kind, Note};
use super::notes::{CALL_TEXTS, read_params};
use super::{AmoCrm, Call, hal, wrong_method};
use crate::http::Response;

const KEYS: [&str; 14] = [
    "direction",
    "duration",
    "source",
    "phone",
    "uniq",
    "link",
    "call_result",
    "call_status",
    "call_responsible",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
];

/// A call to be recorded.
struct Wanted {
    note_type: &'static str,
    phone: String,
    params: Value,
    responsible: Option<u64>,
    by: Author,
}

impl AmoCrm {
    pub(super) fn calls(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        if call.request.method != "POST" {
            return Err(wrong_method());
        }
        let given = item::batch(&call.request.body, read_call)?;
        let mut made = Vec::new();
        let mut errors = Vec::new();
        for given in given {
            let wanted = given.what;
            let Some((kind, entity_id)) = self.place_of(&wanted.phone, call.now_ms) else {
                errors.push(json!({
                    "title": "Entity not found",
                    "status": 263,
                    "detail": "",
                    "request_id": given.request_id,
                }));
                continue;
            };
            let id = self.keep_note(Note {
                id: 0,
                entity: kind,
                entity_id,
                note_type: wanted.note_type.to_owned(),
                params: wanted.params,
                responsible: wanted.responsible.unwrap_or(OWNER),
                stamp: wanted.by.stamp(call.now_ms),
            });
            let path = format!("/api/v4/{}/{entity_id}", kind.as_str());
            made.push(json!({
                "id": id,
                "entity_id": entity_id,
                "entity_type": kind.as_str().trim_end_matches('s'),
                "account_id": ACCOUNT,
                "request_id": given.request_id,
                "_embedded": { "entity": { "id": entity_id, "_links": self.self_link(&path) } },
            }));
        }
        let status = if made.is_empty() { 400 } else { 200 };
        Ok(hal(
            status,
            &json!({
                "_total_items": made.len(),
                "errors": errors,
                "_embedded": { "calls": made },
            }),
        ))
    }

    /// The one active deal of the oldest contact with this number, else the contact.
    fn place_of(&self, phone: &str, now_ms: i64) -> Option<(Kind, u64)> {
        let wanted = last_ten(phone);
        let has_it = |contact: &&Contact| {
            !wanted.is_empty()
                && !contact.deleted
                && contact.stamp.visible(self.config.search_lag_ms, now_ms)
                && contact.phones.iter().any(|phone| last_ten(phone) == wanted)
        };
        let found = self.contacts.iter().filter(has_it);
        let contact = found.min_by_key(|contact| (contact.stamp.created_at, contact.id))?.id;
        let linked = self.leads.iter().filter(|lead| lead.contacts.contains(&contact));
        let mut active = linked.filter(|lead| lead.is_active());
        match (active.next(), active.next()) {
            (Some(lead), None) => Some((Kind::Leads, lead.id)),
            _ => Some((Kind::Contacts, contact)),
        }
    }
}

fn read_call(item: &mut Item<'_>) -> Wanted {
    item.only(&KEYS);
    item.required(&["direction", "duration", "source", "phone"]);
    let note_type = match item.text("direction").as_deref() {
        Some("outbound") => "call_out",
        Some("inbound") | None => "call_in",
        Some(_) => {
            item.refuse("NotSupportedChoice", "direction");
            "call_in"
        }
    };
    Wanted {
        note_type,
        phone: item.text("phone").unwrap_or_default(),
        params: read_params(&CALL_TEXTS, true, item),
        responsible: item.known("responsible_user_id", is_user),
        by: Author::read(item),
    }
}
