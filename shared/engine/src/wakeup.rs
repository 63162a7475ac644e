//! The wake-up: "look at this connection". It carries nothing else, so a duplicate is harmless.

use perezvon_domain::{AccountId, ConnectionId};
use perezvon_platform::Message;
use serde::{Deserialize, Serialize};

/// A message on the queue of `crm` or `outbound`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WakeUp {
    pub account: AccountId,
    pub connection: ConnectionId,
}

impl WakeUp {
    /// As a message, delivered after `delay_ms` milliseconds.
    pub fn message(&self, delay_ms: i64) -> Message {
        Message { body: serde_json::to_string(self).unwrap_or_default(), group: self.account.0.clone(), delay_ms }
    }
}
