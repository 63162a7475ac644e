//! Secrets of connections, remembered under the `code` that stood on the row before they were read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use perezvon_domain::{AccountId, ConnectionId};

use crate::secrets::ConnectionSecret;

type Known = HashMap<(AccountId, ConnectionId), (i64, ConnectionSecret)>;

/// What this process has read.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<Known>>);

impl Remembered {
    /// The secret, if it was read under this very code.
    pub(super) fn get(&self, account: &AccountId, id: &ConnectionId, code: i64) -> Option<ConnectionSecret> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_under, secret) = known.get(&(account.clone(), id.clone()))?;
        (*read_under == code).then(|| secret.clone())
    }

    /// Remembers it.
    pub(super) fn put(&self, code: i64, secret: &ConnectionSecret) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((secret.account.clone(), secret.connection.clone()), (code, secret.clone()));
    }
}
