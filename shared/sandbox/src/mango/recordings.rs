//! Recordings: asked for with a sign, answered with an address that works once.

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use super::api::{BAD_PARAMETERS, MISSING_PARAMETER, NO_RECORDING, WRONG_KEY, WRONG_SIGN, not_found};
use super::{Mango, digest};
use crate::audio;
use crate::http::{Request, Response};

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

impl Mango {
    pub(super) fn recording_asked(&mut self, query: &str, request: &Request, now_ms: i64) -> Response {
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
        let asked = self.signed(request)?;
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

    pub(super) fn file(&mut self, token: &str) -> Response {
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
