//! Questions to the API: signed, at the pace of their method, and never repeated blindly.

use std::collections::BTreeMap;

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;
use serde::Serialize;

use super::answer;
use super::form::{self, CONTENT_TYPE};
use crate::jobs::{Expect, Known, Outcome, Outgoing, Reply, Step, Work};

/// The slower methods are answered once in two seconds, whoever asks. One more, for a request goes out a moment after
/// its step began.
const PACE: Millis = Millis::seconds(3);
/// A second bad request within two minutes would shut the API for everything, the answers to callers included.
const AFTER_A_BAD_ONE: Millis = Millis::seconds(125);
/// The fact that says when anything may be asked again after a bad request.
const REFUSED: &str = "bad_request_until";

/// A signed request.
pub(super) fn post(method: &str, asked: &impl Serialize, known: &Known<'_>) -> Outgoing {
    // A struct of texts always has a JSON form.
    let json = serde_json::to_string(asked).unwrap_or_default();
    Outgoing {
        method: "POST",
        url: format!("{}/{method}", known.base),
        headers: vec![("content-type", CONTENT_TYPE.to_owned())],
        body: form::seal(&json, known.secret).1,
        expect: Expect::Small,
    }
}

/// A request of one of the slower methods, when it may go out.
pub(super) fn slow(method: &str, asked: &impl Serialize, known: &Known<'_>) -> Step {
    wait(method, known).unwrap_or_else(|| Step::Read(post(method, asked, known)))
}

/// The wait before a request of one of the slower methods; `None`: it may go out.
pub(super) fn wait(method: &str, known: &Known<'_>) -> Option<Step> {
    let until = |fact: &str| known.facts.get(fact).and_then(|until| until.parse().ok()).map(Timestamp);
    let until = until(&next(method)).max(until(REFUSED)).filter(|until| *until > known.now)?;
    Some(Step::Wait {
        until, why: "АТС отвечает на такие запросы не чаще раза в две секунды".to_owned()
    })
}

/// A request of a slower method was answered: the next one waits.
pub(super) fn asked(method: &str, work: &mut Work, known: &Known<'_>) {
    work.learned.facts.insert(next(method), known.now.after(PACE).0.to_string());
}

/// What an answer means that did not bring what was asked for.
pub(super) fn refused(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    match answer::code(&reply.body) {
        Some(5000..=5999) => answer::refused(reply, &mut BTreeMap::new(), known.now),
        _ => refused_command(work, known, reply),
    }
}

/// The same of a command, which is never repeated on a guess.
pub(super) fn refused_command(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if let Some(3000..=3999) = answer::code(&reply.body) {
        let until = known.now.after(AFTER_A_BAD_ONE).0.to_string();
        work.learned.facts.insert(REFUSED.to_owned(), until);
    }
    answer::refused_command(reply, known.now)
}

fn next(method: &str) -> String {
    format!("next:{method}")
}
