//! Secrets of connections, remembered under the `code` that stood on the row before they were read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use perezvon_domain::{AccountId, ConnectionId};
use perezvon_platform::Secrets;

use super::Codecs;
use super::authorise::with_given;
use crate::failure::Failure;
use crate::secrets::{self, ConnectionSecret};

type Known = HashMap<(AccountId, ConnectionId), (i64, ConnectionSecret)>;

/// What this process has read.
#[derive(Clone, Default)]
pub struct Remembered(Arc<Mutex<Known>>);

/// The secret as it stands in the store.
pub(super) async fn read(
    secrets: &dyn Secrets,
    codecs: Codecs,
    account: &AccountId,
    id: &ConnectionId,
) -> Result<Option<ConnectionSecret>, Failure> {
    match secrets::read(secrets, &ConnectionSecret::name(account, id)).await? {
        Some(own) => Ok(Some(with_given(codecs, secrets, own).await?)),
        None => Ok(None),
    }
}

impl Remembered {
    /// The secret under this code: every write of a secret raises it afterwards, so a known one is not read again.
    pub(crate) async fn secret(
        &self,
        secrets: &dyn Secrets,
        codecs: Codecs,
        account: &AccountId,
        id: &ConnectionId,
        code: i64,
    ) -> Result<Option<ConnectionSecret>, Failure> {
        if let Some(known) = self.get(account, id, code) {
            return Ok(Some(known));
        }
        let secret = read(secrets, codecs, account, id).await?;
        if let Some(secret) = &secret {
            self.put(code, secret);
        }
        Ok(secret)
    }

    fn get(&self, account: &AccountId, id: &ConnectionId, code: i64) -> Option<ConnectionSecret> {
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
