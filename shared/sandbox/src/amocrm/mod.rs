//! An amoCRM account: REST API v4 as far as a contact centre uses it, one state machine.

mod auth;
mod calls;
mod cards;
mod contacts;
mod directory;
mod fields;
mod hooks;
mod item;
mod leads;
mod list;
mod model;
mod notes;
mod page;
mod popups;
mod preload;
mod tasks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use auth::Pair;
pub use hooks::Edit;
pub use model::{Contact, CustomField, FieldValue, Filled, Kind, Lead, Note, Popup, Stamp, Task};

use crate::fault::{Fate, Fault};
use crate::gate::{Gate, Limit, Logged, Pace};
use crate::http::{Request, Response};
use list::Query;

/// Answers 429 that may be ignored in a row before the block.
const PATIENCE: u32 = 20;
const BLOCK_MS: i64 = 60_000;

/// How an account behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Address in links, without a slash at the end.
    pub base: String,
    /// Long-lived tokens that are accepted.
    pub tokens: Vec<String>,
    /// The integration for OAuth.
    pub client_id: String,
    pub client_secret: String,
    pub redirect_uri: String,
    /// Life of an OAuth access token in seconds.
    pub access_life_s: i64,
    /// A new contact or deal is not found by `query`, nor by a call's number, for so long.
    pub search_lag_ms: i64,
    /// A new deal, task or note is not in lists for so long.
    pub list_lag_ms: i64,
    /// Requests in any 1000 ms before 429.
    pub requests_per_second: usize,
    /// A missing contact, deal, task or note answers 404 instead of an empty 204.
    pub missing_is_404: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base: "https://example.amocrm.ru".to_owned(),
            tokens: vec!["sandbox-token".to_owned()],
            client_id: "11111111-aaaa-4bbb-8ccc-000000000001".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            redirect_uri: "https://hub.example.test/amocrm/oauth".to_owned(),
            access_life_s: 86_400,
            search_lag_ms: 0,
            list_lag_ms: 0,
            requests_per_second: 7,
            missing_is_404: false,
        }
    }
}

/// The account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AmoCrm {
    config: Config,
    auth: auth::Auth,
    gate: Gate,
    ids: Ids,
    contacts: Vec<Contact>,
    leads: Vec<Lead>,
    tasks: Vec<Task>,
    notes: Vec<Note>,
    fields: Vec<CustomField>,
    #[serde(default)]
    popups: Vec<Popup>,
    #[serde(default)]
    hooks: hooks::Hooks,
    /// Users who do not work here any more.
    #[serde(default)]
    dismissed: Vec<u64>,
    /// Names of all tags ever used; a tag's id is its place, counted from 1.
    tags: Vec<String>,
}

/// The last ids given out.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ids {
    contact: u64,
    lead: u64,
    task: u64,
    note: u64,
    field: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self { contact: 7_143_599, lead: 3_912_179, task: 4_745_250, note: 42_888_816, field: 700_099 }
    }
}

impl Ids {
    fn field(&mut self) -> u64 {
        self.field += 1;
        self.field
    }
}

/// A request on its way through the account.
struct Call<'a> {
    request: &'a Request,
    query: Query,
    now_ms: i64,
}

impl AmoCrm {
    /// An empty account.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            auth: auth::Auth::default(),
            gate: Gate::default(),
            ids: Ids::default(),
            contacts: Vec::new(),
            leads: Vec::new(),
            tasks: Vec::new(),
            notes: Vec::new(),
            fields: fields::at_first(),
            popups: Vec::new(),
            hooks: hooks::Hooks::default(),
            dismissed: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Carries out a request and answers it. Status 0: no answer reaches the caller.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if request.path == "/" || request.path.starts_with("/sandbox/") {
            return self.inspect(request);
        }
        let limit = Limit { per_second: self.config.requests_per_second, block: Some((PATIENCE, BLOCK_MS)) };
        let response = match self.gate.admit(request, now_ms, Some(&limit), too_fast) {
            Fate::Answered(response) => response,
            Fate::CarriedOut { answer } => {
                let call = Call { request, query: Query::parse(&request.query), now_ms };
                let response = self.carry_out(&call);
                answer.map_or(response, Response::empty)
            }
        };
        self.gate.note(request, now_ms, response.status);
        response
    }

    /// Puts a fault at the end of the queue; the first that hits a request decides its fate.
    pub fn inject(&mut self, fault: Fault) {
        self.gate.faults.inject(fault);
    }

    /// Every request from `from_ms` until before `until_ms` gets this status (0: no answer).
    pub fn set_outage(&mut self, from_ms: i64, until_ms: i64, status: u16) {
        self.gate.faults.set_outage(from_ms, until_ms, status);
    }

    /// How many requests came too fast, blocked ones not counted.
    pub fn violations(&self) -> u64 {
        self.gate.violations
    }

    /// The most requests in any 1000 ms so far.
    pub fn max_requests_in_any_second(&self) -> usize {
        self.gate.most_in_a_second
    }

    /// The last requests, oldest first, 10,000 at most; those of the inspection page excepted.
    pub fn requests(&self) -> Vec<&Logged> {
        self.gate.log().collect()
    }

    /// All contacts, deleted ones too, oldest first.
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// All deals, deleted ones too, oldest first.
    pub fn leads(&self) -> &[Lead] {
        &self.leads
    }

    /// All tasks, oldest first.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// All notes, those of calls too, oldest first.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Everything that was shown to users, oldest first.
    pub fn popups(&self) -> &[Popup] {
        &self.popups
    }

    /// The dictionary of custom fields.
    pub fn custom_fields(&self) -> &[CustomField] {
        &self.fields
    }

    fn carry_out(&mut self, call: &Call<'_>) -> Response {
        let result = match call.request.path.as_str() {
            "/oauth2/access_token" if call.request.method == "POST" => self.exchange(call),
            _ => self.authorised(call).and_then(|()| self.route(call)),
        };
        result.unwrap_or_else(|refusal| refusal)
    }

    fn route(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let path = call.request.path.trim_end_matches('/');
        if path == "/api/v2/events" {
            return self.show_popups(call);
        }
        let Some(rest) = path.strip_prefix("/api/v4/") else {
            return Err(not_found());
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            ["account" | "users"] | ["leads", "pipelines"] => self.reference(rest, call),
            ["contacts"] => self.contacts_of_all(call),
            ["contacts", id] if is_number(id) => self.contact(number(id)?, call),
            ["leads"] => self.leads_of_all(call),
            ["leads", id] if is_number(id) => self.lead(number(id)?, call),
            ["tasks"] => self.tasks_of_all(call),
            ["tasks", id] => self.task(number(id)?, call),
            ["calls"] => self.calls(call),
            [kind, "custom_fields"] => self.custom_fields_of(entity(kind)?, call),
            [kind, "notes"] => self.notes_of_kind(entity(kind)?, None, call),
            [kind, id, "notes"] => self.notes_of_kind(entity(kind)?, Some(number(id)?), call),
            [kind, "notes", note] | [kind, _, "notes", note] => self.note(entity(kind)?, number(note)?, call),
            _ => Err(not_found()),
        }
    }

    fn reference(&self, what: &str, call: &Call<'_>) -> Result<Response, Response> {
        let base = &self.config.base;
        match (call.request.method.as_str(), what) {
            ("GET", "account") => Ok(hal(200, &directory::account(base))),
            ("GET", "users") => Ok(hal(200, &directory::users(base, &self.dismissed))),
            ("GET", _) => Ok(hal(200, &directory::pipelines(base))),
            _ => Err(wrong_method()),
        }
    }

    fn custom_fields_of(&mut self, kind: Kind, call: &Call<'_>) -> Result<Response, Response> {
        match call.request.method.as_str() {
            "GET" => self.list_fields(kind, call),
            "POST" => self.make_fields(kind, call),
            _ => Err(wrong_method()),
        }
    }

    /// What a GET of something that is not there answers.
    fn missing(&self) -> Response {
        if self.config.missing_is_404 { not_found() } else { Response::empty(204) }
    }

    fn self_link(&self, path: &str) -> Value {
        json!({ "self": { "href": format!("{}{path}", self.config.base) } })
    }

    /// The answer to a POST: what was made, in the order asked.
    fn made(&self, call: &Call<'_>, key: &str, items: Vec<Value>) -> Response {
        let links = self.self_link(&call.request.path);
        hal(200, &json!({ "_links": links, "_embedded": { key: items } }))
    }
}

fn too_fast(pace: Pace) -> Response {
    match pace {
        Pace::Blocked => Response::of_html(
            403,
            "<!doctype html><html><head><title>403 Forbidden</title></head>\
             <body><h1>403 Forbidden</h1></body></html>",
        ),
        _ => Response::new(429, "text/plain; charset=utf-8", "Too Many Requests"),
    }
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str) -> Result<u64, Response> {
    text.parse().map_err(|_| not_found())
}

fn entity(text: &str) -> Result<Kind, Response> {
    Kind::parse(text).ok_or_else(not_found)
}

fn hal(status: u16, body: &Value) -> Response {
    let kind = if status < 400 { "application/hal+json" } else { "application/problem+json" };
    Response::new(status, kind, body.to_string())
}

fn not_found() -> Response {
    problem(404, "Not Found")
}

fn wrong_method() -> Response {
    problem(405, "Method Not Allowed")
}

fn problem(status: u16, detail: &str) -> Response {
    let title = match status {
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Bad Request",
    };
    hal(
        status,
        &json!({
            "title": title,
            "type": format!("https://httpstatus.es/{status}"),
            "status": status,
            "detail": detail,
        }),
    )
}
