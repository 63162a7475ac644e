//! A Rostelecom VATS: its API, its signature, the notices of whole calls, and its question before it routes one.

mod accounts;
mod api;
mod asks;
mod by_hand;
pub mod calls;
mod history;
mod page;
mod posts;
mod records;
mod story;
#[cfg(test)]
mod tests;
mod zip;

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use asks::{Asked, Outcome};
pub use by_hand::{Placed, What};
pub use calls::{Call, Employee, Told};
pub use posts::{Trouble, TroubleKind};
pub use story::{Account, Event, Kind};

use crate::fault::{Fate, Fault};
use crate::gate::{Gate, Logged, Pace};
use crate::http::{Request, Response};

/// The domain and its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    pub client_id: String,
    pub sign_key: String,
    pub domain: String,
    /// The company's number as digits.
    pub line: String,
    pub employees: Vec<Employee>,
    /// Where records are served, without a slash at the end.
    pub public_base: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_id: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
            sign_key: "FEDCBA9876543210FEDCBA9876543210".to_owned(),
            domain: "testdomain.20.rt.ru".to_owned(),
            line: "74950000001".to_owned(),
            employees: vec![
                Employee::new("101", "ivanov", "Иванов Сергей"),
                Employee::new("102", "petrova", "Петрова Анна"),
                Employee::new("103", "sidorov", "Сидоров Пётр"),
            ],
            public_base: "https://vats.test".to_owned(),
        }
    }
}

/// What the documents leave open, and what is set in the cabinet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    /// Whether it asks `get_number_info` before it routes an incoming call.
    pub asks: bool,
    /// How long it waits for the answer to that, in milliseconds.
    pub deadline_ms: i64,
    /// So often a record is not ready yet when it is asked for.
    pub record_tries: u32,
    /// So long after the end of a call there is no account of it yet.
    pub account_after_ms: i64,
    /// So often a history is not there yet when it is downloaded.
    pub history_polls: u32,
    /// So long after the order the history is there, however often it was asked for.
    pub history_after_ms: i64,
    /// What a history that is not there yet is answered, with a page of HTML: 404 or 200.
    pub history_missing_status: u16,
    /// The first archive is empty.
    pub history_empty_first: bool,
    /// The file begins with a line of names.
    pub history_header: bool,
    /// So many MiB of blank lines follow in the file: a bomb.
    pub history_padding_mib: usize,
    /// A single user is an object, not a list of one.
    pub one_user_is_an_object: bool,
    /// Methods that the domain does not have: 404 and a page of HTML.
    pub off: Vec<String>,
    /// What kind the notices of a call are that a program asked for.
    pub call_back_kind: Kind,
    pub call_back_employee_answers: bool,
    /// Seconds of talk in such a call; 0: the client does not answer.
    pub call_back_talk_s: i64,
    pub call_back_recorded: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            asks: true,
            deadline_ms: 1_000,
            record_tries: 0,
            account_after_ms: 2_000,
            history_polls: 3,
            history_after_ms: 300_000,
            history_missing_status: 404,
            history_empty_first: false,
            history_header: false,
            history_padding_mib: 0,
            one_user_is_an_object: false,
            off: Vec::new(),
            call_back_kind: Kind::Outbound,
            call_back_employee_answers: true,
            call_back_talk_s: 20,
            call_back_recorded: true,
        }
    }
}

/// The PBX.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rostelecom {
    config: Config,
    manner: Manner,
    /// The outside system that it tells and asks, without a slash at the end; empty: none.
    address: String,
    gate: Gate,
    calls: Vec<Account>,
    records: records::Records,
    orders: Vec<history::Order>,
    outbox: posts::Outbox,
    /// Calls that wait for the answer to a question, by the number of its post.
    waiting: BTreeMap<u64, by_hand::Placed>,
    asked: VecDeque<Asked>,
    /// Things made so far: ids are counted.
    made: u64,
}

impl Default for Rostelecom {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Rostelecom {
    /// A domain without calls, and without an outside system that it tells.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            manner: Manner::default(),
            address: String::new(),
            gate: Gate::default(),
            calls: Vec::new(),
            records: records::Records::default(),
            orders: Vec::new(),
            outbox: posts::Outbox::default(),
            waiting: BTreeMap::new(),
            asked: VecDeque::new(),
            made: 0,
        }
    }

    /// Carries out a request and answers it. Status 0: no answer reaches the caller. What is to be posted, and when,
    /// is in [`Rostelecom::take_due`] then.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if request.path.starts_with("/sandbox/") || request.path == "/" {
            return self.by_hand(request, now_ms);
        }
        let never = |_: Pace| Response::empty(429);
        let response = match self.gate.admit(request, now_ms, None, never) {
            Fate::Answered(response) => response,
            Fate::CarriedOut { answer } => {
                let response = self.carry_out(request, now_ms);
                answer.map_or(response, Response::empty)
            }
        };
        self.gate.note(request, now_ms, response.status);
        response
    }

    /// The outside system that it tells and asks from now on; it puts the names of methods after this.
    pub fn tell(&mut self, address: &str) {
        address.trim_end_matches('/').clone_into(&mut self.address);
    }

    /// How it behaves from now on.
    pub fn behave(&mut self, manner: Manner) {
        self.manner = manner;
    }

    /// How it behaves.
    pub fn manner(&self) -> &Manner {
        &self.manner
    }

    /// Puts a fault of its API at the end of the queue; the first that hits a request decides its fate.
    pub fn inject(&mut self, fault: Fault) {
        self.gate.faults.inject(fault);
    }

    /// Every request from `from_ms` until before `until_ms` gets this status (0: no answer).
    pub fn set_outage(&mut self, from_ms: i64, until_ms: i64, status: u16) {
        self.gate.faults.set_outage(from_ms, until_ms, status);
    }

    /// The last requests, oldest first, 10,000 at most.
    pub fn requests(&self) -> Vec<&Logged> {
        self.gate.log().collect()
    }

    /// All calls that began, oldest first, those that go on too.
    pub fn calls(&self) -> &[Account] {
        &self.calls
    }

    /// Other settings for the same domain: after a restart the address may be another one.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// The whole PBX as JSON, for [`Rostelecom::load`].
    pub fn save(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A PBX that was saved; the error says what is wrong with the text.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A number that nothing else has.
    fn count(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// The id of a new call.
    fn session(&mut self, now_ms: i64) -> String {
        let seconds = now_ms.div_euclid(1000).unsigned_abs() & 0xffff_ffff;
        format!("{seconds:08x}-0000-4000-8000-{:012x}", self.count())
    }

    /// The call begins now: it is told from here on, and accounted for when it is over.
    fn begin(&mut self, told: Told) {
        self.outbox.plan_call(&told);
        self.calls.push(told.account);
    }

    fn employee(&self, pin: &str) -> Option<&Employee> {
        self.config.employees.iter().find(|employee| employee.pin == pin)
    }
}

/// The signature of these bytes, in lower-case hex.
pub fn sign(client_id: &str, body: &[u8], sign_key: &str) -> String {
    hex(&[client_id.as_bytes(), body, sign_key.as_bytes()])
}

/// SHA-256 of the parts one after the other, in lower-case hex.
fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
