//! The webhooks of whole calls, in the order and with the gaps of a captured trace.
//!
//! Menu and ringing take their usual seconds, the talk takes what the call says. Deliver the
//! webhooks as given, or shuffle, repeat and drop them: the order in which they come is no order
//! of events.

use serde::{Deserialize, Serialize};

use super::digest;
use super::events::Party;
use super::story::{End, Leg, Story};

/// Seconds a caller spends in the voice menu.
pub const MENU_S: i64 = 3;
/// Seconds a telephone rings before nobody has answered.
pub const RING_S: i64 = 30;
/// Seconds until a client, or a colleague, answers an employee's call.
pub const ANSWER_S: i64 = 7;
/// Seconds from the end of a call until its recording is announced.
pub const RECORDED_S: i64 = 15;

pub(super) const HOST: &str = "vpbx100000001.mangosip.ru";

/// What all webhooks of a call share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Id of the conversation; also makes the ids of its legs.
    pub entry: String,
    /// The client's number as digits; empty: hidden.
    pub client: String,
    /// The company's number as digits.
    pub line: String,
    /// Recording id, if the talk is recorded.
    pub recording: Option<String>,
    /// Unix seconds.
    pub start_s: i64,
    /// Seconds of talk; an outgoing or internal call with 0 is not answered.
    pub talk_s: i64,
}

/// An employee of the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Employee {
    /// Short number.
    pub extension: String,
    /// The name of the telephone: `petrova`.
    pub sip: String,
}

/// A webhook to be posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Milliseconds after the call's start.
    pub after_ms: i64,
    /// To be put after the base address: `events/call`.
    pub path: &'static str,
    /// Compact; sign it with [`super::form`].
    pub json: String,
}

impl Employee {
    /// An employee with this short number and telephone.
    pub fn new(extension: &str, sip: &str) -> Self {
        Self { extension: extension.to_owned(), sip: sip.to_owned() }
    }

    pub(super) fn party(&self) -> Party {
        Party {
            extension: Some(self.extension.clone()),
            number: Some(format!("sip:{}@{HOST}", self.sip)),
            ..Party::default()
        }
    }
}

/// Menu, then the employee's telephone rings and nobody answers.
pub fn missed_new(call: &Call, employee: &Employee) -> Vec<Webhook> {
    let mut story = Story::new(call);
    let mut menu = story.menu();
    let mut leg = story.at(2, employee, &menu);
    let end_s = MENU_S + RING_S;
    story.appeared(&mut menu, 0, 0);
    story.appeared(&mut leg, 0, 2_600);
    story.ended(&mut menu, 1100, MENU_S, 3_000);
    story.ended(&mut leg, 1111, end_s, end_s * 1000 + 100);
    let end = End {
        direction: 1,
        from: story.client(),
        to: employee.party(),
        forward_s: MENU_S,
        talk_s: None,
        end_s,
        reason: 1111,
    };
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}

/// Menu, then the employee answers, and the client hangs up.
pub fn answered(call: &Call, employee: &Employee) -> Vec<Webhook> {
    let mut story = Story::new(call);
    let mut menu = story.menu();
    let mut leg = story.at(2, employee, &menu);
    let end_s = MENU_S + call.talk_s;
    story.appeared(&mut menu, 0, 0);
    story.appeared(&mut leg, 0, 2_600);
    story.ended(&mut menu, 1100, MENU_S, 3_000);
    story.connected(&mut leg, MENU_S, 3_100);
    story.recording("Started", &leg, employee, MENU_S);
    story.ended(&mut leg, 1110, end_s, end_s * 1000 + 100);
    story.recording("Completed", &leg, employee, end_s);
    let end = talked(&story, employee, end_s);
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}

/// The end of an inbound call that this employee answered right after the menu.
fn talked(story: &Story<'_>, employee: &Employee, end_s: i64) -> End {
    End {
        direction: 1,
        from: story.client(),
        to: employee.party(),
        forward_s: MENU_S,
        talk_s: Some(MENU_S),
        end_s,
        reason: 1110,
    }
}

/// The employee calls the client. The summary comes before the leg's end, as it does in life.
pub fn outgoing(call: &Call, employee: &Employee) -> Vec<Webhook> {
    let story = Story::new(call);
    let to = story.client();
    let mut leg = story.leg(1, "abonent", employee.party(), to);
    leg.sip_call_id = Some(digest(&[&call.entry])[..32].to_owned());
    one_leg(story, leg, employee, 2)
}

/// One employee calls another.
pub fn internal(call: &Call, caller: &Employee, callee: &Employee) -> Vec<Webhook> {
    let story = Story::new(call);
    let leg = story.leg(1, "abonent", caller.party(), callee.party());
    one_leg(story, leg, caller, 0)
}

fn one_leg(mut story: Story<'_>, mut leg: Leg, by: &Employee, direction: u8) -> Vec<Webhook> {
    let talk_s = (story.call.talk_s > 0).then_some(ANSWER_S);
    let (end_s, reason) = match talk_s {
        Some(answered_s) => (answered_s + story.call.talk_s, 1110),
        None => (RING_S, 1111),
    };
    story.appeared(&mut leg, 0, 0);
    if let Some(answered_s) = talk_s {
        story.connected(&mut leg, answered_s, answered_s * 1000 + 100);
        story.recording("Started", &leg, by, answered_s);
    }
    let (from, to) = (leg.from.clone(), leg.to.clone());
    let end = End { direction, from, to, forward_s: 0, talk_s, end_s, reason };
    story.summary(end, leg.sip_call_id.as_deref(), end_s * 1000 + 50);
    story.ended(&mut leg, reason, end_s, end_s * 1000 + 100);
    if talk_s.is_some() {
        story.recording("Completed", &leg, by, end_s);
    }
    story.told(end_s)
}

/// `first` answers and hands the client over without asking; `second` takes half of the talk.
pub fn blind_transfer(call: &Call, first: &Employee, second: &Employee) -> Vec<Webhook> {
    let mut story = Story::new(call);
    let mut menu = story.menu();
    let mut leg = story.at(2, first, &menu);
    let mut handed = story.at(3, second, &leg);
    handed.transfer = Some("blind");
    let handed_s = MENU_S + call.talk_s / 2;
    let end_s = MENU_S + ANSWER_S + call.talk_s;
    story.appeared(&mut menu, 0, 0);
    story.appeared(&mut leg, 0, 2_600);
    story.ended(&mut menu, 1100, MENU_S, 3_000);
    story.connected(&mut leg, MENU_S, 3_100);
    story.recording("Started", &leg, first, MENU_S);
    story.appeared(&mut handed, handed_s, handed_s * 1000 + 100);
    leg.to.was_transferred = Some(true);
    story.ended(&mut leg, 1183, handed_s, handed_s * 1000 + 200);
    let taken_s = handed_s + ANSWER_S;
    story.connected(&mut handed, taken_s, taken_s * 1000 + 100);
    story.recording("Continued", &handed, second, taken_s);
    story.ended(&mut handed, 1110, end_s, end_s * 1000 + 100);
    story.recording("Completed", &handed, second, end_s);
    let end = talked(&story, first, end_s);
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}

/// A group rings at all its telephones at once. `answered_by` is a place in `group`; any other
/// value: nobody answers.
pub fn ring_group(call: &Call, group: &[Employee], answered_by: Option<usize>) -> Vec<Webhook> {
    let mut story = Story::new(call);
    let mut menu = story.menu();
    let mut queue = story.queue(&menu);
    story.appeared(&mut menu, 0, 0);
    story.appeared(&mut queue, 0, 2_600);
    story.ended(&mut menu, 1100, MENU_S, 3_000);
    let answered_by = answered_by.filter(|place| *place < group.len());
    let rung_s = MENU_S + if answered_by.is_some() { ANSWER_S } else { RING_S };
    let rung_ms = rung_s * 1000;
    let end_s = answered_by.map_or(rung_s, |_| rung_s + call.talk_s);
    let mut end = End {
        direction: 1,
        from: story.client(),
        // A missed group call names the first who missed it, without a telephone.
        to: Party { number: None, ..group.first().map(Employee::party).unwrap_or_default() },
        forward_s: MENU_S,
        talk_s: None,
        end_s,
        reason: 1160,
    };
    for (place, (n, employee)) in (3..).zip(group).enumerate() {
        let mut leg = story.at(n, employee, &queue);
        leg.to.acd_group.clone_from(&queue.to.acd_group);
        story.appeared(&mut leg, MENU_S, 3_200);
        if answered_by != Some(place) {
            let reason = if answered_by.is_some() { 1100 } else { 1111 };
            story.ended(&mut leg, reason, rung_s, rung_ms + 300);
            continue;
        }
        story.connected(&mut leg, rung_s, rung_ms + 100);
        story.recording("Started", &leg, employee, rung_s);
        story.ended(&mut leg, 1110, end_s, end_s * 1000 + 100);
        story.recording("Completed", &leg, employee, end_s);
        end = End { to: employee.party(), talk_s: Some(rung_s), reason: 1110, ..end };
    }
    let reason = if answered_by.is_some() { 1100 } else { 1160 };
    story.ended(&mut queue, reason, rung_s, rung_ms + 250);
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}
