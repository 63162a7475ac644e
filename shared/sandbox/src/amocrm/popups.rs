//! `POST /api/v2/events`: shows users who calls, and keeps nothing that the interface could be asked for.

use serde_json::{Value, json};

use super::cards::only_digits;
use super::model::{Contact, Kind, Popup};
use super::{AmoCrm, Call, hal, problem, wrong_method};
use crate::http::Response;

impl AmoCrm {
    pub(super) fn show_popups(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        if call.request.method != "POST" {
            return Err(wrong_method());
        }
        let body: Value = serde_json::from_slice(&call.request.body).unwrap_or_default();
        let given = body["add"].as_array().filter(|given| !given.is_empty());
        let given = given.ok_or_else(|| problem(400, "add: an array of events is expected"))?;
        let mut items = Vec::new();
        for one in given {
            let phone = one["phone_number"].as_str().filter(|phone| !only_digits(phone).is_empty());
            let (Some("phone_call"), Some(phone)) = (one["type"].as_str(), phone) else {
                return Err(problem(400, "type and phone_number are required"));
            };
            let popup = Popup {
                phone: phone.to_owned(),
                users: users(&one["users"]),
                card: self.card_of(phone),
                at_ms: call.now_ms,
            };
            items.push(json!({
                "element_id": popup.card.map(|(_, id)| id),
                "element_type": popup.card.map(|(kind, _)| if kind == Kind::Contacts { 1 } else { 2 }),
                "uid": format!("0e000000-67aa-4779-bebe-{:012}", self.popups.len() + 1),
                "phone_number": phone,
            }));
            self.popups.push(popup);
        }
        let links = json!({ "self": { "href": "/api/v2/events", "method": "post" } });
        Ok(hal(200, &json!({ "_links": links, "_embedded": { "items": items } })))
    }

    /// By the last eight digits, the oldest contact; its one active deal, if it has one.
    fn card_of(&self, phone: &str) -> Option<(Kind, u64)> {
        let tail = |phone: &str| {
            let digits = only_digits(phone);
            digits[digits.len().saturating_sub(8)..].to_owned()
        };
        let has_it =
            |contact: &&Contact| !contact.deleted && contact.phones.iter().any(|known| tail(known) == tail(phone));
        let contact = self.contacts.iter().filter(has_it).min_by_key(|it| (it.stamp.created_at, it.id))?.id;
        let mut active = self.leads.iter().filter(|lead| lead.contacts.contains(&contact) && lead.is_active());
        match (active.next(), active.next()) {
            (Some(lead), None) => Some((Kind::Leads, lead.id)),
            _ => Some((Kind::Contacts, contact)),
        }
    }
}

/// One id, or an array of them.
fn users(given: &Value) -> Vec<u64> {
    match given {
        Value::Array(users) => users.iter().filter_map(Value::as_u64).collect(),
        one => one.as_u64().into_iter().collect(),
    }
}
