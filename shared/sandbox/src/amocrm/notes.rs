//! Notes on cards, those that record calls among them.

use serde_json::{Map, Value, json};

use super::cards::Author;
use super::directory::{ACCOUNT, OWNER, is_user};
use super::item::{self, Item};
use super::model::{Kind, Note};
use super::{AmoCrm, Call, hal, list, not_found, wrong_method};
use crate::http::Response;

const KEYS: [&str; 10] = [
    "id",
    "entity_id",
    "note_type",
    "params",
    "responsible_user_id",
    "created_by",
    "updated_by",
    "created_at",
    "updated_at",
    "is_need_to_trigger_digital_pipeline",
];
/// Texts among the params of a call.
pub(super) const CALL_TEXTS: [&str; 5] = ["uniq", "source", "link", "phone", "call_result"];

/// What a request wants of a note.
struct Wanted {
    entity_id: Option<u64>,
    note_type: Option<String>,
    params: Option<Value>,
    responsible: Option<u64>,
    by: Author,
}

impl AmoCrm {
    pub(super) fn notes_of_kind(&mut self, kind: Kind, id: Option<u64>, call: &Call<'_>) -> Result<Response, Response> {
        match call.request.method.as_str() {
            "GET" => self.list_notes(kind, id, call),
            "POST" => self.make_notes(kind, id, call),
            _ => Err(wrong_method()),
        }
    }

    pub(super) fn note(&mut self, kind: Kind, id: u64, call: &Call<'_>) -> Result<Response, Response> {
        let found = self.notes.iter().position(|note| note.id == id && note.entity == kind);
        match (call.request.method.as_str(), found) {
            ("GET", Some(place)) => Ok(hal(200, &self.note_json(&self.notes[place]))),
            ("GET", None) => Ok(self.missing()),
            ("PATCH", Some(place)) => self.change_note(place, call),
            ("PATCH", None) => Err(not_found()),
            _ => Err(wrong_method()),
        }
    }

    /// Keeps a note; its id.
    pub(super) fn keep_note(&mut self, mut note: Note) -> u64 {
        self.ids.note += 1;
        note.id = self.ids.note;
        self.notes.push(note);
        self.ids.note
    }

    fn list_notes(&self, kind: Kind, id: Option<u64>, call: &Call<'_>) -> Result<Response, Response> {
        call.query.only_filters(&["id", "note_type", "entity_id"])?;
        let query = &call.query;
        let found = |note: &&Note| {
            note.entity == kind
                && id.is_none_or(|id| note.entity_id == id)
                && note.stamp.visible(self.config.list_lag_ms, call.now_ms)
                && query.passes("id", &note.id.to_string())
                && query.passes("entity_id", &note.entity_id.to_string())
                && query.passes("note_type", &note.note_type)
        };
        let all: Vec<&Note> = self.notes.iter().filter(found).collect();
        list::page(call, &self.config.base, "notes", &all, |note| self.note_json(note))
    }

    fn make_notes(&mut self, kind: Kind, id: Option<u64>, call: &Call<'_>) -> Result<Response, Response> {
        if id.is_some_and(|id| !self.has_card(kind, id)) {
            return Err(not_found());
        }
        let given = item::batch(&call.request.body, |item| {
            if id.is_none() {
                item.required(&["entity_id"]);
            }
            item.required(&["note_type", "params"]);
            let note_type = item.text("note_type");
            self.read_note(kind, note_type, item)
        })?;
        let mut made = Vec::with_capacity(given.len());
        for given in given {
            let wanted = given.what;
            let entity_id = id.or(wanted.entity_id).unwrap_or_default();
            let note_id = self.keep_note(Note {
                id: 0,
                entity: kind,
                entity_id,
                note_type: wanted.note_type.unwrap_or_default(),
                params: wanted.params.unwrap_or_default(),
                responsible: wanted.responsible.unwrap_or(OWNER),
                stamp: wanted.by.stamp(call.now_ms),
            });
            made.push(json!({
                "id": note_id,
                "entity_id": entity_id,
                "request_id": given.request_id,
                "_links": self.self_link(&note_path(kind, entity_id, note_id)),
            }));
        }
        Ok(self.made(call, "notes", made))
    }

    /// New params replace the old ones whole: a client that sends only what changed would lose
    /// the rest, and whether the real account merges them is nowhere said.
    fn change_note(&mut self, place: usize, call: &Call<'_>) -> Result<Response, Response> {
        let mut note = self.notes[place].clone();
        let wanted = item::single(&call.request.body, |item| {
            let note_type = item.text("note_type").unwrap_or_else(|| note.note_type.clone());
            if note_type != note.note_type {
                item.refuse("NotSupportedChoice", "note_type");
            }
            self.read_note(note.entity, Some(note_type), item)
        })?;
        note.params = wanted.params.unwrap_or(note.params);
        note.responsible = wanted.responsible.unwrap_or(note.responsible);
        wanted.by.touch(&mut note.stamp, call.now_ms);
        let body = json!({
            "id": note.id,
            "entity_id": note.entity_id,
            "updated_at": note.stamp.updated_at,
            "_links": self.self_link(&note_path(note.entity, note.entity_id, note.id)),
        });
        self.notes[place] = note;
        Ok(hal(200, &body))
    }

    fn read_note(&self, kind: Kind, note_type: Option<String>, item: &mut Item<'_>) -> Wanted {
        item.only(&KEYS);
        item.flag("is_need_to_trigger_digital_pipeline");
        let is_call = matches!(note_type.as_deref(), Some("call_in" | "call_out"));
        let (texts, wanted): (&[&str], &[&str]) = match note_type.as_deref() {
            Some("call_in" | "call_out") => (&CALL_TEXTS, &[]),
            Some("common") => (&["text"], &["text"]),
            Some("sms_in" | "sms_out") => (&["text", "phone"], &["text", "phone"]),
            Some("service_message" | "extended_service_message") => (&["service", "text"], &["service", "text"]),
            Some(_) => {
                item.refuse("NotSupportedChoice", "note_type");
                (&[], &[])
            }
            None => (&[], &[]),
        };
        let params = item.object("params").map(|mut params| {
            params.required(wanted);
            let mut keys = texts.to_vec();
            if is_call {
                keys.extend(["duration", "call_status", "call_responsible"]);
            }
            params.only(&keys);
            read_params(texts, is_call, &mut params)
        });
        Wanted {
            entity_id: item.known("entity_id", |id| self.has_card(kind, id)),
            note_type,
            params,
            responsible: item.known("responsible_user_id", is_user),
            by: Author::read(item),
        }
    }

    fn note_json(&self, note: &Note) -> Value {
        json!({
            "id": note.id,
            "entity_id": note.entity_id,
            "created_by": note.stamp.created_by,
            "updated_by": 0,
            "created_at": note.stamp.created_at,
            "updated_at": note.stamp.updated_at,
            "responsible_user_id": note.responsible,
            "group_id": 0,
            "note_type": note.note_type,
            "params": note.params,
            "account_id": ACCOUNT,
            "_links": self.self_link(&note_path(note.entity, note.entity_id, note.id)),
        })
    }
}

/// The params given; of a call, with the keys that only calls have.
pub(super) fn read_params(texts: &[&str], is_call: bool, params: &mut Item<'_>) -> Value {
    let mut read = Map::new();
    for key in texts {
        if let Some(text) = params.text(key) {
            read.insert((*key).to_owned(), json!(text));
        }
    }
    if is_call {
        params.not_null(texts);
        params.not_null(&["duration", "call_status", "call_responsible"]);
        if let Some(duration) = params.integer("duration") {
            read.insert("duration".to_owned(), json!(duration));
        }
        if let Some(status) = params.known("call_status", |status| (1..=8).contains(&status)) {
            read.insert("call_status".to_owned(), json!(status));
        }
        if let Some(who) = params.scalar("call_responsible") {
            if who.as_u64().is_some_and(|id| !is_user(id)) {
                params.refuse("NotSupportedChoice", "call_responsible");
            }
            read.insert("call_responsible".to_owned(), who);
        }
    }
    Value::Object(read)
}

fn note_path(kind: Kind, entity_id: u64, id: u64) -> String {
    format!("/api/v4/{}/{entity_id}/notes/{id}", kind.as_str())
}
