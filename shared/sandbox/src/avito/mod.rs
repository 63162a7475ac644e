//! Avito's messenger: chats that clients began, one account in them, and pushes of what is written there.

mod auth;
mod by_hand;
mod chats;
mod consent;
mod media;
mod messages;
mod model;
mod pushes;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use model::{Chat, Client, Item, Media, Message, Uploaded};
pub use pushes::{Push, Pushed};

use crate::fault::{Fate, Fault};
use crate::gate::{Gate, Limit, Logged, Pace};
use crate::http::{Request, Response};

/// The account and its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The account's number.
    pub user_id: i64,
    pub name: String,
    pub client_id: String,
    pub client_secret: String,
    /// Life of an access token in seconds.
    pub access_life_s: i64,
    /// Requests in any 1000 ms before 429. The real number is not published.
    pub requests_per_second: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_id: 100_000_001,
            name: "Тестовый магазин".to_owned(),
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            access_life_s: 86_400,
            requests_per_second: 10,
        }
    }
}

/// When the push of a message that we sent through the API comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Echo {
    /// Before the request that sent it is answered.
    Before,
    #[default]
    After,
    /// Before and after.
    Twice,
}

/// What the documents leave open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manner {
    pub echo: Echo,
    /// Every push is made so many times, each in an envelope of its own.
    pub copies: u32,
    /// So often a push that was not answered with 200 is posted again.
    pub repeats: u32,
    /// The list of messages is an object with a list in it, as integrators read it.
    pub wrapped: bool,
    /// What an expired token is answered: 403 by the documents, 401 by the schema of errors.
    pub expired_status: u16,
    /// Where the browser is sent back to: what was told when the application was registered.
    pub callback: String,
    /// Whoever is asked for access refuses.
    pub refuses: bool,
    /// The rights that are given, separated by commas; empty: the answer does not tell.
    pub scope: String,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            echo: Echo::default(),
            copies: 1,
            repeats: 0,
            wrapped: false,
            expired_status: 403,
            callback: "http://127.0.0.1:8787/oauth/callback".to_owned(),
            refuses: false,
            scope: "messenger:read,messenger:write,user:read".to_owned(),
        }
    }
}

/// The messenger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Avito {
    config: Config,
    manner: Manner,
    auth: auth::Auth,
    gate: Gate,
    chats: Vec<Chat>,
    #[serde(default)]
    uploaded: Vec<Uploaded>,
    /// Addresses that are pushed to, oldest first.
    subscribed: Vec<String>,
    /// Things made so far: ids are counted.
    made: u64,
    /// On their way out.
    #[serde(skip)]
    outbox: Vec<Push>,
    pushed: VecDeque<Pushed>,
}

impl Default for Avito {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

/// A request on its way through the messenger.
struct Call<'a> {
    request: &'a Request,
    now_ms: i64,
}

impl Call<'_> {
    fn query(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.request.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A number of the query within its limits.
    fn number(&self, name: &str, usual: usize, limits: std::ops::RangeInclusive<usize>) -> Result<usize, Response> {
        let Some(text) = self.query(name) else { return Ok(usual) };
        let number = text.parse().ok().filter(|number| limits.contains(number));
        number.ok_or_else(|| invalid(name, &format!("from {} to {}", limits.start(), limits.end())))
    }

    fn json(&self) -> Result<Value, Response> {
        serde_json::from_slice(&self.request.body).map_err(|_| refusal(400, "the body is no JSON"))
    }
}

impl Avito {
    /// An account without chats.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            manner: Manner::default(),
            auth: auth::Auth::default(),
            gate: Gate::default(),
            chats: Vec::new(),
            uploaded: Vec::new(),
            subscribed: Vec::new(),
            made: 0,
            outbox: Vec::new(),
            pushed: VecDeque::new(),
        }
    }

    /// Carries out a request and answers it. Status 0: no answer reaches the caller. What is to be pushed for it
    /// is in [`Avito::take_pushes`] then.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        let call = Call { request, now_ms };
        if request.path.starts_with("/sandbox/") {
            return self.by_hand(&call).unwrap_or_else(|refusal| refusal);
        }
        let limit = Limit { per_second: self.config.requests_per_second, block: None };
        let response = match self.gate.admit(request, now_ms, Some(&limit), too_fast) {
            Fate::Answered(response) => response,
            Fate::CarriedOut { answer } => {
                let response = self.route(&call).unwrap_or_else(|refusal| refusal);
                answer.map_or(response, Response::empty)
            }
        };
        self.gate.note(request, now_ms, response.status);
        response
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

    /// The last requests, oldest first, 10,000 at most.
    pub fn requests(&self) -> Vec<&Logged> {
        self.gate.log().collect()
    }

    /// It knows where to post.
    pub fn is_subscribed(&self) -> bool {
        !self.subscribed.is_empty()
    }

    /// All chats, oldest first.
    pub fn chats(&self) -> &[Chat] {
        &self.chats
    }

    /// Pictures that we uploaded, oldest first, sent or not.
    pub fn uploaded(&self) -> &[Uploaded] {
        &self.uploaded
    }

    /// Other settings for the same account: after a restart the keys may be others.
    pub fn configure(&mut self, config: Config) {
        self.config = config;
    }

    /// The whole messenger as JSON, for [`Avito::load`].
    pub fn save(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A messenger that was saved; the error says what is wrong with the text.
    pub fn load(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    fn route(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let path = call.request.path.trim_matches('/');
        let parts: Vec<String> =
            path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let method = call.request.method.as_str();
        if (method, parts.as_slice()) == ("POST", &["token"]) {
            return self.exchange(call);
        }
        if (method, parts.as_slice()) == ("GET", &["oauth"]) {
            return self.consent(call);
        }
        self.authorised(call)?;
        match (method, parts.as_slice()) {
            ("GET", ["core", "v1", "accounts", "self"]) => Ok(self.own_account()),
            ("POST", ["messenger", "v3", "webhook"]) => self.subscribe(call),
            ("POST", ["messenger", "v1", "webhook", "unsubscribe"]) => self.unsubscribe(call),
            ("POST", ["messenger", "v1", "subscriptions"]) => Ok(self.subscriptions()),
            (_, ["messenger", version, "accounts", account, "chats", rest @ ..])
                if *account == self.config.user_id.to_string() =>
            {
                self.of_account(&format!("{method} {version}"), rest, call)
            }
            (method, ["messenger", "v1", "accounts", account, what]) if *account == self.config.user_id.to_string() => {
                match (method, *what) {
                    ("POST", "uploadImages") => self.upload(call),
                    ("GET", "getVoiceFiles") => self.voices(call),
                    _ => Err(not_found()),
                }
            }
            _ => Err(not_found()),
        }
    }

    fn of_account(&mut self, what: &str, rest: &[&str], call: &Call<'_>) -> Result<Response, Response> {
        match (what, rest) {
            ("GET v2", []) => self.list_chats(call),
            ("GET v2", [chat]) => self.one_chat(chat),
            ("GET v3", [chat, "messages"]) => self.list_messages(chat, call),
            ("POST v1", [chat, "messages"]) => self.send(chat, call),
            ("POST v1", [chat, "messages", "image"]) => self.send_image(chat, call),
            ("POST v1", [chat, "messages", message]) => self.take_back(chat, message, call),
            ("POST v1", [chat, "read"]) => self.mark_read(chat),
            _ => Err(not_found()),
        }
    }

    /// A number that nothing else has.
    fn count(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

fn ok() -> Response {
    Response::of_json(200, &json!({ "ok": true }))
}

fn refusal(status: u16, message: &str) -> Response {
    Response::of_json(status, &json!({ "error": { "code": status, "message": message } }))
}

/// 400 with the field that is wrong.
fn invalid(field: &str, why: &str) -> Response {
    let error = json!({ "code": 400, "message": "Validation error", "fields": { field: why } });
    Response::of_json(400, &json!({ "error": error }))
}

fn not_found() -> Response {
    refusal(404, "Not found")
}

fn too_fast(_: Pace) -> Response {
    refusal(429, "Too many requests").with_header("retry-after", "1")
}
