//! A conversation as lists show it: what the index carries.

use serde::{Deserialize, Serialize};

use super::{Cause, Conversation, Last, State, Waiting, close_due, reply_due};
use crate::ids::{ChannelId, CrmId};
use crate::policy::Policy;
use crate::time::Timestamp;

/// One row of the list of conversations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub channel: ChannelId,
    pub chat: String,
    pub open: bool,
    /// Why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// When it was opened last.
    pub opened_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Who has it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// From when the group has it.
    pub available_at: Timestamp,
    /// Who answers for the client in the CRM, by name, as the contact point last knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// When the next autoreply goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies_at: Option<Timestamp>,
    /// When it closes unless somebody writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Timestamp>,
    /// What stands in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<CrmId>,
    /// What could not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Conversation {
    /// The row of this conversation.
    pub fn row(&self, policy: &Policy) -> Row {
        let name = |id| policy.employee(id).map_or_else(|| id.0.clone(), |employee| employee.name.clone());
        let made = self.crm.as_ref().and_then(|crm| crm.made());
        let responsible = self.client.responsible.as_ref();
        Row {
            channel: self.channel.clone(),
            chat: self.chat.clone(),
            open: self.state == State::Open,
            cause: match &self.state {
                State::Closed(closed) => Some(closed.cause.clone()),
                State::New | State::Open => None,
            },
            opened_at: self.round.opened_at,
            client: self.client.name.clone(),
            about: self.client.about.clone(),
            assignee: self.assignee.as_ref().map(name),
            group: self.round.group.clone(),
            available_at: self.round.available_at,
            responsible: responsible
                .map(|user| policy.by_crm_user(user).map_or_else(|| user.0.clone(), |employee| employee.name.clone())),
            waiting: self.waiting,
            last: self.last.clone(),
            unread: self.unread_since.is_some(),
            replies_at: reply_due(self, policy),
            closes_at: close_due(self, policy),
            contact: made.and_then(|made| made.contact.clone()),
            deal: made.and_then(|made| made.deal.clone()),
            trouble: self.trouble.as_ref().map(|trouble| trouble.why.clone()),
        }
    }
}
