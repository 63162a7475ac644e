//! Webhooks in: verified first, then normalised. A type, not a habit.

use std::collections::BTreeMap;

use perezvon_domain::{CallEventKind, ClientId, ConversationEventKind, CrmId, Timestamp};

use crate::secret::Secret;

/// A webhook as it came: the exact bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRequest {
    /// What follows the token in the URL, without slashes at the ends: `events/call`.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub received_at: Timestamp,
}

/// A request whose signature was found right. Only an adapter's `verify` makes one.
#[derive(Debug)]
pub struct Verified<'a> {
    request: &'a RawRequest,
    /// The text that was signed, exactly; empty where the provider sends none.
    payload: String,
}

impl<'a> Verified<'a> {
    pub(crate) fn new(request: &'a RawRequest, payload: String) -> Self {
        Self { request, payload }
    }

    /// The request it came in.
    pub fn request(&self) -> &'a RawRequest {
        self.request
    }

    /// The text that was signed.
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// Why a request is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the body is not what this provider sends: {0}")]
    Unreadable(String),
    #[error("the request carries no signature")]
    NoSignature,
    #[error("the request names another key than this channel's")]
    UnknownKey,
    #[error("the request is meant for another account than this channel's")]
    OtherAccount,
    #[error("the signature does not fit the key of this channel")]
    WrongSignature,
    #[error("this channel has no key yet")]
    NoSecret,
}

/// Why a verified request could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub String);

/// What a request means to us.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Inbound {
    /// Something happened to a call.
    Call(CallNews),
    /// Something happened to a conversation.
    Chat(ChatNews),
    /// Known, and of no use yet: counted under this name.
    Counted(String),
    /// Who works at the PBX may have changed: counted under this name, and asked for.
    UsersChanged(String),
    /// The provider's "check the connection" button.
    Ping,
    /// Something about a client changed in the CRM. Not believed: only what is to be asked about.
    ClientChanged(ClientChange),
}

/// Who changed in the CRM, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClientChange {
    pub contact: CrmId,
    /// What stands in the contact's card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientId>,
}

/// What happened to a call, before it is known whose channel this is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CallNews {
    pub entry: String,
    pub occurred_at: Timestamp,
    pub kind: CallEventKind,
}

/// What happened in a chat, before it is known whose channel this is. A message is told once by its id and by
/// whether it came or was deleted; the same news may come again.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChatNews {
    /// The provider's id of the chat.
    pub chat: String,
    pub occurred_at: Timestamp,
    pub kind: ConversationEventKind,
}

/// What the signature of a request is, where the provider does not publish how it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// There is none.
    Absent,
    /// It fits the formula of this name.
    Fits(&'static str),
    /// It fits none of those that are tried.
    Misses,
}

/// The incoming half of a provider.
pub trait Intake: Sync {
    /// Checks the signature over the exact bytes, against each secret in turn (rotation is two entries).
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret]) -> Result<Verified<'a>, Refusal>;
    /// Puts a verified request into our words. The same request always gives the same events.
    fn normalise(&self, request: Verified<'_>) -> Result<Vec<Inbound>, Malformed>;
    /// Whether the signature fits one of the formulas it may be made by; `None`: `verify` knows it, or this request
    /// carries none by nature. To be counted: whether it decides anything is a setting.
    fn guess(&self, _request: &RawRequest, _secrets: &[Secret]) -> Option<Guess> {
        None
    }
    /// Event paths this provider is known to send, for documents and conformance.
    fn paths(&self) -> &'static [&'static str];
}
