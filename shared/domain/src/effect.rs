//! Effects: what a decision wants done. A command has one addressee, a fact is told to the bus.

use serde::{Deserialize, Serialize};

use crate::chat::ChatCommand;
use crate::client::ClientId;
use crate::conversation::Cause;
use crate::ids::{ChannelId, ConnectionId, CrmId, EffectId, EmployeeId, Extension};
use crate::job::{Amendment, CallLog, Card, Point, RecordPlan};
use crate::number::Number;
use crate::time::Timestamp;

/// An effect in the outbox of an item, until it is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    pub id: EffectId,
    /// The item's time at the commit that made it.
    pub at: Timestamp,
    pub wanted: Wanted,
}

/// The kinds of effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// A job row under this connection.
    Job(JobOrder),
    /// An event on the bus.
    Fact(Fact),
    /// The contact point was reached at this moment; the later one stays.
    Reached { number: Number, at: Timestamp },
}

/// A command on its way into a job row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOrder {
    pub connection: ConnectionId,
    pub command: Command,
    pub points: Vec<Point>,
    /// The item's last job on the same connection: it goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Prev>,
}

/// A job by its place under the connection: the item's time and the effect id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prev {
    pub at: Timestamp,
    pub id: EffectId,
}

/// What the outside is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Who is known by this number, or by this id?
    FindClient {
        #[serde(rename = "number")]
        client: ClientId,
    },
    /// Make what the scenario asks for.
    MakeRecords(Box<RecordPlan>),
    /// Give this contact a number that its client wrote, unless another contact has it.
    JoinPhone { contact: CrmId, number: Number },
    /// Write the call into the CRM's history.
    LogCall(Box<CallLog>),
    /// Change what was written.
    Amend(Amendment),
    /// Fetch a recording from the provider, or only make its link.
    CopyRecording { recording: String, blob: String, link_only: bool },
    /// Something in a chat.
    Chat(ChatCommand),
    /// Post the webhooks of this channel to this address. Asked for by whoever applies settings, not by a decision.
    Subscribe { url: String },
    /// Fetch what stands in the chats of this channel since then and was never told. Asked for by the schedule.
    Heal { since: Timestamp },
    /// Post nothing to this address any more; asked for like [`Command::Subscribe`].
    Unsubscribe { url: String },
    /// What does the provider say of this call, which began about then?
    ReadCall { entry: String, started_at: Timestamp },
    /// Ring this employee's telephone, and once it is answered the client's.
    CallBack { extension: Extension, client: Number },
    /// Show these users of the CRM who calls.
    ShowPopup { number: Number, users: Vec<CrmId> },
    /// Where are the cards of this contact and of its nearest open deal?
    ReadCards { contact: CrmId },
    /// Who works at this PBX? Asked for when somebody looks, and when it tells of a change.
    ReadUsers,
    /// Take this leg of a call to this employee, whose telephone shows the name.
    RouteCall { leg: String, extension: Extension, name: String },
    /// Who is known by this now? The CRM told that it changed; asked for by whoever heard that.
    ReadClient { client: ClientId },
    /// Which users of the CRM do not work there any more? Asked for by the schedule.
    ReadDismissed,
}

/// Which function carries a command out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// `crm`: the CRM of an account.
    Crm,
    /// `outbound`: the providers of its channels.
    Outbound,
}

impl Command {
    /// Who carries it out.
    pub fn lane(&self) -> Lane {
        match self {
            Self::FindClient { .. } | Self::MakeRecords(_) | Self::JoinPhone { .. } => Lane::Crm,
            Self::LogCall(_) | Self::Amend(_) => Lane::Crm,
            Self::ShowPopup { .. } | Self::ReadCards { .. } => Lane::Crm,
            Self::CopyRecording { .. } | Self::Chat(_) => Lane::Outbound,
            Self::Subscribe { .. } | Self::Unsubscribe { .. } | Self::Heal { .. } => Lane::Outbound,
            Self::ReadCall { .. } => Lane::Outbound,
            Self::CallBack { .. } | Self::ReadUsers | Self::RouteCall { .. } => Lane::Outbound,
            Self::ReadClient { .. } | Self::ReadDismissed => Lane::Crm,
        }
    }

    /// Wanted only for a while: `still_wanted` is asked before it is first sent.
    pub fn is_wanted_for_a_while(&self) -> bool {
        match self {
            Self::Chat(command) => command.is_automatic(),
            Self::CallBack { .. } => true,
            _ => self.is_of_the_moment(),
        }
    }

    /// Worth something only while the call goes on. It goes before everything that waits; what came too late, or what
    /// nobody knows the outcome of, is over: never repeated, and no person is asked about it.
    pub fn is_of_the_moment(&self) -> bool {
        matches!(self, Self::ShowPopup { .. } | Self::ReadCards { .. } | Self::RouteCall { .. })
    }

    /// Nobody waits for it: it goes behind all that waits. A thousand cards that change at once hold up no call.
    pub fn is_in_no_hurry(&self) -> bool {
        matches!(self, Self::ReadClient { .. } | Self::ReadDismissed)
    }
}

/// Facts for whoever listens on the bus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    CallEnded(CallFact),
    CallMissed(CallFact),
    /// A round of a conversation began.
    ConversationOpened(ConversationFact),
    ConversationClosed(ConversationFact),
    /// It rings at this employee.
    CallRinging(CallNotice),
    /// This employee talks with the client.
    CallAnswered(CallNotice),
    /// The same, when it is known where the client's cards are.
    ManagerNotified(CallNotice),
}

impl Fact {
    /// The detail type on the bus.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CallEnded(_) => "CallEnded",
            Self::CallMissed(_) => "CallMissed",
            Self::ConversationOpened(_) => "ConversationOpened",
            Self::ConversationClosed(_) => "ConversationClosed",
            Self::CallRinging(_) => "CallRinging",
            Self::CallAnswered(_) => "CallAnswered",
            Self::ManagerNotified(_) => "ManagerNotified",
        }
    }

    /// What it tells.
    pub fn detail(&self) -> Detail<'_> {
        match self {
            Self::CallEnded(call) | Self::CallMissed(call) => Detail::Call(call),
            Self::ConversationOpened(conversation) | Self::ConversationClosed(conversation) => {
                Detail::Conversation(conversation)
            }
            Self::CallRinging(notice) | Self::CallAnswered(notice) | Self::ManagerNotified(notice) => {
                Detail::Notice(notice)
            }
        }
    }
}

/// What a fact tells, as it goes onto the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Detail<'a> {
    Call(&'a CallFact),
    Conversation(&'a ConversationFact),
    Notice(&'a CallNotice),
}

/// What a fact tells about a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFact {
    pub channel: crate::ids::ChannelId,
    pub entry: String,
    pub direction: crate::event::Direction,
    pub client: Option<Number>,
    pub line: Option<String>,
    pub employee: Option<crate::ids::EmployeeId>,
    pub started_at: Timestamp,
    pub seconds: i64,
}

/// What a fact tells about a call that goes on, to one employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallNotice {
    #[serde(flatten)]
    pub call: CallFact,
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// The client, as far as the CRM has said who that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Card>,
    /// The open deal that changed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<Card>,
}

/// What a fact tells about a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationFact {
    pub channel: ChannelId,
    pub chat: String,
    /// Counts how often the conversation was opened.
    pub round: u32,
    /// The client, as far as the name is known.
    pub client: Option<String>,
    /// Who has it; in a group `None` until somebody takes it.
    pub assignee: Option<EmployeeId>,
    pub group: Option<String>,
    /// Why it was closed.
    pub cause: Option<Cause>,
    pub at: Timestamp,
}
