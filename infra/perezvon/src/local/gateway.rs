//! The gateway: an HTTP request as the event a function gets, and its answer as an HTTP response.

use std::net::IpAddr;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body as EventBody;
use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

/// What the gateway itself knows of a request.
pub(super) struct Arrival {
    /// Random, 128 bits in hex; the same at every redelivery.
    pub id: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    pub source_ip: String,
}

/// The event of a request.
pub(super) fn event(parts: &Parts, body: &[u8], arrival: Arrival) -> ApiGatewayV2httpRequest {
    let path = parts.uri.path().to_owned();
    let mut event = ApiGatewayV2httpRequest::default();
    event.version = Some("2.0".to_owned());
    event.route_key = Some("$default".to_owned());
    event.raw_path = Some(path.clone());
    event.raw_query_string = Some(parts.uri.query().unwrap_or_default().to_owned());
    event.cookies = cookies(&parts.headers);
    event.headers = headers(&parts.headers);
    (event.body, event.is_base64_encoded) = encoded(body, &parts.headers);
    let context = &mut event.request_context;
    context.stage = Some("$default".to_owned());
    context.request_id = Some(arrival.id);
    context.time_epoch = arrival.at_ms;
    context.http.method = parts.method.clone();
    context.http.path = Some(path);
    context.http.protocol = Some("HTTP/1.1".to_owned());
    context.http.source_ip = Some(arrival.source_ip);
    context.http.user_agent = text(&parts.headers, http::header::USER_AGENT.as_str());
    event
}

/// The gateway takes cookies out of the headers.
fn cookies(headers: &HeaderMap) -> Option<Vec<String>> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<String> =
        values.flat_map(|value| value.split(';')).map(|cookie| cookie.trim().to_owned()).collect();
    (!cookies.is_empty()).then_some(cookies)
}

/// One line per name: values of a repeated header are joined by commas.
fn headers(given: &HeaderMap) -> HeaderMap {
    let mut joined = HeaderMap::new();
    for name in given.keys().filter(|name| **name != COOKIE) {
        if let Some(value) = text(given, name.as_str()).and_then(|text| HeaderValue::from_str(&text).ok()) {
            joined.insert(name.clone(), value);
        }
    }
    joined
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<String> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Text stays text; forms and what is no text travel in base64, so that not a byte is touched.
fn encoded(body: &[u8], headers: &HeaderMap) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = content_type.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded");
    match std::str::from_utf8(body) {
        Ok(text) if !form => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

/// The answer of a function as a response. One that HTTP cannot carry is a 502, as at the gateway.
pub(super) fn response(answer: ApiGatewayV2httpResponse) -> Response {
    let status = u16::try_from(answer.status_code).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let (Some(status), Some(body)) = (status, decoded(answer.body, answer.is_base64_encoded)) else {
        return plain(StatusCode::BAD_GATEWAY);
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = answer.headers;
    response.headers_mut().extend(answer.multi_value_headers);
    for cookie in answer.cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

fn decoded(body: Option<EventBody>, base64: bool) -> Option<Vec<u8>> {
    match body {
        Some(EventBody::Text(text)) if base64 => STANDARD.decode(text).ok(),
        Some(EventBody::Text(text)) => Some(text.into_bytes()),
        Some(EventBody::Binary(bytes)) => Some(bytes),
        _ => Some(Vec::new()),
    }
}

/// An answer of the gateway itself.
pub(super) fn plain(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = Response::new(Body::from(format!("{{\"message\":\"{reason}\"}}")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whom a request is from: who opened the line, or whom a proxy that is trusted names last.
pub(super) fn source(headers: &HeaderMap, line: IpAddr, trusted: Option<IpAddr>) -> IpAddr {
    let trusts = trusted.is_some_and(|trusted| trusted.to_canonical() == line.to_canonical());
    let forwarded = text(headers, "x-forwarded-for").filter(|_| trusts);
    let last = forwarded.and_then(|list| list.rsplit(',').next().and_then(|last| last.trim().parse().ok()));
    last.unwrap_or(line)
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_trusted_proxy_says_whom_a_request_is_from() {
        let [proxy, other] = ["127.0.0.1", "10.0.0.9"].map(|text| text.parse::<IpAddr>().expect("an address"));
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("6.6.6.6, 81.88.80.132"));
        let from = |line, trusted| source(&headers, line, trusted).to_string();
        assert_eq!(from(proxy, Some(proxy)), "81.88.80.132", "what the proxy added; the rest anybody may write");
        assert_eq!(from(other, Some(proxy)), "10.0.0.9");
        assert_eq!(from(proxy, None), "127.0.0.1");
        let none = HeaderMap::new();
        assert_eq!(source(&none, proxy, Some(proxy)), proxy);
    }

    use http::Request;
    use http_body_util::BodyExt as _;

    use super::*;

    fn of(request: http::request::Builder, body: &[u8]) -> ApiGatewayV2httpRequest {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let arrival = Arrival { id: "0a".to_owned(), at_ms: 17, source_ip: "203.0.113.9".to_owned() };
        event(&parts, body, arrival)
    }

    #[test]
    fn an_event_carries_the_request_as_it_came() {
        let request = Request::post("/h/t%2Fx/events/call?a=%D0%B0&b")
            .header("X-Some", "1")
            .header("X-Some", "2")
            .header("Cookie", "a=1; b=2")
            .header("Content-Type", "application/json");
        let event = of(request, "{\"имя\":1}".as_bytes());
        assert_eq!(event.raw_path.as_deref(), Some("/h/t%2Fx/events/call"));
        assert_eq!(event.raw_query_string.as_deref(), Some("a=%D0%B0&b"));
        assert_eq!(event.cookies, Some(vec!["a=1".to_owned(), "b=2".to_owned()]));
        assert_eq!(event.headers.get("x-some").map(HeaderValue::as_bytes), Some(&b"1,2"[..]));
        assert!(!event.headers.contains_key("cookie"));
        assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("{\"имя\":1}"), false));
        let context = &event.request_context;
        assert_eq!((context.request_id.as_deref(), context.time_epoch), (Some("0a"), 17));
        assert_eq!(context.http.method, http::Method::POST);
        assert_eq!(context.http.source_ip.as_deref(), Some("203.0.113.9"));
    }

    #[test]
    fn forms_and_bytes_that_are_no_text_travel_in_base64() {
        let form = Request::post("/h/x").header("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8");
        let event = of(form, b"json=%7B%7D");
        assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("anNvbj0lN0IlN0Q="), true));
        let event = of(Request::post("/h/x"), &[0xff, 0xfe]);
        assert_eq!((event.body.as_deref(), event.is_base64_encoded), (Some("//4="), true));
        let event = of(Request::get("/"), b"");
        assert_eq!((event.body, event.is_base64_encoded), (None, false));
    }

    #[tokio::test]
    async fn an_answer_leaves_with_its_bytes_headers_and_cookies() {
        let mut answer = ApiGatewayV2httpResponse::default();
        answer.status_code = 206;
        answer.is_base64_encoded = true;
        answer.body = Some(EventBody::Text("//4=".to_owned()));
        answer.headers.insert("content-range", HeaderValue::from_static("bytes 0-1/2"));
        answer.cookies = vec!["a=1".to_owned(), "b=2".to_owned()];
        let response = response(answer);
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert!(response.headers().contains_key("content-range"));
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert_eq!(body.as_ref(), [0xff, 0xfe]);
    }

    #[test]
    fn an_answer_that_http_cannot_carry_is_a_bad_gateway() {
        let mut answer = ApiGatewayV2httpResponse::default();
        answer.status_code = 200;
        answer.is_base64_encoded = true;
        answer.body = Some(EventBody::Text("?".to_owned()));
        assert_eq!(response(answer).status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response(ApiGatewayV2httpResponse::default()).status(), StatusCode::BAD_GATEWAY);
    }
}
