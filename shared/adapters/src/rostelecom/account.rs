//! `call_info`: the provider's account of one call, in the words of its events.

use perezvon_domain::event::{Direction, EndReason, RecordingChange, RecordingState, Summary};
use perezvon_domain::{CallEventKind, Extension, JobResult, Timestamp};
use serde::Serialize;

use super::answer::{self, Answer};
use super::{events, party, request};
use crate::fields::Fields;
use crate::intake::Malformed;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where the account is kept until the job ends.
const ACCOUNT: &str = "account";
/// `call_type` of a call that the API ordered: outgoing, whatever else it says.
const ORDERED: u64 = 3;
/// More than this is a time in milliseconds.
const MILLISECONDS: i64 = 100_000_000_000;

#[derive(Serialize)]
struct Query<'a> {
    session_id: &'a str,
}

pub(super) fn next(work: &Work, known: &Known<'_>, entry: &str) -> Step {
    match work.progress.get(ACCOUNT) {
        // Written by `absorb`: it is read again as it was written.
        Some(news) => Step::Done(JobResult::CallRead { news: serde_json::from_str(news).unwrap_or_default() }),
        None => Step::Read(request::post("call_info", &Query { session_id: entry }, known)),
    }
}

pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, entry: &str) -> Outcome {
    let news = match answer::read(reply, known) {
        Answer::Trouble(outcome) => return outcome,
        // It does not know the call yet.
        Answer::Refused { .. } => Vec::new(),
        Answer::Done(answer) if answer["info"].is_null() => Vec::new(),
        Answer::Done(answer) => match Fields::of(&answer["info"]).and_then(|info| read(&info, entry)) {
            Ok(news) => news,
            Err(Malformed(why)) => {
                return Outcome::Failed(answer::failed(format!("рассказ АТС о звонке не разобран: {why}")));
            }
        },
    };
    // The words of events always have a JSON form.
    work.progress.insert(ACCOUNT.to_owned(), serde_json::to_string(&news).unwrap_or_default());
    Outcome::Next
}

/// What an account tells; nothing while somebody still talks.
pub(super) fn read(info: &Fields<'_>, entry: &str) -> Result<Vec<CallEventKind>, Malformed> {
    let ordered = info.number("call_type")? == Some(ORDERED);
    let direction = match (info.required_number("direction")?, ordered) {
        (_, true) | (2, _) => Direction::Outgoing,
        (1, _) => Direction::Incoming,
        (3, _) => Direction::Internal,
        (other, _) => return Err(info.odd("direction", &other.to_string(), "1, 2 or 3")),
    };
    let answered = info.number("state")? == Some(1);
    let seconds = i64::try_from(info.number("duration")?.unwrap_or_default()).unwrap_or_default();
    if answered && seconds == 0 {
        return Ok(Vec::new());
    }
    let (orig, dest) = (info.text("orig_number")?, info.text("dest_number")?);
    let outside = if direction == Direction::Outgoing { dest.as_deref() } else { orig.as_deref() };
    let pin = if direction == Direction::Outgoing { "orig_pin" } else { "answering_pin" };
    let started_at = info.required("start_call_date", started(info)?)?;
    let summary = Summary {
        direction,
        client: outside.filter(|_| direction != Direction::Internal).and_then(party::number),
        line: dest.as_deref().filter(|_| direction == Direction::Incoming).and_then(party::line),
        employee: info.text(pin)?.map(Extension),
        started_at,
        talked_at: answered.then_some(started_at),
        ended_at: Timestamp(started_at.0.saturating_add(seconds.saturating_mul(1000))),
        busy: false,
        reason: reason(info)?,
        seconds: Some(seconds),
    };
    let recorded = info.flag("is_record")?.map(|kept| recorded(entry, kept));
    Ok(std::iter::once(CallEventKind::Summarised(summary)).chain(recorded).collect())
}

/// Whether there is a recording; the call's own id names it.
pub(super) fn recorded(entry: &str, kept: bool) -> CallEventKind {
    let recording = entry.to_owned();
    if kept {
        return CallEventKind::RecordingReady { recording };
    }
    let state = RecordingState::NotKept { code: None };
    CallEventKind::RecordingChanged(RecordingChange { recording, seq: 1, state, leg: None, employee: None })
}

/// Seconds, milliseconds or a wall clock of Moscow: all are met.
fn started(info: &Fields<'_>) -> Result<Option<Timestamp>, Malformed> {
    let Some(text) = info.text("start_call_date")? else { return Ok(None) };
    let time = match text.parse::<i64>() {
        Ok(number) if number >= MILLISECONDS => Some(Timestamp(number)),
        Ok(number) if number > 0 => Some(Timestamp::from_seconds(number)),
        Ok(_) => None,
        Err(_) => events::moscow(&text),
    };
    time.map(Some).ok_or_else(|| info.odd("start_call_date", &text, "a time"))
}

/// The code of an error; 0 is none.
fn reason(info: &Fields<'_>) -> Result<Option<EndReason>, Malformed> {
    let code = info.text("status_code")?.filter(|code| code != "0");
    Ok(match (info.text("status_string")?, code) {
        (Some(words), Some(_)) => Some(EndReason::Words(words)),
        (_, Some(code)) => Some(code.parse().map_or(EndReason::Words(code), EndReason::Code)),
        (_, None) => None,
    })
}
