//! What a system tells or asks by itself.

use serde::{Deserialize, Serialize};

/// A request that the server around a system is to make: POST to exactly this address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Every post of a system has its own.
    pub number: u64,
    /// What stands behind the base address: `call_events`.
    pub method: String,
    pub url: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// So long it waits for the answer, in milliseconds.
    pub wait_ms: i64,
    pub sent_ms: i64,
}

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    pub at_ms: i64,
    pub method: String,
    pub body: String,
    /// 0: no answer.
    pub status: u16,
}
