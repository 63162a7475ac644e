//! Requests to amoCRM: address, headers, body.

use serde_json::Value;

use crate::jobs::{Expect, Known, Outgoing};
use crate::secret::Secret;

/// The long-lived token if there is one, else the access token of the pair.
pub(super) fn bearer(secret: &Secret) -> &str {
    let long_lived = secret.get("token");
    if long_lived.is_empty() { secret.get("access_token") } else { long_lived }
}

/// A read; the path begins after `/api/v4/`.
pub(super) fn get(known: &Known<'_>, path: &str) -> Outgoing {
    Outgoing {
        method: "GET",
        url: format!("{}/api/v4/{path}", known.base),
        headers: vec![authorization(known), ("accept", "application/json".to_owned())],
        body: Vec::new(),
        expect: Expect::Small,
    }
}

pub(super) fn post(known: &Known<'_>, path: &str, body: &Value) -> Outgoing {
    send(known, "POST", path, body)
}

/// A write to the interface before this one; the path begins after `/api/v2/`.
pub(super) fn post_v2(known: &Known<'_>, path: &str, body: &Value) -> Outgoing {
    let request = send(known, "POST", path, body);
    Outgoing { url: format!("{}/api/v2/{path}", known.base), ..request }
}

pub(super) fn patch(known: &Known<'_>, path: &str, body: &Value) -> Outgoing {
    send(known, "PATCH", path, body)
}

fn send(known: &Known<'_>, method: &'static str, path: &str, body: &Value) -> Outgoing {
    let mut request = get(known, path);
    request.method = method;
    request.headers.push(("content-type", "application/json".to_owned()));
    request.body = body.to_string().into_bytes();
    request
}

fn authorization(known: &Known<'_>) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", bearer(known.secret)))
}

/// A path with a query; brackets are escaped as PHP clients do.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    format!("{path}?{}", query.finish())
}

/// The same list, a later page; the first one goes without a number.
pub(super) fn page(path: &str, number: u32) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    if number <= 1 { path.to_owned() } else { format!("{path}{joint}page={number}") }
}
