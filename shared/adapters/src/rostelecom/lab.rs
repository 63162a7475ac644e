//! Signatures by hand: to post a sample, and to see why a signature does not fit.

use super::Rostelecom;
use super::sign::{self, CLIENT_ID, ID_HEADER, SIGN_HEADER, SIGN_KEY};
use crate::intake::RawRequest;
use crate::lab::{Attempt, Example, Lab, Signed};
use crate::secret::{Secret, same};

macro_rules! examples {
    ($($name:literal),+ $(,)?) => {
        &[$(Example {
            path: "call_events",
            payload: include_str!(concat!("../../../../events/rostelecom/in/", $name, ".body")),
        }),+]
    };
}

const EXAMPLES: &[Example] = examples![
    "incoming_1_new",
    "incoming_2_calling",
    "incoming_3_connected",
    "incoming_4_disconnected",
    "incoming_5_end",
    "missed_end",
    "outbound_1_new",
    "outbound_2_connected",
];

impl Lab for Rostelecom {
    fn sign(&self, payload: &str, secret: &Secret) -> Signed {
        let body = payload.as_bytes().to_vec();
        Signed { headers: sign::headers(&body, secret), signature: sign::signature(&body, secret), body }
    }

    fn explain(&self, request: &RawRequest, secrets: &[Secret]) -> Vec<Attempt> {
        let header = |name: &str| request.headers.get(name).map_or("", |value| value.trim());
        let (id, given) = (header(ID_HEADER), header(SIGN_HEADER).to_ascii_lowercase());
        if given.is_empty() {
            let advice = "pass the headers X-Client-ID and X-Client-Sign on, as the PBX sends them";
            return vec![attempt("no signature in the headers".to_owned(), false, advice)];
        }
        if secrets.is_empty() {
            let advice = "put the identification code and the signing key of the domain into the settings";
            return vec![attempt("no secret to try".to_owned(), false, advice)];
        }
        let numbered = secrets.iter().enumerate();
        numbered.flat_map(|(at, secret)| tries(&request.body, id, &given, at + 1, secret)).collect()
    }

    fn examples(&self) -> &'static [Example] {
        EXAMPLES
    }
}

fn tries(body: &[u8], id: &str, given: &str, number: usize, secret: &Secret) -> Vec<Attempt> {
    let (own, key) = (secret.get(CLIENT_ID).as_bytes(), secret.get(SIGN_KEY).as_bytes());
    if !sign::is_whole(secret) {
        let advice = "fill in both the identification code and the signing key";
        return vec![attempt(format!("secret {number} is incomplete"), false, advice)];
    }
    let is_signed = |parts: &[&[u8]]| same(given.as_bytes(), sign::digest(parts).as_bytes());
    let (right, named) = (is_signed(&[own, body, key]), same(id.as_bytes(), own));
    let advice = match (right, named) {
        (true, true) => "this is the one: nothing to do",
        (true, false) => "the sign is right, but X-Client-ID names another domain: somebody rewrote it",
        (false, true) => "the code is this one: the key is another, or the body was changed on the way",
        (false, false) => "the request names another domain: look for the one it comes from",
    };
    vec![
        attempt(format!("sha256(id + body + key), secret {number}"), right && named, advice),
        attempt(
            format!("sha256(key + body + id), secret {number}"),
            is_signed(&[key, body, own]),
            "if this fits: the code and the key stand in each other's place in the settings",
        ),
        attempt(
            format!("sha256(id + body without the last line break + key), secret {number}"),
            body.last() == Some(&b'\n') && is_signed(&[own, body.trim_ascii_end(), key]),
            "if this fits: something on the way adds a line break; pass the body on untouched",
        ),
    ]
}

fn attempt(what: String, fits: bool, advice: &str) -> Attempt {
    Attempt { what, fits, advice: advice.to_owned() }
}
