//! The records in the secret store: what `verify` reads of a channel, what a worker reads of a connection.

use ipnet::IpNet;
use perezvon_adapters::Secret;
use perezvon_domain::{AccountId, ChannelId, ConnectionId};
use perezvon_platform::{PortError, Secrets};
use perezvon_store::lenient;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// All that `verify` needs before it may believe a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSecret {
    pub account: AccountId,
    pub channel: ChannelId,
    pub provider: String,
    /// Hook URLs of another generation are revoked.
    pub generation: u32,
    /// Switched off: nothing is taken in (MNG-18).
    pub active: bool,
    /// Newest first; two while keys are being rotated (MNG-16).
    pub secrets: Vec<Secret>,
    /// A signed event of a call nobody knows is an old replay if it is older than this.
    #[serde(default = "oldest_event_days")]
    pub oldest_event_days: u32,
    /// What a signature counts for whose formula is not published.
    #[serde(default)]
    pub signature: SignatureMode,
    /// Where its requests may come from; empty: anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_ips: Vec<IpNet>,
    /// An answer that the provider waits for leaves within this time of the question's arrival.
    #[serde(default = "answered_within_ms")]
    pub answer_within_ms: i64,
}

/// What is done about the signature of a provider that does not publish how it signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SignatureMode {
    /// Nothing.
    Off,
    /// What fits a guess is counted; nothing is refused for it.
    #[default]
    Observe,
    /// What fits no guess goes into quarantine.
    Enforce,
}

/// A channel's record read this recently is not read again only because a signature did not fit: a flood of forged
/// requests must not become a flood of reads.
pub const FRESH_MS: i64 = 2_000;

/// Days after which a signed event of an unknown call is an old replay, unless the channel says otherwise.
pub const OLDEST_EVENT_DAYS: u32 = 14;

/// How soon a question is answered that the provider waits for, unless the channel says otherwise.
pub const ANSWERED_WITHIN_MS: i64 = 500;

fn answered_within_ms() -> i64 {
    ANSWERED_WITHIN_MS
}

fn oldest_event_days() -> u32 {
    OLDEST_EVENT_DAYS
}

impl ChannelSecret {
    /// Name of the record in the secret store.
    pub fn name(account: &str, channel: &str) -> String {
        format!("channel/{account}.{channel}")
    }
}

/// All that a worker needs to talk to an outside system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSecret {
    pub account: AccountId,
    pub connection: ConnectionId,
    pub provider: String,
    /// Base address without a slash at the end.
    pub base: String,
    pub secret: Secret,
    #[serde(default)]
    pub times: JobTimes,
}

impl ConnectionSecret {
    /// Name of the record in the secret store.
    pub fn name(account: &AccountId, connection: &ConnectionId) -> String {
        format!("connection/{account}.{connection}")
    }

    /// Name of the record of what an account gave in the browser: written by the lease holder alone. No id has a dot.
    pub fn given_name(account: &AccountId, connection: &ConnectionId) -> String {
        format!("connection/{account}.{connection}.given")
    }
}

/// The waits of the job protocol, with their defaults; shortened in demos and tests. All in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobTimes {
    /// Longest time between our sending a request and its being carried out (D, 30 s).
    pub carried_out_within_ms: i64,
    /// Time-out of one request (H, 10 s).
    pub request_timeout_ms: i64,
    /// Smallest gap between two requests; absent: the provider's own.
    pub pace_ms: Option<i64>,
    /// How long a new entity may stay invisible to a look-up; absent: what the adapter declares.
    pub lag_ms: Option<i64>,
    /// First wait after a failure that may pass (10 s); doubles with every try.
    pub backoff_ms: i64,
    /// Longest wait after a failure that may pass (30 min).
    pub longest_backoff_ms: i64,
    /// After a worker that died nothing is sent for this long: its last request may just have left (1 s).
    pub after_dead_ms: i64,
    /// Time-out of fetching a whole recording, or of uploading a picture (30 s).
    pub recording_timeout_ms: i64,
}

impl Default for JobTimes {
    fn default() -> Self {
        Self {
            carried_out_within_ms: 30_000,
            request_timeout_ms: 10_000,
            pace_ms: None,
            lag_ms: None,
            backoff_ms: 10_000,
            longest_backoff_ms: 30 * 60_000,
            after_dead_ms: 1_000,
            recording_timeout_ms: 30_000,
        }
    }
}

/// Our own key that seals tokens of people.
pub const PERSON_KEY: &str = "keys/person";
/// Our own key that seals links to recordings.
pub const LINK_KEY: &str = "keys/link";
/// The private half of the pair that signs hook URLs.
pub const HOOK_KEY: &str = "keys/hook";

/// A key of fewer bytes seals nothing.
const SHORTEST_KEY: usize = 16;

/// Reads a key of our own that seals tokens.
pub async fn seal_key(secrets: &dyn Secrets, name: &str) -> Result<Vec<u8>, PortError> {
    let key = secrets.get(name).await?.unwrap_or_default().trim().as_bytes().to_vec();
    if key.len() < SHORTEST_KEY {
        let why = format!("`{name}` is missing or shorter than {SHORTEST_KEY} bytes: put 64 random characters there");
        return Err(PortError::new("secrets", why));
    }
    Ok(key)
}

/// Reads a record; `None`: there is none. One that cannot be read is an error that names it, never its content.
pub async fn read<T: DeserializeOwned>(secrets: &dyn Secrets, name: &str) -> Result<Option<T>, PortError> {
    let Some(text) = secrets.get(name).await? else { return Ok(None) };
    let record = lenient::from_str(&text);
    record
        .map(Some)
        .map_err(|_| PortError::new("secrets", format!("the record `{name}` cannot be read: apply the settings again")))
}

/// Writes a record.
pub async fn write<T: Serialize + Sync>(secrets: &dyn Secrets, name: &str, record: &T) -> Result<(), PortError> {
    let text = serde_json::to_string(record).map_err(|error| PortError::new("secrets", error))?;
    secrets.put(name, &text).await
}
