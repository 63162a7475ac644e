//! Settings versions: numbered, never changed; a head names the newest.

use std::collections::BTreeMap;

use perezvon_domain::{AccountId, CrmId, Policy, Timestamp};

use super::{SCHEMA, json_or_default, lenient, text};
use crate::keys;
use crate::table::{Condition, Row, TableError, Update, Value};

/// The head: small, read once per batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsHead {
    pub version: u64,
    /// Digest of the document of the newest version.
    pub digest: String,
    /// Name of the file it came from; empty: changed elsewhere.
    pub source: String,
    /// Digests of the tokens that were taken from files, by connection: each is taken once.
    pub tokens: BTreeMap<String, Vec<String>>,
    /// Users of the CRM who do not work there any more. Here, because whoever decides reads the head.
    pub dismissed: Vec<CrmId>,
}

impl SettingsHead {
    /// Reads the head.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        Ok(Self {
            version: u64::try_from(row.n("version").unwrap_or_default()).unwrap_or_default(),
            digest: row.s("digest").unwrap_or_default().to_owned(),
            source: row.s("source").unwrap_or_default().to_owned(),
            tokens: json_or_default(row, "tokens")?,
            dismissed: json_or_default(row, "dismissed")?,
        })
    }

    /// Keeps what the CRM said of its users, beside the settings.
    pub fn dismissed(account: &AccountId, dismissed: &[CrmId]) -> Update {
        Update::new(keys::settings_head(account)).set("dismissed", text(&dismissed)).when(Condition::Present)
    }

    /// Moves the head from the version that was read to the next one.
    pub fn advance(&self, account: &AccountId, seen: u64) -> Update {
        let condition = if seen == 0 {
            Condition::Absent
        } else {
            Condition::Eq("version".to_owned(), Value::N(i64::try_from(seen).unwrap_or(i64::MAX)))
        };
        Update::new(keys::settings_head(account))
            .set("version", i64::try_from(self.version).unwrap_or(i64::MAX))
            .set("digest", self.digest.clone())
            .set("source", self.source.clone())
            .set("tokens", text(&self.tokens))
            .when(condition)
    }
}

/// One version: the policy for decisions, and the document without secrets for people.
#[derive(Clone, Debug)]
pub struct SettingsVersion {
    pub policy: Policy,
    /// The document as JSON, secrets left out.
    pub document: String,
    pub applied_at: Timestamp,
    pub applied_by: String,
}

impl SettingsVersion {
    /// Reads a version.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        Ok(Self {
            policy: lenient(row, "policy")?,
            document: row.s("document").unwrap_or_default().to_owned(),
            applied_at: Timestamp(row.n("applied_at").unwrap_or_default()),
            applied_by: row.s("applied_by").unwrap_or_default().to_owned(),
        })
    }

    /// Writes the version, never over another: a number that a crash or a race used up is skipped.
    pub fn put(&self, account: &AccountId) -> Update {
        Update::new(keys::settings_version(account, self.policy.version))
            .set("schema", SCHEMA)
            .set("policy", text(&self.policy))
            .set("document", self.document.clone())
            .set("applied_at", self.applied_at.0)
            .set("applied_by", self.applied_by.clone())
            .when(Condition::Absent)
    }
}
