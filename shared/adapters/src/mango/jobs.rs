//! Jobs out: a call that an employee ordered, one that is taken to somebody; a recording, copied through its one-shot link
//! or named by a signed one; the statistics of a call, and of all of them; who works there.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use perezvon_domain::time::Millis;
use perezvon_domain::{Command, JobResult, Timestamp};
use serde::Serialize;

use super::Mango;
use super::answer::{self, failed};
use super::call_back;
use super::form::{self, KEY, SALT};
use super::{history, query, route, stats, users};
use crate::jobs::{Jobs, Known, Level, Marker, Outcome, Outgoing, Reply, Step, TokenPair, Work};
use crate::recording;
use crate::secret::Secret;

/// How long a link in a CRM record stays good: ten years, in seconds.
const LINK_LIFE: i64 = 315_576_000;
/// Wait before a recording is asked for again.
const RETRY: Millis = Millis::minutes(1);
/// What may stand in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What we make there: a call, and its way to somebody, neither of which can be found again.
static MARKERS: [Marker; 2] = [
    Marker { entity: "call_back", level: Level::E0, lag: Millis(0) },
    Marker { entity: "route", level: Level::E0, lag: Millis(0) },
];
/// Their places among them.
const CALL_BACK: usize = 0;
const ROUTE: usize = 1;

/// Where the one-shot link is remembered between steps.
const LOCATION: &str = "location";

impl Jobs for Mango {
    fn next(&self, work: &Work, known: &Known<'_>) -> Step {
        if !form::is_whole(known.secret) {
            let why = "у канала нет ключа или соли: впишите их в настройки".to_owned();
            return Step::Wait { until: known.now.after(RETRY), why };
        }
        match &work.command {
            Command::CopyRecording { recording, blob, link_only } => {
                next_of_recording(work, known, recording, blob, *link_only)
            }
            Command::CallBack { extension, client } => call_back::next(work, known, extension, client, CALL_BACK),
            Command::ReadCall { started_at, .. } => stats::next(work, known, *started_at),
            Command::ReadUsers => users::next(work, known),
            Command::Heal { since } => history::next(work, known, *since),
            Command::RouteCall { leg, extension, name } => route::next(work, known, (leg, extension, name), ROUTE),
            _ => Step::Failed(failed("этого АТС не умеет: она звонит, отдаёт записи и статистику разговоров")),
        }
    }

    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        match work.command.clone() {
            Command::CallBack { .. } => call_back::absorb(work, known, reply),
            Command::ReadCall { entry, .. } => stats::absorb(work, known, reply, &entry),
            Command::ReadUsers => users::absorb(work, known, reply),
            Command::Heal { since } => history::absorb(work, known, reply, since),
            Command::RouteCall { .. } => route::absorb(work, known, reply),
            _ => absorb_recording(work, known, reply),
        }
    }

    fn markers(&self) -> &'static [Marker] {
        &MARKERS
    }

    fn refresh(&self, _: &Known<'_>) -> Option<Outgoing> {
        None
    }

    fn refreshed(&self, _: &Known<'_>, _: &Reply) -> Result<TokenPair, String> {
        Err("у этой АТС нет токенов: её ключ и соль меняют в настройках".to_owned())
    }

    fn refresh_due(&self, _: &Secret) -> Option<Timestamp> {
        None
    }
}

fn next_of_recording(work: &Work, known: &Known<'_>, id: &str, blob: &str, link_only: bool) -> Step {
    if let Some(result) = recording::stored(&work.progress, blob) {
        return Step::Done(result);
    }
    if link_only {
        let url = link(id, known.base, known.secret, known.now);
        return Step::Done(JobResult::RecordingLinked { url });
    }
    Step::Read(match work.progress.get(LOCATION) {
        Some(location) => recording::fetch(location, blob),
        None => ask(id, known),
    })
}

fn absorb_recording(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    // Good for one request, whatever came of it.
    if work.progress.remove(LOCATION).is_some() {
        return recording::fetched(work, reply, 1).unwrap_or_else(|| {
            let status = reply.status;
            let why = format!("по одноразовой ссылке запись не пришла (HTTP {status}): будет запрошена новая");
            Outcome::Again { until: known.now.after(RETRY), why }
        });
    }
    match location(reply, known.base) {
        Some(location) => {
            work.progress.insert(LOCATION.to_owned(), location);
            Outcome::Next
        }
        None => answer::refused(reply, &mut work.progress, known.now),
    }
}

/// A query for the one-shot link; the order of its fields is the documented one.
#[derive(Serialize)]
struct Query<'a> {
    recording_id: &'a str,
    action: &'static str,
}

fn ask(recording: &str, known: &Known<'_>) -> Outgoing {
    query::post("queries/recording/post", &Query { recording_id: recording, action: "download" }, known)
}

/// The link form of a recording, which needs no request; the cabinet must allow such links.
fn link(recording: &str, base: &str, secret: &Secret, now: Timestamp) -> String {
    let (key, salt) = (secret.get(KEY), secret.get(SALT));
    let expires = now.seconds().saturating_add(LINK_LIFE).to_string();
    let sign = form::digest(&[key, &expires, recording, salt]);
    let [id, key] = [recording, key].map(|part| utf8_percent_encode(part, SEGMENT));
    format!("{base}/queries/recording/link/{id}/play/{key}/{expires}/{sign}")
}

/// Where a redirect points; whether it may be followed is the client's to decide.
fn location(reply: &Reply, base: &str) -> Option<String> {
    if !matches!(reply.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = reply.headers.get("location").map(|target| target.trim())?;
    if target.is_empty() {
        return None;
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("https", base));
    let host = rest.split('/').next().unwrap_or_default();
    Some(if is_absolute(target) {
        target.to_owned()
    } else if target.starts_with("//") {
        format!("{scheme}:{target}")
    } else if target.starts_with('/') {
        format!("{scheme}://{host}{target}")
    } else {
        format!("{base}/queries/recording/{target}")
    })
}

fn is_absolute(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}
