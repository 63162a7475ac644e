//! A Mango Office PBX: its API, its signature, the webhooks of whole calls, and calls that commands change.

mod api;
mod by_hand;
pub mod calls;
mod commanded;
mod commands;
mod directory;
mod events;
mod live;
mod recordings;
mod stats;
mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

pub use by_hand::{Placed, What};
pub use commands::{Commanded, Refusal};
pub use directory::User;

use crate::fault::{Fate, Fault};
use crate::gate::{Gate, Limit, Logged, Pace};
use crate::http::{Request, Response};
use api::{Lock, Paces};
use recordings::{Recording, Ticket};

/// How a PBX behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    pub key: String,
    pub salt: String,
    /// Where the one-shot files are served, without a slash at the end.
    pub public_base: String,
    /// Requests in any 1000 ms before 429.
    pub requests_per_second: usize,
    /// Whether "no such recording" counts as an invalid request, as every code 3xxx does by the
    /// letter of the reference: two in 2 minutes lock the key.
    pub missing_recording_counts: bool,
    /// Whether there is a recording of every id, for webhooks that were made elsewhere.
    pub every_recording: bool,
    /// The company's number as digits.
    pub line: String,
    pub users: Vec<User>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            key: "abcdefghijklmnopqrstuvwxyz012345".to_owned(),
            salt: "543210zyxwvutsrqponmlkjihgfedcba".to_owned(),
            public_base: "https://files.mango.test".to_owned(),
            requests_per_second: 10,
            missing_recording_counts: true,
            every_recording: false,
            line: "74950000001".to_owned(),
            users: vec![
                User::new(300_000_101, "Петрова Анна", "12", "petrova"),
                User::new(300_000_102, "Сидоров Пётр", "23", "sidorov"),
                User::new(300_000_103, "Кузнецова Ольга", "34", ""),
                User::new(300_000_104, "Администратор", "", ""),
            ],
        }
    }
}

/// What the documents leave open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    /// A command that cannot be carried out is accepted, and its code comes with the result.
    pub late_errors: bool,
    /// So long after a command its result is told, in milliseconds.
    pub result_after_ms: i64,
    pub call_back_employee_answers: bool,
    /// Seconds of talk in a call back; 0: the client does not answer.
    pub call_back_talk_s: i64,
    pub call_back_recorded: bool,
    /// What legs of a call back name as who wanted it; empty: they do not tell.
    pub call_back_initiator: String,
    /// So long after the order statistics are there.
    pub stats_after_ms: i64,
    /// Events that are never posted: `events/summary`.
    pub lost: Vec<String>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            late_errors: false,
            result_after_ms: 150,
            call_back_employee_answers: true,
            call_back_talk_s: 20,
            call_back_recorded: true,
            call_back_initiator: "API".to_owned(),
            stats_after_ms: 6_000,
            lost: Vec::new(),
        }
    }
}

/// The PBX.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mango {
    config: Config,
    gate: Gate,
    lock: Lock,
    recordings: BTreeMap<String, Recording>,
    /// One-shot addresses given out.
    tickets: BTreeMap<String, Ticket>,
    #[serde(default)]
    manner: Manner,
    /// The outside system that it tells, without a slash at the end; empty: none.
    #[serde(default)]
    address: String,
    #[serde(default)]
    paces: Paces,
    #[serde(default)]
    calls: live::Calls,
    #[serde(default)]
    commands: Vec<Commanded>,
    #[serde(default)]
    refusals: Vec<Refusal>,
    #[serde(default)]
    stats: Vec<stats::Order>,
    /// Conversations made so far.
    #[serde(default)]
    made: u64,
}

impl Mango {
    /// A PBX without recordings.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            gate: Gate::default(),
            lock: Lock::default(),
            recordings: BTreeMap::new(),
            tickets: BTreeMap::new(),
            manner: Manner::default(),
            address: String::new(),
            paces: Paces::default(),
            calls: live::Calls::default(),
            commands: Vec::new(),
            refusals: Vec::new(),
            stats: Vec::new(),
            made: 0,
        }
    }

    /// Carries out a request and answers it. Status 0: no answer reaches the caller.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if request.path.starts_with("/sandbox/") {
            return self.by_hand(request, now_ms);
        }
        let limit = Limit { per_second: self.config.requests_per_second, block: None };
        let limit = request.path.starts_with("/vpbx/").then_some(&limit);
        let response = match self.gate.admit(request, now_ms, limit, too_fast) {
            Fate::Answered(response) => response,
            Fate::CarriedOut { answer } => {
                let response = self.carry_out(request, now_ms);
                answer.map_or(response, Response::empty)
            }
        };
        self.gate.note(request, now_ms, response.status);
        response
    }

    /// A recording that can be fetched from `ready_at_ms` on.
    pub fn add_recording(&mut self, id: &str, ready_at_ms: i64) {
        self.recordings.insert(id.to_owned(), Recording { ready_at_ms });
    }

    /// How it behaves from now on.
    pub fn behave(&mut self, manner: Manner) {
        self.manner = manner;
    }

    /// Puts a fault at the end of the queue; the first that hits a request decides its fate.
    pub fn inject(&mut self, fault: Fault) {
        self.gate.faults.inject(fault);
    }

    /// Every request from `from_ms` until before `until_ms` gets this status (0: no answer).
    pub fn set_outage(&mut self, from_ms: i64, until_ms: i64, status: u16) {
        self.gate.faults.set_outage(from_ms, until_ms, status);
    }

    /// How many requests came too fast.
    pub fn violations(&self) -> u64 {
        self.gate.violations
    }

    /// The most requests to the API in any 1000 ms so far.
    pub fn max_requests_in_any_second(&self) -> usize {
        self.gate.most_in_a_second
    }

    /// The last requests, oldest first, 10,000 at most.
    pub fn requests(&self) -> Vec<&Logged> {
        self.gate.log().collect()
    }

    /// Other settings for the same PBX: after a restart the address may be another one.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// The whole PBX as JSON, for [`Mango::load`].
    pub fn save(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A PBX that was saved; the error says what is wrong with the text.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The body of a webhook, or of a request to the API: key, sign and the JSON text.
pub fn form(key: &str, salt: &str, json: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("vpbx_api_key", key)
        .append_pair("sign", &digest(&[key, json, salt]))
        .append_pair("json", json)
        .finish()
}

/// SHA-256 of the parts one after the other, in lower-case hex.
fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn too_fast(_: Pace) -> Response {
    Response::of_json(
        429,
        &json!({
            "name": "Service Unavailable",
            "message": "Rate limit exceeded.",
            "code": 0,
            "status": 429,
        }),
    )
}
