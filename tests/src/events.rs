//! The events that Lambda would hand to a function.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::sqs::SqsEvent;
use serde_json::json;

use crate::queue::Waiting;

/// The event as Lambda gets it from SQS.
pub fn sqs_event(messages: &[Waiting]) -> SqsEvent {
    let records: Vec<_> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id.to_string(),
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": message.receives.to_string()},
            })
        })
        .collect();
    serde_json::from_value(json!({ "Records": records })).expect("the shape of an SQS event")
}

/// The event as Lambda gets it from the HTTP API: a form comes base64-encoded.
pub fn gateway_request(
    path: &str,
    content_type: &str,
    body: &[u8],
    number: u64,
    now_ms: i64,
) -> ApiGatewayV2httpRequest {
    let event = json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": content_type, "host": "calls.test"},
        "requestContext": {
            "requestId": format!("request-{number:06}"),
            "timeEpoch": now_ms,
            "http": {"method": "POST", "path": path, "sourceIp": "81.88.80.132"},
        },
        "body": perezvon_platform::raw::RawMessage::encode(body),
        "isBase64Encoded": true,
    });
    serde_json::from_value(event).expect("the shape of an HTTP API event")
}
