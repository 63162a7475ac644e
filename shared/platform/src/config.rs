//! Configuration from environment variables: each read once, every fault told in one message.
//!
//! ```
//! # use perezvon_platform::config::{Env, RAW_QUEUE_URL, TABLE_NAME};
//! let mut env = Env::from_map([(TABLE_NAME, "calls")]);
//! let table = env.required(TABLE_NAME);
//! let queue = env.required(RAW_QUEUE_URL);
//! assert!(env.finish().is_err_and(|error| error.to_string().contains(RAW_QUEUE_URL)));
//! ```

use std::collections::BTreeMap;
use std::fmt::Display;

/// Name of the table of calls, jobs and settings.
pub const TABLE_NAME: &str = "TABLE_NAME";
/// Name of the table of refused requests.
pub const QUARANTINE_TABLE_NAME: &str = "QUARANTINE_TABLE_NAME";
/// URL of the queue of unverified webhooks.
pub const RAW_QUEUE_URL: &str = "RAW_QUEUE_URL";
/// URL of the queue of verified events.
pub const EVENT_QUEUE_URL: &str = "EVENT_QUEUE_URL";
/// URL of the queue of wake-ups for CRM connections.
pub const CRM_QUEUE_URL: &str = "CRM_QUEUE_URL";
/// URL of the queue of wake-ups for provider connections.
pub const OUTBOUND_QUEUE_URL: &str = "OUTBOUND_QUEUE_URL";
/// Name of the event bus.
pub const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";
/// Bucket of recordings and other large bodies.
pub const BLOB_BUCKET: &str = "BLOB_BUCKET";
/// Public keys of the hook URLs, see [`crate::hook::Ring::parse`].
pub const HOOK_PUBLIC_KEYS: &str = "HOOK_PUBLIC_KEYS";
/// Address under which the world reaches us: `https://calls.example.com`.
pub const PUBLIC_URL: &str = "PUBLIC_URL";
/// What the names of all secrets begin with: `perezvon/production/`.
pub const SECRET_PREFIX: &str = "SECRET_PREFIX";
/// Hosts let through by the guard, see [`crate::guard::Allow::parse`]; on a laptop only.
pub const ALLOW_HOSTS: &str = "ALLOW_HOSTS";
/// A root certificate that is trusted for some hosts, see [`crate::roots::ExtraRoot::parse`].
pub const EXTRA_ROOT: &str = "EXTRA_ROOT";
/// Region of the function; its host sets it, and the next four as well.
pub const AWS_REGION: &str = "AWS_REGION";
/// Name of the access key of the function's role.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// The access key itself.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// What shows that the key was lent to the role.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Address of an emulator, in the place of AWS itself.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";
/// What is logged: `info`, `warn,perezvon_engine=debug`.
pub const RUST_LOG: &str = "RUST_LOG";
/// Waiting times that differ from the protocol's: `skew_ms=5000, look_ahead_ms=190000`.
pub const TIMES: &str = "TIMES";

/// What is wrong with the environment, all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct ConfigError {
    /// Variables that are not set, or empty.
    pub missing: Vec<String>,
    /// Variables that cannot be read, with the reason.
    pub wrong: Vec<String>,
}

impl ConfigError {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("set the environment variables {}", self.missing.join(", ")));
        }
        if !self.wrong.is_empty() {
            parts.push(format!("correct {}", self.wrong.join("; ")));
        }
        parts.join("; ")
    }
}

/// Environment variables, and what was found wrong with them so far. An empty one counts as missing.
#[derive(Debug)]
pub struct Env {
    values: BTreeMap<String, String>,
    faults: ConfigError,
}

impl Env {
    /// The variables of this process.
    pub fn from_process() -> Self {
        let readable = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_map(std::env::vars_os().filter_map(readable))
    }

    /// Variables given by the caller.
    pub fn from_map<N: Into<String>, V: Into<String>>(values: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, faults: ConfigError::default() }
    }

    /// The value, if there is one.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value; if it is missing, [`Env::finish`] will say so.
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.faults.missing.push(name.to_owned());
            String::new()
        })
    }

    /// A whole number, or the default if the variable is missing.
    pub fn number(&mut self, name: &str, default: i64) -> i64 {
        self.optional_as(name, |text| text.parse().map_err(|_| format!("`{text}` is not a whole number")))
            .unwrap_or(default)
    }

    /// The value as `parse` reads it; if it is missing or unreadable, [`Env::finish`] will say so.
    pub fn required_as<T: Default, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> T {
        let text = self.required(name);
        if text.is_empty() { T::default() } else { self.read(name, &text, parse).unwrap_or_default() }
    }

    /// The value as `parse` reads it, if there is one; if it is unreadable, [`Env::finish`] will say so.
    pub fn optional_as<T, E: Display>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.optional(name)?;
        self.read(name, &text, parse)
    }

    fn read<T, E: Display>(&mut self, name: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        parse(text).map_err(|why| self.faults.wrong.push(format!("{name} ({why})"))).ok()
    }

    /// Everything was there and readable; otherwise all that was not, in one error.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.faults == ConfigError::default() { Ok(()) } else { Err(self.faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_variables_are_told_at_once() {
        let mut env = Env::from_map([(TABLE_NAME, "calls"), (BLOB_BUCKET, "  ")]);
        assert_eq!(env.required(TABLE_NAME), "calls");
        env.required(RAW_QUEUE_URL);
        env.required(BLOB_BUCKET);
        let error = env.finish().expect_err("two are missing");
        assert_eq!(error.to_string(), "set the environment variables RAW_QUEUE_URL, BLOB_BUCKET");
    }

    #[test]
    fn an_unreadable_number_is_told_beside_the_missing_variables() {
        let mut env = Env::from_map([("LEASE_MS", "soon")]);
        assert_eq!(env.number("LEASE_MS", 5), 5);
        env.required(TABLE_NAME);
        let error = env.finish().expect_err("one missing, one wrong").to_string();
        assert_eq!(error, "set the environment variables TABLE_NAME; correct LEASE_MS (`soon` is not a whole number)");
    }

    #[test]
    fn a_number_is_read_or_its_default_taken() {
        let mut env = Env::from_map([("LEASE_MS", " 30000 ")]);
        assert_eq!((env.number("LEASE_MS", 5), env.number("GAP_MS", 250)), (30_000, 250));
        assert_eq!(env.finish(), Ok(()));
    }

    #[test]
    fn a_value_with_a_shape_of_its_own_is_read_by_its_own_parser() {
        let odd = |text: &str| text.parse::<u8>().map_err(|error| error.to_string());
        let mut env = Env::from_map([("A", "7"), ("B", "x")]);
        assert_eq!(env.required_as("A", odd), 7);
        assert_eq!(env.required_as("B", odd), 0);
        assert_eq!(env.required_as("C", odd), 0);
        assert_eq!(env.optional_as("D", odd), None);
        let error = env.finish().expect_err("one wrong, one missing");
        assert_eq!((error.missing, error.wrong.len()), (vec!["C".to_owned()], 1));
    }

    #[test]
    fn the_variables_of_the_process_can_be_read() {
        assert!(Env::from_process().optional("PATH").is_some());
    }
}
