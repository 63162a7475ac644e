//! Avito's messenger: pushes come in, texts go out into chats that clients began. Facts and samples: `events/avito/`.

mod answer;
mod chat;
mod heal;
mod image;
mod intake;
mod jobs;
mod look;
mod message;
mod request;
mod send;
mod settings;
mod signature;
mod subscribe;
mod token;
mod value;
mod voice;

#[cfg(test)]
mod tests;

use crate::{Capabilities, Provider, Role, Signature};

/// The codec; it holds nothing.
struct Avito;

/// Longest text of one message, in characters.
const MAX_TEXT: usize = 1000;

/// Avito in the registry.
pub(crate) static PROVIDER: Provider = Provider {
    id: "avito",
    name: "Avito",
    capabilities: Capabilities {
        role: Role::Chat,
        body_limit: 131_072,
        pace_ms: 200,
        max_text: MAX_TEXT,
        can_initiate: false,
        read_chat: true,
        subscribes: true,
        heals: true,
        signature: Signature::UrlTokenOnly {
            why: "Avito signs its pushes by a formula it does not publish: only the secret URL and the \
                  account tell them from others",
        },
    },
    settings: &Avito,
    intake: Some(&Avito),
    jobs: Some(&Avito),
    lab: None,
};
