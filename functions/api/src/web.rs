//! The HTTP side: the gateway's event as a small request, answers and errors as its response.

use std::collections::BTreeMap;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use perezvon_engine::Failure;
use perezvon_platform::PortError;
use perezvon_store::TableError;
use perezvon_store::lenient;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::texts;

/// Largest body taken, in bytes: settings are the largest thing anybody sends.
const LARGEST_BODY: usize = 512 * 1024;

/// Largest picture taken, in bytes: in base64 it still fits into what the gateway hands on, 6 MB.
pub const LARGEST_IMAGE: usize = 4 * 1024 * 1024;

/// A request, read once.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    /// Segments of the path, decoded, without empty ones.
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub cookies: Vec<String>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the gateway's event.
    pub fn read(event: ApiGatewayV2httpRequest) -> Result<Self, Problem> {
        let raw_path = event.raw_path.unwrap_or_default();
        let query = event.raw_query_string.unwrap_or_default();
        let headers: BTreeMap<String, String> = event
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        // The gateway takes cookies out of the headers; a plain server leaves them there.
        let mut cookies = event.cookies.unwrap_or_default();
        let header = headers.get("cookie").map(String::as_str).unwrap_or_default();
        cookies.extend(header.split(';').map(|cookie| cookie.trim().to_owned()));
        let path = segments(&raw_path);
        let most = if path.last().is_some_and(|last| last == "image") { LARGEST_IMAGE } else { LARGEST_BODY };
        Ok(Self {
            method: event.request_context.http.method.as_str().to_owned(),
            path,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            cookies,
            body: body(event.body, event.is_base64_encoded, most)?,
        })
    }

    /// A parameter of the query, if it is there and not empty.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A whole number of the query.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Problem> {
        let read = |value: &str| value.parse().map_err(|_| Problem::bad(texts::not_a_number(name, value)));
        self.param(name).map(read).transpose()
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| Problem::bad(texts::not_json(&error)))
    }

    /// The same for what is stored then: by the reader of what is stored, because a second one weighs 40 KB.
    pub fn strict_json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        lenient::strict(&self.body).map_err(|error| Problem::bad(texts::not_json(&error)))
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The decoded segments of a path.
pub fn segments(path: &str) -> Vec<String> {
    let decode = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    path.split('/').filter(|segment| !segment.is_empty()).map(decode).collect()
}

fn body(text: Option<String>, encoded: bool, most: usize) -> Result<Vec<u8>, Problem> {
    let text = text.unwrap_or_default();
    let bytes = if encoded {
        STANDARD.decode(text).map_err(|_| Problem::bad(texts::BAD_BASE64.to_owned()))?
    } else {
        text.into_bytes()
    };
    if bytes.len() > most {
        return Err(Problem { status: 413, ..Problem::bad(texts::too_large(most)) });
    }
    Ok(bytes)
}

/// An answer that is being put together.
#[derive(Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    cookies: Vec<String>,
    body: Body,
    encoded: bool,
}

impl Reply {
    /// An answer without a body: an empty text, because `null` is not understood by every gateway.
    pub fn empty(status: u16) -> Self {
        let headers = vec![("cache-control", "private, no-store".to_owned())];
        Self { status, headers, cookies: Vec::new(), body: Body::Text(String::new()), encoded: false }
    }

    /// A JSON answer.
    pub fn json<T: Serialize>(status: u16, value: &T) -> Self {
        let text = serde_json::to_string(value).unwrap_or_default();
        Self::empty(status).typed("application/json; charset=utf-8", Body::Text(text))
    }

    /// A text of this media type.
    pub fn text(media_type: &str, text: &str) -> Self {
        Self::empty(200).typed(media_type, Body::Text(text.to_owned()))
    }

    /// Bytes of this media type; the gateway decodes them from base64.
    pub fn bytes(status: u16, media_type: &str, bytes: &[u8]) -> Self {
        let text = Body::Text(STANDARD.encode(bytes));
        Self { encoded: true, ..Self::empty(status).typed(media_type, text) }
    }

    /// Sends the browser elsewhere.
    pub fn redirect(status: u16, to: &str) -> Self {
        Self::empty(status).header("location", to)
    }

    fn typed(self, media_type: &str, body: Body) -> Self {
        Self { body, ..self.header("content-type", media_type) }
    }

    /// The same answer under another status.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds a header, or replaces it.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Sets a cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: String) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// As the gateway's response. A header value that HTTP cannot carry is left out.
    pub fn finish(self) -> ApiGatewayV2httpResponse {
        let mut response = ApiGatewayV2httpResponse::default();
        response.status_code = i64::from(self.status);
        response.body = Some(self.body);
        response.is_base64_encoded = self.encoded;
        response.cookies = self.cookies;
        let always = [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")];
        let always = always.map(|(name, value)| (name, value.to_owned()));
        for (name, value) in self.headers.into_iter().chain(always) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// An answer that says what is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub status: u16,
    pub error: String,
    pub what_to_do: String,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: u16, (error, what_to_do): (&str, &str)) -> Self {
        Self { status, error: error.to_owned(), what_to_do: what_to_do.to_owned() }
    }

    /// The request itself is wrong (400).
    pub fn bad(error: String) -> Self {
        Self { status: 400, error, what_to_do: texts::CORRECT_THE_REQUEST.to_owned() }
    }

    /// There is no such thing, or not for this person (404).
    pub fn not_found() -> Self {
        Self::new(404, texts::NOT_FOUND)
    }

    /// As a response.
    pub fn reply(&self) -> Reply {
        let body = serde_json::json!({ "error": self.error, "what_to_do": self.what_to_do });
        let reply = Reply::json(self.status, &body);
        if self.status == 503 { reply.header("retry-after", "5") } else { reply }
    }
}

impl From<TableError> for Problem {
    fn from(error: TableError) -> Self {
        tracing::error!(%error, "the table did not do what was asked");
        Self::new(503, texts::TRY_AGAIN)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        tracing::error!(%failure, "a command was not committed");
        Self::new(503, texts::TRY_AGAIN)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        tracing::error!(%error, "a port did not do what was asked");
        Self::new(503, texts::TRY_AGAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: serde_json::Value) -> ApiGatewayV2httpRequest {
        let mut whole = serde_json::json!({ "requestContext": { "http": { "method": "GET" } } });
        let object = whole.as_object_mut().expect("an object");
        object.extend(json.as_object().expect("an object").clone());
        serde_json::from_value(whole).expect("an event")
    }

    #[test]
    fn path_query_and_cookies_of_the_gateway_are_read() {
        let request = Request::read(event(serde_json::json!({
            "rawPath": "/api/v1//accounts/%D0%B0/calls/",
            "rawQueryString": "limit=5&number=%2B7999&from=",
            "cookies": ["a=1"],
            "headers": { "Cookie": "b=2; c=3" },
        })));
        let request = request.expect("a request");
        assert_eq!(request.path, ["api", "v1", "accounts", "а", "calls"]);
        assert_eq!(request.param("number"), Some("+7999"));
        assert_eq!((request.param("from"), request.number("limit")), (None, Ok(Some(5))));
        assert_eq!(request.cookies, ["a=1", "b=2", "c=3"]);
    }

    #[test]
    fn a_number_that_is_none_is_told_with_its_name() {
        let request = Request::read(event(serde_json::json!({ "rawQueryString": "limit=many" })));
        let problem = request.expect("a request").number("limit").expect_err("no number");
        assert_eq!(problem.status, 400);
        assert!(problem.error.contains("limit"), "{problem:?}");
    }

    #[test]
    fn a_body_over_the_limit_or_in_bad_base64_is_refused() {
        let large = "x".repeat(LARGEST_BODY + 1);
        let status = |json| Request::read(event(json)).expect_err("refused").status;
        assert_eq!(status(serde_json::json!({ "body": large })), 413);
        assert_eq!(status(serde_json::json!({ "body": "?", "isBase64Encoded": true })), 400);
    }

    #[test]
    fn bytes_leave_in_base64_and_errors_as_json() {
        let response = Reply::bytes(206, "audio/mpeg", b"\xff\xfb").finish();
        assert_eq!((response.status_code, response.is_base64_encoded), (206, true));
        assert_eq!(response.body, Some(Body::Text("//s=".to_owned())));
        let response = Problem::new(503, texts::TRY_AGAIN).reply().finish();
        assert_eq!(response.headers.get("retry-after").map(HeaderValue::as_bytes), Some(&b"5"[..]));
    }
}
