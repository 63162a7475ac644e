//! Server-sent events: the facts of an account, as long as somebody listens.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::unfold;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::Instant;

use super::bus::Listening;

/// So often something is sent, so that nobody between us takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// A stream ends after this, and its reader comes again: whoever may not listen any more is refused then.
const LONGEST: Duration = Duration::from_secs(600);
/// When a reader comes again, in milliseconds.
const FIRST: &[u8] = b"retry: 3000\n\n";
const STILL_HERE: &[u8] = b":\n\n";
const DROPPED: &str = "Читатель не успевает за событиями и отключён. Подключитесь снова и читайте сразу.";

/// The headers at once, then facts as they come.
pub(super) fn response(listening: Listening) -> Response {
    let mut listening = listening;
    listening.missed.push_front(Bytes::from_static(FIRST));
    let ends = Instant::now() + LONGEST;
    let frames = unfold((listening, ends), |(mut listening, ends)| async move {
        let frame = next(&mut listening, ends).await?;
        Some((Ok::<_, Infallible>(frame), (listening, ends)))
    });
    let mut response = Response::new(Body::from_stream(frames));
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        (http::HeaderName::from_static("x-accel-buffering"), "no"),
        (http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

async fn next(listening: &mut Listening, ends: Instant) -> Option<Bytes> {
    if let Some(missed) = listening.missed.pop_front() {
        return Some(missed);
    }
    tokio::select! {
        fact = listening.facts.recv() => match fact {
            Some(fact) => Some(fact),
            // Said once, behind everything that was still to be read.
            None if listening.dropped.swap(false, Ordering::Relaxed) => {
                let why = serde_json::json!({ "why": DROPPED });
                Some(Bytes::from(format!("event: dropped\ndata: {why}\n\n")))
            }
            None => None,
        },
        () = tokio::time::sleep_until(ends) => None,
        () = tokio::time::sleep(KEEP_ALIVE) => Some(Bytes::from_static(STILL_HERE)),
    }
}
