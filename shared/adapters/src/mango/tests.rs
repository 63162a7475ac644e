//! What the codec promises, over the bytes in `events/mango/`.

// Samples are files, and one variable rewrites the expected ones.
#![allow(clippy::disallowed_methods)]

mod call_back;
mod corpus;
mod history;
mod intake;
mod jobs;
mod lab;
mod route;
mod stats;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;

use perezvon_domain::Timestamp;
use serde_json::Value;

use crate::secret::Secret;
use crate::{Inbound, Intake, Outgoing, RawRequest, Refusal};

use super::Mango;

const FORM: &str = "application/x-www-form-urlencoded";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/mango")
}

fn bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).expect("a sample in UTF-8")
}

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).expect("a sample in JSON")
}

fn string(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn secret(key: &str, salt: &str) -> Secret {
    Secret(BTreeMap::from([("key".to_owned(), key.to_owned()), ("salt".to_owned(), salt.to_owned())]))
}

/// The secret all samples are signed with.
fn ours() -> Secret {
    secret("abcdefghijklmnopqrstuvwxyz012345", "543210zyxwvutsrqponmlkjihgfedcba")
}

fn request(path: &str, content_type: &str, body: Vec<u8>) -> RawRequest {
    RawRequest {
        path: path.to_owned(),
        headers: BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]),
        body,
        received_at: Timestamp::from_seconds(1_760_000_100),
    }
}

/// A payload as the provider would post it.
fn posted(path: &str, payload: &str) -> RawRequest {
    request(path, FORM, super::form::seal(payload, &ours()).1)
}

fn verified(request: &RawRequest) -> Result<String, Refusal> {
    Mango.verify(request, &[ours()]).map(|verified| verified.payload().to_owned())
}

fn understood(request: &RawRequest) -> Result<Vec<Inbound>, String> {
    let verified = Mango.verify(request, &[ours()]).map_err(|refusal| refusal.to_string())?;
    Mango.normalise(verified).map_err(|malformed| malformed.to_string())
}

/// A request is what stands in `out/`; the signed text is shown instead of its form.
fn golden(name: &str, request: &Outgoing) {
    let signed = verified(&self::request("events/call", FORM, request.body.clone())).expect("a signed form");
    let asked: Value = serde_json::from_str(&signed).expect("JSON");
    let path = request.url.strip_prefix("https://app.mango-office.ru/vpbx").expect("our base");
    let shown = serde_json::json!({ "method": request.method, "path": path, "json": asked });
    let file = format!("out/{name}.json");
    if std::env::var("UPDATE_EXPECTED").is_ok_and(|value| value == "1") {
        let pretty = serde_json::to_string_pretty(&shown).expect("JSON") + "\n";
        std::fs::write(folder().join(&file), pretty).expect("a writable folder");
    }
    assert_eq!(shown, json(&file), "{name}: UPDATE_EXPECTED=1 rewrites it");
}
