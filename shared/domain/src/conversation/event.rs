//! What happens to a conversation, in our words: past tense, provider-neutral.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chat::Image;
use crate::ids::{ChannelId, CrmId, EffectId, EmployeeId};
use crate::job::JobResult;
use crate::time::Timestamp;

/// Something that happened to one conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationEvent {
    pub channel: ChannelId,
    /// The provider's id of the chat.
    pub chat: String,
    /// The provider's time: it only orders. For our own events the same as `received_at`.
    pub occurred_at: Timestamp,
    /// When we took it in: delays, hours and the closing clock count from it.
    pub received_at: Timestamp,
    pub kind: ConversationEventKind,
}

/// What happened. Messages, replies and notes come here once each: their keys are remembered beside the state.
/// All others may come any number of times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationEventKind {
    /// A message stands in the chat. One of ours that the item or a row knows never comes here.
    MessageReceived(Message),
    /// A message was taken back, by whoever wrote it.
    MessageDeleted {
        message: String,
    },
    /// Somebody learned who the client is; what is `None` is not news.
    ClientKnown(ClientFacts),
    /// The client left the chat, or blocked us.
    ClientLeft,
    /// An employee replies, in parts none of which is longer than the provider takes.
    ReplyWritten {
        by: EmployeeId,
        parts: Vec<String>,
    },
    /// An employee replies with a picture, which lies in the blob store.
    ImageReplied {
        by: EmployeeId,
        image: Image,
    },
    /// An employee noted something that the client does not see. The text goes to the history alone.
    NoteWritten {
        by: EmployeeId,
        text: String,
    },
    /// An employee gave the conversation to somebody, or (`None`) back to its group.
    Assigned {
        by: EmployeeId,
        to: Option<EmployeeId>,
    },
    ClosedByAgent {
        by: EmployeeId,
    },
    /// An employee looks at the conversation.
    Opened {
        by: EmployeeId,
    },
    /// An employee takes a message of ours back; `message` is the provider's id.
    DeletionAsked {
        by: EmployeeId,
        message: String,
    },
    /// An employee wants to hear a voice message; both are named as the provider names them.
    VoiceAsked {
        by: EmployeeId,
        message: String,
        voice: String,
    },
    /// The channel was switched off.
    ChannelDisabled,
    /// The same account of the provider was connected in a channel made later.
    ChannelSuperseded,
    /// A job of this conversation ended. Counts only where the conversation still awaits that effect.
    JobEnded {
        effect: EffectId,
        result: JobResult,
    },
    /// A timer asks whether an autoreply is due. Carries nothing, decides nothing.
    ReplyDue,
    /// A timer asks whether the conversation is to be closed. Carries nothing, decides nothing.
    CloseDue,
    /// Somebody could not hand over what was decided. Carries nothing, decides nothing.
    WakeDue,
}

/// A message of a chat. Its text goes to the history row; the conversation keeps a short summary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The provider's id.
    pub id: String,
    pub from: Author,
    /// The provider's id of the client who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    pub kind: MessageKind,
    /// The text, or what goes with the picture.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// What the kind needs besides: an address, the id of a voice message, a place on the map.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Author {
    Client,
    /// Somebody of ours in the provider's own application, or (not known yet) we ourselves.
    Agent,
    /// The provider. Answers nothing and waits for nothing.
    System,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MessageKind {
    Text,
    Image,
    Voice,
    Link,
    Location,
    /// An article for sale.
    Item,
    /// A missed call inside the chat.
    Call,
    File,
    /// Something the provider does not show to programs.
    Other,
}

/// Who the client is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientFacts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the chat is about, such as the title of an advertisement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Who answers for the client in the CRM, as the contact point last knew it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsible: Option<CrmId>,
}

/// A picture in lists.
pub(super) const PICTURE: &str = "[фото]";
/// How many characters of a message lists show.
const SUMMARY: usize = 60;

impl Message {
    /// The message in a few words.
    pub fn summary(&self) -> String {
        let kind = match self.kind {
            MessageKind::Text => "",
            MessageKind::Image => PICTURE,
            MessageKind::Voice => "[голосовое сообщение]",
            MessageKind::Link => "[ссылка]",
            MessageKind::Location => "[место на карте]",
            MessageKind::Item => "[объявление]",
            MessageKind::Call => "[пропущенный звонок]",
            MessageKind::File => "[файл]",
            MessageKind::Other => "[сообщение видно только в приложении]",
        };
        summary(&[kind, self.text.trim()].join(" "))
    }
}

/// The beginning of a text, in one line.
pub(super) fn summary(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.chars().count() {
        count if count > SUMMARY => line.chars().take(SUMMARY - 1).chain(['…']).collect(),
        _ => line,
    }
}

impl ConversationEventKind {
    /// Its name, for people who read what happened.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MessageReceived(message) => match message.from {
                Author::Client => "MessageReceived (client)",
                Author::Agent => "MessageReceived (agent outside)",
                Author::System => "MessageReceived (system)",
            },
            Self::MessageDeleted { .. } => "MessageDeleted",
            Self::ClientKnown(_) => "ClientKnown",
            Self::ClientLeft => "ClientLeft",
            Self::ReplyWritten { .. } => "ReplyWritten",
            Self::ImageReplied { .. } => "ImageReplied",
            Self::NoteWritten { .. } => "NoteWritten",
            Self::Assigned { .. } => "Assigned",
            Self::ClosedByAgent { .. } => "ClosedByAgent",
            Self::Opened { .. } => "Opened",
            Self::DeletionAsked { .. } => "DeletionAsked",
            Self::VoiceAsked { .. } => "VoiceAsked",
            Self::ChannelDisabled => "ChannelDisabled",
            Self::ChannelSuperseded => "ChannelSuperseded",
            Self::JobEnded { .. } => "JobEnded",
            Self::ReplyDue => "ReplyDue",
            Self::CloseDue => "CloseDue",
            Self::WakeDue => "WakeDue",
        }
    }
}
