//! `Amend`: changes to what was written. Patches set values and may be repeated; notes are marked.

use perezvon_domain::job::{Amendment, CallLog, Logged};
use perezvon_domain::{CrmId, JobResult};
use serde_json::Value;

use super::answer::{Answer, Refusal, Sent, created, embedded, hear, id, text, truth};
use super::calls::link;
use super::look::{Judged, Looked};
use super::memory::{DONE, FALLBACK, Memory};
use super::{Made, failed, look, request, wire, write};
use crate::jobs::{Known, Outcome, Outgoing, Reply, Step, Work};

/// One change to send. Plain values: what to send, where to look whether it came through, and how
/// to know it there.
struct Change {
    request: Outgoing,
    made: Made,
    place: String,
    seen: Seen,
    /// What is remembered once it is done.
    key: String,
    what: &'static str,
    refused: Refused,
}

/// How a change is recognised.
enum Seen {
    Link(String),
    /// A service note that ends with this text.
    Note(String),
    Responsible(CrmId),
    Completed,
}

/// What a refusal means.
#[derive(PartialEq, Eq)]
enum Refused {
    Failed,
    /// There is nothing left to change: fine.
    FineIfMissing,
    /// Another way is tried.
    Fallback,
}

/// The next change; `None`: everything is done.
fn change(work: &Work, known: &Known<'_>, amendment: &Amendment) -> Result<Option<Change>, String> {
    if work.has(DONE) {
        return Ok(None);
    }
    match amendment {
        Amendment::AddRecording { logged, log } => {
            let Some(link) = link(known, log) else {
                return Err("запись разговора: ссылки на неё больше нет".to_owned());
            };
            Ok(Some(recording(work, known, logged, log, link)))
        }
        Amendment::Correct { logged, marker, text } => {
            let end = format!("[{marker}]");
            Ok(Some(service_note(work, known, logged, &format!("{text} {end}"), end)))
        }
        Amendment::Reassign { contact, deal, task, responsible } => {
            let all = [("contacts", contact), ("leads", deal), ("tasks", task)];
            let open = all.into_iter().filter_map(|(kind, id)| Some((kind, id.as_ref()?)));
            let next = open.into_iter().find(|(kind, _)| !work.has(&done(kind)));
            Ok(next.map(|(kind, entity)| reassign(known, kind, entity, responsible)))
        }
        Amendment::CompleteTask { task, text } => Ok(Some(complete(known, task, text))),
    }
}

fn done(kind: &str) -> String {
    format!("{DONE}.{kind}")
}

fn recording(work: &Work, known: &Known<'_>, logged: &Logged, log: &CallLog, link: &str) -> Change {
    if work.has(FALLBACK) {
        let end = format!("#{}", work.id);
        return service_note(work, known, logged, &format!("Запись разговора: {link} {end}"), end);
    }
    let place = format!("{}/{}/notes/{}", logged.entity_kind, logged.entity, logged.note);
    Change {
        request: request::patch(known, &place, &wire::call_change(log, link)),
        made: Made::Patch,
        place,
        seen: Seen::Link(link.to_owned()),
        key: DONE.to_owned(),
        what: "запись разговора",
        refused: Refused::Fallback,
    }
}

fn service_note(work: &Work, known: &Known<'_>, logged: &Logged, text: &str, end: String) -> Change {
    let body = wire::service_note(&logged.entity, text, &work.id);
    let pairs = [("filter[note_type][]", wire::SERVICE_NOTE), ("limit", "250")];
    let place = format!("{}/{}/notes", logged.entity_kind, logged.entity);
    Change {
        request: request::post(known, &format!("{}/notes", logged.entity_kind), &body),
        made: Made::Note,
        place: request::with_query(&place, &pairs),
        seen: Seen::Note(end),
        key: DONE.to_owned(),
        what: "примечание",
        refused: Refused::Failed,
    }
}

fn reassign(known: &Known<'_>, kind: &str, entity: &CrmId, responsible: &CrmId) -> Change {
    let place = format!("{kind}/{entity}");
    Change {
        request: request::patch(known, &place, &wire::responsible(responsible)),
        made: Made::Patch,
        place,
        seen: Seen::Responsible(responsible.clone()),
        key: done(kind),
        what: "смена ответственного",
        refused: Refused::FineIfMissing,
    }
}

fn complete(known: &Known<'_>, task: &CrmId, text: &str) -> Change {
    let place = format!("tasks/{task}");
    Change {
        request: request::patch(known, &place, &wire::completed(text)),
        made: Made::Patch,
        place,
        seen: Seen::Completed,
        key: DONE.to_owned(),
        what: "закрытие задачи",
        refused: Refused::FineIfMissing,
    }
}

/// The next step.
pub(super) fn next(work: &Work, known: &Known<'_>, amendment: &Amendment) -> Step {
    match change(work, known, amendment) {
        Err(why) => Step::Failed(failed(why)),
        Ok(None) => Step::Done(JobResult::Amended),
        Ok(Some(change)) if work.in_doubt() => look::next(work, known, vec![change.place]),
        Ok(Some(change)) => write(change.request, change.made),
    }
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, amendment: &Amendment, reply: &Reply) -> Outcome {
    let change = match change(work, known, amendment) {
        Err(why) => return Outcome::Failed(failed(why)),
        Ok(None) => return Outcome::Next,
        Ok(Some(change)) => change,
    };
    if work.in_doubt() {
        let places = vec![change.place.clone()];
        return match look::absorb(work, known, reply, places, |_, body| judge(&change.seen, body)) {
            Looked::Found(()) => finished(work, &change),
            Looked::Absent => look::absent(work),
            Looked::Open(outcome) => outcome,
        };
    }
    match hear(known, reply, Sent::Write) {
        Answer::Said(body) if matches!(change.made, Made::Note) => match created(&body, "notes") {
            Some(_) => finished(work, &change),
            None => unclear(),
        },
        Answer::Nothing if matches!(change.made, Made::Note) => unclear(),
        Answer::Said(_) | Answer::Nothing => finished(work, &change),
        Answer::Refused(refusal) => refused(work, &change, &refusal),
        Answer::Settled(outcome) => outcome,
    }
}

fn unclear() -> Outcome {
    Outcome::Unknown { why: "amoCRM не назвала номер примечания".to_owned() }
}

fn refused(work: &mut Work, change: &Change, refusal: &Refusal) -> Outcome {
    match change.refused {
        Refused::Fallback => {
            work.mark(FALLBACK);
            Outcome::Next
        }
        Refused::FineIfMissing if refusal.status == 404 => finished(work, change),
        _ => Outcome::Failed(failed(refusal.words(change.what))),
    }
}

fn finished(work: &mut Work, change: &Change) -> Outcome {
    work.mark(&change.key);
    Outcome::Next
}

fn judge(seen: &Seen, body: &Value) -> Judged<()> {
    let here = match seen {
        Seen::Link(link) => text(&body["params"]["link"]) == *link,
        Seen::Note(end) => {
            embedded(body, "notes").any(|note| text(&note["params"]["text"]).trim_end().ends_with(end.as_str()))
        }
        Seen::Responsible(user) => id(&body["responsible_user_id"]).as_ref() == Some(user),
        Seen::Completed => truth(&body["is_completed"]),
    };
    if here { Judged::Here(()) } else { Judged::Elsewhere(Vec::new()) }
}
