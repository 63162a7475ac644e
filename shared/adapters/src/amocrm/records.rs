//! `MakeRecords`: contact, deal, task, and before them their marker fields, one after another, each at most once.

use perezvon_domain::job::{DealPlan, RecordPlan, Records, TaskPlan};
use perezvon_domain::{ClientId, CrmId, JobResult};
use serde_json::Value;

use super::answer::{Answer, Refusal, Sent, created, hear};
use super::field::{Field, OF_CONTACTS, OF_DEALS};
use super::look::Looked;
use super::marks::{judge, places};
use super::memory::{CONTACT, CONTACT_MADE, DEAL, GONE, Memory, SEARCH, TASK};
use super::{Made, look, request, search, wire, write};
use crate::jobs::{Known, Outcome, PointNews, Reply, Step, Work};

/// What is to be done next; follows from what the job remembers.
pub(super) enum Stage<'a> {
    Search,
    /// A client without a number is marked by this field.
    Contact {
        field: Option<CrmId>,
    },
    FieldList(&'static Field),
    Field(&'static Field),
    Deal {
        plan: &'a DealPlan,
        contact: CrmId,
        field: CrmId,
    },
    Task {
        plan: &'a TaskPlan,
        kind: &'static str,
        entity: CrmId,
    },
    Done,
}

fn stage<'a>(work: &Work, known: &Known<'_>, plan: &'a RecordPlan) -> Stage<'a> {
    let Some(contact) = contact(work, known, plan) else {
        return match (search::result(work), &plan.client) {
            (None, _) => Stage::Search,
            (Some(_), ClientId::Phone(_)) => Stage::Contact { field: None },
            (Some(_), ClientId::Outside { .. }) => {
                with_field(work, known, &OF_CONTACTS, |field| Stage::Contact { field: Some(field) })
            }
        };
    };
    if plan.only_new && !is_made(work, known) {
        return Stage::Done;
    }
    let deal = work.id(DEAL);
    if let (Some(wanted), None) = (&plan.deal, &deal) {
        return with_field(work, known, &OF_DEALS, |field| Stage::Deal { plan: wanted, contact, field });
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

/// The stage that needs this field, or what leads there.
fn with_field<'a>(
    work: &Work,
    known: &Known<'_>,
    of: &'static Field,
    stage: impl FnOnce(CrmId) -> Stage<'a>,
) -> Stage<'a> {
    match of.known(work, known) {
        Some(field) => stage(field),
        None if of.is_absent(work) => Stage::Field(of),
        None => Stage::FieldList(of),
    }
}

/// This job made the contact. A crash may have lost our word of it, not that of the contact point.
fn is_made(work: &Work, known: &Known<'_>) -> bool {
    work.has(CONTACT_MADE) || known.point.is_some_and(|point| point.made)
}

/// The client was reached after all, so nobody has to be called back.
fn needless(known: &Known<'_>, plan: &TaskPlan) -> bool {
    let reached = known.point.and_then(|point| point.reached_at);
    matches!((plan.unless_reached_since, reached), (Some(since), Some(at)) if at >= since)
}

fn records(work: &Work, known: &Known<'_>, plan: &RecordPlan) -> Records {
    Records {
        contact: contact(work, known, plan),
        contact_made: is_made(work, known),
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
        Stage::Search => Step::Read(search::ask(work, known, &plan.client)),
        Stage::Contact { field } => make_contact(work, known, plan, field.as_ref()),
        Stage::FieldList(_) => look::next(work, known, places(&stage, plan)),
        Stage::Field(of) => write(request::post(known, of.list, &wire::field()), Made::Field),
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

fn make_contact(work: &Work, known: &Known<'_>, plan: &RecordPlan, field: Option<&CrmId>) -> Step {
    let Some(wanted) = &plan.contact else {
        let why = "контакта клиента в amoCRM больше нет, а сценарий не создаёт нового".to_owned();
        return Step::Failed(failed(work, known, plan, why));
    };
    if !known.point.is_some_and(|point| point.claimed) {
        return Step::Claim;
    }
    let body = wire::contact(wanted, &plan.client, field, &work.id);
    write(request::post(known, "contacts", &body), Made::Contact)
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, reply: &Reply) -> Outcome {
    let stage = stage(work, known, plan);
    let outcome = match &stage {
        Stage::Search => searched(work, known, plan, reply),
        Stage::Done => Outcome::Next,
        Stage::FieldList(_) => looked(work, known, plan, &stage, reply),
        _ if work.in_doubt() => looked(work, known, plan, &stage, reply),
        _ => made(work, known, plan, &stage, reply),
    };
    match outcome {
        Outcome::Failed(JobResult::Failed { why, .. }) => Outcome::Failed(failed(work, known, plan, why)),
        other => other,
    }
}

fn searched(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, reply: &Reply) -> Outcome {
    let outcome = search::absorb(work, known, &plan.client, reply);
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
        Looked::Absent => match stage {
            Stage::FieldList(of) => {
                of.note_absent(work);
                Outcome::Next
            }
            _ => look::absent(work),
        },
        Looked::Open(outcome) => outcome,
    }
}

/// An answer to a creation.
fn made(work: &mut Work, known: &Known<'_>, plan: &RecordPlan, stage: &Stage<'_>, reply: &Reply) -> Outcome {
    let (kind, what) = match stage {
        Stage::Contact { .. } => ("contacts", "контакт"),
        Stage::FieldList(of) | Stage::Field(of) => ("custom_fields", of.what),
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
        Answer::Refused(refusal) => {
            if let Some(of) = gone_field(work, stage, &refusal) {
                of.note_gone(work);
                return Outcome::Next;
            }
            let mut why = refusal.words(what);
            if let Stage::Field(of) = stage {
                why.push_str(of.advice);
            }
            Outcome::Failed(failed(work, known, plan, why))
        }
        Answer::Settled(outcome) => outcome,
    }
}

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

/// The marker field that this stage needs, if that was deleted.
fn gone_field(work: &Work, stage: &Stage<'_>, refusal: &Refusal) -> Option<&'static Field> {
    let of = match stage {
        Stage::Deal { .. } => &OF_DEALS,
        Stage::Contact { field: Some(_) } => &OF_CONTACTS,
        _ => return None,
    };
    of.is_gone(work, refusal).then_some(of)
}

/// Keeps the id of what a stage made or found.
fn remember(work: &mut Work, plan: &RecordPlan, stage: &Stage<'_>, id: CrmId) {
    match stage {
        Stage::Contact { .. } => {
            work.learned.point = Some(PointNews {
                client: plan.client.clone(),
                contact: Some(id.clone()),
                name: plan.contact.as_ref().map(|plan| plan.name.clone()).unwrap_or_default(),
                responsible: plan.contact.as_ref().and_then(|plan| plan.responsible.clone()),
                duplicates: 0,
                made: plan.only_new,
            });
            work.mark(CONTACT_MADE);
            work.keep(CONTACT, id.0);
        }
        Stage::FieldList(of) | Stage::Field(of) => of.remember(work, id),
        Stage::Deal { .. } => work.keep(DEAL, id.0),
        Stage::Task { .. } => work.keep(TASK, id.0),
        Stage::Search | Stage::Done => {}
    }
}
