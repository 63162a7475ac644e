//! Calls with their signed webhooks, and what each of them is meant to leave in the CRM.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use perezvon_sandbox::mango;
use perezvon_sandbox::mango::calls::{self, Call, Employee};
use serde_json::Value;

use super::request;

/// What the settings beside this file name.
const LINE: &str = "74950000001";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
const SALT: &str = "543210zyxwvutsrqponmlkjihgfedcba";

/// What a call is meant to leave in the CRM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Contact, deal, task.
    MissedNew,
    /// Contact, deal.
    AnsweredNew,
    /// A task on the contact that is there.
    MissedKnown,
    /// Nothing but the call itself.
    AnsweredKnown,
}

/// A call, and the bodies that tell it.
pub struct Told {
    pub entry: String,
    pub phone: String,
    pub kind: Kind,
    /// Path behind the hook URL, and the signed form.
    pub hooks: Vec<(&'static str, String)>,
}

impl Told {
    /// The `number`th call, which began a minute ago.
    pub fn new(number: usize, kind: Kind) -> Self {
        Self::begun(number, kind, 60)
    }

    /// The `number`th call, which began so many seconds ago.
    pub fn begun(number: usize, kind: Kind, seconds: i64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
        let call = Call {
            entry: format!("ENTRY{number:04}"),
            client: format!("7999{number:07}"),
            line: LINE.to_owned(),
            recording: None,
            start_s: i64::try_from(now.as_secs()).expect("a time") - seconds,
            talk_s: 10,
        };
        let employee = Employee::new("101", "petrova");
        let hooks = match kind {
            Kind::MissedNew | Kind::MissedKnown => calls::missed_new(&call, &employee),
            Kind::AnsweredNew | Kind::AnsweredKnown => calls::answered(&call, &employee),
        };
        let hooks = hooks.into_iter().map(|hook| (hook.path, mango::form(KEY, SALT, &hook.json))).collect();
        Self { entry: call.entry, phone: call.client, kind, hooks }
    }

    /// The client is in the CRM before the call.
    pub fn is_known(&self) -> bool {
        matches!(self.kind, Kind::MissedKnown | Kind::AnsweredKnown)
    }
}

/// Posts one webhook; its status, if there was an answer.
pub fn post(server: SocketAddr, hook: &str, path: &str, body: &str) -> Option<u16> {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let path = format!("{hook}/{path}");
    request(server, "POST", &path, &headers, body.as_bytes()).ok().map(|(status, _)| status)
}

/// Asserts that the CRM holds exactly what these calls are meant to leave, and nothing else.
pub fn check(crm: &Value, calls: &[Told]) {
    check_each(crm, calls);
    assert_eq!(counts(crm), wanted(calls), "contacts, deals, tasks, notes: nothing but of these calls");
}

/// Asserts that the CRM holds what each of these calls is meant to leave, and none of it twice.
pub fn check_each(crm: &Value, calls: &[Told]) {
    let list = |name: &str| crm[name].as_array().expect("a list").clone();
    let (contacts, leads, tasks, notes) = (list("contacts"), list("leads"), list("tasks"), list("notes"));
    let count = |rows: &[Value], fits: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| fits(row)).count();
    let holds = |row: &Value, text: &str| row.to_string().contains(text);
    for call in calls {
        let (phone, entry) = (call.phone.as_str(), call.entry.as_str());
        // The name says whose deal or task it is, the marker and `uniq` of which call.
        let phones = |contact: &Value| holds(&contact["phones"], phone);
        let found = [
            count(&contacts, &phones),
            count(&leads, &|lead| holds(&lead["name"], phone)),
            count(&leads, &|lead| holds(&lead["fields"], entry)),
            count(&tasks, &|task| holds(&task["text"], phone)),
            count(&notes, &|note| holds(&note["params"], phone)),
            count(&notes, &|note| holds(&note["params"]["uniq"], entry)),
        ];
        let expected = match call.kind {
            Kind::MissedNew => [1, 1, 1, 1, 1, 1],
            Kind::AnsweredNew => [1, 1, 1, 0, 1, 1],
            Kind::MissedKnown => [1, 0, 0, 1, 1, 1],
            Kind::AnsweredKnown => [1, 0, 0, 0, 1, 1],
        };
        assert_eq!(found, expected, "contacts, deals twice, tasks, notes twice of {:?} {entry} {phone}", call.kind);
    }
}

/// How many contacts, deals, tasks and notes there are.
pub fn counts(crm: &Value) -> [usize; 4] {
    ["contacts", "leads", "tasks", "notes"].map(|name| crm[name].as_array().map_or(0, Vec::len))
}

/// How many there must be.
pub fn wanted(calls: &[Told]) -> [usize; 4] {
    let of = |kinds: &[Kind]| calls.iter().filter(|call| kinds.contains(&call.kind)).count();
    let deals = of(&[Kind::MissedNew, Kind::AnsweredNew]);
    [calls.len(), deals, of(&[Kind::MissedNew, Kind::MissedKnown]), calls.len()]
}
