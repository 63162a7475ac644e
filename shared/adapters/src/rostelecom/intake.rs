//! Webhooks in: which event a path names, the check of the signature, the way into our words.

use std::borrow::Cow;

use super::Rostelecom;
use super::events;
use super::sign::{self, CLIENT_ID, ID_HEADER, SIGN_HEADER};
use crate::charset;
use crate::fields::Fields;
use crate::intake::{Inbound, Intake, Malformed, RawRequest, Refusal, Verified};
use crate::secret::{Secret, same};

/// What the provider appends to the one address that it is given.
const PATHS: &[&str] = &["call_events", "history_file_completed", "get_number_info"];

impl Intake for Rostelecom {
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret]) -> Result<Verified<'a>, Refusal> {
        let header = |name: &str| request.headers.get(name).map_or("", |value| value.trim());
        let (id, given) = (header(ID_HEADER), header(SIGN_HEADER).to_ascii_lowercase());
        if given.is_empty() {
            return Err(Refusal::NoSignature);
        }
        let mut refusal = Refusal::NoSecret;
        for secret in secrets.iter().filter(|secret| sign::is_whole(secret)) {
            if !same(id.as_bytes(), secret.get(CLIENT_ID).as_bytes()) {
                if refusal == Refusal::NoSecret {
                    refusal = Refusal::UnknownKey;
                }
                continue;
            }
            if same(given.as_bytes(), sign::signature(&request.body, secret).as_bytes()) {
                return Ok(Verified::new(request, text(request)?.into_owned()));
            }
            refusal = Refusal::WrongSignature;
        }
        Err(refusal)
    }

    fn normalise(&self, request: Verified<'_>) -> Result<Vec<Inbound>, Malformed> {
        let name = event_name(&request.request().path);
        if !PATHS.contains(&name) {
            return Err(Malformed(format!("unknown event path `{name:.80}`")));
        }
        if name != "call_events" {
            return Ok(vec![Inbound::Counted(name.to_owned())]);
        }
        let payload = serde_json::from_str(request.payload())
            .map_err(|error| Malformed(format!("the payload is no JSON: {error}")))?;
        events::read(&Fields::of(&payload)?)
    }

    fn paths(&self) -> &'static [&'static str] {
        PATHS
    }
}

/// The method at the end of the path.
pub(super) fn event_name(path: &str) -> &str {
    path.trim_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The body as text: UTF-8 if it is that, whatever was declared; else what was declared.
fn text(request: &RawRequest) -> Result<Cow<'_, str>, Refusal> {
    let body = request.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&request.body);
    if let Ok(text) = std::str::from_utf8(body) {
        return Ok(text.into());
    }
    let content_type = request.headers.get("content-type").map_or("", String::as_str);
    let declared = charset::declared(content_type).and_then(charset::page);
    let decoded = declared.and_then(|page| page.decode(body).ok());
    decoded
        .ok_or_else(|| Refusal::Unreadable("the bytes are no UTF-8, and no charset is declared that fits".to_owned()))
}
