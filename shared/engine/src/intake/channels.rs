//! Channel secrets, remembered for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use perezvon_adapters::provider;
use perezvon_platform::{Clock, Secrets};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::{Table, TableError, keys};

use crate::failure::Failure;
use crate::secrets::{self, ChannelSecret};
use crate::settings::channel_connection;

/// What is known of a channel.
pub struct Known {
    pub secret: ChannelSecret,
    /// Another channel answers for its account at the provider.
    pub superseded: bool,
    /// When that was looked at.
    looked_ms: i64,
}

/// How long a channel counts as not superseded without a look: decisions take nothing of such a channel in anyway, so
/// all that is wrong meanwhile is a count.
const LOOK_MS: i64 = 600_000;

type Remembered = HashMap<String, (i64, Option<Arc<Known>>)>;

/// A cache over the secret store, and over what the row of a connection says of its channel.
pub struct ChannelSecrets {
    table: Arc<dyn Table>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    /// How long a record is remembered.
    remembered_ms: i64,
    known: Mutex<Remembered>,
}

impl ChannelSecrets {
    /// An empty cache.
    pub fn new(table: Arc<dyn Table>, secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>, remembered_ms: i64) -> Self {
        Self { table, secrets, clock, remembered_ms, known: Mutex::default() }
    }

    /// The record of a channel. `again`: what is remembered did not fit, so look whether it changed.
    pub async fn get(&self, account: &str, channel: &str, again: bool) -> Result<Option<Arc<Known>>, Failure> {
        let name = ChannelSecret::name(account, channel);
        let now = self.clock.monotonic_ms();
        let limit = if again { secrets::FRESH_MS } else { self.remembered_ms };
        let remembered = self.remembered(&name);
        if let Some((read_at, record)) = &remembered
            && now - read_at < limit
        {
            return Ok(record.clone());
        }
        let before = remembered.and_then(|(_, record)| record).filter(|it| !again && now - it.looked_ms < LOOK_MS);
        let record = match secrets::read::<ChannelSecret>(self.secrets.as_ref(), &name).await? {
            Some(secret) => {
                let (superseded, looked_ms) = match before {
                    Some(it) => (it.superseded, it.looked_ms),
                    None => (self.is_superseded(&secret).await?, now),
                };
                Some(Arc::new(Known { secret, superseded, looked_ms }))
            }
            None => None,
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name, (now, record.clone()));
        Ok(record)
    }

    async fn is_superseded(&self, secret: &ChannelSecret) -> Result<bool, TableError> {
        if provider(&secret.provider).is_none_or(|provider| provider.settings.own_id().is_none()) {
            return Ok(false);
        }
        let row = self.table.get(&keys::connection(&secret.account, &channel_connection(&secret.channel))).await?;
        let row = row.as_ref().map(ConnectionRow::read).transpose()?;
        Ok(row.is_some_and(|row| row.superseded.is_some()))
    }

    fn remembered(&self, name: &str) -> Option<(i64, Option<Arc<Known>>)> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}
