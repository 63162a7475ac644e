//! What answers mean, whatever was asked.

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, JobResult, Timestamp};
use serde_json::Value;

use super::token;
use super::value::{cap, text};
use crate::jobs::{Known, Outcome, Reply, Work};

/// Wait before an account without access is tried again.
const NO_ACCESS_WAIT: Millis = Millis::minutes(10);
/// Wait after "too often": the allowance is counted by the minute.
const MINUTE: Millis = Millis::minutes(1);
/// Wait after "too often" where nothing else is told.
const SLOW_DOWN: Millis = Millis::seconds(5);
/// How long a refusal asks whether it is of the chat or of the account. Shorter than [`NO_ACCESS_WAIT`], so that
/// after the pause the command itself is tried again.
const QUESTION: Millis = Millis::minutes(5);
/// When the command was refused with a fresh token, in milliseconds.
const REFUSED_AT: &str = "refused_at";

/// An answer, sorted.
pub(super) enum Answer {
    /// A success; null where it has no content.
    Said(Value),
    /// Means the same to every step.
    Settled(Outcome),
}

/// A job given up.
pub(super) fn failed(why: impl Into<String>) -> JobResult {
    JobResult::Failed { why: why.into(), made: None }
}

/// Sorts an answer.
pub(super) fn hear(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Answer {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let is_blank = reply.body.iter().all(u8::is_ascii_whitespace);
    Answer::Settled(match reply.status {
        200..=299 if is_blank || !body.is_null() => return Answer::Said(body),
        401 => Outcome::TokenRefused,
        402 => pause(known, NO_ACCESS_WAIT, NOT_PAID),
        // An expired token and a missing right look the same: a new token tells them apart.
        403 if !token::is_fresh(known) => Outcome::TokenRefused,
        403 => {
            work.progress.insert(REFUSED_AT.to_owned(), known.now.0.to_string());
            Outcome::Next
        }
        404 => Outcome::Failed(failed(format!("Avito не знает такого чата или сообщения (404){}", complaint(&body)))),
        429 => pause(known, slow_down(reply), "Avito просит слать запросы реже (429)"),
        300..=399 => pause(known, NO_ACCESS_WAIT, MOVED),
        400..=499 if reply.status != 408 => {
            let status = reply.status;
            Outcome::Failed(failed(format!("Avito отклонил запрос ({status}){}", complaint(&body))))
        }
        200..=299 => Outcome::Unknown { why: "Avito ответил не по-своему (не JSON)".to_owned() },
        status => Outcome::Unknown { why: format!("Avito ответил {status}") },
    })
}

const NOT_PAID: &str = "Avito не даёт доступ к мессенджеру (402): нужен платный тариф с доступом к API сообщений";
const NO_ACCESS: &str = "Avito не даёт доступ к мессенджеру (403): проверьте тариф и права ключа; \
     ключ должен быть от главного аккаунта компании";
const NO_ACCESS_TO_CHAT: &str = "Avito не даёт делать это в этом чате (403): возможно, чат закрыт, клиент \
     заблокирован или чат принадлежит другому сотруднику. Ответьте в приложении Avito";
const MOVED: &str = "Avito ответил перенаправлением: проверьте адрес (base) в настройках канала";

/// A command was refused a moment ago, and whether the account is refused too is not known yet.
pub(super) fn is_in_question(work: &Work, now: Timestamp) -> bool {
    let refused_at = work.progress.get(REFUSED_AT).and_then(|at| at.parse().ok()).map(Timestamp);
    refused_at.is_some_and(|at| now.since(at).0 < QUESTION.0)
}

/// The answer about the account settles it.
pub(super) fn settled(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if reply.status == 403 {
        let until = Some(known.now.after(NO_ACCESS_WAIT));
        return Outcome::Pause { until, why: NO_ACCESS.to_owned() };
    }
    match hear(work, known, reply) {
        Answer::Said(_) if !matches!(work.command, Command::Chat(_)) => Outcome::Failed(failed(NO_ACCESS)),
        Answer::Said(_) => Outcome::Failed(failed(NO_ACCESS_TO_CHAT)),
        Answer::Settled(outcome) => outcome,
    }
}

fn pause(known: &Known<'_>, wait: Millis, why: &str) -> Outcome {
    Outcome::Pause { until: Some(known.now.after(wait)), why: why.to_owned() }
}

/// One second at least, an hour at most.
fn slow_down(reply: &Reply) -> Millis {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.trim().parse::<i64>().ok());
    match (header("retry-after"), header("x-ratelimit-remaining")) {
        (Some(seconds), _) => Millis::seconds(seconds.clamp(1, 3600)),
        (None, Some(..=0)) => MINUTE,
        _ => SLOW_DOWN,
    }
}

/// What the provider says was wrong, ready to stand behind a sentence; empty if it says nothing.
pub(super) fn complaint(body: &Value) -> String {
    let error = &body["error"];
    let fields = error["fields"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, what)| format!("{name}: {}", text(what)));
    let own = [text(&error["message"]), text(error), text(&body["error_description"]), text(&body["message"])];
    let told: Vec<String> = own.into_iter().filter(|text| !text.is_empty()).chain(fields).collect();
    if told.is_empty() { String::new() } else { cap(format!(": {}", told.join("; ")), 500) }
}
