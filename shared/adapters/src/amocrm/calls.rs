//! `LogCall`: the call goes into the CRM's history, once.
//!
//! amoCRM places a call by its number. Its search lags behind: "nobody has this number" (263) is
//! asked again for a minute, then the call is written as a note on the entity we know.

use perezvon_domain::job::{CallLog, Logged};
use perezvon_domain::time::Millis;
use perezvon_domain::{CrmId, JobResult, Timestamp};
use serde_json::Value;

use super::answer::{Answer, Refusal, Sent, created, embedded, hear, id, integer, items, newest_deals, text};
use super::look::{Judged, Looked};
use super::memory::{AGAIN_AT, CONTACT, FALLBACK, LOGGED, Memory, NO_DEAL, REFUSED_AT};
use super::{Made, failed, look, request, search, wire, write};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// How long amoCRM is asked again after it found nobody, unless the connection has a lag of its own; and how often.
const PATIENCE: Millis = Millis::seconds(60);
const GAP: Millis = Millis::seconds(10);
/// The code of "entity not found".
const NOBODY: i64 = 263;
/// How many further deals of the contact a look-up reads.
const FURTHER_DEALS: usize = 10;

fn contact(work: &Work, log: &CallLog) -> Option<CrmId> {
    log.contact.clone().or_else(|| work.id(CONTACT))
}

fn deal<'a>(work: &Work, log: &'a CallLog) -> Option<&'a CrmId> {
    log.deal.as_ref().filter(|_| !work.has(NO_DEAL))
}

/// Where the recording can be heard: our signed link, or the provider's own.
pub(super) fn link<'a>(known: &'a Known<'_>, log: &'a CallLog) -> Option<&'a str> {
    let outside = || log.recording.as_ref().and_then(|recording| recording.outside.as_deref());
    known.recording_link.or_else(outside)
}

/// The next step.
pub(super) fn next(work: &Work, known: &Known<'_>, log: &CallLog) -> Step {
    if let Some(logged) = work.read(LOGGED) {
        return Step::Done(JobResult::CallLogged(logged));
    }
    let Some(contact) = contact(work, log) else {
        return match search::result(work) {
            Some(_) => Step::Done(JobResult::CallNotPlaced),
            None => Step::Read(search::ask(work, known, &log.number.clone().into())),
        };
    };
    if work.in_doubt() {
        return look::next(work, known, places(work, log, &contact));
    }
    if work.has(FALLBACK) {
        let (kind, entity) = note_place(work, log, contact);
        let body = wire::call_note(log, link(known, log), &entity, &work.id);
        return write(request::post(known, &format!("{kind}/notes"), &body), Made::Call);
    }
    match work.moment(AGAIN_AT).map(Timestamp) {
        Some(until) if until > known.now => {
            let why = "amoCRM ещё не находит номер только что созданного контакта".to_owned();
            Step::Wait { until, why }
        }
        _ => {
            let body = wire::call(log, link(known, log), &work.id);
            write(request::post(known, "calls", &body), Made::Call)
        }
    }
}

fn note_place(work: &Work, log: &CallLog, contact: CrmId) -> (&'static str, CrmId) {
    match deal(work, log) {
        Some(deal) => ("leads", deal.clone()),
        None => ("contacts", contact),
    }
}

/// Where the note of the call may be: amoCRM chooses among the contact and its deals.
fn places(work: &Work, log: &CallLog, contact: &CrmId) -> Vec<String> {
    let mut places: Vec<String> = deal(work, log).map(|deal| notes("leads", deal)).into_iter().collect();
    places.push(notes("contacts", contact));
    places.push(request::with_query(&format!("contacts/{contact}"), &[("with", "leads")]));
    places
}

fn notes(kind: &str, entity: &CrmId) -> String {
    let pairs = [("filter[note_type][]", "call_in"), ("filter[note_type][]", "call_out"), ("limit", "250")];
    request::with_query(&format!("{kind}/{entity}/notes"), &pairs)
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, log: &CallLog, reply: &Reply) -> Outcome {
    let Some(contact) = contact(work, log) else {
        let outcome = search::absorb(work, known, &log.number.clone().into(), reply);
        if let Some(contact) = search::result(work).and_then(|found| found.contact) {
            work.keep(CONTACT, contact.id.0);
        }
        return outcome;
    };
    if work.in_doubt() {
        let places = places(work, log, &contact);
        let judge = |path: &str, body: &Value| judge(log, path, body);
        return match look::absorb(work, known, reply, places, judge) {
            Looked::Found(logged) => logged_at(work, logged),
            Looked::Absent => look::absent(work),
            Looked::Open(outcome) => outcome,
        };
    }
    if work.has(FALLBACK) {
        return noted(work, known, log, contact, reply);
    }
    match hear(known, reply, Sent::Write) {
        Answer::Said(body) => placed(work, known, log, &body),
        Answer::Nothing => unclear(),
        Answer::Refused(refusal) if is_nobody(&refusal.body) => try_later(work, known),
        Answer::Refused(refusal) => refused(&refusal),
        Answer::Settled(outcome) => outcome,
    }
}

fn unclear() -> Outcome {
    Outcome::Unknown { why: "amoCRM не сказала, куда записан звонок".to_owned() }
}

fn refused(refusal: &Refusal) -> Outcome {
    Outcome::Failed(failed(refusal.words("запись звонка")))
}

fn logged_at(work: &mut Work, logged: Logged) -> Outcome {
    let fallback = work.has(FALLBACK);
    work.store(LOGGED, &Logged { fallback, ..logged });
    Outcome::Next
}

/// A success that may still carry an error.
fn placed(work: &mut Work, known: &Known<'_>, log: &CallLog, body: &Value) -> Outcome {
    let call = embedded(body, "calls").next().unwrap_or(&Value::Null);
    match (id(&call["id"]), id(&call["entity_id"])) {
        (Some(note), Some(entity)) => {
            let entity_kind = plural(&text(&call["entity_type"]), &entity, log);
            logged_at(work, Logged { note, entity_kind, entity, fallback: false })
        }
        _ if is_nobody(body) => try_later(work, known),
        _ if items(&body["errors"]).next().is_some() => refused(&Refusal { status: 400, body: body.clone() }),
        _ => unclear(),
    }
}

/// The kind as paths spell it; it comes in the singular, in the plural or as a number.
fn plural(kind: &str, entity: &CrmId, log: &CallLog) -> String {
    match kind {
        "lead" | "leads" | "2" => "leads",
        "contact" | "contacts" | "1" => "contacts",
        "company" | "companies" | "3" => "companies",
        "customer" | "customers" | "12" => "customers",
        _ if log.deal.as_ref() == Some(entity) => "leads",
        _ => "contacts",
    }
    .to_owned()
}

fn is_nobody(body: &Value) -> bool {
    items(&body["errors"]).any(|error| integer(&error["status"]) == Some(NOBODY))
}

/// The call was not stored. Kept as a finished step, so that the time of the first refusal stays.
fn try_later(work: &mut Work, known: &Known<'_>) -> Outcome {
    let first = work.moment(REFUSED_AT).map_or(known.now, Timestamp);
    work.keep(REFUSED_AT, first.0.to_string());
    if known.now.since(first) >= known.lag.unwrap_or(PATIENCE) {
        work.mark(FALLBACK);
    } else {
        work.keep(AGAIN_AT, known.now.after(GAP).0.to_string());
    }
    Outcome::Next
}

/// An answer to our own note.
fn noted(work: &mut Work, known: &Known<'_>, log: &CallLog, contact: CrmId, reply: &Reply) -> Outcome {
    let (kind, entity) = note_place(work, log, contact);
    match hear(known, reply, Sent::Write) {
        Answer::Said(body) => match created(&body, "notes") {
            Some(note) => {
                let entity_kind = kind.to_owned();
                logged_at(work, Logged { note, entity_kind, entity, fallback: true })
            }
            None => unclear(),
        },
        Answer::Nothing => unclear(),
        Answer::Refused(refusal) if kind == "leads" && matches!(refusal.status, 400 | 404) => {
            work.mark(NO_DEAL);
            Outcome::Next
        }
        Answer::Refused(refusal) => refused(&refusal),
        Answer::Settled(outcome) => outcome,
    }
}

/// Finds the note of the call by our own key.
fn judge(log: &CallLog, path: &str, body: &Value) -> Judged<Logged> {
    let mut parts = path.split(['/', '?']);
    let (kind, entity) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if parts.next() != Some("notes") {
        return Judged::Elsewhere(further_deals(log, body));
    }
    let note =
        embedded(body, "notes").find(|note| text(&note["params"]["uniq"]) == log.uniq).and_then(|note| id(&note["id"]));
    match note {
        Some(note) => {
            Judged::Here(Logged { note, entity_kind: kind.to_owned(), entity: CrmId::from(entity), fallback: false })
        }
        None => Judged::Elsewhere(Vec::new()),
    }
}

/// The notes of the contact's other deals, the newest first.
fn further_deals(log: &CallLog, contact: &Value) -> Vec<String> {
    let others = newest_deals(contact).into_iter().filter(|id| log.deal.as_ref() != Some(id));
    others.take(FURTHER_DEALS).map(|id| notes("leads", &id)).collect()
}
