//! Avito's messenger: pushes come in, texts go out into chats that clients began. Facts and samples: `events/avito/`.

mod answer;
mod authorise;
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

use perezvon_domain::time::Millis;

use crate::{Capabilities, Codec, Provider, Role, Signature};

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
        body_limit: 262_144,
        pace_ms: 200,
        max_text: MAX_TEXT,
        can_initiate: false,
        read_chat: true,
        subscribes: true,
        heals_every: Some(Millis(0)),
        reads_calls: false,
        routes_calls: false,
        names_outgoing_line: false,
        links_last: false,
        takes_images: true,
        calls_back: false,
        lists_users: false,
        delete_within: Some(Millis::minutes(60)),
        synchronous: &[],
        signature: Signature::UrlTokenOnly {
            why: "Avito signs its pushes by a formula it does not publish: only the secret URL and the \
                  account tell them from others",
        },
    },
    settings: &Avito,
};

/// What speaks with it.
pub(crate) static CODEC: Codec =
    Codec { provider: &PROVIDER, intake: Some(&Avito), jobs: Some(&Avito), lab: None, answer: None };
