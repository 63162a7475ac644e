//! Channel secrets, remembered for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use perezvon_engine::secrets::{self, ChannelSecret};
use perezvon_platform::{Clock, PortError, Secrets};

type Known = HashMap<String, (i64, Option<Arc<ChannelSecret>>)>;

/// A cache over the secret store.
pub struct ChannelSecrets {
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    /// How long a record is remembered.
    remembered_ms: i64,
    known: Mutex<Known>,
}

impl ChannelSecrets {
    /// An empty cache.
    pub fn new(secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>, remembered_ms: i64) -> Self {
        Self { secrets, clock, remembered_ms, known: Mutex::default() }
    }

    /// The record of a channel. `again`: what is remembered did not fit, so look whether it changed.
    pub async fn get(
        &self,
        account: &str,
        channel: &str,
        again: bool,
    ) -> Result<Option<Arc<ChannelSecret>>, PortError> {
        let name = ChannelSecret::name(account, channel);
        let now = self.clock.monotonic_ms();
        let limit = if again { secrets::FRESH_MS } else { self.remembered_ms };
        if let Some((read_at, record)) = self.remembered(&name)
            && now - read_at < limit
        {
            return Ok(record);
        }
        let record: Option<ChannelSecret> = secrets::read(self.secrets.as_ref(), &name).await?;
        let record = record.map(Arc::new);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name, (now, record.clone()));
        Ok(record)
    }

    fn remembered(&self, name: &str) -> Option<(i64, Option<Arc<ChannelSecret>>)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}
