//! The bus of one machine: facts are told in the log, for there is nobody else to tell.

use async_trait::async_trait;
use perezvon_platform::{Bus, BusEvent, PortError};

/// Tells facts in the log; never what is in them.
pub(super) struct LogBus;

#[async_trait]
impl Bus for LogBus {
    async fn publish(&self, events: Vec<BusEvent>) -> Result<(), PortError> {
        for event in events {
            tracing::info!(account = event.account, id = event.id, "{}", event.name);
        }
        Ok(())
    }
}
