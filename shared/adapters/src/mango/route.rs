//! A call that waits is taken to an employee. What became of such a command cannot be looked up, but it is told.

use perezvon_domain::call::of_effect;
use perezvon_domain::{EffectId, Extension, JobResult, Reason};
use serde::Serialize;

use super::{answer, call_back, query};
use crate::fields::Fields;
use crate::intake::{CallNews, Malformed};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

const METHOD: &str = "commands/route";
/// The leg is not where this can be done, or over.
const TOO_LATE: std::ops::RangeInclusive<u64> = 4100..=4199;
/// Longest id of a command, in bytes.
const LONGEST_ID: usize = 128;
/// For calls whose own id leaves no room for ours: what is told of such a command is not known again.
const NO_ID: &str = "perezvon";
/// Longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// What may not stand in a name: a name with one of these is not shown at all.
const OF_ADDRESSES: &[char] = &[';', '/', '?', ':', '@', '&', '=', '+', '$', ','];

/// Remembered between the answer and the end of the job: what the answer was.
const ANSWER: &str = "route";
const TAKEN: &str = "taken";
const LATE: &str = "late";

/// The order of the fields is the documented one.
#[derive(Serialize)]
struct Route<'a> {
    command_id: &'a str,
    call_id: &'a str,
    to_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_headers: Option<Headers>,
}

#[derive(Serialize)]
struct Headers {
    #[serde(rename = "From/display-name")]
    display_name: String,
}

/// The request, once.
pub(super) fn next(
    work: &Work,
    known: &Known<'_>,
    (leg, extension, name): (&str, &Extension, &str),
    marker: usize,
) -> Step {
    match work.progress.get(ANSWER).map(String::as_str) {
        Some(TAKEN) => return Step::Done(JobResult::Routed),
        Some(_) => return Step::Done(JobResult::Dropped { because: Reason::new("route_over_there", []) }),
        None => {}
    }
    if let Some(wait) = query::wait(METHOD, known) {
        return wait;
    }
    let command = Route {
        command_id: if work.id.0.len() <= LONGEST_ID { work.id.as_str() } else { NO_ID },
        call_id: leg,
        to_number: extension.as_str(),
        sip_headers: shown(name).map(|display_name| Headers { display_name }),
    };
    Step::Write { request: query::post(METHOD, &command, known), marker }
}

/// What the answer means.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    query::asked(METHOD, work, known);
    let code = answer::code(&reply.body);
    let told = match code {
        Some(call_back::TAKEN) if reply.status < 300 => TAKEN,
        // It was a race, and somebody else won.
        Some(code) if TOO_LATE.contains(&code) => LATE,
        _ => return query::refused_command(work, known, reply),
    };
    work.progress.insert(ANSWER.to_owned(), told.to_owned());
    Outcome::Next
}

/// `result/route`: what became of a command, told later. `None`: it is not ours.
pub(super) fn told(fields: &Fields<'_>) -> Result<Option<CallNews>, Malformed> {
    let Some(effect) = fields.text("command_id")?.map(EffectId) else { return Ok(None) };
    let Some((_, entry)) = of_effect(&effect) else { return Ok(None) };
    call_back::news(fields, entry, effect).map(Some)
}

/// A name as telephones show it, cut at a character.
fn shown(name: &str) -> Option<String> {
    let plain: String =
        name.chars().map(|c| if c.is_control() || OF_ADDRESSES.contains(&c) { ' ' } else { c }).collect();
    let name = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = name[..name.floor_char_boundary(LONGEST_NAME)].trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}
