//! `call_events`, from the provider's fields into our words. No state: each event alone.
//!
//! The provider names no leg: who talks is known by the employee's short number, so that is the leg. It counts no
//! changes either: the later time wins, and within one millisecond the later state.

use perezvon_domain::event::{Direction, EndReason, LegChange, LegState, Place};
use perezvon_domain::{CallEventKind, Extension, Timestamp};

use super::{account, party};
use crate::fields::Fields;
use crate::intake::{CallNews, Inbound, Malformed};

/// The leg that nobody of the company is on: the call before it is distributed.
const LINE: &str = "line";
/// Times are those of Moscow, and say nothing of it.
const MOSCOW: jiff::tz::Offset = jiff::tz::offset(3);

/// What one event tells.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<Inbound>, Malformed> {
    let state = fields.required_text("state")?.to_ascii_lowercase();
    let (state, rank) = match state.as_str() {
        "new" => (LegState::Appeared, 0),
        "calling" => (LegState::Appeared, 1),
        "connected" => (LegState::Connected, 2),
        "disconnected" => (LegState::Disconnected, 3),
        "end" => return ended(fields),
        // Speech analytics of a newer edition: nothing about the call itself.
        "analytics" => return Ok(vec![Inbound::Counted("call_events/analytics".to_owned())]),
        other => return Err(fields.odd("state", other, "new, calling, connected, disconnected or end")),
    };
    let occurred_at = fields.required("timestamp", time(fields, "timestamp")?)?;
    let change = leg(fields, state, rank, occurred_at)?;
    Ok(vec![news(fields, occurred_at, CallEventKind::LegChanged(change))?])
}

/// `end`: the call is over, and was recorded or not. How long it took is not said.
fn ended(fields: &Fields<'_>) -> Result<Vec<Inbound>, Malformed> {
    let at = fields.required("timestamp", time(fields, "timestamp")?)?;
    let recording = fields.required_text("session_id")?;
    let recorded = fields.flag("is_record")?.map(|kept| account::recorded(&recording, kept));
    let over = std::iter::once(CallEventKind::Ended);
    over.chain(recorded).map(|kind| news(fields, at, kind)).collect()
}

fn news(fields: &Fields<'_>, occurred_at: Timestamp, kind: CallEventKind) -> Result<Inbound, Malformed> {
    let entry = fields.required_text("session_id")?;
    Ok(Inbound::Call(CallNews { entry, occurred_at, kind }))
}

fn leg(fields: &Fields<'_>, state: LegState, rank: u64, at: Timestamp) -> Result<LegChange, Malformed> {
    let from = fields.text("from_number")?.unwrap_or_default();
    let to = fields.text("request_number")?.unwrap_or_default();
    let (from_pin, to_pin) = (fields.text("from_pin")?, fields.text("request_pin")?);
    let direction = direction(fields, from_pin.is_some(), to_pin.is_some())?;
    let pin = match direction {
        Direction::Incoming => to_pin,
        Direction::Outgoing => from_pin,
        Direction::Internal => to_pin.or(from_pin),
    };
    let incoming = direction == Direction::Incoming;
    let undistributed = incoming && pin.is_none() && rank == 0;
    let client = match direction {
        Direction::Incoming => party::number(&from),
        Direction::Outgoing => party::number(&to),
        Direction::Internal => None,
    };
    Ok(LegChange {
        leg: pin.clone().unwrap_or_else(|| LINE.to_owned()),
        seq: at.0.unsigned_abs() * 8 + rank,
        state,
        place: if undistributed { Place::Menu } else { Place::Telephone },
        direction,
        client,
        // Later events name the employee where `new` names the line.
        line: party::line(&to).filter(|_| undistributed),
        employee: pin.map(Extension),
        taken_from: None,
        transfer: false,
        reason: reason(fields)?,
        trunk_id: None,
    })
}

/// A call that we ordered comes with a type that no document names: its short numbers tell.
fn direction(fields: &Fields<'_>, from_pin: bool, to_pin: bool) -> Result<Direction, Malformed> {
    let named = fields.text("type")?.unwrap_or_default().to_ascii_lowercase();
    Ok(match (named.as_str(), from_pin, to_pin) {
        ("incoming", ..) => Direction::Incoming,
        ("outbound", ..) => Direction::Outgoing,
        ("internal", ..) | (_, true, true) => Direction::Internal,
        (_, true, false) => Direction::Outgoing,
        (_, false, _) => Direction::Incoming,
    })
}

/// Words, or a number whose meaning is known in part only: kept as it stands.
fn reason(fields: &Fields<'_>) -> Result<Option<EndReason>, Malformed> {
    let text = fields.text("disconnect_reason")?;
    Ok(text.map(|text| text.parse().map_or(EndReason::Words(text), EndReason::Code)))
}

/// `2026-03-02 10:15:00.101` on the clocks of Moscow.
pub(super) fn time(fields: &Fields<'_>, name: &str) -> Result<Option<Timestamp>, Malformed> {
    let Some(text) = fields.text(name)? else { return Ok(None) };
    moscow(&text).map(Some).ok_or_else(|| fields.odd(name, &text, "a time like 2026-03-02 10:15:00.101"))
}

/// A wall clock of Moscow as a moment.
pub(super) fn moscow(text: &str) -> Option<Timestamp> {
    // A date alone would be read as its midnight.
    let wall: jiff::civil::DateTime = text.contains(':').then(|| text.trim().parse().ok())??;
    let zone = jiff::tz::TimeZone::fixed(MOSCOW);
    Some(Timestamp(wall.to_zoned(zone).ok()?.timestamp().as_millisecond()))
}

/// A moment as the provider writes it in questions: to the second.
pub(super) fn wall(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::fixed(MOSCOW)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
