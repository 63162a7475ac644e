//! The signature of a push, which Avito does not explain: the formulas that people guess, none of them proved.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};

use super::token::CLIENT_SECRET;
use crate::intake::{Guess, RawRequest};
use crate::secret::{Secret, same};

/// Its header: 64 lower-case hex characters in all that was seen.
pub(super) const HEADER: &str = "x-avito-messenger-signature";
/// A secret for signatures, if one is ever told.
pub(super) const SIGNATURE_SECRET: &str = "signature_secret";
/// What may be the key.
const KEYS: [&str; 2] = [SIGNATURE_SECRET, CLIENT_SECRET];

type Formula = fn(&[u8], &[u8]) -> Vec<u8>;

/// How a signature may be made of the key and of the exact bytes, by name; the likeliest first.
static FORMULAS: [(&str, Formula); 4] = [
    ("HMAC-SHA256", hmac),
    ("HMAC-SHA256, key SHA256(secret)", |key, body| hmac(&Sha256::digest(key), body)),
    ("SHA256(body + secret)", |key, body| sha256(&[body, key])),
    ("SHA256(secret + body)", |key, body| sha256(&[key, body])),
];

/// What the signature of a push fits.
pub(super) fn guess(request: &RawRequest, secrets: &[Secret]) -> Option<Guess> {
    // Whoever tries the address sends an empty object, unsigned.
    if request.body.trim_ascii() == b"{}" {
        return None;
    }
    let Some(given) = request.headers.get(HEADER).map(|given| given.trim()).filter(|given| !given.is_empty()) else {
        return Some(Guess::Absent);
    };
    let keys = || secrets.iter().flat_map(|set| KEYS.map(|name| set.get(name).trim())).filter(|key| !key.is_empty());
    let fits = |formula: Formula| {
        keys().any(|key| same(hex(&formula(key.as_bytes(), &request.body)).as_bytes(), given.as_bytes()))
    };
    let found = FORMULAS.iter().find(|(_, formula)| fits(*formula));
    Some(found.map_or(Guess::Misses, |(name, _)| Guess::Fits(name)))
}

fn hmac(key: &[u8], body: &[u8]) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
