//! Takes webhooks in: URL token, body limit, the exact bytes onto the raw queue, 200.
//!
//! No table, no secret, no clock: intake depends on as little as possible, because no provider
//! promises to send a webhook again. What a request means is found out behind the queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perezvon_platform::hook::{CheckedTokens, Hook};
use perezvon_platform::raw::RawMessage;
use perezvon_platform::{Message, Queue};

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["sqs:SendMessage"];

/// Longest header that is kept, in bytes.
const HEADER_LIMIT: usize = 512;
/// The answer of an installation that was deployed without keys.
const NO_KEYS: &str = r#"{"error":"this installation has no hook keys yet: run `perezvon keys` and deploy again"}"#;

/// The function.
pub struct Ingest {
    pub tokens: CheckedTokens,
    pub raw: Arc<dyn Queue>,
}

impl Ingest {
    /// Answers one request. 200 means: durably on the raw queue.
    pub async fn handle(&self, request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        let http = &request.request_context.http;
        let path = request.raw_path.as_deref().or(http.path.as_deref()).unwrap_or_default();
        let Some((token, suffix)) = split(path) else { return answer(404) };
        if !self.tokens.has_keys() {
            tracing::error!("webhook not accepted: there are no hook keys; run `perezvon keys` and deploy again");
            return told(503, NO_KEYS);
        }
        // Strangers get 404 and never reach the queue.
        let Some(hook) = self.tokens.check(token) else { return answer(404) };
        if !matches!(http.method.as_str(), "POST" | "GET") {
            return answer(405);
        }
        let Some(body) = body(&request) else { return answer(400) };
        if body.len() > hook.body_limit as usize {
            return answer(413);
        }
        let message = raw_message(&request, hook, suffix, &body);
        let group = format!("{}.{}", message.account, message.channel);
        let Ok(text) = serde_json::to_string(&message) else { return answer(500) };
        match self.raw.send(vec![Message { body: text, group, delay_ms: 0 }]).await {
            Ok(()) => answer(200),
            Err(error) => {
                tracing::error!(%error, request = message.id, "webhook not accepted");
                answer(503)
            }
        }
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

/// Providers read the status alone; an empty object suits those who parse.
fn answer(status: i64) -> ApiGatewayV2httpResponse {
    told(status, "{}")
}

fn told(status: i64, body: &str) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    response.body = Some(Body::Text(body.to_owned()));
    response.headers.insert("content-type", http_value("application/json"));
    response
}

fn http_value(text: &'static str) -> aws_lambda_events::http::HeaderValue {
    aws_lambda_events::http::HeaderValue::from_static(text)
}
