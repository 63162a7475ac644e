//! `get_record`: a one-shot link, then what it names into the blob store.

use perezvon_domain::time::Millis;
use serde::Serialize;

use super::answer::{self, Answer, failed};
use super::request;
use crate::jobs::{Known, Outcome, Reply, Step, Work};
use crate::recording;

/// Where the one-shot link is remembered between steps.
const LOCATION: &str = "location";
/// Where the count of askings is kept.
const ATTEMPTS: &str = "attempts";
/// A recording may not be ready right after the call: first asked again after this.
const SOON: Millis = Millis::seconds(30);
const LATER: Millis = Millis::minutes(5);
/// So many askings come soon, and so many are made at all: an hour and three quarters.
const SOON_TIMES: u32 = 10;
const PATIENCE: u32 = 30;
/// Less than this is no recording, but a page that says so.
const LEAST_BYTES: u64 = 1000;

#[derive(Serialize)]
struct Query<'a> {
    session_id: &'a str,
}

pub(super) fn next(work: &Work, known: &Known<'_>, recording: &str, blob: &str, link_only: bool) -> Step {
    if let Some(result) = recording::stored(&work.progress, blob) {
        return Step::Done(result);
    }
    if link_only {
        return Step::Failed(failed("ссылки этой АТС одноразовые: включите `copy_recordings` в настройках канала"));
    }
    Step::Read(match work.progress.get(LOCATION) {
        Some(location) => recording::fetch(location, blob),
        // Without `ip_adress` the link is bound to whoever asks, and that is who fetches.
        None => request::post("get_record", &Query { session_id: recording }, known),
    })
}

pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    // Good for one request, whatever came of it.
    if work.progress.remove(LOCATION).is_some() {
        return match recording::fetched(work, reply, LEAST_BYTES) {
            Some(outcome) => outcome,
            None => {
                let what = format!("по одноразовой ссылке она не пришла, HTTP {}", reply.status);
                not_ready(work, known, &what)
            }
        };
    }
    match answer::read(reply, known) {
        Answer::Trouble(outcome) => outcome,
        Answer::Refused { code, words } => not_ready(work, known, &answer::refusal(&code, &words)),
        Answer::Done(answer) => match answer["url"].as_str().map(str::trim).filter(|url| !url.is_empty()) {
            Some(url) => {
                work.progress.insert(LOCATION.to_owned(), url.to_owned());
                Outcome::Next
            }
            None => not_ready(work, known, "ссылки в ответе нет"),
        },
    }
}

fn not_ready(work: &mut Work, known: &Known<'_>, what: &str) -> Outcome {
    let before: u32 = work.progress.get(ATTEMPTS).and_then(|count| count.parse().ok()).unwrap_or(0);
    let attempts = before.saturating_add(1);
    work.progress.insert(ATTEMPTS.to_owned(), attempts.to_string());
    if attempts < PATIENCE {
        let pause = if attempts < SOON_TIMES { SOON } else { LATER };
        return Outcome::Again {
            until: known.now.after(pause), why: format!("запись ещё не готова: {what}")
        };
    }
    Outcome::Failed(failed(format!(
        "АТС не отдаёт запись: попыток было {attempts} ({what}). Проверьте в её кабинете, что запись разговоров включена"
    )))
}
