//! The ports: what a function may ask of the world.

use std::collections::BTreeMap;
use std::pin::Pin;

use async_trait::async_trait;
use futures_util::Stream;

/// Something of the world did not do what it was asked to; trying again may help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{port}: {why}")]
pub struct PortError {
    /// Which port: `queue raw`, `secrets` ...
    pub port: String,
    pub why: String,
    /// Never taken as it is, however often it is tried.
    pub refused: bool,
}

impl PortError {
    /// An error of this port that may pass.
    pub fn new(port: impl Into<String>, why: impl std::fmt::Display) -> Self {
        Self { port: port.into(), why: why.to_string(), refused: false }
    }

    /// The same, for what this port will never take.
    #[must_use]
    pub fn for_good(self) -> Self {
        Self { refused: true, ..self }
    }
}

/// A message for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub body: String,
    /// Fair share: the channel or the account it belongs to.
    pub group: String,
    /// Not delivered before this many milliseconds have passed; at most 900,000.
    pub delay_ms: i64,
}

/// One queue: at least once, in any order.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends all; an error means that any of them may have been sent.
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError>;
}

/// A fact for the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusEvent {
    /// The effect id: listeners deduplicate on it.
    pub id: String,
    pub account: String,
    /// The detail type: `CallMissed`.
    pub name: String,
    /// JSON.
    pub detail: String,
}

/// The event bus.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes all, at least once.
    async fn publish(&self, events: Vec<BusEvent>) -> Result<(), PortError>;
}

/// Named secrets, JSON texts.
#[async_trait]
pub trait Secrets: Send + Sync {
    async fn get(&self, name: &str) -> Result<Option<String>, PortError>;
    async fn put(&self, name: &str, value: &str) -> Result<(), PortError>;
}

/// A body in pieces.
pub type Chunks = Pin<Box<dyn Stream<Item = Result<Vec<u8>, PortError>> + Send>>;

/// A body that is there as a whole.
pub fn whole(bytes: Vec<u8>) -> Chunks {
    Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes))))
}

/// A part of a blob, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub media_type: String,
    /// Size of the whole blob.
    pub total: u64,
    /// First byte of this part.
    pub from: u64,
    pub bytes: Vec<u8>,
}

/// Large bodies.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Stores all chunks under the key, whole or not at all; refuses more than `limit` bytes. Returns the size.
    async fn put(&self, key: &str, media_type: &str, chunks: Chunks, limit: u64) -> Result<u64, PortError>;
    /// Bytes `from..=to` (to the end if `None`), never more than 4 MiB in one answer.
    async fn get(&self, key: &str, from: u64, to: Option<u64>) -> Result<Option<Blob>, PortError>;
    /// Takes it away; one that is not there is gone already.
    async fn remove(&self, key: &str) -> Result<(), PortError>;
    /// A link that hands the blob out to whoever has it, for a few minutes; `None`: this store is not reached
    /// from outside. With a file name it is a download.
    async fn link(&self, _key: &str, _media_type: &str, _file: Option<&str>) -> Result<Option<String>, PortError> {
        Ok(None)
    }
}

/// A request to the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Time for the whole answer.
    pub timeout_ms: i64,
}

/// A small answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    pub status: u16,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// An answer whose body has not been read yet.
pub struct Streamed {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub chunks: Chunks,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Certainly not carried out: no connection, or refused by our own guard.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Sent, perhaps carried out: time-out, connection lost, answer too large.
    #[error("sent, no usable answer: {0}")]
    Unknown(String),
}

/// The outgoing HTTP client.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends and reads an answer of at most 1 MiB. Redirects are answers, never followed.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
    /// Sends and hands the body over in pieces.
    async fn fetch(&self, request: HttpRequest) -> Result<Streamed, HttpError>;
}

/// The clock.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch, by this host's clock.
    fn now_ms(&self) -> i64;
    /// Milliseconds by a clock that only goes forward; its zero means nothing.
    fn monotonic_ms(&self) -> i64;
    /// Waits.
    async fn sleep_ms(&self, ms: i64);
}
