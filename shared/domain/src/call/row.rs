//! A call as lists show it: what the feed index carries.

use serde::{Deserialize, Serialize};

use super::{Call, Client, Copy, LogState, RecordsState};
use crate::event::Direction;
use crate::ids::{ChannelId, CrmId};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::time::Timestamp;

/// One row of the feed (FEED-03).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Row {
    pub channel: ChannelId,
    pub entry: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    pub answered: bool,
    /// Final: nothing more is expected of the call itself.
    pub ended: bool,
    /// `+79990001122`; absent: hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// The client's name as the CRM knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<String>,
    pub started_at: Timestamp,
    pub seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<CrmId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recording: bool,
    /// Why nothing in the CRM belongs to this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlinked: Option<Reason>,
    /// What went wrong and waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Call {
    /// The row of this call.
    pub fn row(&self, policy: &Policy) -> Row {
        let records = match &self.records {
            RecordsState::Made { records, .. } | RecordsState::Failed { made: records, .. } => records.clone(),
            _ => Default::default(),
        };
        let name = match &self.client {
            Client::Known(client) => Some(client.name.clone()),
            _ => None,
        };
        let extension = self.employee(true).map(|(extension, _)| extension);
        let order = self.ordered.as_ref();
        let extension = extension.or_else(|| order.map(|order| order.extension.clone()));
        let employee = extension.map(|ext| policy.by_extension(&ext).map_or_else(|| ext.0.clone(), |e| e.name.clone()));
        let number = self.client_number().or(order.map(|order| &order.client));
        Row {
            channel: self.channel.clone(),
            entry: self.entry.clone(),
            direction: self.direction(),
            answered: self.answered(),
            ended: self.final_at.is_some(),
            number: number.map(crate::number::Number::plus),
            name,
            line: self.line().map(str::to_owned),
            employee,
            started_at: self.started_at(),
            seconds: self.talk_seconds(),
            contact: records.contact,
            deal: records.deal,
            task: records.task,
            note: match &self.log {
                LogState::Logged { logged, .. } => Some(logged.note.clone()),
                _ => None,
            },
            recording: self.recordings.values().any(|r| matches!(r.copy, Copy::Stored { .. } | Copy::Linked { .. })),
            unlinked: match &self.records {
                RecordsState::Unlinked { because } => Some(because.clone()),
                _ => None,
            },
            trouble: match (&self.records, &self.log) {
                (RecordsState::Failed { why, .. }, _) | (_, LogState::Failed { why, .. }) => Some(why.clone()),
                _ => None,
            },
        }
    }
}
