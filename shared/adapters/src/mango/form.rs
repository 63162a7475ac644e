//! The envelope of every request in both directions: a form of key, sign and one JSON text.

use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};
use yore::CodePage;
use yore::code_pages::CP1251;

use crate::charset;
use crate::intake::{RawRequest, Refusal};
use crate::secret::Secret;

/// What the form is sent as.
pub(super) const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
/// The name of the key among the secrets.
pub(super) const KEY: &str = "key";
/// The name of the salt among the secrets. The salt never travels.
pub(super) const SALT: &str = "salt";

/// A form taken apart.
pub(super) struct Envelope {
    pub key: String,
    pub sign: String,
    /// The signed text, exactly.
    pub json: String,
}

/// Lower-case hex of SHA-256 over the parts one after another: the one formula there is.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature of a JSON text under a secret.
pub(super) fn signature(json: &str, secret: &Secret) -> String {
    digest(&[secret.get(KEY), json, secret.get(SALT)])
}

/// Whether both halves of a secret are there; without a salt anybody could sign.
pub(super) fn is_whole(secret: &Secret) -> bool {
    !secret.get(KEY).is_empty() && !secret.get(SALT).is_empty()
}

/// The signature of a JSON text and the form body that carries both.
pub(super) fn seal(json: &str, secret: &Secret) -> (String, Vec<u8>) {
    let sign = signature(json, secret);
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("vpbx_api_key", secret.get(KEY))
        .append_pair("sign", &sign)
        .append_pair("json", json)
        .finish();
    (sign, body.into_bytes())
}

/// Takes a form body apart; key and sign that are not there are empty.
pub(super) fn open(request: &RawRequest) -> Result<Envelope, Refusal> {
    let content_type = request.headers.get("content-type").map_or("", String::as_str);
    let charset = charset::declared(content_type);
    let read = |name| field(&request.body, name).map(|bytes| text(bytes, charset)).transpose();
    let Some(json) = read("json")? else {
        let why = format!("there is no field `json` in a form (content type `{content_type:.80}`)");
        return Err(Refusal::Unreadable(why));
    };
    let key = read("vpbx_api_key")?.unwrap_or_default();
    let sign = read("sign")?.unwrap_or_default();
    Ok(Envelope { key, sign, json })
}

/// The first field of this name. Bytes, not text: a lossy decoder would hide what was signed.
fn field(body: &[u8], name: &str) -> Option<Vec<u8>> {
    body.split(|byte| *byte == b'&').find_map(|pair| {
        let (found, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &[][..]),
        };
        (unescape(found) == name.as_bytes()).then(|| unescape(value))
    })
}

fn unescape(escaped: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = escaped.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

fn text(bytes: Vec<u8>, charset: Option<&str>) -> Result<String, Refusal> {
    let Some(label) = charset else {
        return Ok(String::from_utf8(bytes).unwrap_or_else(|error| CP1251.decode_lossy(error.as_bytes()).into_owned()));
    };
    let none = || Refusal::Unreadable(format!("declared as {}, but the bytes are none", label.to_ascii_lowercase()));
    if charset::is_utf8(label) {
        return String::from_utf8(bytes).map_err(|_| none());
    }
    let Some(page) = charset::page(label) else {
        return Err(Refusal::Unreadable(format!("unknown charset `{label:.40}`")));
    };
    page.decode(&bytes).map(std::borrow::Cow::into_owned).map_err(|_| none())
}
