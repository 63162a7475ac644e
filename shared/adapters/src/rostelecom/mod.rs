//! Rostelecom VATS: a cloud PBX that posts signed JSON, one body a state of a call.

mod account;
mod answer;
mod archive;
mod call_back;
mod events;
mod history;
mod intake;
mod jobs;
mod lab;
mod number_info;
mod party;
mod record;
mod request;
mod settings;
mod sign;
#[cfg(test)]
mod tests;
mod users;

use perezvon_domain::time::Millis;

use crate::{Capabilities, Codec, Provider, Role, Signature};

/// The codec; it holds nothing.
struct Rostelecom;

/// The registration of this provider.
pub(crate) static PROVIDER: Provider = Provider {
    id: "rostelecom",
    name: "Ростелеком ВАТС",
    capabilities: Capabilities {
        role: Role::Telephony,
        body_limit: 65_536,
        // No limit is published: as gentle as with the others.
        pace_ms: 250,
        max_text: 0,
        can_initiate: false,
        read_chat: false,
        subscribes: false,
        heals_every: Some(Millis::minutes(30)),
        reads_calls: true,
        routes_calls: false,
        names_outgoing_line: false,
        links_last: false,
        takes_images: false,
        calls_back: true,
        lists_users: true,
        delete_within: None,
        synchronous: number_info::PATHS,
        signature: Signature::Checked,
    },
    settings: &Rostelecom,
};

/// What speaks with it.
pub(crate) static CODEC: Codec = Codec {
    provider: &PROVIDER,
    intake: Some(&Rostelecom),
    jobs: Some(&Rostelecom),
    lab: Some(&Rostelecom),
    answer: Some(&Rostelecom),
};
