//! Look-ups: was our write carried out? A queue of reads, each list followed page by page.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Sent, goes_on, hear};
use super::memory::{LOOK, Memory};
use super::{failed, request};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// A contact with more notes or tasks than 250 times this is taken to be a mistake.
const PAGES: u32 = 20;

/// What is still to be read, by path.
#[derive(Serialize, Deserialize)]
struct Look {
    todo: VecDeque<String>,
    page: u32,
}

/// What one answer says about the thing we look for.
pub(super) enum Judged<T> {
    Here(T),
    /// Not in this answer; further places to look at.
    Elsewhere(Vec<String>),
}

/// What the look-up has come to.
pub(super) enum Looked<T> {
    Found(T),
    Absent,
    /// Still looking, or hindered.
    Open(Outcome),
}

fn state(work: &Work, places: Vec<String>) -> Look {
    let kept: Option<Look> = work.read(LOOK).filter(|look: &Look| !look.todo.is_empty());
    kept.unwrap_or_else(|| Look { todo: places.into(), page: 1 })
}

/// The next read; `places` are where to begin.
pub(super) fn next(work: &Work, known: &Known<'_>, places: Vec<String>) -> Step {
    let look = state(work, places);
    let path = look.todo.front().cloned().unwrap_or_default();
    Step::Read(request::get(known, &request::page(&path, look.page)))
}

/// Takes the answer in; `judge` sees the path and the body (null: there is no such thing).
pub(super) fn absorb<T>(
    work: &mut Work,
    known: &Known<'_>,
    reply: &Reply,
    places: Vec<String>,
    judge: impl Fn(&str, &Value) -> Judged<T>,
) -> Looked<T> {
    let mut look = state(work, places);
    let path = look.todo.front().cloned().unwrap_or_default();
    let body = match hear(known, reply, Sent::Read) {
        Answer::Said(body) => body,
        Answer::Nothing => Value::Null,
        Answer::Refused(refusal) if refusal.status == 404 => Value::Null,
        Answer::Refused(refusal) => {
            let why = refusal.words("проверка, что уже создано");
            return Looked::Open(Outcome::Failed(failed(why)));
        }
        Answer::Settled(outcome) => return Looked::Open(outcome),
    };
    match judge(&path, &body) {
        Judged::Here(thing) => {
            work.forget(LOOK);
            return Looked::Found(thing);
        }
        Judged::Elsewhere(places) => look.todo.extend(places),
    }
    if goes_on(&body) && look.page < PAGES {
        look.page += 1;
    } else {
        look.todo.pop_front();
        look.page = 1;
    }
    if look.todo.is_empty() {
        work.forget(LOOK);
        return Looked::Absent;
    }
    work.store(LOOK, &look);
    Looked::Open(Outcome::Next)
}

/// What "absent" means to the engine. A look-up of several reads has already cleared `unknown`
/// with its first one; for the engine its end is then a read like any other.
pub(super) fn absent(work: &Work) -> Outcome {
    if work.unknown { Outcome::NotThere } else { Outcome::Next }
}
