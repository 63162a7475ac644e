//! Jobs out: what to send next, and what the answer means. Codecs only; the engine sends.

use std::collections::BTreeMap;

use perezvon_domain::time::Millis;
use perezvon_domain::{ClientId, Command, CrmId, Directory, EffectId, JobResult, Timestamp};
use serde::{Deserialize, Serialize};

use crate::authorise::Authorise;
use crate::intake::{CallNews, ChatNews};
use crate::secret::Secret;

/// A job as its adapter sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    pub id: EffectId,
    pub command: Command,
    /// What the adapter remembers between steps: ids made, a stage. Kept in the job's row.
    #[serde(default)]
    pub progress: BTreeMap<String, String>,
    /// A write of this step was sent and its outcome is unknown: look its marker up.
    #[serde(default)]
    pub unknown: bool,
    /// When the write in doubt was sent, by our clock: what is older was not made by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// What the last answer taught beyond this job; the engine stores it and empties it.
    #[serde(skip)]
    pub learned: Learned,
}

/// News for others than the job itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Facts about the connection, such as the id of our marker field.
    pub facts: BTreeMap<String, String>,
    /// What the CRM says about the job's contact point.
    pub point: Option<PointNews>,
    /// What stands in the chats of the channel, known or not.
    pub chats: Vec<ChatNews>,
    /// What the provider says of calls of the channel, known or not.
    pub calls: Vec<CallNews>,
    /// Who works at the PBX.
    pub directory: Option<Directory>,
    /// Who does not work at the company any more, as its CRM says.
    pub dismissed: Option<Vec<CrmId>>,
}

/// What the CRM says about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointNews {
    pub client: ClientId,
    /// `None`: nobody is known by it (any more).
    pub contact: Option<CrmId>,
    pub name: String,
    pub responsible: Option<CrmId>,
    /// Further contacts of the same client.
    pub duplicates: u32,
    /// This job made the contact, and must know that it did.
    pub made: bool,
}

/// What the engine tells an adapter besides the job.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    pub now: Timestamp,
    /// Base address of the outside system, without a slash at the end.
    pub base: &'a str,
    /// Current secrets: tokens, keys.
    pub secret: &'a Secret,
    /// Facts learned about this connection.
    pub facts: &'a BTreeMap<String, String>,
    /// The row of the job's contact point.
    pub point: Option<&'a PointKnown>,
    /// The link to the recording the command names, signed by the shell.
    pub recording_link: Option<&'a str>,
    /// How long something new may stay invisible here, where the connection says so.
    pub lag: Option<Millis>,
}

/// The ContactPoint row as adapters see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointKnown {
    pub contact: Option<CrmId>,
    /// This job holds the right to make the contact.
    pub claimed: bool,
    /// This job made the contact.
    pub made: bool,
    /// When the client was last reached.
    pub reached_at: Option<Timestamp>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A request that changes nothing outside and may be repeated.
    Read(Outgoing),
    /// A request that makes or changes something; the index of its marker in [`Jobs::markers`].
    Write {
        request: Outgoing,
        marker: usize,
    },
    /// A request that may be repeated without harm, with a blob of the store at this place of its body.
    Upload {
        request: Outgoing,
        blob: String,
        at: usize,
    },
    /// Take the right to make a contact of the job's client; then ask again.
    Claim,
    /// Nothing to send before this time.
    Wait {
        until: Timestamp,
        why: String,
    },
    Done(JobResult),
    /// Given up, with a reason a person can act on, and what was made so far.
    Failed(JobResult),
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Understood; what it brought is in `progress` and `learned`. Ask for the next step.
    Next,
    /// To a look-up: our marker is not there, the write was not carried out.
    NotThere,
    /// Not carried out; try this step again then.
    Again { until: Timestamp, why: String },
    /// A write may or may not have been carried out: its marker is looked up. A read brought nothing: it is
    /// repeated after the connection's back-off.
    Unknown { why: String },
    /// The whole connection waits, until then or until a person acts.
    Pause { until: Option<Timestamp>, why: String },
    /// The access token is not accepted.
    TokenRefused,
    /// A reason a person can act on, and what was made so far.
    Failed(JobResult),
}

/// A request, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub expect: Expect,
}

/// Where the answer's body goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Into the reply, 1 MiB at most.
    Small,
    /// A success streams into the blob store under this key.
    Blob { key: String },
}

/// An answer. Transport errors never get here: the engine knows what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    /// The body went into the blob store: its size.
    pub stored: Option<u64>,
}

/// How sure a marker is (E3 keys, E2 read-your-writes, E1 with lag, E0 none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    E0,
    E1,
    E2,
}

/// How we find what we made ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// What is marked: `deal`.
    pub entity: &'static str,
    pub level: Level,
    /// How long a new entity may stay invisible to the look-up.
    pub lag: Millis,
}

/// Tokens after a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// The whole secret with the new tokens in it.
    pub secret: Secret,
}

/// The outgoing half of a provider.
pub trait Jobs: Sync {
    /// What to do next; with `work.unknown`: the look-up of the marker of the step in doubt.
    fn next(&self, work: &Work, known: &Known<'_>) -> Step;
    /// What the answer to that step means.
    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome;
    /// How our own entities are found, by kind.
    fn markers(&self) -> &'static [Marker];
    /// The request that exchanges a refresh token; `None`: the token cannot be refreshed.
    fn refresh(&self, known: &Known<'_>) -> Option<Outgoing>;
    /// New tokens from the answer to it; an error is for a person to read.
    fn refreshed(&self, known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String>;
    /// When the access token should be exchanged ahead of time.
    fn refresh_due(&self, secret: &Secret) -> Option<Timestamp>;
    /// How an account gives access in the browser; `None`: nobody asks for that here.
    fn authorise(&self) -> Option<&'static dyn Authorise> {
        None
    }
}
