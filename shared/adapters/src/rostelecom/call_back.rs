//! `call_back`: the employee's telephone first, then the client's. The answer names the call, and a lost one cannot be
//! looked up: nothing that the provider tells names the request.

use perezvon_domain::{Extension, JobResult, Number};
use serde::Serialize;

use super::answer::{self, Answer, failed};
use super::request;
use super::settings::DOMAIN;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where the id of the call is remembered between the answer and the end of the job; empty: none was named.
const SESSION: &str = "session";

/// The order of the fields is that of the clients in use.
#[derive(Serialize)]
struct CallBack<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    domain: &'a str,
    request_number: &'a str,
    from_pin: &'a str,
}

/// The request, once.
pub(super) fn next(work: &Work, known: &Known<'_>, extension: &Extension, client: &Number, marker: usize) -> Step {
    if let Some(session) = work.progress.get(SESSION) {
        let entry = Some(session.clone()).filter(|session| !session.is_empty());
        return Step::Done(JobResult::CallStarted { entry });
    }
    let command =
        CallBack { domain: known.secret.get(DOMAIN), request_number: &client.plus(), from_pin: extension.as_str() };
    Step::Write { request: request::post("call_back", &command, known), marker }
}

/// What the answer means. A `result` of 1 is no success: only the stub of the debug host says so.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    match answer::read(reply, known) {
        Answer::Done(answer) => {
            let session = answer["session_id"].as_str().unwrap_or_default().trim();
            work.progress.insert(SESSION.to_owned(), session.to_owned());
            Outcome::Next
        }
        Answer::Refused { code, words } => Outcome::Failed(failed(answer::refusal(&code, &words))),
        // What nobody understands may have been carried out: it is not asked again.
        Answer::Trouble(Outcome::Again { why, .. }) => Outcome::Unknown { why },
        Answer::Trouble(outcome) => outcome,
    }
}
