//! The notices of whole calls, and the PBX's own account of each.
//!
//! Telephones ring their usual seconds, the talk takes what the call says. Deliver the notices as given, or shuffle,
//! repeat and drop them: nothing promises an order.

use serde::{Deserialize, Serialize};

use super::story::{Account, Event, Kind, Side, Story};

/// From the beginning of a call until the first telephone rings, in milliseconds.
pub const ROUTED_MS: i64 = 1_300;
/// Until a telephone that rings is answered.
pub const ANSWER_MS: i64 = 6_500;
/// Until a telephone that nobody answers stops ringing.
pub const RING_MS: i64 = 25_000;
/// From the end of the last talk until the call is over.
pub const OVER_MS: i64 = 400;

/// Why a talk ends usually.
const HUNG_UP: &str = "Отбой вызывающего абонента";
/// A talk that ends because the client was handed over.
const HANDED_OVER: &str = "0";
/// Nobody talked.
const NO_TALK: &str = "";

/// What all notices of a call share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub session: String,
    /// The client's number as digits; empty: hidden.
    pub client: String,
    /// The company's number as digits.
    pub line: String,
    pub domain: String,
    /// Unix milliseconds.
    pub start_ms: i64,
    /// Seconds of talk; 0: nobody answers.
    pub talk_s: i64,
    pub recorded: bool,
}

/// An employee of the PBX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// Short number.
    pub pin: String,
    /// The name of the telephone: `ivanov`.
    pub login: String,
    pub display_name: String,
}

/// A call from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// In the order in which they are posted.
    pub events: Vec<Event>,
    pub account: Account,
}

impl Employee {
    /// An employee with this short number, telephone and name.
    pub fn new(pin: &str, login: &str, display_name: &str) -> Self {
        Self { pin: pin.to_owned(), login: login.to_owned(), display_name: display_name.to_owned() }
    }

    pub(super) fn side(&self, domain: &str) -> Side {
        Side { number: format!("{}@{domain}", self.login), pin: Some(self.pin.clone()) }
    }
}

impl Call {
    pub(super) fn client_side(&self) -> Side {
        let number = if self.client.is_empty() { "anonymous" } else { &self.client };
        Side { number: format!("sip:{number}@{}", self.domain), pin: None }
    }

    pub(super) fn line_side(&self) -> Side {
        Side { number: format!("sip:{}@{}", self.line, self.domain), pin: None }
    }
}

/// A client calls. It rings at one after the other, and the last one answers. With nobody in the list he hangs up
/// in the menu.
pub fn incoming(call: &Call, rung: &[Employee]) -> Told {
    let client = call.client_side();
    let mut story = Story::new(call, Kind::Incoming, client.clone(), call.line_side());
    let mut at_ms = ROUTED_MS;
    let mut last = call.line_side();
    for (place, employee) in rung.iter().enumerate() {
        last = employee.side(&call.domain);
        story.calling(&client, &last, at_ms);
        let answers = call.talk_s > 0 && place + 1 == rung.len();
        at_ms += if answers { ANSWER_MS } else { RING_MS };
        if answers {
            story.connected(&client, &last, at_ms);
            at_ms += call.talk_s * 1000;
            story.disconnected(&client, &last, HUNG_UP, at_ms);
        } else {
            story.disconnected(&client, &last, NO_TALK, at_ms);
        }
    }
    story.end(&client, &last, at_ms + OVER_MS)
}

/// It rings everywhere at once. `answered_by` is a place in `group`; any other value: nobody answers.
pub fn group(call: &Call, group: &[Employee], answered_by: Option<usize>) -> Told {
    let client = call.client_side();
    let mut story = Story::new(call, Kind::Incoming, client.clone(), call.line_side());
    let answered = answered_by.and_then(|place| group.get(place));
    let rung_ms = ROUTED_MS + if answered.is_some() { ANSWER_MS } else { RING_MS };
    for employee in group {
        story.calling(&client, &employee.side(&call.domain), ROUTED_MS);
    }
    let Some(employee) = answered else {
        for employee in group {
            story.disconnected(&client, &employee.side(&call.domain), NO_TALK, rung_ms);
        }
        return story.end(&client, &call.line_side(), rung_ms + OVER_MS);
    };
    let side = employee.side(&call.domain);
    let end_ms = rung_ms + call.talk_s * 1000;
    story.connected(&client, &side, rung_ms);
    story.disconnected(&client, &side, HUNG_UP, end_ms);
    story.end(&client, &side, end_ms + OVER_MS)
}

/// `first` answers and hands the client over to `second`, who takes half of the talk.
pub fn transfer(call: &Call, first: &Employee, second: &Employee) -> Told {
    let client = call.client_side();
    let mut story = Story::new(call, Kind::Incoming, client.clone(), call.line_side());
    let (first, second) = (first.side(&call.domain), second.side(&call.domain));
    let half_ms = call.talk_s * 500;
    story.calling(&client, &first, ROUTED_MS);
    let mut at_ms = ROUTED_MS + ANSWER_MS;
    story.connected(&client, &first, at_ms);
    at_ms += half_ms;
    story.disconnected(&client, &first, HANDED_OVER, at_ms);
    story.calling(&client, &second, at_ms + 100);
    at_ms += ANSWER_MS;
    story.connected(&client, &second, at_ms);
    at_ms += half_ms;
    story.disconnected(&client, &second, HUNG_UP, at_ms);
    story.end(&client, &second, at_ms + OVER_MS)
}

/// The employee calls the client.
pub fn outbound(call: &Call, employee: &Employee) -> Told {
    let (caller, client) = (employee.side(&call.domain), call.client_side());
    direct(call, Kind::Outbound, &caller, &client)
}

/// One employee calls another.
pub fn internal(call: &Call, caller: &Employee, callee: &Employee) -> Told {
    let (caller, callee) = (caller.side(&call.domain), callee.side(&call.domain));
    direct(call, Kind::Internal, &caller, &callee)
}

fn direct(call: &Call, kind: Kind, caller: &Side, called: &Side) -> Told {
    let mut story = Story::new(call, kind, caller.clone(), called.clone());
    story.calling(caller, called, ROUTED_MS);
    let at_ms = talk(&mut story, call, caller, called, ROUTED_MS);
    story.end(caller, called, at_ms + OVER_MS)
}

/// The program asked for the call: the employee's telephone rings first, then the client's. The documents do not
/// say of which kind its notices are.
pub fn call_back(call: &Call, kind: Kind, employee: &Employee, employee_answers: bool) -> Told {
    let (caller, client) = (employee.side(&call.domain), call.client_side());
    let mut story = Story::new(call, kind, caller.clone(), client.clone());
    story.asked_for();
    story.calling(&caller, &caller, ROUTED_MS);
    if !employee_answers {
        let end_ms = ROUTED_MS + RING_MS;
        story.disconnected(&caller, &client, NO_TALK, end_ms);
        return story.end(&caller, &client, end_ms + OVER_MS);
    }
    let second_ms = ROUTED_MS + ANSWER_MS;
    story.calling(&caller, &client, second_ms);
    let end_ms = talk(&mut story, call, &caller, &client, second_ms);
    story.end(&caller, &client, end_ms + OVER_MS)
}

/// The other side answers and they talk, or it does not; when that is over.
fn talk(story: &mut Story<'_>, call: &Call, caller: &Side, called: &Side, rings_ms: i64) -> i64 {
    if call.talk_s == 0 {
        let end_ms = rings_ms + RING_MS;
        story.disconnected(caller, called, NO_TALK, end_ms);
        return end_ms;
    }
    let answered_ms = rings_ms + ANSWER_MS;
    let end_ms = answered_ms + call.talk_s * 1000;
    story.connected(caller, called, answered_ms);
    story.disconnected(caller, called, HUNG_UP, end_ms);
    end_ms
}
