//! Recordings: asked for with a sign, answered with an address that works once.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Mango, digest};
use crate::audio;
use crate::http::{Request, Response};

/// How long two invalid requests lock the key, counted from the first.
const LOCK_MS: i64 = 2 * 60 * 1000;

const BAD_PARAMETERS: u16 = 3100;
const NOT_POST: u16 = 3101;
const WRONG_SIGN: u16 = 3102;
const MISSING_PARAMETER: u16 = 3103;
const WRONG_KEY: u16 = 3105;
const NO_RECORDING: u16 = 3320;
const BAD_JSON: u16 = 3400;

/// A recording in the cloud storage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Recording {
    pub(super) ready_at_ms: i64,
}

/// A one-shot address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    used: bool,
}

/// The watch on invalid requests.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Lock {
    first_ms: Option<i64>,
    locked: bool,
}

impl Lock {
    fn holds(&mut self, now_ms: i64) -> bool {
        if self.first_ms.is_some_and(|first| now_ms >= first + LOCK_MS) {
            *self = Self::default();
        }
        self.locked
    }

    fn count_invalid(&mut self, now_ms: i64) {
        self.locked = self.first_ms.is_some();
        self.first_ms.get_or_insert(now_ms);
    }
}

impl Mango {
    pub(super) fn carry_out(&mut self, request: &Request, now_ms: i64) -> Response {
        let path = request.path.trim_end_matches('/');
        if let Some(token) = path.strip_prefix("/files/") {
            return if request.method == "GET" { self.file(token) } else { not_found() };
        }
        let Some(query) = path.strip_prefix("/vpbx/queries/recording/") else {
            return not_found();
        };
        if self.lock.holds(now_ms) {
            return plain(401, "Unauthorized", "Too many invalid requests.");
        }
        let asked = match query.split_once('/') {
            None if query == "post" => self.asked_by_post(request),
            Some(("link", rest)) => self.asked_by_link(rest, now_ms),
            _ => return not_found(),
        };
        match asked.and_then(|id| self.ready(id, now_ms)) {
            Ok(id) => self.redirect(&id, now_ms),
            Err(code) => self.invalid(code, now_ms),
        }
    }

    /// The recording that a signed form names.
    fn asked_by_post(&self, request: &Request) -> Result<String, u16> {
        if request.method != "POST" {
            return Err(NOT_POST);
        }
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(&request.body);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let key = field("vpbx_api_key").ok_or(MISSING_PARAMETER)?;
        let sign = field("sign").ok_or(MISSING_PARAMETER)?;
        let json = field("json").ok_or(MISSING_PARAMETER)?;
        if key != self.config.key {
            return Err(WRONG_KEY);
        }
        if sign != digest(&[&key, &json, &self.config.salt]) {
            return Err(WRONG_SIGN);
        }
        let asked: Value = serde_json::from_str(&json).map_err(|_| BAD_JSON)?;
        check_action(asked["action"].as_str().ok_or(MISSING_PARAMETER)?)?;
        asked["recording_id"].as_str().map(str::to_owned).ok_or(MISSING_PARAMETER)
    }

    /// The recording that a signed address names: id, action, key, expiry in Unix seconds, sign.
    fn asked_by_link(&self, rest: &str, now_ms: i64) -> Result<String, u16> {
        let parts: Vec<String> =
            rest.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
        let [id, action, key, expires, sign] = parts.as_slice() else {
            return Err(MISSING_PARAMETER);
        };
        check_action(action)?;
        if *key != self.config.key {
            return Err(WRONG_KEY);
        }
        if *sign != digest(&[key, expires, id, &self.config.salt]) {
            return Err(WRONG_SIGN);
        }
        let until: i64 = expires.parse().map_err(|_| BAD_PARAMETERS)?;
        if until <= now_ms.div_euclid(1000) { Err(BAD_PARAMETERS) } else { Ok(id.clone()) }
    }

    fn ready(&self, id: String, now_ms: i64) -> Result<String, u16> {
        match self.recordings.get(&id) {
            Some(recording) if recording.ready_at_ms <= now_ms => Ok(id),
            None if self.config.every_recording => Ok(id),
            _ => Err(NO_RECORDING),
        }
    }

    fn redirect(&mut self, id: &str, now_ms: i64) -> Response {
        let count = self.tickets.len().to_string();
        let token = digest(&[id, &now_ms.to_string(), &count])[..32].to_owned();
        let address = format!("{}/files/{token}", self.config.public_base);
        self.tickets.insert(token, Ticket { used: false });
        Response::empty(302).with_header("location", &address)
    }

    fn invalid(&mut self, code: u16, now_ms: i64) -> Response {
        if code != NO_RECORDING || self.config.missing_recording_counts {
            self.lock.count_invalid(now_ms);
        }
        Response::of_json(200, &json!({ "result": code }))
    }

    fn file(&mut self, token: &str) -> Response {
        match self.tickets.get_mut(token) {
            Some(ticket) if !ticket.used => {
                ticket.used = true;
                Response::new(200, "audio/wav", audio::beep())
            }
            _ => not_found(),
        }
    }
}

fn check_action(action: &str) -> Result<(), u16> {
    if matches!(action, "download" | "play") { Ok(()) } else { Err(BAD_PARAMETERS) }
}

fn not_found() -> Response {
    plain(404, "Not Found", "No such method.")
}

fn plain(status: u16, name: &str, message: &str) -> Response {
    let body = json!({ "name": name, "message": message, "code": 0, "status": status });
    Response::of_json(status, &body)
}
