//! The message on the raw queue: a webhook exactly as it came, under the channel its URL names.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::hook::{CheckedTokens, Hook};

/// Longest header that is kept, in bytes.
const HEADER_LIMIT: usize = 512;

/// A webhook on its way to `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawMessage {
    /// The gateway's id of the request: the same at every redelivery.
    pub id: String,
    pub account: String,
    pub channel: String,
    /// The generation of the URL it came by.
    pub generation: u32,
    /// What follows the token in the URL, without slashes at the ends.
    pub path: String,
    /// Names in lower case; only those an adapter may need.
    pub headers: BTreeMap<String, String>,
    /// Base64 of the exact bytes.
    pub body: String,
    /// Milliseconds since the Unix epoch, by the gateway's clock.
    pub received_at: i64,
    /// The address it came from, as the gateway saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Why a request never becomes a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Of an installation that was deployed without keys.
    NoKeys,
    /// Answered with this status.
    Away(i64),
}

impl RawMessage {
    /// A request to `/h/{token}/{anything}` as the gateway hands it over.
    ///
    /// # Errors
    /// Its token, its method or its body will not do.
    pub fn of(request: &ApiGatewayV2httpRequest, tokens: &CheckedTokens) -> Result<Self, Turned> {
        let http = &request.request_context.http;
        let path = request.raw_path.as_deref().or(http.path.as_deref()).unwrap_or_default();
        let (token, suffix) = split(path).ok_or(Turned::Away(404))?;
        if !tokens.has_keys() {
            return Err(Turned::NoKeys);
        }
        let hook = tokens.check(token).ok_or(Turned::Away(404))?;
        if !matches!(http.method.as_str(), "POST" | "GET") {
            return Err(Turned::Away(405));
        }
        let body = body(request).ok_or(Turned::Away(400))?;
        if body.len() > hook.body_limit as usize {
            return Err(Turned::Away(413));
        }
        Ok(raw_message(request, hook, suffix, &body))
    }

    /// The exact bytes of the body.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.body).ok()
    }

    /// The text form of a body.
    pub fn encode(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }
}

/// `/h/{token}/{anything}`: the token and what the provider appended.
fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/h/")?;
    let (token, suffix) = rest.split_once('/').unwrap_or((rest, ""));
    Some((token, suffix.trim_matches('/')))
}

fn body(request: &ApiGatewayV2httpRequest) -> Option<Vec<u8>> {
    let text = request.body.as_deref().unwrap_or_default();
    if request.is_base64_encoded { STANDARD.decode(text).ok() } else { Some(text.as_bytes().to_vec()) }
}

fn raw_message(request: &ApiGatewayV2httpRequest, hook: Hook, suffix: &str, body: &[u8]) -> RawMessage {
    let context = &request.request_context;
    RawMessage {
        id: context.request_id.clone().unwrap_or_default(),
        account: hook.account,
        channel: hook.channel,
        generation: hook.generation,
        path: suffix.to_owned(),
        headers: headers(request),
        body: RawMessage::encode(body),
        received_at: context.time_epoch,
        from: context.http.source_ip.clone(),
    }
}

/// What an adapter may need: the content type, and the headers that providers add themselves.
fn headers(request: &ApiGatewayV2httpRequest) -> BTreeMap<String, String> {
    let wanted = |name: &str| {
        name == "content-type"
            || (name.starts_with("x-") && !name.starts_with("x-forwarded-") && !name.starts_with("x-amz"))
    };
    let mut kept = BTreeMap::new();
    for (name, value) in &request.headers {
        if let (true, Ok(value)) = (wanted(name.as_str()), value.to_str())
            && value.len() <= HEADER_LIMIT
        {
            kept.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    kept
}
