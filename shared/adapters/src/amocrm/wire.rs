//! Bodies: what amoCRM is told. Creations are arrays; what is unknown is left out, never null.

use perezvon_domain::CrmId;
use perezvon_domain::event::Direction;
use perezvon_domain::job::{CallLog, ContactPlan, DealPlan, FieldValue, Outcome, TaskPlan};
use perezvon_domain::{ClientId, EffectId, Number};
use serde_json::{Map, Value, json};

/// The code of our marker fields, of deals and of contacts.
pub(super) const FIELD_CODE: &str = "PEREZVON_ID";

/// The marker field itself.
pub(super) fn field() -> Value {
    json!([{ "name": "Perezvon ID", "type": "text", "code": FIELD_CODE, "is_api_only": true }])
}

/// A contact with its number, or with the client's id in our marker field.
pub(super) fn contact(plan: &ContactPlan, client: &ClientId, field: Option<&CrmId>, effect: &EffectId) -> Value {
    let known_by = match (client, field) {
        (ClientId::Outside { outside }, Some(field)) => {
            json!({ "field_id": raw(field.as_str()), "values": [{ "value": outside }] })
        }
        _ => json!({ "field_code": "PHONE", "values": [{ "value": client.words(), "enum_code": "WORK" }] }),
    };
    let mut body = Map::new();
    body.insert("name".into(), json!(plan.name));
    body.insert("custom_fields_values".into(), values(known_by, &plan.fields));
    common(&mut body, &plan.tags, plan.responsible.as_ref(), effect);
    json!([body])
}

/// A deal of this contact, with our marker first among its fields.
pub(super) fn deal(plan: &DealPlan, field: &CrmId, contact: &CrmId, effect: &EffectId) -> Value {
    let marker = json!({ "field_id": raw(field.as_str()), "values": [{ "value": plan.marker }] });
    let mut body = Map::new();
    body.insert("name".into(), json!(plan.name));
    put(&mut body, "pipeline_id", plan.pipeline.map(Value::from));
    put(&mut body, "status_id", plan.status.map(Value::from));
    body.insert("custom_fields_values".into(), values(marker, &plan.fields));
    let contacts = json!({ "contacts": [{ "id": raw(contact.as_str()), "is_main": true }] });
    body.insert("_embedded".into(), contacts);
    common(&mut body, &plan.tags, plan.responsible.as_ref(), effect);
    json!([body])
}

/// A task on an entity of this kind.
pub(super) fn task(plan: &TaskPlan, kind: &str, entity: &CrmId, effect: &EffectId) -> Value {
    let mut body = Map::new();
    body.insert("task_type_id".into(), json!(plan.kind.unwrap_or(1)));
    body.insert("text".into(), json!(plan.text));
    body.insert("complete_till".into(), json!(plan.due_at.seconds()));
    body.insert("entity_id".into(), raw(entity.as_str()));
    body.insert("entity_type".into(), json!(kind));
    common(&mut body, &[], plan.responsible.as_ref(), effect);
    json!([body])
}

/// A call, which amoCRM places itself.
pub(super) fn call(log: &CallLog, link: Option<&str>, effect: &EffectId) -> Value {
    let incoming = log.direction == Direction::Incoming;
    let mut body = params(log, link);
    body.insert("direction".into(), json!(if incoming { "inbound" } else { "outbound" }));
    body.insert("created_at".into(), json!(log.started_at.seconds()));
    common(&mut body, &[], log.responsible.as_ref(), effect);
    json!([body])
}

/// The same call as a note on an entity we choose.
pub(super) fn call_note(log: &CallLog, link: Option<&str>, entity: &CrmId, effect: &EffectId) -> Value {
    let mut body = Map::new();
    body.insert("entity_id".into(), raw(entity.as_str()));
    body.insert("note_type".into(), json!(note_type(log)));
    body.insert("created_at".into(), json!(log.started_at.seconds()));
    body.insert("params".into(), Value::Object(params(log, link)));
    common(&mut body, &[], log.responsible.as_ref(), effect);
    json!([body])
}

/// The note of a call with all its values, for a change.
pub(super) fn call_change(log: &CallLog, link: &str) -> Value {
    json!({ "note_type": note_type(log), "params": params(log, Some(link)) })
}

/// A service note.
pub(super) fn service_note(entity: &CrmId, text: &str, effect: &EffectId) -> Value {
    json!([{
        "entity_id": raw(entity.as_str()),
        "note_type": SERVICE_NOTE,
        "params": { "service": "perezvon", "text": text },
        "request_id": effect.as_str(),
    }])
}

/// The note type of [`service_note`].
pub(super) const SERVICE_NOTE: &str = "extended_service_message";

/// A change of the responsible user.
pub(super) fn responsible(user: &CrmId) -> Value {
    json!({ "responsible_user_id": raw(user.as_str()) })
}

/// A task is done, with its result.
pub(super) fn completed(text: &str) -> Value {
    json!({ "is_completed": true, "result": { "text": text } })
}

/// Who calls, shown to these users.
pub(super) fn popup(number: &Number, users: &[CrmId]) -> Value {
    let users: Vec<Value> = users.iter().map(|user| raw(user.as_str())).collect();
    json!({ "add": [{ "type": "phone_call", "phone_number": number.plus(), "users": users }] })
}

fn note_type(log: &CallLog) -> &'static str {
    if log.direction == Direction::Incoming { "call_in" } else { "call_out" }
}

fn params(log: &CallLog, link: Option<&str>) -> Map<String, Value> {
    let (status, result) = match (log.outcome, log.direction) {
        (Outcome::Answered, _) => (4, "Разговор состоялся"),
        (Outcome::NotAnswered, Direction::Incoming) => (6, "Пропущенный звонок"),
        (Outcome::NotAnswered, _) => (6, "Не дозвонились"),
        (Outcome::Busy, _) => (7, "Занято"),
    };
    let mut params = Map::new();
    params.insert("uniq".into(), json!(log.uniq));
    params.insert("duration".into(), json!(log.seconds));
    params.insert("source".into(), json!("perezvon"));
    put(&mut params, "link", link.map(Value::from));
    params.insert("phone".into(), json!(log.number.plus()));
    params.insert("call_status".into(), json!(status));
    params.insert("call_result".into(), json!(result));
    let responsible = log.responsible.as_ref().map(|user| raw(user.as_str()));
    put(&mut params, "call_responsible", responsible);
    params
}

fn common(body: &mut Map<String, Value>, tags: &[String], responsible: Option<&CrmId>, effect: &EffectId) {
    if !tags.is_empty() {
        let tags: Vec<Value> = tags.iter().map(|tag| json!({ "name": tag })).collect();
        body.insert("tags_to_add".into(), tags.into());
    }
    put(body, "responsible_user_id", responsible.map(|user| raw(user.as_str())));
    body.insert("request_id".into(), json!(effect.as_str()));
}

fn values(first: Value, fields: &[FieldValue]) -> Value {
    let further = fields.iter().map(|field| {
        let key = if is_number(&field.field) { "field_id" } else { "field_code" };
        json!({ key: raw(&field.field), "values": [{ "value": field.value }] })
    });
    std::iter::once(first).chain(further).collect()
}

fn put(body: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        body.insert(key.into(), value);
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An id as amoCRM wants it: a number where it is one.
fn raw(id: &str) -> Value {
    match id.parse::<u64>() {
        Ok(number) if is_number(id) => number.into(),
        _ => id.into(),
    }
}
