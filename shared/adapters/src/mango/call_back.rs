//! Click to call: the employee's telephone first, then the client's. The outcome of such a command cannot be looked
//! up: the provider hands our id back in its events, and answers no question about it.

use perezvon_domain::call::order;
use perezvon_domain::event::OrderNews;
use perezvon_domain::{CallEventKind, EffectId, Extension, JobResult, Number, Timestamp};
use serde::Serialize;

use super::{answer, query};
use crate::fields::Fields;
use crate::intake::{CallNews, Inbound, Malformed};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// `result` of a command that was taken.
pub(super) const TAKEN: u64 = 1000;
/// Remembered between the answer and the end of the job.
const ACCEPTED: &str = "accepted";

/// The order of the fields is the documented one.
#[derive(Serialize)]
struct CallBack<'a> {
    command_id: &'a str,
    from: From<'a>,
    to_number: &'a str,
}

#[derive(Serialize)]
struct From<'a> {
    extension: &'a str,
}

/// The request, once.
pub(super) fn next(work: &Work, known: &Known<'_>, extension: &Extension, client: &Number, marker: usize) -> Step {
    if work.progress.contains_key(ACCEPTED) {
        return Step::Done(JobResult::CallStarted { entry: None });
    }
    let from = From { extension: extension.as_str() };
    let command = CallBack { command_id: work.id.as_str(), from, to_number: client.digits() };
    let request = query::post("commands/callback", &command, known);
    Step::Write { request, marker }
}

/// What the answer means.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if answer::code(&reply.body) == Some(TAKEN) && reply.status < 300 {
        work.progress.insert(ACCEPTED.to_owned(), String::new());
        return Outcome::Next;
    }
    answer::refused_command(reply, known.now)
}

/// `result/callback`: what became of a command, told later. `None`: it is not ours. It carries no time, so it counts as
/// an old event: of an order that is known.
pub(super) fn told(fields: &Fields<'_>) -> Result<Option<CallNews>, Malformed> {
    let Some((entry, effect)) = ours(fields)? else { return Ok(None) };
    news(fields, entry, effect).map(Some)
}

/// What the result of a command of ours says.
pub(super) fn news(fields: &Fields<'_>, entry: String, effect: EffectId) -> Result<CallNews, Malformed> {
    let news = match fields.required_number("result")? {
        TAKEN => OrderNews::Accepted { entry: None },
        code => OrderNews::Refused { why: answer::in_words(code) },
    };
    Ok(of_order(entry, effect, news, Timestamp::default()))
}

/// A leg that our command made tells which call it became.
pub(super) fn became(fields: &Fields<'_>, call: &CallNews) -> Result<Option<Inbound>, Malformed> {
    let Some((entry, effect)) = ours(fields)? else { return Ok(None) };
    let news = OrderNews::Accepted { entry: Some(call.entry.clone()) };
    Ok(Some(Inbound::Call(of_order(entry, effect, news, call.occurred_at))))
}

/// The order behind a `command_id`; other systems of the same PBX have ids of their own.
fn ours(fields: &Fields<'_>) -> Result<Option<(String, EffectId)>, Malformed> {
    Ok(fields.text("command_id")?.and_then(|id| order::of_order(&id)))
}

fn of_order(entry: String, effect: EffectId, news: OrderNews, occurred_at: Timestamp) -> CallNews {
    CallNews { entry, occurred_at, kind: CallEventKind::OrderTold { effect, news } }
}
