//! Policies: the small head once per batch, the version only when its number changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use perezvon_domain::{AccountId, Policy};
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use perezvon_store::{Table, TableError, keys};

/// A cache of policies by account. Never stale: the head is read each time.
#[derive(Default)]
pub struct Policies {
    known: Mutex<HashMap<AccountId, Arc<Policy>>>,
}

impl Policies {
    /// The newest policy of an account; `None`: nothing was ever applied.
    pub async fn read(&self, table: &dyn Table, account: &AccountId) -> Result<Option<Arc<Policy>>, TableError> {
        let Some(row) = table.get(&keys::settings_head(account)).await? else { return Ok(None) };
        let head = SettingsHead::read(&row)?;
        let is_this = |policy: &Arc<Policy>| policy.version == head.version && policy.dismissed == head.dismissed;
        if let Some(policy) = self.cached(account).filter(is_this) {
            return Ok(Some(policy));
        }
        let Some(row) = table.get(&keys::settings_version(account, head.version)).await? else { return Ok(None) };
        let policy = Policy { dismissed: head.dismissed, ..SettingsVersion::read(&row)?.policy };
        let policy = Arc::new(policy);
        if let Ok(mut known) = self.known.lock() {
            known.insert(account.clone(), policy.clone());
        }
        Ok(Some(policy))
    }

    fn cached(&self, account: &AccountId) -> Option<Arc<Policy>> {
        self.known.lock().ok()?.get(account).cloned()
    }
}
