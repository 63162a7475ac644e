//! HTTP in, while a caller waits: who is this, and whom shall the PBX ring? The URL's token and the signature are checked
//! here and now, and whoever is not believed learns nothing.

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderName, HeaderValue};
use perezvon_engine::answer::Answerer;
use perezvon_platform::hook::CheckedTokens;
use perezvon_platform::raw::{RawMessage, Turned};

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["secretsmanager:GetSecretValue", "dynamodb:GetItem", "dynamodb:UpdateItem"];

/// The function.
pub struct Answer {
    pub tokens: CheckedTokens,
    pub answerer: Answerer,
}

impl Answer {
    /// Answers one question before its time is up, counted from the gateway's receipt.
    pub async fn handle(&self, request: ApiGatewayV2httpRequest) -> ApiGatewayV2httpResponse {
        let message = match RawMessage::of(&request, &self.tokens) {
            Ok(message) => message,
            Err(Turned::NoKeys) => {
                tracing::error!("nobody is believed: there are no hook keys; run `perezvon keys` and deploy again");
                return response(503, &[], b"{}");
            }
            Err(Turned::Away(status)) => return response(status, &[], b"{}"),
        };
        let said = self.answerer.answer(&message).await;
        response(said.status, &said.headers, &said.body)
    }
}

fn response(status: i64, headers: &[(&'static str, String)], body: &[u8]) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = status;
    response.body = Some(Body::Text(String::from_utf8_lossy(body).into_owned()));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            response.headers.insert(name, value);
        }
    }
    response
}
