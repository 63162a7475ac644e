//! What we ask of a provider of chats, and what comes back.

use serde::{Deserialize, Serialize};

use crate::ids::EmployeeId;
use crate::time::Timestamp;

/// What the provider of a channel is asked to do in one chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatCommand {
    /// Send one text; never longer than the provider takes.
    SendMessage { chat: String, text: String, origin: Origin },
    /// Send one picture.
    SendImage { chat: String, image: Image, origin: Origin },
    /// The agents have seen everything in the chat.
    MarkRead { chat: String },
    /// Take back a message of ours, named as the provider names it.
    DeleteMessage { chat: String, message: String },
    /// Who is the client, and what is the chat about?
    ReadChat { chat: String },
    /// Where can a voice message be heard? Both are named as the provider names them.
    ReadVoice { chat: String, message: String, voice: String },
}

impl ChatCommand {
    /// Wanted only for a while: before it is first sent, the core is asked whether it still is.
    pub fn is_automatic(&self) -> bool {
        self.origin().is_some_and(Origin::is_automatic)
    }

    /// Why it is sent; `None`: it sends nothing.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::SendMessage { origin, .. } | Self::SendImage { origin, .. } => Some(origin),
            _ => None,
        }
    }

    /// The text for the history; it stands there under the effect's id.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::SendMessage { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// A picture that waits in the blob store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its key there.
    pub blob: String,
    pub media_type: String,
}

/// Why something is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// An employee wrote it here.
    Reply { by: EmployeeId },
    /// An autoreply, by its place in the settings, from 0.
    Step { step: u16 },
    /// The closing text.
    Closing,
}

impl Origin {
    /// Nobody wrote it.
    pub fn is_automatic(&self) -> bool {
        !matches!(self, Self::Reply { .. })
    }

    /// What it is, in Russian.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Reply { .. } => "ответ".to_owned(),
            Self::Step { step } => format!("автоответ {}", u32::from(*step) + 1),
            Self::Closing => "сообщение о закрытии".to_owned(),
        }
    }
}

/// What a command of a chat came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatResult {
    /// The message stands in the chat, under the provider's id.
    Sent {
        message: String,
    },
    MarkedRead,
    Deleted,
    ChatRead {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
        /// Title and address of the advertisement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
    },
    /// A voice message can be heard there, until then.
    VoiceRead {
        message: String,
        url: String,
        until: Timestamp,
    },
}
