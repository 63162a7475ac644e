//! Jobs: what we ask of the outside, and what comes back.

use serde::{Deserialize, Serialize};

use crate::chat::ChatResult;
use crate::client::ClientId;
use crate::event::{CallEventKind, Direction};
use crate::ids::{CrmId, OutsideId};
use crate::number::Number;
use crate::reason::Reason;
use crate::time::Timestamp;

/// What a job touches; a waiting job holds back only jobs that share one of its points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Point {
    /// A contact point: a telephone number.
    Phone(Number),
    /// A contact point: a client as a provider of chats knows them.
    Client(OutsideId),
    /// A recording of a call.
    Recording(String),
    /// A chat of the channel: what is sent there keeps its order.
    Conversation(String),
    /// Where a provider posts: what it is told about that keeps its order.
    Address,
}

/// Wanted records of one call or conversation, all texts already filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPlan {
    #[serde(rename = "number")]
    pub client: ClientId,
    /// The contact as `ClientFound` named it; `None` for a new client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_contact: Option<CrmId>,
    /// Made only if nobody is known by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactPlan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealPlan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskPlan>,
    /// Deal and task belong to a new client: none if the contact is there by now, made by another job.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_new: bool,
}

/// A field of a CRM entity by its id or its code, and the value to put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldValue {
    /// Digits: the field's id; otherwise its code.
    pub field: String,
    pub value: String,
}

/// A contact to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPlan {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldValue>,
    /// A user of the CRM; `None`: whoever owns the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
}

/// A deal (сделка) to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealPlan {
    /// Goes into our marker field: the same for every attempt at this deal.
    pub marker: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
}

/// A task to be made, on the deal if there is one, else on the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPlan {
    pub text: String,
    pub due_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
    /// Not made if the client was reached at or after this moment: the missed call itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless_reached_since: Option<Timestamp>,
}

/// What became of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<CrmId>,
    /// The contact was made by this job, not found.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contact_made: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<CrmId>,
    /// The task was wanted but the client had been reached meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub task_needless: bool,
}

/// How the call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Outcome {
    Answered,
    NotAnswered,
    Busy,
}

/// A call to be written into the CRM's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallLog {
    /// The same for every attempt at this record.
    pub uniq: String,
    pub number: Number,
    pub direction: Direction,
    pub outcome: Outcome,
    pub started_at: Timestamp,
    pub seconds: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingLink>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<CrmId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<CrmId>,
}

/// How to reach a recording: the provider's own link, or else ours, which the shell signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingLink {
    pub recording: String,
    pub generation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<String>,
}

/// Where the CRM keeps the record of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    pub note: CrmId,
    /// `leads`, `contacts` ... as the CRM names it.
    pub entity_kind: String,
    pub entity: CrmId,
    /// The CRM did not find the number and the record was written as a note by ourselves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fallback: bool,
}

/// A change to what was already written, each made once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amendment {
    /// The recording came after the record, or its link was revoked: put the link in.
    AddRecording { logged: Logged, log: Box<CallLog> },
    /// One service note: the result or the duration turned out otherwise.
    Correct { logged: Logged, marker: String, text: String },
    /// A transfer came to light: the last one wins.
    Reassign { contact: Option<CrmId>, deal: Option<CrmId>, task: Option<CrmId>, responsible: CrmId },
    /// The missed call was none.
    CompleteTask { task: CrmId, text: String },
}

/// What a job came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobResult {
    /// `None`: nobody in the CRM has this number.
    ClientFound(Option<FoundClient>),
    RecordsMade(Records),
    /// The contact has the number; or another one has it, and a note says so.
    PhoneJoined {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        elsewhere: Option<CrmId>,
    },
    CallLogged(Logged),
    /// There was no contact to log the call to.
    CallNotPlaced,
    Amended,
    /// The recording lies in the blob store.
    RecordingStored {
        blob: String,
        bytes: u64,
        media_type: String,
    },
    /// Only the provider's link is kept.
    RecordingLinked {
        url: String,
    },
    /// The provider knows where its webhooks go.
    Subscribed,
    /// What was missed in the chats is on the event queue.
    Healed,
    /// The provider does not post there any more.
    Unsubscribed,
    /// What the provider of a chat did.
    Chat(ChatResult),
    /// What the provider says of a call, in the words of its events; nothing: it has no account of it yet.
    CallRead {
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        news: Vec<CallEventKind>,
    },
    /// Not sent, because it was no longer wanted when its turn came.
    Dropped {
        because: Reason,
    },
    /// Given up, with a reason a person can act on and what was already made.
    Failed {
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<Records>,
    },
    /// The provider takes an ordered call up; with the call that it becomes, if it says so.
    CallStarted {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<String>,
    },
    PopupShown,
    /// `None`: there is no such card (any more).
    CardsRead {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Card>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deal: Option<Card>,
    },
    /// Users and groups of the PBX are stored.
    UsersRead {
        users: u32,
    },
    /// The provider takes the call to somebody.
    Routed,
}

/// A card of the CRM, and where a browser opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    pub id: CrmId,
    pub url: String,
}

/// A client the CRM knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundClient {
    pub contact: CrmId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
    /// How many further contacts have the same number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duplicates: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}
