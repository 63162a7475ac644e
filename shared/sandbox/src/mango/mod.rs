//! A Mango Office PBX: its recordings API, its signature, and the webhooks of whole calls.

pub mod calls;
mod events;
mod recordings;
mod story;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::fault::{Fate, Fault};
use crate::gate::{Gate, Limit, Logged, Pace};
use crate::http::{Request, Response};
use recordings::{Lock, Recording, Ticket};

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
        }
    }

    /// Carries out a request and answers it. Status 0: no answer reaches the caller.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if request.method == "POST" && request.path == "/sandbox/faults" {
            return self.gate.faults.inject_json(&request.body);
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
