//! Custom fields: the dictionary of the account, and their values on cards.

use serde_json::{Value, json};

use super::directory::ACCOUNT;
use super::item::{self, Item};
use super::list;
use super::model::{CustomField, FieldValue, Filled, Kind};
use super::{AmoCrm, Call, hal};
use crate::http::Response;

pub(super) const PHONE: u64 = 3;
const EMAIL: u64 = 5;
const POSITION: u64 = 7;

/// What a user's account has before any integration comes.
pub(super) fn at_first() -> Vec<CustomField> {
    let field = |entity, id, name: &str, code: Option<&str>, kind: &str, enums: &[&str]| CustomField {
        id,
        entity,
        name: name.to_owned(),
        code: code.map(str::to_owned),
        kind: kind.to_owned(),
        is_api_only: false,
        enums: enums.iter().map(|code| (*code).to_owned()).collect(),
    };
    let phone = ["MOB", "WORK", "WORKDD", "FAX", "HOME", "OTHER"];
    let email = ["WORK", "PRIV", "OTHER"];
    vec![
        field(Kind::Contacts, PHONE, "Телефон", Some("PHONE"), "multitext", &phone),
        field(Kind::Contacts, EMAIL, "Email", Some("EMAIL"), "multitext", &email),
        field(Kind::Contacts, POSITION, "Должность", Some("POSITION"), "text", &[]),
        field(Kind::Contacts, 700_001, "Комментарий", None, "text", &[]),
        field(Kind::Leads, 700_010, "Номер компании", None, "text", &[]),
    ]
}

/// A phone as the only value of the phone field.
pub(super) fn phone(number: &str) -> Filled {
    let enum_code = Some("WORK".to_owned());
    Filled { field_id: PHONE, values: vec![FieldValue { value: json!(number), enum_code }] }
}

/// The values of the phone field.
pub(super) fn phones(fields: &[Filled]) -> Vec<String> {
    let filled = fields.iter().filter(|filled| filled.field_id == PHONE);
    let values = filled.flat_map(|filled| &filled.values);
    values.filter_map(|value| value.value.as_str().map(str::to_owned)).collect()
}

/// Whether a search finds this text in one of the fields.
pub(super) fn contain(fields: &[Filled], query: &str) -> bool {
    let query = query.trim().to_lowercase();
    let texts = fields.iter().flat_map(|filled| &filled.values).filter_map(|value| value.value.as_str());
    !query.is_empty() && texts.into_iter().any(|text| text.to_lowercase().contains(&query))
}

/// Each field named takes exactly the values given; the others stay.
pub(super) fn apply(fields: &mut Vec<Filled>, changes: Vec<Filled>) {
    for change in changes {
        fields.retain(|filled| filled.field_id != change.field_id);
        if !change.values.is_empty() {
            fields.push(change);
        }
    }
}

impl AmoCrm {
    /// Reads `custom_fields_values` of a request.
    pub(super) fn read_fields(&self, kind: Kind, item: &mut Item<'_>) -> Vec<Filled> {
        let read = item.each("custom_fields_values", |entry| {
            entry.only(&["field_id", "field_code", "values"]);
            let field = self.named_field(kind, entry)?;
            let values = entry.each("values", |value| read_value(field, value));
            let values = values.unwrap_or_default().into_iter().flatten().collect();
            Some(Filled { field_id: field.id, values })
        });
        read.unwrap_or_default().into_iter().flatten().collect()
    }

    fn named_field(&self, kind: Kind, entry: &mut Item<'_>) -> Option<&CustomField> {
        let mut known = self.fields.iter().filter(|field| field.entity == kind);
        let (key, found) = if entry.has("field_id") {
            let id = entry.id("field_id")?;
            ("field_id", known.find(|field| field.id == id))
        } else if entry.has("field_code") {
            let code = entry.text("field_code")?;
            ("field_code", known.find(|field| field.code.as_deref() == Some(&code)))
        } else {
            entry.refuse("FieldMissing", "field_id");
            return None;
        };
        if found.is_none() {
            entry.refuse("NotSupportedChoice", key);
        }
        found
    }

    /// `custom_fields_values` of an answer.
    pub(super) fn fields_json(&self, fields: &[Filled]) -> Value {
        if fields.is_empty() {
            return Value::Null;
        }
        let one = |filled: &Filled| {
            let field = self.fields.iter().find(|field| field.id == filled.field_id)?;
            let values: Vec<Value> = filled.values.iter().map(|value| value_json(field, value)).collect();
            Some(json!({
                "field_id": field.id,
                "field_name": field.name,
                "field_code": field.code,
                "field_type": field.kind,
                "values": values,
            }))
        };
        fields.iter().filter_map(one).collect()
    }

    pub(super) fn list_fields(&self, kind: Kind, call: &Call<'_>) -> Result<Response, Response> {
        call.query.only_filters(&[])?;
        let all: Vec<&CustomField> = self.fields.iter().filter(|field| field.entity == kind).collect();
        list::page(call, &self.config.base, "custom_fields", &all, |field| self.field_json(field))
    }

    pub(super) fn make_fields(&mut self, kind: Kind, call: &Call<'_>) -> Result<Response, Response> {
        let given = item::batch(&call.request.body, |item| self.read_field(kind, item))?;
        let mut made = Vec::with_capacity(given.len());
        for given in given {
            let Some(mut field) = given.what else {
                continue;
            };
            field.id = self.ids.field();
            let mut body = self.field_json(&field);
            body["request_id"] = json!(given.request_id);
            made.push(body);
            self.fields.push(field);
        }
        Ok(hal(
            200,
            &json!({
                "_total_items": made.len(),
                "_links": self.self_link(&call.request.path),
                "_embedded": { "custom_fields": made },
            }),
        ))
    }

    fn read_field(&self, entity: Kind, item: &mut Item<'_>) -> Option<CustomField> {
        item.only(&["name", "type", "code", "is_api_only", "sort", "group_id"]);
        item.required(&["name", "type"]);
        let code = item.text("code");
        let taken = |field: &CustomField| field.entity == entity && field.code == code;
        if code.is_some() && self.fields.iter().any(taken) {
            item.refuse("NotSupportedChoice", "code");
        }
        let kind = item.text("type")?;
        if !["text", "textarea", "numeric", "url", "checkbox"].contains(&kind.as_str()) {
            item.refuse("NotSupportedChoice", "type");
        }
        Some(CustomField {
            id: 0,
            entity,
            name: item.text("name")?,
            code,
            kind,
            is_api_only: item.flag("is_api_only").unwrap_or_default(),
            enums: Vec::new(),
        })
    }

    fn field_json(&self, field: &CustomField) -> Value {
        let enums: Vec<Value> = (1..)
            .zip(&field.enums)
            .map(|(id, code)| json!({ "id": id, "value": code, "sort": id * 10, "code": code }))
            .collect();
        let path = format!("/api/v4/{}/custom_fields/{}", field.entity.as_str(), field.id);
        json!({
            "id": field.id,
            "name": field.name,
            "code": field.code,
            "type": field.kind,
            "sort": 500,
            "entity_type": field.entity.as_str(),
            "account_id": ACCOUNT,
            "is_api_only": field.is_api_only,
            "is_predefined": field.enums.len() > 1,
            "enums": if enums.is_empty() { Value::Null } else { json!(enums) },
            "_links": self.self_link(&path),
        })
    }
}

fn read_value(field: &CustomField, item: &mut Item<'_>) -> Option<FieldValue> {
    item.only(&["value", "enum_id", "enum_code"]);
    item.required(&["value"]);
    let value = match field.kind.as_str() {
        "numeric" | "checkbox" => item.scalar("value")?,
        _ => json!(item.text("value")?),
    };
    let enum_code = match (item.has("enum_code"), item.has("enum_id")) {
        (true, true) => {
            item.refuse("FieldNotExpected", "enum_code");
            None
        }
        (true, false) => item.text("enum_code"),
        (false, true) => {
            let place = item.id("enum_id")?.checked_sub(1).and_then(|n| usize::try_from(n).ok());
            let code = place.and_then(|place| field.enums.get(place)).cloned();
            if code.is_none() {
                item.refuse("NotSupportedChoice", "enum_id");
            }
            code
        }
        (false, false) => field.enums.contains(&"WORK".to_owned()).then(|| "WORK".to_owned()),
    };
    if enum_code.as_ref().is_some_and(|code| !field.enums.contains(code)) {
        item.refuse("NotSupportedChoice", "enum_code");
    }
    Some(FieldValue { value, enum_code })
}

fn value_json(field: &CustomField, value: &FieldValue) -> Value {
    let place = |code: &String| field.enums.iter().position(|known| known == code);
    match &value.enum_code {
        Some(code) => json!({
            "value": value.value,
            "enum_id": place(code).map(|place| place + 1),
            "enum_code": code,
        }),
        None => json!({ "value": value.value }),
    }
}
