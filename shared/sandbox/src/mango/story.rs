//! The telling of a call: legs, recordings and the summary become webhooks with their times.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::calls::{Call, Employee, RECORDED_S, Webhook};
use super::events::{CallEvent, Dct, Party, RecordAdded, RecordingEvent, Seen, Summary};

/// The short number of the group that rings.
pub(super) const GROUP: &str = "303";

/// One connection inside a call.
pub(super) struct Leg {
    id: String,
    location: String,
    pub(super) from: Party,
    pub(super) to: Party,
    seq: u32,
    pub(super) sip_call_id: Option<String>,
    pub(super) transfer: Option<&'static str>,
    /// The command that made it.
    pub(super) command_id: Option<String>,
    pub(super) callback_initiator: Option<String>,
}

impl From<Seen> for Leg {
    fn from(seen: Seen) -> Self {
        let Seen { call_id, seq, location, from, to, .. } = seen;
        Self { seq, ..Self::new(call_id, &location, from, to) }
    }
}

impl Leg {
    fn new(id: String, location: &str, from: Party, to: Party) -> Self {
        let location = location.to_owned();
        let (sip_call_id, transfer, command_id, callback_initiator) = (None, None, None, None);
        Self { id, location, from, to, seq: 0, sip_call_id, transfer, command_id, callback_initiator }
    }

    /// The same side, taken from this leg.
    pub(super) fn taken(&self, side: Party) -> Party {
        Party { taken_from_call_id: Some(self.id.clone()), ..side }
    }
}

/// How a call ended, for its summary.
pub(super) struct End {
    pub(super) direction: u8,
    pub(super) from: Party,
    pub(super) to: Party,
    pub(super) forward_s: i64,
    pub(super) talk_s: Option<i64>,
    pub(super) end_s: i64,
    pub(super) reason: u16,
}

/// A call being told. All seconds count from its start.
pub(super) struct Story<'a> {
    pub(super) call: &'a Call,
    hooks: Vec<Webhook>,
    recording_seq: u32,
}

impl<'a> Story<'a> {
    pub(super) fn new(call: &'a Call) -> Self {
        Self { call, hooks: Vec::new(), recording_seq: 0 }
    }

    pub(super) fn client(&self) -> Party {
        let number = (!self.call.client.is_empty()).then(|| self.call.client.clone());
        Party { number, ..Party::default() }
    }

    /// The `n`th leg of the call.
    pub(super) fn leg(&self, n: u32, location: &str, from: Party, to: Party) -> Leg {
        Leg::new(STANDARD.encode(format!("1:10000001:{}:{n}", self.call.entry)), location, from, to)
    }

    pub(super) fn menu(&self) -> Leg {
        let line = Some(self.call.line.clone());
        let to = Party { number: line.clone(), line_number: line, ..Party::default() };
        self.leg(1, "ivr", self.client(), to)
    }

    /// The client, taken from the menu, waiting for the group.
    pub(super) fn queue(&self, menu: &Leg) -> Leg {
        let from = menu.taken(self.client());
        let to = Party { acd_group: Some(GROUP.to_owned()), ..menu.to.clone() };
        self.leg(2, "queue", from, to)
    }

    /// The client, taken from another leg, at an employee's telephone.
    pub(super) fn at(&self, n: u32, employee: &Employee, taken_from: &Leg) -> Leg {
        let from = taken_from.taken(self.client());
        let to = Party { line_number: Some(self.call.line.clone()), ..employee.party() };
        self.leg(n, "abonent", from, to)
    }

    fn hook(&mut self, path: &'static str, after_ms: i64, event: &impl Serialize) {
        let json = serde_json::to_string(event).unwrap_or_default();
        self.hooks.push(Webhook { after_ms, path, json });
    }

    fn event(&mut self, leg: &mut Leg, state: &str, reason: Option<u16>, at_s: i64, after_ms: i64) {
        leg.seq += 1;
        let event = CallEvent {
            entry_id: &self.call.entry,
            call_id: &leg.id,
            timestamp: self.call.start_s + at_s,
            seq: leg.seq,
            call_state: state,
            location: &leg.location,
            from: &leg.from,
            to: &leg.to,
            disconnect_reason: reason,
            dct: Dct { kind: 0 },
            sip_call_id: leg.sip_call_id.as_deref(),
            transfer: leg.transfer,
            command_id: leg.command_id.as_deref(),
            callback_initiator: leg.callback_initiator.as_deref(),
        };
        self.hook("events/call", after_ms, &event);
    }

    pub(super) fn appeared(&mut self, leg: &mut Leg, at_s: i64, after_ms: i64) {
        self.event(leg, "Appeared", None, at_s, after_ms);
    }

    pub(super) fn connected(&mut self, leg: &mut Leg, at_s: i64, after_ms: i64) {
        self.event(leg, "Connected", None, at_s, after_ms);
    }

    pub(super) fn ended(&mut self, leg: &mut Leg, reason: u16, at_s: i64, after_ms: i64) {
        self.event(leg, "Disconnected", Some(reason), at_s, after_ms);
    }

    /// What happens to the recording, if the talk is recorded.
    pub(super) fn recording(&mut self, state: &str, leg: &Leg, employee: &Employee, at_s: i64) {
        let Some(recording_id) = &self.call.recording else {
            return;
        };
        self.recording_seq += 1;
        let completed = state == "Completed";
        let event = RecordingEvent {
            recording_id,
            recording_state: state,
            seq: self.recording_seq,
            entry_id: &self.call.entry,
            call_id: &leg.id,
            extension: &employee.extension,
            timestamp: self.call.start_s + at_s,
            completion_code: completed.then_some(1000),
            recipient: completed.then_some("Cloud"),
        };
        self.hook("events/recording", at_s * 1000 + 200, &event);
    }

    pub(super) fn summary(&mut self, end: End, sip_call_id: Option<&str>, after_ms: i64) {
        let at = |seconds: i64| self.call.start_s + seconds;
        let summary = Summary {
            entry_id: &self.call.entry,
            call_direction: end.direction,
            from: end.from,
            to: end.to,
            line_number: (end.direction != 0).then_some(self.call.line.as_str()),
            create_time: at(0),
            forward_time: at(end.forward_s),
            talk_time: end.talk_s.map_or(0, at),
            end_time: at(end.end_s),
            entry_result: u8::from(end.talk_s.is_some()),
            disconnect_reason: end.reason,
            sip_call_id,
        };
        self.hook("events/summary", after_ms, &summary);
    }

    /// All webhooks in the order in which they come; the recording, if any, is announced last.
    pub(super) fn told(mut self, end_s: i64) -> Vec<Webhook> {
        if self.recording_seq > 0
            && let Some(recording_id) = &self.call.recording
        {
            let at_s = end_s + RECORDED_S;
            let added = RecordAdded {
                entry_id: &self.call.entry,
                product_id: 300_000_001,
                user_id: 300_000_101,
                timestamp: self.call.start_s + at_s,
                recording_id,
            };
            self.hook("events/record/added", at_s * 1000, &added);
        }
        self.hooks.sort_by_key(|hook| hook.after_ms);
        self.hooks
    }
}
