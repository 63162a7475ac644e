//! What happens on the telephones: clients call, employees call, and a person pulls the levers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::calls::{self, Call, Employee};
use super::{Mango, Manner};
use crate::http::{Request, Response};

/// Requests in the JSON of the state.
const LAST_REQUESTS: usize = 200;

/// What kind of call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A client calls; without a talk nobody answers.
    #[default]
    Incoming,
    /// The employee hands the client over to the second one.
    Transfer,
    /// It rings at everybody who has a telephone.
    Group,
    /// The employee calls a client.
    Outgoing,
    /// The employee calls the second one.
    Internal,
}

/// A call that is placed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placed {
    pub what: What,
    /// The client's number as digits; empty: hidden.
    pub client: String,
    /// The company's number as digits; empty: the usual one.
    pub line: String,
    /// Short numbers; empty: the first and the second employee.
    pub employee: String,
    pub second: String,
    /// Seconds.
    pub talk_s: i64,
    pub recorded: bool,
}

impl Default for Placed {
    fn default() -> Self {
        let (line, employee, second) = Default::default();
        let client = "79990000001".to_owned();
        Self { what: What::default(), client, line, employee, second, talk_s: 0, recorded: true }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Address {
    address: String,
}

impl Mango {
    pub(super) fn by_hand(&mut self, request: &Request, now_ms: i64) -> Response {
        let empty = || Response::empty(204);
        let done = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/sandbox/state") => Ok(Response::of_json(200, &self.state())),
            ("POST", "/sandbox/faults") => Ok(self.gate.faults.inject_json(&request.body)),
            ("POST", "/sandbox/manner") => read(request).map(|manner: Manner| {
                self.behave(manner);
                empty()
            }),
            ("POST", "/sandbox/refusals") => read(request).map(|refusal| {
                self.refuse(refusal);
                empty()
            }),
            ("POST", "/sandbox/address") => read(request).map(|Address { address }| {
                self.tell(&address);
                empty()
            }),
            ("POST", "/sandbox/calls") => read(request).and_then(|placed| {
                let entry = self.place(&placed, now_ms).map_err(|why| refused(&why))?;
                Ok(Response::of_json(200, &json!({ "entry_id": entry })))
            }),
            _ => Err(Response::of_json(404, &json!({ "error": "no such page of the sandbox" }))),
        };
        done.unwrap_or_else(|refusal| refusal)
    }

    /// Places a call; its id. The error says what is wrong with it.
    pub fn place(&mut self, placed: &Placed, now_ms: i64) -> Result<String, String> {
        let [first, second] = [self.at(0, &placed.employee)?, self.at(1, &placed.second)?];
        let entry = self.entry();
        let line = if placed.line.is_empty() { &self.config.line } else { &placed.line };
        let call = Call {
            recording: placed.recorded.then(|| self.recording_of(&entry)),
            entry: entry.clone(),
            client: placed.client.clone(),
            line: line.clone(),
            start_s: now_ms.div_euclid(1000),
            talk_s: placed.talk_s,
        };
        let hooks = match placed.what {
            What::Incoming if call.talk_s == 0 => calls::missed_new(&call, &first),
            What::Incoming => calls::answered(&call, &first),
            What::Transfer => calls::blind_transfer(&call, &first, &second),
            What::Group => {
                let all: Vec<Employee> = self.with_telephones().collect();
                let place = all.iter().position(|employee| *employee == first);
                calls::ring_group(&call, &all, place.filter(|_| call.talk_s > 0))
            }
            What::Outgoing => calls::outgoing(&call, &first),
            What::Internal => calls::internal(&call, &first, &second),
        };
        self.begin(call, &hooks, now_ms);
        Ok(entry)
    }

    fn with_telephones(&self) -> impl Iterator<Item = Employee> {
        self.config.users.iter().filter(|user| !user.sip.is_empty()).map(super::User::employee)
    }

    fn at(&self, place: usize, extension: &str) -> Result<Employee, String> {
        let mut all = self.with_telephones();
        let found =
            if extension.is_empty() { all.nth(place) } else { all.find(|employee| employee.extension == extension) };
        found.ok_or_else(|| format!("there is no employee {extension} with a telephone"))
    }

    /// The id of a new conversation.
    pub(super) fn entry(&mut self) -> String {
        self.made += 1;
        STANDARD.encode(format!("{:011}", 20_000_000_000 + self.made))
    }

    pub(super) fn recording_of(&self, entry: &str) -> String {
        STANDARD.encode(format!("1:10000001:{entry}:0"))
    }

    fn state(&self) -> Value {
        json!({
            "address": self.address,
            "calls": self.calls.all.iter().map(|live| &live.call).collect::<Vec<_>>(),
            "commands": self.commands,
            "posted": self.posted().collect::<Vec<_>>(),
            "next_post_ms": self.next_due(),
            "violations": self.violations(),
            "requests": self.gate.log().rev().take(LAST_REQUESTS).collect::<Vec<_>>(),
        })
    }
}

fn read<T: DeserializeOwned>(request: &Request) -> Result<T, Response> {
    serde_json::from_slice(&request.body).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Response {
    Response::of_json(400, &json!({ "error": why }))
}
