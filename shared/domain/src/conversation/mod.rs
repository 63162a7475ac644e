//! The aggregate `Conversation` (обращение): the thread of one client in one chat of a channel.
//!
//! Open, closed, opened again: each opening is a round, with its hours class, its receiver, its autoreplies and
//! its closing text. [`decide`] takes events in, then looks at the state: whatever is due and was not done yet is
//! done. Timers only ask. What people wrote stands in history rows; here are ids, times and one short summary.

mod advance;
mod decide;
pub mod event;
pub mod guards;
mod messages;
mod people;
pub mod records;
mod results;
mod round;
pub mod row;
#[cfg(test)]
mod tests;
pub mod text;
pub mod timeline;
mod wanted;
pub mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chat::Origin;
use crate::effect::Prev;
use crate::ids::{AccountId, ChannelId, ConnectionId, EffectId, EmployeeId};
use crate::inbox::HoursClass;
use crate::reason::Because;
use crate::time::{Millis, Timestamp};

pub use advance::{close_due, reply_due};
pub use decide::{Decision, decide};
pub use event::ClientFacts;
pub use people::{NotAssigned, NotDeleted, NotReplied, PARTS};
pub use wanted::{StillWanted, still_wanted};

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    pub account: AccountId,
    pub channel: ChannelId,
    /// The provider's id of the chat.
    pub chat: String,
    /// Version of the item this state was read from; 0: not written yet.
    #[serde(skip)]
    pub version: u64,
    /// The item's monotonic time.
    #[serde(skip)]
    pub at: Timestamp,
    /// When we first heard of the chat: its place in the feed, never changed.
    pub first_received_at: Timestamp,
    pub state: State,
    /// What the latest opening settled.
    #[serde(default)]
    pub round: Round,
    /// Who waits for whom since when; `None`: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Who has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee: Option<EmployeeId>,
    /// The last message of either side or change of state or assignee: where the closing clock starts.
    pub active_at: Timestamp,
    /// The provider's time of the client's latest message; `None`: the client never wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_wrote_at: Option<Timestamp>,
    /// The provider's time of the latest message written in the provider's own application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_wrote_at: Option<Timestamp>,
    /// The first client message that nobody has seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted_at: Option<Timestamp>,
    /// The latest message, for lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    #[serde(default)]
    pub client: ClientFacts,
    /// Our messages that have no result yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sends: BTreeMap<EffectId, Sending>,
    /// Other jobs that have no result yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub errands: BTreeMap<EffectId, Errand>,
    /// Outgoing messages that may be ours: not decided while a send has no result. Lists hide them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<Undecided>,
    /// What its client's first message made in the CRM, if that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm: Option<records::InCrm>,
    /// The last message of ours that could not be sent, until somebody writes another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Last job on each connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_job: BTreeMap<ConnectionId, Prev>,
    /// Why things were done, oldest first, bounded.
    #[serde(skip)]
    pub because: Vec<Because>,
}

/// Where a conversation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nobody but the provider wrote.
    New,
    Open,
    Closed(Closed),
}

/// A closing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    pub cause: Cause,
    /// The channel is off, then or since: a text that still waits is not sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

/// Why a conversation was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    Agent { by: EmployeeId },
    TimeOut,
    ClientLeft,
    ChannelDisabled,
    ChannelSuperseded,
}

/// What one opening settled; later settings change texts and delays, not this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Counts the openings, from 1.
    pub number: u32,
    pub class: HoursClass,
    /// When the opening was received.
    pub opened_at: Timestamp,
    /// The provider's time of what opened it.
    pub began: Timestamp,
    /// The group that receives it, if it is not one employee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// From when its receiver has it: off hours a group's waits until the next working time.
    pub available_at: Timestamp,
    /// When the client message came from which the delays of autoreplies count; `None`: no autoreply goes out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_from: Option<Timestamp>,
    /// Autoreplies asked for, by their place in the settings, each with its delay then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub steps: BTreeMap<u16, Millis>,
    /// The first human reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied_at: Option<Timestamp>,
}

/// Somebody waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub who: Side,
    pub since: Timestamp,
}

/// The two sides of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Client,
    Us,
}

/// The latest message, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    /// The provider's id, or our effect's.
    pub id: String,
    pub at: Timestamp,
    pub from: Writer,
    /// Empty: it was deleted.
    pub summary: String,
}

/// Who wrote the latest message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writer {
    Client,
    Agent,
    /// We, by ourselves.
    Automatic,
    System,
}

/// A message of ours on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    pub origin: Origin,
    pub round: u32,
    pub at: Timestamp,
}

/// Another job whose result counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Errand {
    ReadChat,
    Delete { message: String },
    ReadVoice { message: String },
}

/// An outgoing message that is ours or was written in the provider's own application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Undecided {
    pub occurred_at: Timestamp,
    /// The provider's id.
    pub message: String,
    pub received_at: Timestamp,
    pub summary: String,
}

/// What could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub effect: EffectId,
    pub why: String,
}

impl Conversation {
    /// A chat nothing is known of yet.
    pub fn new(account: AccountId, channel: ChannelId, chat: String, received_at: Timestamp) -> Self {
        Self {
            account,
            channel,
            chat,
            version: 0,
            at: Timestamp::default(),
            first_received_at: received_at,
            state: State::New,
            round: Round::default(),
            waiting: None,
            assignee: None,
            active_at: received_at,
            client_wrote_at: None,
            agent_wrote_at: None,
            unread_since: None,
            noted_at: None,
            last: None,
            client: ClientFacts::default(),
            sends: BTreeMap::new(),
            errands: BTreeMap::new(),
            undecided: Vec::new(),
            crm: None,
            trouble: None,
            last_job: BTreeMap::new(),
            because: Vec::new(),
        }
    }

    /// The prefix of this conversation's effect ids: unlike for any two.
    pub fn aggregate(&self) -> String {
        format!("chat/{}/{}", self.channel, self.chat)
    }
}

/// Splits an effect id of a conversation into channel and chat: where its result belongs.
pub fn of_effect(effect: &EffectId) -> Option<(ChannelId, String)> {
    let rest = effect.as_str().strip_prefix("chat/")?;
    let (rest, _index) = rest.rsplit_once('/')?;
    let (rest, _version) = rest.rsplit_once('/')?;
    let (channel, chat) = rest.split_once('/')?;
    Some((ChannelId::from(channel), chat.to_owned()))
}
