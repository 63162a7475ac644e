//! Look-ups: was our write carried out? The newest messages of the chat tell, page by page.

use perezvon_domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, hear};
use super::request::{self, PAGE};
use super::value::{text, time};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where the state of a look-up is kept.
const LOOK: &str = "look";
/// When the write was first sent, in milliseconds: kept over all attempts.
const SENT_AT: &str = "sent_at";
/// The provider lets nobody look further back.
pub(super) const LAST_OFFSET: usize = 1000;
/// How far its clock may be behind ours, its whole seconds included, in milliseconds.
const CLOCKS: i64 = 6000;

/// How far a look-up is.
#[derive(Default, Serialize, Deserialize)]
struct Look {
    offset: usize,
}

/// What a look-up has come to.
pub(super) enum Looked {
    /// The provider's id of what we look for.
    Found(String),
    Absent,
    /// Still looking, or hindered.
    Open(Outcome),
}

/// Whether a look-up is to be made, or goes on. One of several reads has cleared `unknown` with its first.
pub(super) fn is_open(work: &Work) -> bool {
    work.unknown || work.progress.contains_key(LOOK)
}

fn state(work: &Work) -> Look {
    work.progress.get(LOOK).and_then(|look| serde_json::from_str(look).ok()).unwrap_or_default()
}

fn store(work: &mut Work, look: &Look) {
    work.progress.insert(LOOK.to_owned(), serde_json::to_string(look).unwrap_or_default());
}

/// What was written before this is not ours.
pub(super) fn not_before(work: &Work) -> Timestamp {
    let first = work.progress.get(SENT_AT).and_then(|at| at.parse().ok()).map(Timestamp);
    let sent_at = first.or(work.sent_at).unwrap_or_default();
    Timestamp(sent_at.0.saturating_sub(CLOCKS))
}

/// The next page.
pub(super) fn next(work: &Work, known: &Known<'_>, chat: &str) -> Step {
    Step::Read(request::messages(known, chat, state(work).offset))
}

/// Takes a page in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, is_it: impl Fn(&Value) -> bool) -> Looked {
    let mut look = state(work);
    // A refusal takes the doubt away from the engine: it stays here.
    store(work, &look);
    if let (false, Some(sent_at)) = (work.progress.contains_key(SENT_AT), work.sent_at) {
        work.progress.insert(SENT_AT.to_owned(), sent_at.0.to_string());
    }
    let body = match hear(work, known, reply) {
        Answer::Said(body) => body,
        Answer::Settled(outcome) => return Looked::Open(outcome),
    };
    let Some(messages) = messages(&body) else {
        return Looked::Open(Outcome::Unknown { why: NO_MESSAGES.to_owned() });
    };
    let found = messages.iter().filter(|message| is_it(message)).min_by_key(|message| time(&message["created"]));
    let found = found.map(|message| text(&message["id"])).filter(|id| !id.is_empty());
    if let Some(id) = found {
        work.progress.remove(LOOK);
        return Looked::Found(id);
    }
    if goes_on(messages, "created", not_before(work)) && look.offset + PAGE <= LAST_OFFSET {
        look.offset += PAGE;
        store(work, &look);
        return Looked::Open(Outcome::Next);
    }
    work.progress.remove(LOOK);
    Looked::Absent
}

/// The order of the list is not documented: the oldest first is read to its end.
pub(super) fn goes_on(page: &[Value], field: &str, not_before: Timestamp) -> bool {
    let at = |entry: Option<&Value>| entry.and_then(|entry| time(&entry[field]));
    let (first, last) = (at(page.first()), at(page.last()));
    page.len() >= PAGE && (first < last || last >= Some(not_before))
}

/// By the description a list, by those who use it an object with a list in it.
pub(super) fn messages(body: &Value) -> Option<&Vec<Value>> {
    body.as_array().or_else(|| body["messages"].as_array())
}

/// Of an answer without that list.
pub(super) const NO_MESSAGES: &str = "Avito прислал не список сообщений";

/// What "absent" means to the engine: the end of several reads is a read like any other.
pub(super) fn absent(work: &Work) -> Outcome {
    if work.unknown { Outcome::NotThere } else { Outcome::Next }
}
