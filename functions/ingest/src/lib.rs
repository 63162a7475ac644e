//! Takes webhooks in: URL token, body limit, the exact bytes onto the raw queue, 200.
//!
//! No table, no secret, no clock: intake depends on as little as possible, because no provider
//! promises to send a webhook again. What a request means is found out behind the queue.

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use perezvon_platform::hook::CheckedTokens;
use perezvon_platform::raw::{RawMessage, Turned};
use perezvon_platform::{Message, Queue};

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["sqs:SendMessage"];

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
        // Strangers get 404 and never reach the queue.
        let message = match RawMessage::of(&request, &self.tokens) {
            Ok(message) => message,
            Err(Turned::NoKeys) => {
                tracing::error!("webhook not accepted: there are no hook keys; run `perezvon keys` and deploy again");
                return told(503, NO_KEYS);
            }
            Err(Turned::Away(status)) => return answer(status),
        };
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
