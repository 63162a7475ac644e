//! What an account holds, as plain structs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The two kinds of cards that notes, tasks and custom fields belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Contacts,
    Leads,
}

impl Kind {
    /// As it stands in paths and in `entity_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Leads => "leads",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Contacts, Self::Leads].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Who made an entity, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// A user's id; 0 is the robot.
    pub created_by: u64,
    /// Unix seconds, as the API shows it.
    pub created_at: i64,
    /// Unix seconds, as the API shows it.
    pub updated_at: i64,
    /// When the entity really came into being: what lags count from.
    pub created_ms: i64,
}

impl Stamp {
    /// Whether a search with this lag sees the entity.
    pub(super) fn visible(&self, lag_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.created_ms) >= lag_ms
    }
}

/// A custom field with its values on a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    pub field_id: u64,
    pub values: Vec<FieldValue>,
}

/// One value of a custom field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldValue {
    pub value: Value,
    /// `MOB`, `WORK`...; only phones and e-mails have one.
    pub enum_code: Option<String>,
}

/// A custom field of contacts or deals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    pub id: u64,
    pub entity: Kind,
    pub name: String,
    pub code: Option<String>,
    /// `text`, `multitext`...
    pub kind: String,
    pub is_api_only: bool,
    /// Codes of the enum; the id of each is its place, counted from 1.
    pub enums: Vec<String>,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub id: u64,
    pub name: String,
    pub first_name: String,
    pub last_name: String,
    /// The values of the phone field, as sent.
    pub phones: Vec<String>,
    pub tags: Vec<String>,
    pub fields: Vec<Filled>,
    pub responsible: u64,
    pub deleted: bool,
    pub stamp: Stamp,
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lead {
    pub id: u64,
    pub name: String,
    pub price: i64,
    pub pipeline_id: u64,
    pub status_id: u64,
    pub responsible: u64,
    /// The main contact first.
    pub contacts: Vec<u64>,
    pub tags: Vec<String>,
    pub fields: Vec<Filled>,
    pub deleted: bool,
    /// Unix seconds.
    pub closed_at: Option<i64>,
    pub stamp: Stamp,
}

impl Lead {
    /// Neither won, nor lost, nor deleted.
    pub fn is_active(&self) -> bool {
        !self.deleted && !super::directory::is_closed(self.status_id)
    }

    /// The first value of a text field.
    pub fn text(&self, field_id: u64) -> Option<&str> {
        let filled = self.fields.iter().find(|filled| filled.field_id == field_id)?;
        filled.values.first()?.value.as_str()
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub id: u64,
    /// The card it hangs on.
    pub entity: Option<(Kind, u64)>,
    pub text: String,
    /// Unix seconds.
    pub complete_till: i64,
    pub task_type_id: u64,
    pub responsible: u64,
    /// Seconds.
    pub duration: i64,
    pub is_completed: bool,
    /// What the person wrote on completing it.
    pub result: Option<String>,
    pub stamp: Stamp,
}

/// A note on a card; calls are notes of the types `call_in` and `call_out`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub id: u64,
    pub entity: Kind,
    pub entity_id: u64,
    pub note_type: String,
    pub params: Value,
    pub responsible: u64,
    pub stamp: Stamp,
}

impl Note {
    /// Whether it records a call.
    pub fn is_call(&self) -> bool {
        matches!(self.note_type.as_str(), "call_in" | "call_out")
    }
}

/// Who calls, shown to users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Popup {
    /// As sent.
    pub phone: String,
    /// Nobody in particular: everybody.
    pub users: Vec<u64>,
    /// The card that was found.
    pub card: Option<(Kind, u64)>,
    pub at_ms: i64,
}
