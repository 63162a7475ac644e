//! The aggregate `Call`: one telephone contact (звонок) with its legs, recordings and records.
//!
//! [`merge`] makes the record from events, commutative and idempotent. [`decide`] looks at the
//! state, not at the event: whatever is wanted and was not asked for yet becomes an effect.

mod advance;
mod amend;
mod decide;
mod facts;
mod log;
mod merge;
mod notices;
pub mod order;
mod reading;
mod records;
mod responsible;
mod revoke;
mod routing;
pub mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::answer::Known;
use crate::effect::Prev;
use crate::event::{Digits, Direction, EndReason, LegState, Place, RecordingState, Summary};
use crate::ids::{AccountId, ChannelId, ConnectionId, CrmId, EffectId, Extension};
use crate::job::{FoundClient, Logged, Outcome, Records};
use crate::number::Number;
use crate::policy::Occasion;
use crate::reason::{Because, Reason};
use crate::time::Timestamp;

pub use decide::{Decision, decide};
pub use notices::{Notice, Noticed, still_wanted};
pub use order::Ordered;
pub use reading::Reading;
pub use revoke::NotRevoked;
pub use routing::Routing;

/// A value and the `seq` of the event that brought it: the greater one stays.
pub type Latest<T> = Option<(u64, T)>;

/// One telephone contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub account: AccountId,
    pub channel: ChannelId,
    /// The provider's id of the whole conversation.
    pub entry: String,
    /// Version of the item this state was read from; 0: not written yet.
    #[serde(skip)]
    pub version: u64,
    /// The item's monotonic time.
    #[serde(skip)]
    pub at: Timestamp,
    /// When we first heard of the call: its place in the feed, never changed.
    pub first_received_at: Timestamp,
    /// When an event last told us something new.
    pub touched_at: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub legs: BTreeMap<String, Leg>,
    /// Finished legs beyond need, folded away: whose telephone rang last among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded: Option<Folded>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// When the provider said that the whole call is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_at: Option<Timestamp>,
    /// How far we are with asking the provider for its account of the call.
    #[serde(default, skip_serializing_if = "Reading::is_unasked")]
    pub reading: Reading,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub recordings: BTreeMap<String, Recording>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub digits: BTreeSet<Digits>,
    #[serde(default)]
    pub client: Client,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_at: Option<Timestamp>,
    #[serde(default)]
    pub records: RecordsState,
    #[serde(default)]
    pub log: LogState,
    /// Changes to what was written that are on their way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub amends: BTreeMap<EffectId, AmendKind>,
    /// Changes that were asked for, done or not: each once.
    #[serde(default, skip_serializing_if = "Asked::is_empty")]
    pub asked: Asked,
    /// An employee ordered it, and this is the order alone: what came of it is another call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered: Option<Ordered>,
    /// Who was told of the call while it went on.
    #[serde(default, skip_serializing_if = "Noticed::is_empty")]
    pub noticed: Noticed,
    /// How far we are with taking it to whoever is responsible for the client.
    #[serde(default, skip_serializing_if = "Routing::is_unasked")]
    pub routing: Routing,
    /// What the CRM said of the client before; looked up where [`Call::awaits_word`] asks for it.
    #[serde(skip)]
    pub remembered: Option<Known>,
    /// Last job on each connection.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub last_job: BTreeMap<ConnectionId, Prev>,
    /// Why things were done, oldest first, bounded.
    #[serde(skip)]
    pub because: Vec<Because>,
}

/// One connection inside a call, merged from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub state: Latest<(LegState, Place)>,
    /// What the earliest event of the leg says.
    pub direction: Latest<Direction>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Latest<Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Latest<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Latest<Extension>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Latest<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub transfer: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Latest<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trunk_id: Latest<String>,
    /// Earliest time any event of the leg names.
    pub appeared_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// The latest end: where a leg is known by the employee alone, it may be connected again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// Legs that ended without a talk, when there are too many to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folded {
    pub count: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rang_last: Option<(Timestamp, Extension)>,
}

/// A recording of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Latest<RecordingState>,
    /// The provider says that it can be fetched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ready: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Latest<Extension>,
    #[serde(default)]
    pub copy: Copy,
    /// Raised to revoke links that were given away.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub generation: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// How far we are with fetching a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Copy {
    #[default]
    NotAsked,
    Asked {
        effect: EffectId,
    },
    Stored {
        blob: String,
        bytes: u64,
        media_type: String,
    },
    Linked {
        url: String,
    },
    Failed {
        effect: EffectId,
        why: String,
    },
}

/// Who is calling: settled once for this call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    #[default]
    Unasked,
    Asked {
        effect: EffectId,
    },
    /// Nobody in the CRM had the number when we asked.
    New,
    /// From the base.
    Known(FoundClient),
    /// No number that could be asked about.
    Hidden,
    /// There is no CRM to ask.
    NoCrm,
}

/// How far the records in the CRM are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordsState {
    #[default]
    Undecided,
    /// Nothing in the CRM for this call; the reason is shown in the feed.
    Unlinked {
        because: Reason,
    },
    Asked {
        effect: EffectId,
        decided: Decided,
    },
    Made {
        records: Records,
        decided: Decided,
    },
    Failed {
        effect: EffectId,
        why: String,
        made: Records,
        decided: Decided,
    },
}

/// What the decision on the records stood on: later events are compared with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub occasion: Occasion,
    pub follow_transfers: bool,
    /// Who was taken to be on the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<Extension>,
    /// Which records got that employee as responsible.
    #[serde(default)]
    pub by_employee: ByEmployee,
    /// The user of the CRM in whose name the call is logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
}

/// Records whose responsible follows from the call itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByEmployee {
    pub contact: bool,
    pub deal: bool,
    pub task: bool,
}

/// How far the record of the call itself is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogState {
    #[default]
    Waiting,
    Asked {
        effect: EffectId,
        snapshot: Snapshot,
    },
    Logged {
        logged: Logged,
        snapshot: Snapshot,
    },
    NotPlaced,
    Failed {
        effect: EffectId,
        why: String,
        snapshot: Snapshot,
    },
}

/// What the record in the CRM says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub outcome: Outcome,
    pub seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<GivenLink>,
}

/// A link to a recording that the CRM was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenLink {
    pub recording: String,
    pub generation: u32,
}

/// Kinds of change to what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AmendKind {
    Recording,
    /// The link to a recording that the record has already was revoked.
    Link,
    Result,
    Responsible,
    Task,
}

/// What was already asked for once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reached: bool,
    /// The link to a recording that was to be put into the record last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<GivenLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<(Outcome, i64)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub task: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<Extension>,
}

impl Asked {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Call {
    /// A call nothing is known of yet.
    pub fn new(account: AccountId, channel: ChannelId, entry: String, received_at: Timestamp) -> Self {
        Self {
            account,
            channel,
            entry,
            version: 0,
            at: Timestamp::default(),
            first_received_at: received_at,
            touched_at: received_at,
            legs: BTreeMap::new(),
            folded: None,
            summary: None,
            over_at: None,
            reading: Reading::Unasked,
            recordings: BTreeMap::new(),
            digits: BTreeSet::new(),
            client: Client::Unasked,
            final_at: None,
            records: RecordsState::Undecided,
            log: LogState::Waiting,
            amends: BTreeMap::new(),
            asked: Asked::default(),
            ordered: None,
            noticed: Noticed::default(),
            routing: Routing::Unasked,
            remembered: None,
            last_job: BTreeMap::new(),
            because: Vec::new(),
        }
    }

    /// The prefix of this call's effect ids: unlike for any two calls.
    pub fn aggregate(&self) -> String {
        format!("call/{}/{}", self.channel, self.entry)
    }
}

/// Splits an effect id of a call into channel and entry: where its result belongs.
pub fn of_effect(effect: &EffectId) -> Option<(ChannelId, String)> {
    let rest = effect.as_str().strip_prefix("call/")?;
    let (rest, _index) = rest.rsplit_once('/')?;
    let (rest, _version) = rest.rsplit_once('/')?;
    let (channel, entry) = rest.split_once('/')?;
    Some((ChannelId::from(channel), entry.to_owned()))
}
