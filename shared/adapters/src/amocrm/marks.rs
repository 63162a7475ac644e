//! How the records of a job are found again: where to look, and what marks them as ours.

use perezvon_domain::CrmId;
use perezvon_domain::job::RecordPlan;
use serde_json::Value;

use super::answer::{embedded, id, integer, items, newest_deals, text, truth};
use super::look::Judged;
use super::records::Stage;
use super::search::{self, Candidate};
use super::{request, wire};

/// Where a stage's own entity would be found.
pub(super) fn places(stage: &Stage<'_>, plan: &RecordPlan) -> Vec<String> {
    vec![match stage {
        Stage::Search | Stage::Contact { .. } | Stage::Done => search::list(&plan.client),
        Stage::FieldList(of) | Stage::Field(of) => request::with_query(of.list, &[("limit", "250")]),
        Stage::Deal { contact, .. } => request::with_query(&format!("contacts/{contact}"), &[("with", "leads")]),
        Stage::Task { kind, entity, .. } => request::with_query(
            "tasks",
            &[("filter[entity_type]", kind), ("filter[entity_id]", entity.as_str()), ("limit", "250")],
        ),
    }]
}

/// Finds a stage's own entity by its marker.
pub(super) fn judge(stage: &Stage<'_>, plan: &RecordPlan, path: &str, body: &Value) -> Judged<CrmId> {
    let found = match stage {
        Stage::Search | Stage::Done => None,
        Stage::Contact { .. } => embedded(body, "contacts")
            .filter_map(|contact| Candidate::read(contact, &plan.client))
            .reduce(Candidate::better)
            .map(|contact| contact.id),
        Stage::FieldList(_) | Stage::Field(_) => embedded(body, "custom_fields")
            .find(|field| text(&field["code"]) == wire::FIELD_CODE)
            .and_then(|field| id(&field["id"])),
        Stage::Deal { .. } if path.starts_with("contacts/") => {
            return Judged::Elsewhere(leads_of(body).into_iter().collect());
        }
        Stage::Deal { plan, field, .. } => embedded(body, "leads")
            .find(|lead| !truth(&lead["is_deleted"]) && is_marked(lead, field, &plan.marker))
            .and_then(|lead| id(&lead["id"])),
        Stage::Task { plan, .. } => embedded(body, "tasks")
            .find(|task| {
                text(&task["text"]) == plan.text && integer(&task["complete_till"]) == Some(plan.due_at.seconds())
            })
            .and_then(|task| id(&task["id"])),
    };
    found.map_or(Judged::Elsewhere(Vec::new()), Judged::Here)
}

/// The newest deals of a contact, in one request: an address has its limits, and ours is new.
fn leads_of(contact: &Value) -> Option<String> {
    let ids = newest_deals(contact);
    (!ids.is_empty()).then(|| deals(&ids))
}

/// Where these deals are, the first hundred of them.
pub(super) fn deals(ids: &[CrmId]) -> String {
    let ids = ids.iter().take(100);
    let mut pairs: Vec<(&str, &str)> = ids.map(|id| ("filter[id][]", id.as_str())).collect();
    pairs.push(("limit", "250"));
    request::with_query("leads", &pairs)
}

fn is_marked(lead: &Value, field: &CrmId, marker: &str) -> bool {
    items(&lead["custom_fields_values"])
        .filter(|value| id(&value["field_id"]).as_ref() == Some(field))
        .flat_map(|value| items(&value["values"]))
        .any(|value| text(&value["value"]) == marker)
}
