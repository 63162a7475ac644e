//! The telling of a call: what happens becomes notices, and the account that is asked for later.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::calls::{Call, Told};

/// What kind of call the PBX takes it for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Incoming,
    #[default]
    Outbound,
    Internal,
}

/// Either side of a call, as notices name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) number: String,
    pub(super) pin: Option<String>,
}

/// A notice to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds after the call's start.
    pub after_ms: i64,
    pub state: &'static str,
    /// Compact; sign it with [`super::sign`].
    pub json: String,
}

/// `call_events`: key order as on the wire, absent keys left out.
#[derive(Serialize)]
struct Notice<'a> {
    state: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
    session_id: &'a str,
    timestamp: String,
    from_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_pin: Option<&'a str>,
    request_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_pin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_record: Option<&'a str>,
}

/// What the PBX knows of a call afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub session: String,
    /// 1 ordinary, 3 asked for by a program.
    pub call_type: u8,
    /// 1 incoming, 2 outgoing, 3 internal.
    pub direction: u8,
    pub answered: bool,
    pub orig_number: String,
    pub orig_pin: Option<String>,
    pub dest_number: String,
    /// Who answered first.
    pub answering_sipuri: Option<String>,
    pub answering_pin: Option<String>,
    /// Unix milliseconds.
    pub start_ms: i64,
    pub end_ms: i64,
    /// All talks together.
    pub talk_ms: i64,
    pub session_log: String,
    pub is_record: bool,
}

/// A call being told. All milliseconds count from its start.
pub(super) struct Story<'a> {
    call: &'a Call,
    kind: Kind,
    events: Vec<Event>,
    account: Account,
    talks_since_ms: i64,
}

impl<'a> Story<'a> {
    /// A call that has just begun.
    pub(super) fn new(call: &'a Call, kind: Kind, from: Side, to: Side) -> Self {
        let direction = match kind {
            Kind::Incoming => 1,
            Kind::Outbound => 2,
            Kind::Internal => 3,
        };
        let account = Account {
            session: call.session.clone(),
            call_type: 1,
            direction,
            answered: false,
            orig_number: sip(&from.number),
            orig_pin: from.pin.clone(),
            dest_number: sip(&to.number),
            answering_sipuri: None,
            answering_pin: None,
            start_ms: call.start_ms,
            end_ms: call.start_ms,
            talk_ms: 0,
            session_log: format!("0:ct:{};", short(&to)),
            is_record: false,
        };
        let mut story = Self { call, kind, events: Vec::new(), account, talks_since_ms: 0 };
        story.tell("new", 0, &from, &to, None, None);
        story
    }

    /// A program asked for it: the account calls that outgoing, whatever the notices say.
    pub(super) fn asked_for(&mut self) {
        self.account.call_type = 3;
        self.account.direction = 2;
    }

    fn tell(
        &mut self,
        state: &'static str,
        after_ms: i64,
        from: &Side,
        to: &Side,
        reason: Option<&str>,
        is_record: Option<&str>,
    ) {
        let notice = Notice {
            state,
            kind: self.kind,
            session_id: &self.call.session,
            timestamp: moscow(self.call.start_ms + after_ms),
            from_number: &from.number,
            from_pin: from.pin.as_deref(),
            request_number: &to.number,
            request_pin: to.pin.as_deref(),
            disconnect_reason: reason,
            is_record,
        };
        let json = serde_json::to_string(&notice).unwrap_or_default();
        self.events.push(Event { after_ms, state, json });
    }

    pub(super) fn calling(&mut self, from: &Side, to: &Side, after_ms: i64) {
        self.tell("calling", after_ms, from, to, None, None);
    }

    pub(super) fn connected(&mut self, from: &Side, to: &Side, after_ms: i64) {
        self.talks_since_ms = after_ms;
        if !self.account.answered {
            self.account.answered = true;
            self.account.answering_sipuri = Some(sip(&to.number));
            self.account.answering_pin.clone_from(&to.pin);
        }
        self.account.session_log += &format!("{}:cc:{};", after_ms / 1000, short(to));
        self.tell("connected", after_ms, from, to, None, None);
    }

    /// The talk with this side is over, or there was none.
    pub(super) fn disconnected(&mut self, from: &Side, to: &Side, reason: &str, after_ms: i64) {
        if self.talks_since_ms > 0 {
            self.account.talk_ms += after_ms - self.talks_since_ms;
            self.account.session_log += &format!("{}:cd:{};", after_ms / 1000, short(to));
            self.talks_since_ms = 0;
        }
        self.tell("disconnected", after_ms, from, to, Some(reason), None);
    }

    pub(super) fn end(mut self, from: &Side, to: &Side, after_ms: i64) -> Told {
        self.account.is_record = self.call.recorded && self.account.answered;
        self.account.end_ms = self.call.start_ms + after_ms;
        let is_record = if self.account.is_record { "true" } else { "false" };
        self.tell("end", after_ms, from, to, None, Some(is_record));
        Told { events: self.events, account: self.account }
    }
}

fn short(side: &Side) -> &str {
    let number = side.number.strip_prefix("sip:").unwrap_or(&side.number);
    side.pin.as_deref().unwrap_or_else(|| number.split('@').next().unwrap_or_default())
}

fn sip(number: &str) -> String {
    if number.starts_with("sip:") { number.to_owned() } else { format!("sip:{number}") }
}

/// The wall clock of Moscow, as the PBX writes it.
pub(super) fn moscow(at_ms: i64) -> String {
    let zone = TimeZone::fixed(Offset::constant(3));
    let at = Timestamp::from_millisecond(at_ms).unwrap_or_default();
    Zoned::new(at, zone).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}
