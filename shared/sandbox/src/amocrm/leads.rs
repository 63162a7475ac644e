//! Deals: make with their contacts, read, change.

use serde_json::{Value, json};

use super::cards::{self, Change};
use super::directory::{self, ACCOUNT, FIRST_STATUS, OWNER, PIPELINE};
use super::item::{self, Item};
use super::model::{Kind, Lead};
use super::{AmoCrm, Call, fields, hal, list, not_found, wrong_method};
use crate::http::Response;

const KEYS: [&str; 5] = ["price", "status_id", "pipeline_id", "closed_at", "loss_reason_id"];

/// What a request wants of a deal.
struct Wanted {
    card: Change,
    price: Option<i64>,
    status_id: Option<u64>,
    closed_at: Option<i64>,
    contacts: Vec<u64>,
}

impl Wanted {
    fn apply(&mut self, lead: &mut Lead, now_ms: i64) {
        if let Some(name) = self.card.name.take() {
            lead.name = name;
        }
        if let Some(price) = self.price {
            lead.price = price;
        }
        if let Some(responsible) = self.card.responsible {
            lead.responsible = responsible;
        }
        if let Some(status_id) = self.status_id {
            lead.move_to(status_id, now_ms);
        }
        if self.closed_at.is_some() {
            lead.closed_at = self.closed_at;
        }
        fields::apply(&mut lead.fields, std::mem::take(&mut self.card.fields));
    }
}

impl Lead {
    /// Puts the deal into a status; won and lost close it.
    pub(super) fn move_to(&mut self, status_id: u64, now_ms: i64) {
        let now_s = now_ms.div_euclid(1000);
        self.status_id = status_id;
        self.closed_at = directory::is_closed(status_id).then_some(now_s);
        self.stamp.updated_at = now_s;
    }
}

impl AmoCrm {
    pub(super) fn leads_of_all(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        match call.request.method.as_str() {
            "GET" => self.list_leads(call),
            "POST" => self.make_leads(call),
            _ => Err(wrong_method()),
        }
    }

    pub(super) fn lead(&mut self, id: u64, call: &Call<'_>) -> Result<Response, Response> {
        let found = self.leads.iter().position(|lead| lead.id == id);
        match (call.request.method.as_str(), found) {
            ("GET", Some(place)) => {
                let contacts = call.query.with("contacts");
                Ok(hal(200, &self.lead_json(&self.leads[place], contacts)))
            }
            ("GET", None) => Ok(self.missing()),
            ("PATCH", Some(place)) if !self.leads[place].deleted => self.change_lead(place, call),
            ("PATCH", _) => Err(not_found()),
            _ => Err(wrong_method()),
        }
    }

    /// Deleted deals are listed when they are asked for by id: the caller must look at the flag.
    fn list_leads(&self, call: &Call<'_>) -> Result<Response, Response> {
        call.query.only_filters(&["id"])?;
        let by_id = call.query.filter("id").is_some();
        let query = call.query.get("query");
        let lag = query.map_or(0, |_| self.config.search_lag_ms).max(self.config.list_lag_ms);
        let found = |lead: &&Lead| {
            (by_id || !lead.deleted)
                && lead.stamp.visible(lag, call.now_ms)
                && call.query.passes("id", &lead.id.to_string())
                && query.is_none_or(|query| cards::matches(query, &lead.name, &[]))
        };
        let all: Vec<&Lead> = self.leads.iter().filter(found).collect();
        let contacts = call.query.with("contacts");
        let render = |lead: &&Lead| self.lead_json(lead, contacts);
        list::page(call, &self.config.base, "leads", &all, render)
    }

    fn make_leads(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let given = item::batch(&call.request.body, |item| self.read_lead(true, item))?;
        let mut made = Vec::with_capacity(given.len());
        for mut given in given {
            self.ids.lead += 1;
            let id = self.ids.lead;
            let mut lead = Lead {
                id,
                name: format!("Сделка #{id}"),
                price: 0,
                pipeline_id: PIPELINE,
                status_id: FIRST_STATUS,
                responsible: OWNER,
                contacts: std::mem::take(&mut given.what.contacts),
                tags: Vec::new(),
                fields: Vec::new(),
                deleted: false,
                closed_at: None,
                stamp: given.what.card.by.stamp(call.now_ms),
            };
            given.what.apply(&mut lead, call.now_ms);
            self.retag(&mut lead.tags, given.what.card.tags);
            made.push(json!({
                "id": id,
                "request_id": given.request_id,
                "_links": self.self_link(&format!("/api/v4/leads/{id}")),
            }));
            self.leads.push(lead);
        }
        Ok(self.made(call, "leads", made))
    }

    fn change_lead(&mut self, place: usize, call: &Call<'_>) -> Result<Response, Response> {
        let mut wanted = item::single(&call.request.body, |item| self.read_lead(false, item))?;
        let mut lead = self.leads[place].clone();
        wanted.apply(&mut lead, call.now_ms);
        wanted.card.by.touch(&mut lead.stamp, call.now_ms);
        self.retag(&mut lead.tags, wanted.card.tags);
        let body = json!({
            "id": lead.id,
            "updated_at": lead.stamp.updated_at,
            "_links": self.self_link(&format!("/api/v4/leads/{}", lead.id)),
        });
        self.leads[place] = lead;
        Ok(hal(200, &body))
    }

    /// Contacts are linked when a deal is made, not by a later PATCH.
    fn read_lead(&self, new: bool, item: &mut Item<'_>) -> Wanted {
        let mut contacts = Vec::new();
        let card = self.read_card(Kind::Leads, &KEYS, item, |inner| {
            inner.only(if new { &["tags", "contacts"] } else { &["tags"] });
            if new {
                contacts = self.read_contacts(inner);
            }
        });
        item.known("pipeline_id", |id| id == PIPELINE);
        item.known("loss_reason_id", |_| false);
        Wanted {
            card,
            price: item.integer("price"),
            status_id: item.known("status_id", directory::is_status),
            closed_at: item.integer("closed_at"),
            contacts,
        }
    }

    /// Ids of the contacts, the main one first.
    fn read_contacts(&self, inner: &mut Item<'_>) -> Vec<u64> {
        let linked = inner.each("contacts", |contact| {
            contact.only(&["id", "is_main"]);
            contact.required(&["id"]);
            let main = contact.flag("is_main").unwrap_or_default();
            (!main, contact.known("id", |id| self.has_card(Kind::Contacts, id)))
        });
        let mut linked = linked.unwrap_or_default();
        linked.sort_by_key(|(not_main, _)| *not_main);
        linked.into_iter().filter_map(|(_, id)| id).collect()
    }

    fn lead_json(&self, lead: &Lead, with_contacts: bool) -> Value {
        let mut embedded = json!({ "tags": self.tags_json(&lead.tags), "companies": [] });
        if with_contacts {
            let one = |(place, id): (usize, &u64)| {
                let path = format!("/api/v4/contacts/{id}");
                json!({ "id": id, "is_main": place == 0, "_links": self.self_link(&path) })
            };
            embedded["contacts"] = lead.contacts.iter().enumerate().map(one).collect();
        }
        json!({
            "id": lead.id,
            "name": lead.name,
            "price": lead.price,
            "responsible_user_id": lead.responsible,
            "group_id": 0,
            "status_id": lead.status_id,
            "pipeline_id": lead.pipeline_id,
            "loss_reason_id": null,
            "source_id": null,
            "created_by": lead.stamp.created_by,
            "updated_by": 0,
            "created_at": lead.stamp.created_at,
            "updated_at": lead.stamp.updated_at,
            "closed_at": lead.closed_at,
            "closest_task_at": self.closest_task(Kind::Leads, lead.id),
            "is_deleted": lead.deleted,
            "custom_fields_values": self.fields_json(&lead.fields),
            "score": null,
            "account_id": ACCOUNT,
            "labor_cost": null,
            "_links": self.self_link(&format!("/api/v4/leads/{}", lead.id)),
            "_embedded": embedded,
        })
    }
}
