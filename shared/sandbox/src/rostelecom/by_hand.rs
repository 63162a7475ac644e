//! What happens on the telephones: clients call, employees call, and a person pulls the levers.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calls::{self, Call, Employee, Told};
use super::{Manner, Rostelecom, Trouble};
use crate::http::{Request, Response};

/// Requests in the JSON of the state.
const LAST_REQUESTS: usize = 200;
/// Longest talk that a form asks for, in seconds.
const LONGEST_TALK_S: i64 = 86_400;

/// What kind of call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A client calls; without a talk nobody answers.
    #[default]
    Incoming,
    /// A client calls, the employee answers, and hands him over to the second one.
    Transfer,
    /// A client calls, it rings at everybody, and the employee answers.
    Group,
    /// The employee calls a client; without a talk he does not answer.
    Outbound,
    /// The employee calls the second one.
    Internal,
}

/// A call that is placed by hand. Who answers an incoming call is the domain's own rule: an answer to the question
/// may name somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placed {
    pub what: What,
    /// The client's number as digits; empty: hidden.
    pub client: String,
    /// The company's number as digits; empty: the domain's first.
    pub line: String,
    /// Short numbers; empty: the domain's first and second employee.
    pub employee: String,
    pub second: String,
    /// Seconds.
    pub talk_s: i64,
    pub recorded: bool,
    /// Filled in when the call is placed.
    pub session: String,
}

impl Default for Placed {
    fn default() -> Self {
        Self {
            what: What::default(),
            client: "79990000001".to_owned(),
            line: String::new(),
            employee: String::new(),
            second: String::new(),
            talk_s: 0,
            recorded: true,
            session: String::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    address: String,
}

impl Rostelecom {
    pub(super) fn by_hand(&mut self, request: &Request, now_ms: i64) -> Response {
        let done = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Ok(Response::of_html(200, self.page())),
            ("GET", "/sandbox/state") => Ok(Response::of_json(200, &self.state())),
            ("POST", "/sandbox/faults") => Ok(self.gate.faults.inject_json(&request.body)),
            ("POST", "/sandbox/troubles") => read(request).map(|trouble: Trouble| {
                self.trouble(trouble);
                Response::empty(204)
            }),
            ("POST", "/sandbox/manner") => read(request).map(|manner: Manner| {
                self.behave(manner);
                Response::empty(204)
            }),
            ("POST", "/sandbox/address") => self.address_by_hand(request),
            ("POST", "/sandbox/calls") => self.call_by_hand(request, now_ms),
            _ => Err(Response::of_json(404, &json!({ "error": "no such page of the sandbox" }))),
        };
        done.unwrap_or_else(|refusal| refusal)
    }

    fn address_by_hand(&mut self, request: &Request) -> Result<Response, Response> {
        let Address { address } = match form(request) {
            Some(form) => serde_json::from_value(form).map_err(|error| refused(&error.to_string()))?,
            None => read(request)?,
        };
        let is_one = address.is_empty() || address.starts_with("http://") || address.starts_with("https://");
        if !is_one {
            return Err(refused("address: must begin with http:// or https://"));
        }
        self.tell(&address);
        Ok(done(request, &json!({ "address": self.address })))
    }

    fn call_by_hand(&mut self, request: &Request, now_ms: i64) -> Result<Response, Response> {
        let placed: Placed = match form(request) {
            Some(mut form) => {
                form["talk_s"] = form["talk_s"].as_str().and_then(|text| text.trim().parse::<i64>().ok()).into();
                serde_json::from_value(form).map_err(|error| refused(&error.to_string()))?
            }
            None => read(request)?,
        };
        let session = self.place(placed, now_ms).map_err(|why| refused(&why))?;
        Ok(done(request, &json!({ "session_id": session })))
    }

    /// Places a call; its id. The error says what is wrong with it.
    pub fn place(&mut self, placed: Placed, now_ms: i64) -> Result<String, String> {
        let mut placed = placed;
        if !(0..=LONGEST_TALK_S).contains(&placed.talk_s) {
            return Err(format!("talk_s: from 0 to {LONGEST_TALK_S}"));
        }
        for (name, number) in [("client", &placed.client), ("line", &placed.line)] {
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(format!("{name}: digits only"));
            }
        }
        for (place, pin) in [&mut placed.employee, &mut placed.second].into_iter().enumerate() {
            if pin.is_empty() {
                let usual = self.config.employees.get(place).ok_or("the domain has too few employees")?;
                pin.clone_from(&usual.pin);
            } else if !self.config.employees.iter().any(|employee| employee.pin == *pin) {
                return Err(format!("there is no employee {pin}"));
            }
        }
        if placed.line.is_empty() {
            placed.line.clone_from(&self.config.line);
        }
        placed.session = self.session(now_ms);
        let session = placed.session.clone();
        if matches!(placed.what, What::Incoming | What::Transfer | What::Group) {
            self.arrive(placed, now_ms);
        } else if let Some(told) = self.of_employee(&placed, now_ms) {
            self.begin(told);
        }
        Ok(session)
    }

    fn call(&self, placed: &Placed, start_ms: i64) -> Call {
        Call {
            session: placed.session.clone(),
            client: placed.client.clone(),
            line: placed.line.clone(),
            domain: self.config.domain.clone(),
            start_ms,
            talk_s: placed.talk_s,
            recorded: placed.recorded,
        }
    }

    /// What becomes of an incoming call; `None`: the employees are gone meanwhile.
    pub(super) fn incoming(&self, placed: &Placed, routed: Option<&Employee>, now_ms: i64) -> Option<Told> {
        let call = self.call(placed, now_ms);
        let first = routed.or_else(|| self.employee(&placed.employee))?;
        let told = match placed.what {
            What::Transfer if call.talk_s > 0 => calls::transfer(&call, first, self.employee(&placed.second)?),
            What::Group if routed.is_none() => {
                let all = &self.config.employees;
                let place = all.iter().position(|employee| employee.pin == first.pin);
                calls::group(&call, all, place.filter(|_| call.talk_s > 0))
            }
            _ => calls::incoming(&call, std::slice::from_ref(first)),
        };
        Some(told)
    }

    fn of_employee(&self, placed: &Placed, now_ms: i64) -> Option<Told> {
        let (call, employee) = (self.call(placed, now_ms), self.employee(&placed.employee)?);
        Some(match placed.what {
            What::Internal => calls::internal(&call, employee, self.employee(&placed.second)?),
            _ => calls::outbound(&call, employee),
        })
    }

    pub(super) fn call_asked_for(&mut self, client: &str, employee: &Employee, now_ms: i64) -> String {
        let session = self.session(now_ms);
        let call = Call {
            session: session.clone(),
            client: client.to_owned(),
            line: self.config.line.clone(),
            domain: self.config.domain.clone(),
            start_ms: now_ms,
            talk_s: self.manner.call_back_talk_s,
            recorded: self.manner.call_back_recorded,
        };
        let Manner { call_back_kind: kind, call_back_employee_answers: answers, .. } = self.manner;
        self.begin(calls::call_back(&call, kind, employee, answers));
        session
    }

    fn state(&self) -> Value {
        json!({
            "address": self.address,
            "calls": self.calls,
            "asked": self.asked,
            "posted": self.posted().collect::<Vec<_>>(),
            "next_post_ms": self.next_due(),
            "requests": self.gate.log().rev().take(LAST_REQUESTS).collect::<Vec<_>>(),
        })
    }
}

/// The fields of an HTML form; `None`: it is JSON, whatever its header says, as curl sends it.
fn form(request: &Request) -> Option<Value> {
    let is_json = request.body.trim_ascii_start().first() == Some(&b'{');
    let pairs = form_urlencoded::parse(&request.body);
    (!is_json).then(|| pairs.map(|(name, value)| (name.into_owned(), json!(value.trim()))).collect())
}

/// Back to the page after a form, JSON for a program.
fn done(request: &Request, answer: &Value) -> Response {
    match form(request) {
        Some(_) => Response::empty(303).with_header("location", "../"),
        None => Response::of_json(200, answer),
    }
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    serde_json::from_slice(&request.body).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Response {
    Response::of_json(400, &json!({ "error": why }))
}
