//! Telling Avito where its pushes go.

use perezvon_domain::JobResult;
use serde_json::json;

use super::answer::{Answer, failed, hear};
use super::request;
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
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    // Some have seen 409 for an address that is known already.
    let said = if reply.status == 409 { Answer::Said(json!({ "ok": true })) } else { hear(work, known, reply) };
    match said {
        Answer::Said(body) if body["ok"] == false => {
            Outcome::Failed(failed("Avito не принял адрес вебхуков: он должен открываться из интернета по https"))
        }
        Answer::Said(_) => {
            work.progress.insert(DONE.to_owned(), String::new());
            Outcome::Next
        }
        Answer::Settled(outcome) => outcome,
    }
}
