//! Jobs out: recordings by their one-shot links, what the provider says of a call, calls that employees ordered.

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, Timestamp};

use super::Rostelecom;
use super::{account, call_back, history, record, sign, users};
use crate::jobs::{Jobs, Known, Level, Marker, Outcome, Outgoing, Reply, Step, TokenPair, Work};
use crate::secret::Secret;

use super::answer::{RETRY, failed};

/// What we make there: a call, which cannot be found again.
static MARKERS: [Marker; 1] = [Marker { entity: "call_back", level: Level::E0, lag: Millis(0) }];
/// Its place among them.
const CALL_BACK: usize = 0;

impl Jobs for Rostelecom {
    fn next(&self, work: &Work, known: &Known<'_>) -> Step {
        if !sign::is_whole(known.secret) {
            let why = "у канала нет кода идентификации или ключа подписи: впишите их в настройки".to_owned();
            return Step::Wait { until: known.now.after(RETRY), why };
        }
        match &work.command {
            Command::CopyRecording { recording, blob, link_only } => {
                record::next(work, known, recording, blob, *link_only)
            }
            Command::ReadCall { entry, .. } => account::next(work, known, entry),
            Command::Heal { since } => history::next(work, known, *since),
            Command::CallBack { extension, client } => call_back::next(work, known, extension, client, CALL_BACK),
            Command::ReadUsers => users::next(work, known),
            _ => Step::Failed(failed(not_here())),
        }
    }

    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        match work.command.clone() {
            Command::CopyRecording { .. } => record::absorb(work, known, reply),
            Command::ReadCall { entry, .. } => account::absorb(work, known, reply, &entry),
            Command::Heal { since } => history::absorb(work, known, reply, since),
            Command::CallBack { .. } => call_back::absorb(work, known, reply),
            Command::ReadUsers => users::absorb(work, known, reply),
            _ => Outcome::Failed(failed(not_here())),
        }
    }

    fn markers(&self) -> &'static [Marker] {
        &MARKERS
    }

    fn refresh(&self, _: &Known<'_>) -> Option<Outgoing> {
        None
    }

    fn refreshed(&self, _: &Known<'_>, _: &Reply) -> Result<TokenPair, String> {
        Err("у этой АТС нет токенов: её код и ключ меняют в настройках".to_owned())
    }

    fn refresh_due(&self, _: &Secret) -> Option<Timestamp> {
        None
    }
}

fn not_here() -> &'static str {
    "эта АТС такого не умеет"
}
