//! Rules and what is known, put together: the records that a job is to make.

use std::collections::BTreeMap;

use crate::ids::CrmId;
use crate::job::{ContactPlan, DealPlan, FieldValue, RecordPlan, Records, TaskPlan};
use crate::policy::{ContactRule, DealRule, TaskRule};
use crate::template::fill;
use crate::time::Timestamp;

/// What the parameters of templates stand for.
pub(crate) type Values = BTreeMap<&'static str, String>;

pub(crate) fn contact(rule: &ContactRule, values: &Values, responsible: Option<CrmId>) -> ContactPlan {
    ContactPlan {
        name: fill(&rule.name, values),
        tags: filled_all(&rule.tags, values),
        fields: filled(&rule.fields, values),
        responsible,
    }
}

/// A deal; `marker` is the same for every attempt at it.
pub(crate) fn deal(rule: &DealRule, marker: String, values: &Values, responsible: Option<CrmId>) -> DealPlan {
    DealPlan {
        marker,
        name: fill(&rule.name, values),
        pipeline: rule.pipeline,
        status: rule.status,
        tags: filled_all(&rule.tags, values),
        fields: filled(&rule.fields, values),
        responsible,
    }
}

/// A task that is decided now.
pub(crate) fn task(rule: &TaskRule, values: &Values, responsible: Option<CrmId>, now: Timestamp) -> TaskPlan {
    TaskPlan {
        text: fill(&rule.text, values),
        // Whole seconds: the CRM keeps no smaller ones, and the due time is part of the marker.
        due_at: Timestamp::from_seconds(now.after(rule.due_in).seconds()),
        kind: rule.kind,
        responsible,
        unless_reached_since: None,
    }
}

fn filled(fields: &[FieldValue], values: &Values) -> Vec<FieldValue> {
    fields.iter().map(|field| FieldValue { field: field.field.clone(), value: fill(&field.value, values) }).collect()
}

fn filled_all(texts: &[String], values: &Values) -> Vec<String> {
    texts.iter().map(|text| fill(text, values)).collect()
}

/// What is to be made, in words.
pub(crate) fn wanted_words(plan: &RecordPlan) -> String {
    let mut parts = Vec::new();
    if plan.contact.is_some() {
        parts.push("контакт");
    }
    if plan.deal.is_some() {
        parts.push("сделка");
    }
    if plan.task.is_some() {
        parts.push("задача");
    }
    parts.join(", ")
}

/// What was made, in words.
pub(crate) fn made_words(records: &Records) -> String {
    let mut parts = Vec::new();
    if let Some(contact) = &records.contact {
        parts.push(format!("контакт {contact}{}", if records.contact_made { "" } else { " (уже был)" }));
    }
    parts.extend(records.deal.iter().map(|deal| format!("сделка {deal}")));
    parts.extend(records.task.iter().map(|task| format!("задача {task}")));
    if parts.is_empty() { "ничего".to_owned() } else { parts.join(", ") }
}

/// Date and time of day in the account's time zone; in UTC should the zone be unknown.
pub(crate) fn local_time(at: Timestamp, zone: &str) -> (String, String) {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else { return Default::default() };
    let at = at.to_zoned(zone);
    (at.strftime("%d.%m.%Y").to_string(), at.strftime("%H:%M").to_string())
}
