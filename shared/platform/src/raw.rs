//! The message on the raw queue: a webhook exactly as it came, under the channel its URL names.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

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
}

impl RawMessage {
    /// The exact bytes of the body.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        STANDARD.decode(&self.body).ok()
    }

    /// The text form of a body.
    pub fn encode(bytes: &[u8]) -> String {
        STANDARD.encode(bytes)
    }
}
