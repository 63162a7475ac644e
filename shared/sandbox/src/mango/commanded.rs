//! Calls that a command makes, or takes elsewhere.

use super::calls::{ANSWER_S, Call, Employee, RING_S, Webhook};
use super::events::{Party, Seen};
use super::story::{End, Leg, Story};

/// The caller was taken from the menu, or from the queue.
const TAKEN: u16 = 1100;
/// The call was taken from a telephone that rang.
const INTERCEPTED: u16 = 1182;

/// A command, as the legs that it makes name it.
pub(super) struct Command<'a> {
    pub(super) id: &'a str,
    /// Who wants to be called back; `None`: the legs do not tell.
    pub(super) initiator: Option<&'a str>,
}

/// What else is to be known of a call back.
pub(super) struct Back<'a> {
    pub(super) employee: &'a Employee,
    pub(super) employee_answers: bool,
}

/// The employee's telephone rings first, as if the client called; then the client's.
pub(super) fn call_back(call: &Call, back: &Back<'_>, command: &Command<'_>) -> Vec<Webhook> {
    let mut story = Story::new(call);
    let (client, employee) = (story.client(), back.employee.party());
    let named = |mut leg: Leg| {
        leg.command_id = Some(command.id.to_owned());
        leg.callback_initiator = command.initiator.map(str::to_owned);
        leg
    };
    let mut first = named(story.leg(1, "abonent", client.clone(), employee.clone()));
    story.appeared(&mut first, 0, 300);
    let mut end = End {
        direction: 2,
        from: employee.clone(),
        to: client.clone(),
        forward_s: 0,
        talk_s: None,
        end_s: RING_S,
        reason: 1111,
    };
    if !back.employee_answers {
        story.ended(&mut first, 1111, RING_S, RING_S * 1000 + 100);
        story.summary(end, None, RING_S * 1000 + 500);
        return story.told(RING_S);
    }
    let mut second = named(story.leg(2, "abonent", first.taken(employee), client));
    story.connected(&mut first, ANSWER_S, ANSWER_S * 1000 + 100);
    story.appeared(&mut second, ANSWER_S, ANSWER_S * 1000 + 200);
    story.ended(&mut first, 1000, ANSWER_S, ANSWER_S * 1000 + 300);
    let rings_s = ANSWER_S;
    (end.talk_s, end.end_s, end.reason) = talk(&mut story, &mut second, back.employee, rings_s);
    let end_s = end.end_s;
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}

/// What happens to a call that is taken to somebody else: whatever comes after `at_ms` instead of what was planned.
pub(super) struct Taken<'a> {
    pub(super) call: &'a Call,
    /// Milliseconds after the call's start.
    pub(super) at_ms: i64,
    /// How the legs stand that live; the first one is taken.
    pub(super) legs: Vec<Seen>,
    /// Number of the new leg.
    pub(super) n: u32,
    /// To whom, and with whose telephone.
    pub(super) to: Party,
    pub(super) employee: Employee,
}

/// The call goes on at another telephone.
pub(super) fn taken(taken: Taken<'_>, command: &Command<'_>) -> Vec<Webhook> {
    let Taken { call, at_ms, legs, n, to, employee } = taken;
    let mut story = Story::new(call);
    let at_s = at_ms / 1000;
    let mut new = None;
    for (place, seen) in legs.into_iter().enumerate() {
        let reason = if place == 0 && seen.location == "abonent" { INTERCEPTED } else { TAKEN };
        let mut old = Leg::from(seen);
        if place == 0 {
            let from = old.taken(story.client());
            let to = Party { line_number: Some(call.line.clone()), ..to.clone() };
            let mut leg = story.leg(n, "abonent", from, to);
            leg.command_id = Some(command.id.to_owned());
            story.appeared(&mut leg, at_s, at_ms + 50);
            new = Some(leg);
        }
        story.ended(&mut old, reason, at_s, at_ms + 100);
    }
    let Some(mut leg) = new else { return Vec::new() };
    let (talk_s, end_s, reason) = talk(&mut story, &mut leg, &employee, at_s);
    let end = End { direction: 1, from: story.client(), to, forward_s: at_s, talk_s, end_s, reason };
    story.summary(end, None, end_s * 1000 + 500);
    story.told(end_s)
}

/// A telephone that rings from `rings_s` on is answered, if the call has a talk; when the talk began, when all is
/// over, and why.
fn talk(story: &mut Story<'_>, leg: &mut Leg, employee: &Employee, rings_s: i64) -> (Option<i64>, i64, u16) {
    if story.call.talk_s == 0 {
        let end_s = rings_s + RING_S;
        story.ended(leg, 1111, end_s, end_s * 1000 + 100);
        return (None, end_s, 1111);
    }
    let answered_s = rings_s + ANSWER_S;
    let end_s = answered_s + story.call.talk_s;
    story.connected(leg, answered_s, answered_s * 1000 + 100);
    story.recording("Started", leg, employee, answered_s);
    story.ended(leg, 1110, end_s, end_s * 1000 + 100);
    story.recording("Completed", leg, employee, end_s);
    (Some(answered_s), end_s, 1110)
}
