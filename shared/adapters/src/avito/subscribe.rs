//! Telling Avito where its pushes go, and where they go no more.

use perezvon_domain::JobResult;
use serde_json::json;

use super::answer::{Answer, failed, hear};
use super::request;
use crate::hooks;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

const DONE: &str = "subscribed";

/// Repeated without harm, so nobody need find out whether it was carried out.
pub(super) fn next(work: &Work, known: &Known<'_>, url: &str) -> Step {
    match work.progress.contains_key(DONE) {
        true => Step::Done(JobResult::Subscribed),
        false => Step::Read(request::subscribe(known, url)),
    }
}

/// What came of it.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, url: &str) -> Outcome {
    // Some have seen 409 for an address that is known already.
    let said = if reply.status == 409 { Answer::Said(json!({ "ok": true })) } else { hear(work, known, reply) };
    match said {
        Answer::Said(body) if body["ok"] == false => {
            Outcome::Failed(failed("Avito не принял адрес вебхуков: он должен открываться из интернета по https"))
        }
        Answer::Said(_) => done(work, hooks::with(known.facts, url)),
        Answer::Settled(outcome) => outcome,
    }
}

/// Repeated without harm as well.
pub(super) fn next_end(work: &Work, known: &Known<'_>, url: &str) -> Step {
    match work.progress.contains_key(DONE) {
        true => Step::Done(JobResult::Unsubscribed),
        false => Step::Read(request::unsubscribe(known, url)),
    }
}

/// What came of that.
pub(super) fn absorb_end(work: &mut Work, known: &Known<'_>, reply: &Reply, url: &str) -> Outcome {
    // An address that is not known there needs no taking back.
    let said = if reply.status == 404 { Answer::Said(json!({ "ok": true })) } else { hear(work, known, reply) };
    match said {
        Answer::Said(body) if body["ok"] == false => {
            Outcome::Failed(failed("Avito не убрал прежний адрес вебхуков: уберите его через API или поддержку Avito"))
        }
        Answer::Said(_) => done(work, hooks::without(known.facts, url)),
        Answer::Settled(outcome) => outcome,
    }
}

fn done(work: &mut Work, fact: (String, String)) -> Outcome {
    work.learned.facts.extend([fact]);
    work.progress.insert(DONE.to_owned(), String::new());
    Outcome::Next
}
