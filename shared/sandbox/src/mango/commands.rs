//! Commands: call back, and take a call to somebody else.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{DONE, WRONG_NUMBER, text};
use super::calls::{Call, Employee};
use super::commanded::{self, Back, Command, Taken};
use super::events::{Party, Seen};
use super::{Mango, User};
use crate::http::Response;

/// The employee has no device that could ring.
const UNREACHABLE: u16 = 4200;
/// The leg is not where this can be done.
const NOT_NOW: u16 = 4100;
/// The leg is over, or was never there.
const NO_SUCH_LEG: u16 = 4101;

/// Longest name on a telephone, in bytes.
const LONGEST_NAME: usize = 64;
const DISPLAY_NAME: &str = "From/display-name";

/// A command that was understood, carried out or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commanded {
    pub at_ms: i64,
    /// `callback` or `route`.
    pub name: String,
    pub asked: Value,
    pub result: u16,
    /// What the telephone shows: names that are too long or have characters of addresses in them are ignored.
    pub display_name: Option<String>,
}

/// The next commands of a name get this code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    pub command: String,
    pub code: u16,
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Mango {
    /// Commands that were understood, oldest first.
    pub fn commands(&self) -> &[Commanded] {
        &self.commands
    }

    /// The next commands are not carried out and get a code.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    pub(super) fn commanded(&mut self, name: &str, asked: &Value, now_ms: i64) -> Result<Response, u16> {
        let id = text(asked, "command_id")?;
        let done = match (self.refusal(name), name) {
            (Some(code), _) => Err(code),
            (None, "callback") => self.call_back(id, asked, now_ms),
            (None, _) => self.take_elsewhere(id, asked, now_ms),
        };
        let result = done.err().unwrap_or(DONE);
        let display_name = asked["sip_headers"][DISPLAY_NAME].as_str().filter(|name| can_be_shown(name));
        self.commands.push(Commanded {
            at_ms: now_ms,
            name: name.to_owned(),
            asked: asked.clone(),
            result,
            display_name: display_name.map(str::to_owned),
        });
        if result != DONE && !self.manner.late_errors {
            return Err(result);
        }
        self.command_result(name, id, result, now_ms + self.manner.result_after_ms);
        Ok(Response::of_json(200, &json!({ "result": DONE })))
    }

    fn refusal(&mut self, name: &str) -> Option<u16> {
        self.refusals.retain(|refusal| refusal.times > 0);
        let refusal = self.refusals.iter_mut().find(|refusal| refusal.command == name)?;
        refusal.times -= 1;
        Some(refusal.code)
    }

    fn call_back(&mut self, id: &str, asked: &Value, now_ms: i64) -> Result<(), u16> {
        let extension = text(&asked["from"], "extension")?;
        let user = self.config.users.iter().find(|user| user.extension == extension).ok_or(WRONG_NUMBER)?;
        if user.sip.is_empty() && asked["from"]["number"].is_null() {
            return Err(UNREACHABLE);
        }
        let employee = user.employee();
        let client = text(asked, "to_number")?.trim_start_matches('+').to_owned();
        if !is_outside(&client) {
            return Err(WRONG_NUMBER);
        }
        let entry = self.entry();
        let call = Call {
            recording: self.manner.call_back_recorded.then(|| self.recording_of(&entry)),
            entry,
            client,
            line: asked["line_number"].as_str().unwrap_or(&self.config.line).to_owned(),
            start_s: now_ms.div_euclid(1000),
            talk_s: self.manner.call_back_talk_s,
        };
        let initiator = Some(self.manner.call_back_initiator.clone()).filter(|initiator| !initiator.is_empty());
        let back = Back { employee: &employee, employee_answers: self.manner.call_back_employee_answers };
        let hooks = commanded::call_back(&call, &back, &Command { id, initiator: initiator.as_deref() });
        self.begin(call, &hooks, now_ms);
        Ok(())
    }

    fn take_elsewhere(&mut self, id: &str, asked: &Value, now_ms: i64) -> Result<(), u16> {
        let (leg, number) = (text(asked, "call_id")?, text(asked, "to_number")?);
        let to = self.whom(number)?;
        let found = self.calls.all.iter().enumerate().find_map(|(place, live)| {
            let legs = live.legs(now_ms);
            legs.contains_key(leg).then_some((place, legs))
        });
        let (place, mut legs) = found.ok_or(NO_SUCH_LEG)?;
        let taken = legs.remove(leg).filter(is_alive).ok_or(NO_SUCH_LEG)?;
        // Of an outgoing or internal call nobody is a client who could be taken elsewhere.
        if taken.call_state != "Appeared" || taken.from.extension.is_some() {
            return Err(NOT_NOW);
        }
        let n = 100 + u32::try_from(self.commands.len()).unwrap_or_default();
        let others = legs.into_values().filter(is_alive);
        let legs = std::iter::once(taken).chain(others).collect();
        let (to, employee) = to;
        let live = &self.calls.all[place];
        let at_ms = now_ms - live.start_ms;
        let taken = Taken { call: &live.call, at_ms, legs, n, to, employee };
        let hooks = commanded::taken(taken, &Command { id, initiator: None });
        self.calls.replan(place, &hooks, now_ms);
        self.note_recording(place);
        Ok(())
    }

    /// An employee by the short number, or a number outside.
    fn whom(&self, number: &str) -> Result<(Party, Employee), u16> {
        if let Some(user) = self.config.users.iter().find(|user| user.extension == number) {
            let employee = user.employee();
            return Ok((employee.party(), employee));
        }
        if number.starts_with("sip:") || is_outside(number) {
            let party = Party { number: Some(number.to_owned()), ..Party::default() };
            return Ok((party, Employee::new("", "")));
        }
        Err(WRONG_NUMBER)
    }
}

impl User {
    pub(super) fn employee(&self) -> Employee {
        Employee::new(&self.extension, &self.sip)
    }
}

fn is_alive(seen: &Seen) -> bool {
    seen.call_state != "Disconnected"
}

fn is_outside(number: &str) -> bool {
    (5..=15).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn can_be_shown(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains([';', '/', '?', ':', '@', '&', '=', '+', '$', ','])
}
