//! amoCRM: finds clients, makes records, logs calls. Facts and samples: `events/amocrm/`.

mod amend;
mod answer;
mod calls;
mod field;
mod find;
mod hook;
mod join;
mod look;
mod marks;
mod memory;
mod popup;
mod records;
mod request;
mod search;
mod settings;
mod token;
mod users;
mod wire;

#[cfg(test)]
mod tests;

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, JobResult, Timestamp};

use crate::jobs::{Jobs, Known, Level, Marker, Outcome, Outgoing, Reply, Step, TokenPair, Work};
use crate::secret::Secret;
use crate::{Capabilities, Codec, Provider, Role, Signature};

/// amoCRM in the registry.
pub(crate) static PROVIDER: Provider = Provider {
    id: "amocrm",
    name: "amoCRM",
    capabilities: Capabilities {
        role: Role::Crm,
        body_limit: 256 * 1024,
        pace_ms: 250,
        max_text: 0,
        can_initiate: false,
        read_chat: false,
        subscribes: false,
        heals_every: None,
        reads_calls: false,
        routes_calls: false,
        names_outgoing_line: false,
        links_last: false,
        takes_images: false,
        calls_back: false,
        lists_users: true,
        delete_within: None,
        synchronous: &[],
        signature: Signature::UrlTokenOnly {
            why: "amoCRM does not sign its webhooks: only the secret URL tells them from others",
        },
    },
    settings: &settings::AmoSettings,
};

/// What speaks with it.
pub(crate) static CODEC: Codec =
    Codec { provider: &PROVIDER, intake: Some(&hook::AmoHook), jobs: Some(&AmoJobs), lab: None, answer: None };

/// What we make there; the order is that of [`MARKERS`].
#[derive(Clone, Copy)]
enum Made {
    Contact,
    Deal,
    Task,
    Call,
    Field,
    Note,
    Patch,
    Popup,
}

static MARKERS: [Marker; 8] = [
    marker("contact", Level::E1, 30),
    marker("deal", Level::E1, 30),
    marker("task", Level::E1, 30),
    marker("call", Level::E1, 60),
    marker("field", Level::E1, 30),
    marker("note", Level::E1, 30),
    marker("patch", Level::E2, 0),
    // Nothing is left of it that could be found.
    marker("popup", Level::E0, 0),
];

const fn marker(entity: &'static str, level: Level, lag_seconds: i64) -> Marker {
    Marker { entity, level, lag: Millis::seconds(lag_seconds) }
}

fn write(request: Outgoing, made: Made) -> Step {
    Step::Write { request, marker: made as usize }
}

fn failed(why: String) -> JobResult {
    JobResult::Failed { why, made: None }
}

struct AmoJobs;

impl Jobs for AmoJobs {
    fn next(&self, work: &Work, known: &Known<'_>) -> Step {
        match &work.command {
            Command::FindClient { client } | Command::ReadClient { client } => find::next(work, known, client),
            Command::MakeRecords(plan) => records::next(work, known, plan),
            Command::JoinPhone { contact, number } => join::next(work, known, contact, number),
            Command::LogCall(log) => calls::next(work, known, log),
            Command::Amend(amendment) => amend::next(work, known, amendment),
            Command::ShowPopup { number, users } => popup::next(work, known, number, users),
            Command::ReadCards { contact } => popup::next_card(work, known, contact),
            Command::ReadDismissed => users::next(work, known),
            // The rest is for telephony and messengers.
            _ => Step::Failed(failed(not_here())),
        }
    }

    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        match work.command.clone() {
            Command::FindClient { client } | Command::ReadClient { client } => {
                search::absorb(work, known, &client, reply)
            }
            Command::MakeRecords(plan) => records::absorb(work, known, &plan, reply),
            Command::JoinPhone { contact, number } => join::absorb(work, known, &contact, &number, reply),
            Command::LogCall(log) => calls::absorb(work, known, &log, reply),
            Command::Amend(amendment) => amend::absorb(work, known, &amendment, reply),
            Command::ShowPopup { .. } => popup::absorb(work, known, reply),
            Command::ReadCards { contact } => popup::absorb_card(work, known, &contact, reply),
            Command::ReadDismissed => users::absorb(work, known, reply),
            _ => Outcome::Failed(failed(not_here())),
        }
    }

    fn markers(&self) -> &'static [Marker] {
        &MARKERS
    }

    fn refresh(&self, known: &Known<'_>) -> Option<Outgoing> {
        token::refresh(known)
    }

    fn refreshed(&self, known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String> {
        token::refreshed(known, reply)
    }

    fn refresh_due(&self, secret: &Secret) -> Option<Timestamp> {
        token::refresh_due(secret)
    }
}

fn not_here() -> String {
    "это делает канал телефонии или чатов, а не amoCRM".to_owned()
}
