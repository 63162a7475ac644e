//! Inboxes as people write them in the document: who receives the requests of chats, and what is said by itself.

use perezvon_domain::EmployeeId;
use serde::{Deserialize, Serialize};

use super::document::Rules;

/// What becomes of the requests of a channel of chats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Inbox {
    /// Unique, at most 255 characters.
    pub name: String,
    /// Who receives a request, exactly one: `{ employee = "ID" }` or `{ group = "NAME" }`.
    pub receiver: Receiver,
    /// Autoreplies to a request that comes in working time, at most 20. After the first human reply none goes out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub working: Vec<AutoReply>,
    /// Autoreplies to a request that comes off hours, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off_hours: Vec<AutoReply>,
    /// A bot in place of the autoreplies off hours. Refused: there are no bots yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_hours_bot: Option<Bot>,
    /// Closed when nobody wrote for so long: `1h` to `8760h`, or `1d` to `365d`; absent: never by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_after: Option<String>,
    /// Sent when a conversation is closed, 1 to 250 characters; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_text: Option<String>,
    /// What the first message of a conversation makes in the CRM, if nobody there is known by the client's id: a
    /// contact, and with it a deal and a task. Texts may hold other parameters than those of calls; `responsible` is
    /// `usual` (who has the conversation), `employee:ID` or `group:NAME`. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_client: Option<Rules>,
    /// The same if the client has a contact: a deal, a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_client: Option<Rules>,
}

/// Who receives requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Receiver {
    /// The id of an employee who works here.
    Employee(EmployeeId),
    /// The name of a group: any of its members may take it.
    Group(String),
    /// Refused: there are no bots yet.
    Bot(Bot),
}

/// A bot, and who has its requests while it is not available.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bot {
    pub name: String,
    /// `{ employee = "ID" }` or `{ group = "NAME" }`.
    pub backup: Backup,
}

/// People who stand in for a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Backup {
    Employee(EmployeeId),
    Group(String),
}

/// One automatic reply, sent once a request if nobody answered for so long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoReply {
    /// At most 1000 characters.
    pub text: String,
    /// So long after the first message that waits for an answer: `0s`, `30s`, `5m`, `2h`; at most `1d`.
    pub delay: String,
}
