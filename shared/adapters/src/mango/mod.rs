//! Mango Office: a cloud PBX that posts signed forms and hands recordings over by one-shot links.

mod answer;
mod call_back;
mod events;
mod form;
mod history;
mod intake;
mod jobs;
mod lab;
mod query;
mod route;
mod settings;
mod stats;
#[cfg(test)]
mod tests;
mod users;

use perezvon_domain::time::Millis;

use crate::{Capabilities, Codec, Provider, Role, Signature};

/// The codec; it holds nothing.
struct Mango;

/// The registration of this provider.
pub(crate) static PROVIDER: Provider = Provider {
    id: "mango",
    name: "Mango Office",
    capabilities: Capabilities {
        role: Role::Telephony,
        body_limit: 65_536,
        pace_ms: 250,
        max_text: 0,
        can_initiate: false,
        read_chat: false,
        subscribes: false,
        heals_every: Some(Millis::minutes(30)),
        reads_calls: true,
        routes_calls: true,
        names_outgoing_line: true,
        links_last: true,
        takes_images: false,
        calls_back: true,
        lists_users: true,
        delete_within: None,
        synchronous: &[],
        signature: Signature::Checked,
    },
    settings: &Mango,
};

/// What speaks with it.
pub(crate) static CODEC: Codec =
    Codec { provider: &PROVIDER, intake: Some(&Mango), jobs: Some(&Mango), lab: Some(&Mango), answer: None };
