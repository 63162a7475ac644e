//! Contacts: search, read, make, change.

use serde_json::{Value, json};

use super::cards::{self, Change};
use super::directory::{ACCOUNT, OWNER};
use super::item::{self, Item};
use super::model::{Contact, Kind};
use super::{AmoCrm, Call, fields, hal, list, not_found, wrong_method};
use crate::http::Response;

/// What a request wants of a contact.
struct Wanted {
    card: Change,
    first_name: Option<String>,
    last_name: Option<String>,
}

impl Wanted {
    fn apply(&mut self, contact: &mut Contact) {
        let parts = [&self.first_name, &self.last_name];
        let joined: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        let joined = (!joined.is_empty()).then(|| joined.join(" "));
        if let Some(name) = self.card.name.take().or(joined) {
            contact.name = name;
        }
        if let Some(first) = self.first_name.take() {
            contact.first_name = first;
        }
        if let Some(last) = self.last_name.take() {
            contact.last_name = last;
        }
        if let Some(responsible) = self.card.responsible {
            contact.responsible = responsible;
        }
        fields::apply(&mut contact.fields, std::mem::take(&mut self.card.fields));
        contact.phones = fields::phones(&contact.fields);
    }
}

impl AmoCrm {
    pub(super) fn contacts_of_all(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        match call.request.method.as_str() {
            "GET" => self.list_contacts(call),
            "POST" => self.make_contacts(call),
            _ => Err(wrong_method()),
        }
    }

    pub(super) fn contact(&mut self, id: u64, call: &Call<'_>) -> Result<Response, Response> {
        let found = self.contacts.iter().position(|contact| contact.id == id && !contact.deleted);
        match (call.request.method.as_str(), found) {
            ("GET", Some(place)) => {
                let leads = call.query.with("leads");
                Ok(hal(200, &self.contact_json(&self.contacts[place], leads)))
            }
            ("GET", None) => Ok(self.missing()),
            ("PATCH", Some(place)) => self.change_contact(place, call),
            ("PATCH", None) => Err(not_found()),
            _ => Err(wrong_method()),
        }
    }

    fn list_contacts(&self, call: &Call<'_>) -> Result<Response, Response> {
        call.query.only_filters(&["id"])?;
        let query = call.query.get("query");
        let lag = self.config.search_lag_ms;
        let found = |contact: &&Contact| {
            !contact.deleted
                && call.query.passes("id", &contact.id.to_string())
                && query.is_none_or(|query| {
                    contact.stamp.visible(lag, call.now_ms)
                        && (cards::matches(query, &contact.name, &contact.phones)
                            || fields::contain(&contact.fields, query))
                })
        };
        let all: Vec<&Contact> = self.contacts.iter().filter(found).collect();
        let leads = call.query.with("leads");
        let render = |contact: &&Contact| self.contact_json(contact, leads);
        list::page(call, &self.config.base, "contacts", &all, render)
    }

    fn make_contacts(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let given = item::batch(&call.request.body, |item| self.read_contact(item))?;
        let mut made = Vec::with_capacity(given.len());
        for mut given in given {
            self.ids.contact += 1;
            let mut contact = Contact {
                id: self.ids.contact,
                name: String::new(),
                first_name: String::new(),
                last_name: String::new(),
                phones: Vec::new(),
                tags: Vec::new(),
                fields: Vec::new(),
                responsible: OWNER,
                deleted: false,
                stamp: given.what.card.by.stamp(call.now_ms),
            };
            given.what.apply(&mut contact);
            self.retag(&mut contact.tags, given.what.card.tags);
            made.push(json!({
                "id": contact.id,
                "request_id": given.request_id,
                "_links": self.self_link(&format!("/api/v4/contacts/{}", contact.id)),
            }));
            self.contact_changed("add", &contact, call.now_ms);
            self.contacts.push(contact);
        }
        Ok(self.made(call, "contacts", made))
    }

    fn change_contact(&mut self, place: usize, call: &Call<'_>) -> Result<Response, Response> {
        let mut wanted = item::single(&call.request.body, |item| self.read_contact(item))?;
        let mut contact = self.contacts[place].clone();
        wanted.apply(&mut contact);
        wanted.card.by.touch(&mut contact.stamp, call.now_ms);
        self.retag(&mut contact.tags, wanted.card.tags);
        let body = json!({
            "id": contact.id,
            "name": contact.name,
            "updated_at": contact.stamp.updated_at,
            "_links": self.self_link(&format!("/api/v4/contacts/{}", contact.id)),
        });
        self.contact_changed("update", &contact, call.now_ms);
        self.contacts[place] = contact;
        Ok(hal(200, &body))
    }

    fn read_contact(&self, item: &mut Item<'_>) -> Wanted {
        let card = self.read_card(Kind::Contacts, &["first_name", "last_name"], item, |inner| {
            inner.only(&["tags"]);
        });
        Wanted { card, first_name: item.text("first_name"), last_name: item.text("last_name") }
    }

    fn contact_json(&self, contact: &Contact, with_leads: bool) -> Value {
        let mut embedded = json!({ "tags": self.tags_json(&contact.tags), "companies": [] });
        if with_leads {
            let linked = self.leads.iter().filter(|lead| lead.contacts.contains(&contact.id));
            let one = |lead: &super::Lead| {
                let path = format!("/api/v4/leads/{}", lead.id);
                json!({ "id": lead.id, "_links": self.self_link(&path) })
            };
            embedded["leads"] = linked.map(one).collect();
        }
        json!({
            "id": contact.id,
            "name": contact.name,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "responsible_user_id": contact.responsible,
            "group_id": 0,
            "created_by": contact.stamp.created_by,
            "updated_by": 0,
            "created_at": contact.stamp.created_at,
            "updated_at": contact.stamp.updated_at,
            "closest_task_at": self.closest_task(Kind::Contacts, contact.id),
            "is_deleted": contact.deleted,
            "is_unsorted": false,
            "custom_fields_values": self.fields_json(&contact.fields),
            "account_id": ACCOUNT,
            "_links": self.self_link(&format!("/api/v4/contacts/{}", contact.id)),
            "_embedded": embedded,
        })
    }
}
