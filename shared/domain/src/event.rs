//! What happened, in our words: past tense, provider-neutral.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::conversation::event::ConversationEvent;
use crate::ids::{AccountId, ChannelId, EffectId, EmployeeId, Extension};
use crate::job::JobResult;
use crate::number::Number;
use crate::time::Timestamp;

/// One message on the event queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<E = CallEvent> {
    pub account: AccountId,
    /// When `ingest` took the request in; for our own events when they were made.
    pub received_at: Timestamp,
    pub event: E,
}

/// What a message on the event queue may tell. Each names what it belongs to in a field of its own: `entry`, `chat`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Event {
    Call(CallEvent),
    Conversation(ConversationEvent),
}

/// Something that happened to one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    pub channel: ChannelId,
    /// The provider's id of the whole conversation.
    pub entry: String,
    /// The provider's time.
    pub occurred_at: Timestamp,
    pub kind: CallEventKind,
}

/// What happened to the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallEventKind {
    /// A leg appeared, was answered, was put on hold or ended.
    LegChanged(LegChange),
    /// The provider's closing account of the whole call.
    Summarised(Summary),
    /// The provider says that the whole call is over, and gives no account of it.
    Ended,
    /// A recording began, moved to another leg or was completed.
    RecordingChanged(RecordingChange),
    /// A recording can be fetched.
    RecordingReady { recording: String },
    /// The client pressed keys in the menu.
    DigitsPressed(Digits),
    /// A job of this call ended. Counts only where the call still awaits that effect.
    JobEnded { effect: EffectId, result: JobResult },
    /// A person ended the links to a recording. Counts only if `generation`, the one they saw, is still that
    /// of the links.
    RecordingLinkRevoked {
        recording: String,
        generation: u32,
        /// Who it was, in words.
        by: String,
    },
    /// A timer asks whether anything is due. Carries nothing, decides nothing.
    WakeDue,
    /// An employee wants to talk to this number, at the telephone with this internal number.
    CallOrdered { by: EmployeeId, extension: Extension, client: Number },
    /// The provider tells of such an order, or of a command that takes the call elsewhere. Counts only where the item awaits that effect.
    OrderTold { effect: EffectId, news: OrderNews },
}

/// What a provider tells of an ordered call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderNews {
    /// It took the order; with the call that it became, as far as that is known.
    Accepted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<String>,
    },
    /// It did not call, and why.
    Refused { why: String },
}

/// Which way a call goes, seen from the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Direction {
    Incoming,
    Outgoing,
    Internal,
}

/// The state of one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LegState {
    Appeared,
    Connected,
    OnHold,
    Disconnected,
}

/// Where a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// The voice menu.
    Menu,
    /// Waiting for somebody of a group.
    Queue,
    /// An employee's or an outside telephone.
    Telephone,
}

/// One change of one leg. `seq` counts the changes of a leg; a lower one is older news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegChange {
    pub leg: String,
    pub seq: u64,
    pub state: LegState,
    pub place: Place,
    /// What this leg alone says about the direction of the call.
    pub direction: Direction,
    /// The outside party, if its number is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Number>,
    /// The company's number that was dialled or that calls; as the provider writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The employee on this leg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Extension>,
    /// The leg the caller was in before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
    /// This leg came about by a transfer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transfer: bool,
    /// Why it ended, kept for people to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// The provider's correlation id of an incoming call, where it passes one through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk_id: Option<String>,
}

/// The provider's closing account of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Summary {
    pub direction: Direction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Who talked; for a missed call the first employee who missed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Extension>,
    pub started_at: Timestamp,
    /// `None`: there was no conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub talked_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    /// The called party was busy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
    /// Why it ended, kept for people to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
    /// Seconds of talk, where the provider counts them itself; its times are then less exact than what legs say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
}

/// Why something ended, in the provider's terms.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EndReason {
    Code(u32),
    Words(String),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "код {code}"),
            Self::Words(words) => f.write_str(words),
        }
    }
}

/// One change of one recording; `seq` as for legs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingChange {
    pub recording: String,
    pub seq: u64,
    pub state: RecordingState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Extension>,
}

/// How far a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RecordingState {
    Started,
    /// Ended, and kept by the provider.
    Kept,
    /// Ended, and not kept (too short, not paid, not wanted ...), with the provider's code if it gives one.
    NotKept {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u32>,
    },
}

/// Keys pressed in the menu.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digits {
    pub leg: String,
    pub seq: u64,
    pub digits: String,
    /// The item of the menu, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    pub pressed_at: Timestamp,
}
