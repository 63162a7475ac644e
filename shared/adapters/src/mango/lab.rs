//! Signatures by hand: to post a sample, and to see why a signature does not fit.

use super::Mango;
use super::form::{self, CONTENT_TYPE, KEY, SALT};
use super::intake::{PING, event_name};
use crate::intake::RawRequest;
use crate::lab::{Attempt, Example, Lab, Signed};
use crate::secret::{Secret, same};

macro_rules! examples {
    ($($path:literal: $name:literal),+ $(,)?) => {
        &[$(Example {
            path: $path,
            payload: include_str!(concat!("../../../../events/mango/in/", $name, ".json")),
        }),+]
    };
}

const EXAMPLES: &[Example] = examples![
    "events/call": "events_call_in_01_ivr_appeared",
    "events/call": "events_call_in_02_abonent_appeared",
    "events/call": "events_call_in_03_ivr_disconnected",
    "events/call": "events_call_in_04_abonent_connected",
    "events/call": "events_call_in_06_abonent_disconnected",
    "events/summary": "events_summary_in_answered",
    "events/summary": "events_summary_in_missed_employee",
    "events/recording": "events_recording_started",
    "events/recording": "events_recording_completed",
    "events/record/added": "events_record_added",
    "events/dtmf": "events_dtmf",
];

impl Lab for Mango {
    fn sign(&self, payload: &str, secret: &Secret) -> Signed {
        let (signature, body) = form::seal(payload, secret);
        Signed { headers: vec![("content-type", CONTENT_TYPE.to_owned())], body, signature }
    }

    fn explain(&self, request: &RawRequest, secrets: &[Secret]) -> Vec<Attempt> {
        if event_name(&request.path) == PING {
            let advice = "nothing to do: a check of the connection carries no signature";
            return vec![attempt(PING.to_owned(), true, advice)];
        }
        let envelope = match form::open(request) {
            Ok(envelope) => envelope,
            Err(refusal) => {
                let advice = "pass the body on untouched, as the PBX posts it: a form with the \
                              fields vpbx_api_key, sign and json";
                return vec![attempt(refusal.to_string(), false, advice)];
            }
        };
        if secrets.is_empty() {
            let advice = "put the key and the salt of the API connector into the settings";
            return vec![attempt("no secret to try".to_owned(), false, advice)];
        }
        let numbered = secrets.iter().enumerate();
        numbered.flat_map(|(at, secret)| tries(&envelope, at + 1, secret)).collect()
    }

    fn examples(&self) -> &'static [Example] {
        EXAMPLES
    }
}

fn tries(envelope: &form::Envelope, number: usize, secret: &Secret) -> Vec<Attempt> {
    let (key, salt, json) = (secret.get(KEY), secret.get(SALT), envelope.json.as_str());
    if !form::is_whole(secret) {
        let advice = "fill in both the key and the salt";
        return vec![attempt(format!("secret {number} is incomplete"), false, advice)];
    }
    let is_signed = |parts: &[&str]| same(envelope.sign.as_bytes(), form::digest(parts).as_bytes());
    let named = same(envelope.key.as_bytes(), key.as_bytes());
    let right = is_signed(&[key, json, salt]);
    let advice = match (right, named) {
        (true, true) => "this is the one: nothing to do",
        (true, false) => "the sign is right, but vpbx_api_key names another key: somebody rewrote it",
        (false, true) => "the key is this one: the salt is another, or the json was changed on the way",
        (false, false) => "the request names another key: look for the PBX it comes from",
    };
    let compact = compact(json);
    vec![
        attempt(format!("sha256(key + json + salt), secret {number}"), right && named, advice),
        attempt(
            format!("sha256(salt + json + key), secret {number}"),
            is_signed(&[salt, json, key]),
            "if this fits: the key and the salt stand in each other's place in the settings",
        ),
        attempt(
            format!("sha256(key + json without spaces + salt), secret {number}"),
            compact != json && is_signed(&[key, &compact, salt]),
            "if this fits: something on the way writes the JSON anew; pass the body on untouched",
        ),
    ]
}

fn attempt(what: String, fits: bool, advice: &str) -> Attempt {
    Attempt { what, fits, advice: advice.to_owned() }
}

/// The JSON without white space between its parts, everything else as it stands.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let mut keep = |c: char| {
        let kept = quoted || !c.is_ascii_whitespace();
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        kept
    };
    json.chars().filter(|c| keep(*c)).collect()
}
