//! Jobs out: a text, a picture, a deletion, a read mark, the look at who the client is, the link to a voice message.

use perezvon_domain::time::Millis;
use perezvon_domain::{ChatCommand, ChatResult, Command, JobResult, Timestamp};

use super::answer::{self, failed};
use super::{Avito, chat, heal, image, request, send, subscribe, token, voice};
use crate::authorise::Authorise;
use crate::jobs::{Jobs, Known, Level, Marker, Outcome, Outgoing, Reply, Step, TokenPair, Work};
use crate::secret::Secret;

/// Where the result is kept once it is there.
const DONE: &str = "done";

/// What we make there; the order is that of [`MARKERS`].
#[derive(Clone, Copy)]
pub(super) enum Made {
    Message,
    Deletion,
}

static MARKERS: [Marker; 2] = [marker("message"), marker("deletion")];

/// Both are read off the list of messages, which may be behind.
const fn marker(entity: &'static str) -> Marker {
    Marker { entity, level: Level::E1, lag: Millis::seconds(10) }
}

pub(super) fn write(request: Outgoing, made: Made) -> Step {
    Step::Write { request, marker: made as usize }
}

/// Keeps the result; the next step says it.
pub(super) fn done(work: &mut Work, result: &ChatResult) -> Outcome {
    work.progress.insert(DONE.to_owned(), serde_json::to_string(result).unwrap_or_default());
    Outcome::Next
}

fn result(work: &Work) -> Option<ChatResult> {
    serde_json::from_str(work.progress.get(DONE)?).ok()
}

/// What an answer means, whatever the job.
fn understand(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if answer::is_in_question(work, known.now) {
        return answer::settled(work, known, reply);
    }
    let command = match work.command.clone() {
        Command::Chat(command) => command,
        Command::Subscribe { url } => return subscribe::absorb(work, known, reply, &url),
        Command::Unsubscribe { url } => return subscribe::absorb_end(work, known, reply, &url),
        Command::Heal { since } => return heal::absorb(work, known, reply, since),
        _ => return Outcome::Failed(failed(NO_CHAT)),
    };
    match command {
        ChatCommand::SendMessage { text, .. } => send::absorb(work, known, reply, &text),
        ChatCommand::SendImage { .. } => image::absorb(work, known, reply),
        ChatCommand::DeleteMessage { message, .. } => send::absorb_deletion(work, known, reply, &message),
        ChatCommand::MarkRead { .. } => match answer::hear(work, known, reply) {
            answer::Answer::Said(_) => done(work, &ChatResult::MarkedRead),
            answer::Answer::Settled(outcome) => outcome,
        },
        ChatCommand::ReadChat { .. } => chat::absorb(work, known, reply),
        ChatCommand::ReadVoice { message, voice, .. } => voice::absorb(work, known, reply, message, &voice),
    }
}

impl Jobs for Avito {
    fn next(&self, work: &Work, known: &Known<'_>) -> Step {
        if let Some(result) = result(work) {
            return Step::Done(JobResult::Chat(result));
        }
        if answer::is_in_question(work, known.now) {
            return Step::Read(request::account(known));
        }
        let command = match &work.command {
            Command::Chat(command) => command,
            Command::Subscribe { url } => return subscribe::next(work, known, url),
            Command::Heal { .. } => return heal::next(work, known),
            Command::Unsubscribe { url } => return subscribe::next_end(work, known, url),
            _ => return Step::Failed(failed(NO_CHAT)),
        };
        match command {
            ChatCommand::SendMessage { chat, text, .. } => send::next(work, known, chat, text),
            ChatCommand::SendImage { chat, image, .. } => image::next(work, known, chat, image),
            ChatCommand::DeleteMessage { chat, message } => send::next_deletion(work, known, chat, message),
            // Repeated without harm, so nobody need find out whether it was carried out.
            ChatCommand::MarkRead { chat } => Step::Read(request::command(known, chat, &["read"], None)),
            ChatCommand::ReadChat { chat } => Step::Read(request::chat(known, chat)),
            ChatCommand::ReadVoice { voice, .. } => Step::Read(request::voice(known, voice)),
        }
    }

    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        match understand(work, known, reply) {
            // One that waits says why. One that fails would be followed by the next, every ten minutes.
            Outcome::Failed(JobResult::Failed { why, .. }) if matches!(work.command, Command::Heal { .. }) => {
                Outcome::Unknown { why }
            }
            outcome => outcome,
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

    fn authorise(&self) -> Option<&'static dyn Authorise> {
        Some(&Avito)
    }
}

const NO_CHAT: &str = "Avito умеет только переписку: звонками и карточками занимаются телефония и CRM";
