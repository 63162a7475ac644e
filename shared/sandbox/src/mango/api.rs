//! The API: signed forms, the limits of single methods, and what invalid requests lead to.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Mango, digest, too_fast};
use crate::gate::Pace;
use crate::http::{Request, Response};

pub(super) const DONE: u16 = 1000;
pub(super) const BAD_PARAMETERS: u16 = 3100;
pub(super) const NOT_POST: u16 = 3101;
pub(super) const WRONG_SIGN: u16 = 3102;
pub(super) const MISSING_PARAMETER: u16 = 3103;
pub(super) const WRONG_FORMAT: u16 = 3104;
pub(super) const WRONG_KEY: u16 = 3105;
pub(super) const BAD_DATES: u16 = 3111;
pub(super) const WRONG_NUMBER: u16 = 3200;
pub(super) const NO_RECORDING: u16 = 3320;
const BAD_JSON: u16 = 3400;

/// How long two invalid requests lock the key, counted from the first.
const LOCK_MS: i64 = 2 * 60 * 1000;

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

/// When methods with a limit of their own were carried out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Paces(BTreeMap<String, VecDeque<i64>>);

impl Paces {
    fn is_too_fast(&mut self, method: &str, now_ms: i64) -> bool {
        let (most, window_ms) = match method {
            "commands/callback" => (4, 1_000),
            "commands/route" | "stats/request" | "config/users/request" => (1, 2_000),
            _ => return false,
        };
        let recent = self.0.entry(method.to_owned()).or_default();
        recent.retain(|at_ms| *at_ms > now_ms - window_ms);
        if recent.len() >= most {
            return true;
        }
        recent.push_back(now_ms);
        false
    }
}

impl Mango {
    pub(super) fn carry_out(&mut self, request: &Request, now_ms: i64) -> Response {
        let path = request.path.trim_end_matches('/');
        if let Some(token) = path.strip_prefix("/files/") {
            return if request.method == "GET" { self.file(token) } else { not_found() };
        }
        let Some(method) = path.strip_prefix("/vpbx/") else { return not_found() };
        if self.lock.holds(now_ms) {
            return plain(401, "Unauthorized", "Too many invalid requests.");
        }
        if let Some(query) = method.strip_prefix("queries/recording/") {
            return self.recording_asked(query, request, now_ms);
        }
        let known = ["commands/callback", "commands/route", "stats/request", "stats/result"];
        if !known.contains(&method) && !["config/users/request", "groups"].contains(&method) {
            return not_found();
        }
        if self.paces.is_too_fast(method, now_ms) {
            self.gate.violations += 1;
            return too_fast(Pace::TooFast);
        }
        let done = self.signed(request).and_then(|asked| match method {
            "commands/callback" => self.commanded("callback", &asked, now_ms),
            "commands/route" => self.commanded("route", &asked, now_ms),
            "stats/request" => self.order_stats(&asked, now_ms),
            "stats/result" => self.stats_result(&asked, now_ms),
            "config/users/request" => self.users(&asked),
            _ => self.groups(&asked),
        });
        done.unwrap_or_else(|code| self.invalid(code, now_ms))
    }

    /// What a signed form asks for.
    pub(super) fn signed(&self, request: &Request) -> Result<Value, u16> {
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
        serde_json::from_str(&json).map_err(|_| BAD_JSON)
    }

    pub(super) fn invalid(&mut self, code: u16, now_ms: i64) -> Response {
        let counts = code != NO_RECORDING || self.config.missing_recording_counts;
        if (3000..4000).contains(&code) && counts {
            self.lock.count_invalid(now_ms);
        }
        Response::of_json(200, &json!({ "result": code }))
    }
}

/// A text that must be there.
pub(super) fn text<'a>(asked: &'a Value, name: &str) -> Result<&'a str, u16> {
    asked[name].as_str().filter(|text| !text.is_empty()).ok_or(MISSING_PARAMETER)
}

pub(super) fn not_found() -> Response {
    plain(404, "Not Found", "No such method.")
}

fn plain(status: u16, name: &str, message: &str) -> Response {
    let body = json!({ "name": name, "message": message, "code": 0, "status": status });
    Response::of_json(status, &body)
}
