//! The events we use, from the provider's fields into our words. No state: each event alone.

use perezvon_domain::event::{
    Digits, Direction, EndReason, LegChange, LegState, Place, RecordingChange, RecordingState, Summary,
};
use perezvon_domain::{CallEventKind, Extension, Number};

use crate::fields::Fields;
use crate::intake::{CallNews, Malformed};

/// `disconnect_reason` of a busy called party.
const BUSY: u32 = 1121;
/// `completion_code` of a recording that was kept.
const DONE: u32 = 1000;

/// `events/call`: a leg changed.
pub(super) fn leg_changed(fields: &Fields<'_>) -> Result<CallNews, Malformed> {
    let from = fields.object("from")?;
    let taken_from = from.text("taken_from_call_id")?;
    let to = fields.object("to")?;
    let (line, from, to) = (to.text("line_number")?, Party::read(&from)?, Party::read(&to)?);
    let direction = direction(fields, &from, &to, taken_from.is_some())?;
    let (client, employee) = sides(direction, from, to);
    let transfer = fields.text("transfer")?;
    let change = LegChange {
        leg: fields.required_text("call_id")?,
        seq: fields.required_number("seq")?,
        state: state(fields)?,
        place: place(fields)?,
        direction,
        client,
        line: line.filter(|_| direction != Direction::Outgoing),
        employee,
        taken_from,
        transfer: matches!(transfer.as_deref(), Some("blind" | "return_blind")),
        reason: fields.code("disconnect_reason")?.map(EndReason::Code),
        trunk_id: fields.text("sip_call_id")?,
    };
    news(fields, CallEventKind::LegChanged(change))
}

/// `events/summary`: the whole call is over.
pub(super) fn summarised(fields: &Fields<'_>) -> Result<CallNews, Malformed> {
    let direction = match fields.required_number("call_direction")? {
        0 => Direction::Internal,
        1 => Direction::Incoming,
        2 => Direction::Outgoing,
        other => return Err(fields.odd("call_direction", &other.to_string(), "0, 1 or 2")),
    };
    let from = Party::read(&fields.object("from")?)?;
    let to = Party::read(&fields.object("to")?)?;
    let (client, employee) = sides(direction, from, to);
    let (created, ended) = (fields.time("create_time")?, fields.time("end_time")?);
    let started_at = fields.required("create_time", created.or(ended))?;
    // A result of 1 with a talk_time of 0 is in the reference: nobody talked.
    let talked = fields.number("entry_result")?.is_none_or(|result| result == 1);
    let reason = fields.code("disconnect_reason")?;
    let summary = Summary {
        direction,
        client,
        line: fields.text("line_number")?,
        employee,
        started_at,
        talked_at: fields.time("talk_time")?.filter(|_| talked),
        ended_at: ended.unwrap_or(started_at),
        busy: reason == Some(BUSY),
        reason: reason.map(EndReason::Code),
        seconds: None,
    };
    let entry = fields.required_text("entry_id")?;
    let occurred_at = summary.ended_at;
    Ok(CallNews { entry, occurred_at, kind: CallEventKind::Summarised(summary) })
}

/// `events/recording`: a recording began, moved or ended.
pub(super) fn recording_changed(fields: &Fields<'_>) -> Result<CallNews, Malformed> {
    let state = match fields.required_text("recording_state")?.as_str() {
        "Started" | "Continued" => RecordingState::Started,
        "Completed" => match fields.code("completion_code")? {
            None | Some(DONE) => RecordingState::Kept,
            Some(code) => RecordingState::NotKept { code: Some(code) },
        },
        other => {
            return Err(fields.odd("recording_state", other, "Started, Continued or Completed"));
        }
    };
    let change = RecordingChange {
        recording: fields.required_text("recording_id")?,
        seq: fields.required_number("seq")?,
        state,
        leg: fields.text("call_id")?,
        employee: fields.text("extension")?.map(Extension),
    };
    news(fields, CallEventKind::RecordingChanged(change))
}

/// `events/record/added`: a recording can be fetched.
pub(super) fn recording_ready(fields: &Fields<'_>) -> Result<CallNews, Malformed> {
    let recording = fields.required_text("recording_id")?;
    news(fields, CallEventKind::RecordingReady { recording })
}

/// `events/dtmf`: keys were pressed in the menu.
pub(super) fn digits_pressed(fields: &Fields<'_>) -> Result<CallNews, Malformed> {
    let digits = Digits {
        leg: fields.required_text("call_id")?,
        seq: fields.required_number("seq")?,
        digits: fields.required_text("dtmf")?,
        place: fields.text("location")?,
        pressed_at: fields.required_time("timestamp")?,
    };
    news(fields, CallEventKind::DigitsPressed(digits))
}

fn news(fields: &Fields<'_>, kind: CallEventKind) -> Result<CallNews, Malformed> {
    let entry = fields.required_text("entry_id")?;
    Ok(CallNews { entry, occurred_at: fields.required_time("timestamp")?, kind })
}

/// One side of a leg or of a call.
struct Party {
    extension: Option<Extension>,
    number: Option<String>,
}

impl Party {
    fn read(fields: &Fields<'_>) -> Result<Self, Malformed> {
        let extension = fields.text("extension")?.map(Extension);
        Ok(Self { extension, number: fields.text("number")? })
    }

    fn outside(&self) -> Option<Number> {
        self.number.as_deref().and_then(Number::parse)
    }
}

/// The direction is not in `events/call`: what this leg alone tells, first match wins.
fn direction(fields: &Fields<'_>, from: &Party, to: &Party, taken_from: bool) -> Result<Direction, Malformed> {
    // The initiator's value does not matter, so its Latin or Cyrillic letters do not either.
    let called_back = fields.text("callback_initiator")?.is_some() || fields.text("task_id")?.is_some();
    let commanded = fields.text("command_id")?.is_some();
    Ok(match (&from.extension, &to.extension) {
        _ if called_back || (commanded && !taken_from) => Direction::Outgoing,
        (Some(_), None) => Direction::Outgoing,
        (Some(_), Some(_)) => Direction::Internal,
        (None, _) => Direction::Incoming,
    })
}

/// Who is the client and who is the employee.
fn sides(direction: Direction, from: Party, to: Party) -> (Option<Number>, Option<Extension>) {
    match direction {
        Direction::Incoming => (from.outside(), to.extension),
        Direction::Internal => (None, to.extension),
        // The first leg of a call-back rings the employee and already names the client as caller.
        Direction::Outgoing if from.extension.is_none() && to.extension.is_some() => (from.outside(), to.extension),
        Direction::Outgoing => {
            let client = if to.extension.is_none() { to.outside() } else { None };
            (client, from.extension)
        }
    }
}

fn state(fields: &Fields<'_>) -> Result<LegState, Malformed> {
    match fields.required_text("call_state")?.as_str() {
        "Appeared" => Ok(LegState::Appeared),
        "Connected" => Ok(LegState::Connected),
        "OnHold" => Ok(LegState::OnHold),
        "Disconnected" => Ok(LegState::Disconnected),
        other => Err(fields.odd("call_state", other, "Appeared, Connected, OnHold or Disconnected")),
    }
}

fn place(fields: &Fields<'_>) -> Result<Place, Malformed> {
    match fields.required_text("location")?.as_str() {
        "queue" => Ok(Place::Queue),
        "abonent" => Ok(Place::Telephone),
        menu if menu == "ivr" || menu.starts_with("ivr.") => Ok(Place::Menu),
        other => Err(fields.odd("location", other, "ivr, queue or abonent")),
    }
}
