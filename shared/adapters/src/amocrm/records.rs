//! `MakeRecords`: contact, marker field, deal, task, one after another, each at most once.

use perezvon_domain::job::{DealPlan, RecordPlan, Records, TaskPlan};
use perezvon_domain::{CrmId, JobResult};
use serde_json::Value;

use super::answer::{Answer, Refusal, Sent, created, hear};
use super::look::Looked;
use super::marks::{judge, places};
use super::memory::{CONTACT, CONTACT_MADE, DEAL, FIELD, FIELD_ABSENT, FIELD_STALE, GONE, Memory, SEARCH, TASK};
use super::{Made, look, request, search, wire, write};
use crate::jobs::{Known, Outcome, PointNews, Reply, Step, Work};

/// The fact that holds the id of our marker field.
const FIELD_FACT: &str = "deal_marker_field";

/// What is to be done next; follows from what the job remembers.
pub(super) enum Stage<'a> {
    Search,
    Contact,
    FieldList,
    Field,
    Deal { plan: &'a DealPlan, contact: CrmId, field: CrmId },
    Task { plan: &'a TaskPlan, kind: &'static str, entity: CrmId },
    Done,
}

fn stage<'a>(work: &Work, known: &Known<'_>, plan: &'a RecordPlan) -> Stage<'a> {
    let Some(contact) = contact(work, known, plan) else {
        return if search::result(work).is_some() { Stage::Contact } else { Stage::Search };
    };
    let deal = work.id(DEAL);
    if let (Some(wanted), None) = (&plan.deal, &deal) {
        return match field(work, known) {
            Some(field) => Stage::Deal { plan: wanted, contact, field },
            None if work.has(FIELD_ABSENT) => Stage::Field,
            None => Stage::FieldList,
        };
    }
    match &plan.task {
        Some(plan) if !work.has(TASK) => match deal {
            Some(entity) => Stage::Task { plan, kind: "leads", entity },
            None => Stage::Task { plan, kind: "contacts", entity: contact },
        },
        _ => Stage::Done,
    }
}

/// The contact in use. What the row of the contact point says is fresher than the plan.
fn contact(work: &Work, known: &Known<'_>, plan: &RecordPlan) -> Option<CrmId> {
    let gone = work.id(GONE);
    let planned = || plan.known_contact.clone().filter(|id| gone.as_ref() != Some(id));
    work.id(CONTACT).or_else(|| search::just_made(work, known)).or_else(planned)
}

fn field(work: &Work, known: &Known<'_>) -> Option<CrmId> {
    let fact = || known.facts.get(FIELD_FACT).filter(|_| !work.has(FIELD_STALE));
    work.id(FIELD).or_else(|| fact().map(|id| CrmId(id.clone())))
}

/// The client was reached after all, so nobody has to be called back.
fn needless(known: &Known<'_>, plan: &TaskPlan) -> bool {
    let reached = known.point.and_then(|point| point.reached_at);
    matches!((plan.unless_reached_since, reached), (Some(since), Some(at)) if at >= since)
}

fn records(work: &Work, known: &Known<'_>, plan: &RecordPlan) -> Records {
    Records {
        contact: contact(work, known, plan),
        contact_made: work.has(CONTACT_MADE),
        deal: work.id(DEAL),
        task: work.id(TASK),
        task_needless: false,
    }
}

fn failed(work: &Work, known: &Known<'_>, plan: &RecordPlan, why: String) -> JobResult {
    JobResult::Failed { why, made: Some(records(work, known, plan)) }
}

/// The next step.
pub(super) fn next(work: &Work, known: &Known<'_>, plan: &RecordPlan) -> Step {
    let stage = stage(work, known, plan);
    if work.in_doubt() && !matches!(stage, Stage::Search | Stage::Done) {
        return look::next(work, known, places(&stage, plan));
    }
    match stage {
        Stage::Search => Step::Read(search::ask(work, known, &plan.number)),
        Stage::Contact => make_contact(work, known, plan),
        Stage::FieldList => look::next(work, known, places(&stage, plan)),
        Stage::Field => write(request::post(known, "leads/custom_fields", &wire::field()), Made::Field),
        Stage::Deal { plan, contact, field } => {
            let body = wire::deal(plan, &field, &contact, &work.id);
            write(request::post(known, "leads", &body), Made::Deal)
        }
        Stage::Task { plan: task, .. } if needless(known, task) => {
            let records = Records { task_needless: true, ..records(work, known, plan) };
            Step::Done(JobResult::RecordsMade(records))
        }
        Stage::Task { plan, kind, entity } => {
            let body = wire::task(plan, kind, &entity, &work.id);
            write(request::post(known, "tasks", &body), Made::Task)
        }
        Stage::Done => Step::Done(JobResult::RecordsMade(records(work, known, plan))),
    }
}

fn make_contact(work: &Work, known: &Known<'_>, plan: &RecordPlan) -> Step {
    let Some(wanted) = &plan.contact else {
        let why = "контакта клиента в amoCRM больше нет, а сценарий не создаёт нового".to_owned();
        return Step::Failed(failed(work, known, plan, why));
    };
    if !known.point.is_some_and(|point| point.claimed) {
        return Step::Claim;
    }
    let body = wire::contact(wanted, &plan.number, &work.id);
    write(request::post(known, "contacts", &body), Made::Contact)
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, reply: &Reply) -> Outcome {
    let stage = stage(work, known, plan);
    let outcome = match &stage {
        Stage::Search => searched(work, known, plan, reply),
        Stage::Done => Outcome::Next,
        Stage::FieldList => looked(work, known, plan, &stage, reply),
        _ if work.in_doubt() => looked(work, known, plan, &stage, reply),
        _ => made(work, known, plan, &stage, reply),
    };
    match outcome {
        Outcome::Failed(JobResult::Failed { why, .. }) => Outcome::Failed(failed(work, known, plan, why)),
        other => other,
    }
}

fn searched(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, reply: &Reply) -> Outcome {
    let outcome = search::absorb(work, known, &plan.number, reply);
    if let Some(contact) = search::result(work).and_then(|found| found.contact) {
        work.keep(CONTACT, contact.id.0);
    }
    outcome
}

/// An answer to a look-up, or to the list of fields.
fn looked(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, stage: &Stage<'_>, reply: &Reply) -> Outcome {
    let places = places(stage, plan);
    let judge = |path: &str, body: &Value| judge(stage, plan, path, body);
    match look::absorb(work, known, reply, places, judge) {
        Looked::Found(id) => {
            remember(work, plan, stage, id);
            Outcome::Next
        }
        Looked::Absent if matches!(stage, Stage::FieldList) => {
            work.mark(FIELD_ABSENT);
            Outcome::Next
        }
        Looked::Absent => look::absent(work),
        Looked::Open(outcome) => outcome,
    }
}

/// An answer to a creation.
fn made(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, stage: &Stage<'_>, reply: &Reply) -> Outcome {
    let (kind, what) = match stage {
        Stage::Contact => ("contacts", "контакт"),
        Stage::FieldList | Stage::Field => ("custom_fields", "служебное поле сделок"),
        Stage::Deal { .. } => ("leads", "сделка"),
        Stage::Search | Stage::Task { .. } | Stage::Done => ("tasks", "задача"),
    };
    match hear(known, reply, Sent::Write) {
        Answer::Said(body) => match created(&body, kind) {
            Some(id) => {
                remember(work, plan, stage, id);
                Outcome::Next
            }
            None => {
                Outcome::Unknown { why: format!("{what}: amoCRM не назвала номер созданного") }
            }
        },
        Answer::Nothing => {
            Outcome::Unknown { why: format!("{what}: amoCRM ответила без содержания") }
        }
        Answer::Refused(refusal) if is_contact_gone(work, stage, &refusal) => {
            work.keep(GONE, contact(work, known, plan).unwrap_or_default().0);
            work.forget(CONTACT);
            work.forget(SEARCH);
            Outcome::Next
        }
        Answer::Refused(refusal) if is_field_gone(work, stage, &refusal) => {
            work.mark(FIELD_STALE);
            Outcome::Next
        }
        Answer::Refused(refusal) => {
            let mut why = refusal.words(what);
            if matches!(stage, Stage::Field) {
                why.push_str(FIELD_ADVICE);
            }
            Outcome::Failed(failed(work, known, plan, why))
        }
        Answer::Settled(outcome) => outcome,
    }
}

const FIELD_ADVICE: &str = ". Поле «Perezvon ID» создаётся один раз: токен должен принадлежать \
     администратору amoCRM, или создайте поле сделки типа «текст» с кодом PEREZVON_ID сами";

/// The contact we were told about does not exist any more. Asked once: the search then decides.
fn is_contact_gone(work: &Work, stage: &Stage<'_>, refusal: &Refusal) -> bool {
    if work.has(GONE) || work.has(CONTACT_MADE) {
        return false;
    }
    match stage {
        Stage::Deal { .. } => refusal.status == 404 || refusal.is_about("contacts"),
        Stage::Task { kind: "contacts", .. } => refusal.status == 404 || refusal.is_about("entity_id"),
        _ => false,
    }
}

/// The marker field, the first of the deal's fields, was deleted; we knew it from an earlier job.
fn is_field_gone(work: &Work, stage: &Stage<'_>, refusal: &Refusal) -> bool {
    matches!(stage, Stage::Deal { .. })
        && !work.has(FIELD)
        && !work.has(FIELD_STALE)
        && refusal.is_about("custom_fields_values.0.field_id")
}

/// Keeps the id of what a stage made or found.
fn remember(work: &mut Work, plan: &RecordPlan, stage: &Stage<'_>, id: CrmId) {
    match stage {
        Stage::Contact => {
            work.learned.point = Some(PointNews {
                number: plan.number.clone(),
                contact: Some(id.clone()),
                name: plan.contact.as_ref().map(|plan| plan.name.clone()).unwrap_or_default(),
                responsible: plan.contact.as_ref().and_then(|plan| plan.responsible.clone()),
            });
            work.mark(CONTACT_MADE);
            work.keep(CONTACT, id.0);
        }
        Stage::FieldList | Stage::Field => {
            work.learned.facts.insert(FIELD_FACT.to_owned(), id.0.clone());
            work.keep(FIELD, id.0);
        }
        Stage::Deal { .. } => work.keep(DEAL, id.0),
        Stage::Task { .. } => work.keep(TASK, id.0),
        Stage::Search | Stage::Done => {}
    }
}
