//! What is refused or unreadable waits here with its reason, and can be released.

use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_engine::Failure;
use perezvon_engine::intake::Refused;
use perezvon_platform::raw::RawMessage;
use perezvon_store::items::call::day;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::keys;
use perezvon_store::table::Update;
use sha2::{Digest, Sha256};

use crate::Verify;

/// Whole bodies kept per channel and day, in bytes; beyond that only digests.
const DAY_LIMIT: i64 = 64 * 1024 * 1024;

impl Verify {
    /// Keeps the request as it came; the same one again overwrites itself.
    pub(crate) async fn put_aside(&self, raw: &RawMessage, refused: &Refused) -> Result<(), Failure> {
        let message = serde_json::to_string(raw).map_err(|error| Failure::Reject(error.to_string()))?;
        let account = AccountId(raw.account.clone());
        let keep = self.within_day_limit(raw, message.len()).await?;
        let request = Quarantined {
            id: raw.id.clone(),
            channel: ChannelId(raw.channel.clone()),
            received_at: Timestamp(raw.received_at),
            reason: refused.reason.to_owned(),
            words: refused.words.clone(),
            digest: hex(&Sha256::digest(raw.body.as_bytes())),
            bytes: raw.body.len() as u64,
            message: keep.then_some(message),
            released_at: None,
        };
        self.quarantine.update(request.put(&account)).await?;
        Ok(())
    }

    /// A flood of forged requests must not fill the table.
    async fn within_day_limit(&self, raw: &RawMessage, bytes: usize) -> Result<bool, Failure> {
        let (account, channel) = (AccountId(raw.account.clone()), ChannelId(raw.channel.clone()));
        let key = keys::channel_day(&account, &channel, &day(Timestamp(raw.received_at)));
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let row = self.quarantine.update(Update::new(key).add("quarantined_bytes", bytes)).await?;
        let total = row.n("quarantined_bytes").unwrap_or_default();
        if total > DAY_LIMIT && total - bytes <= DAY_LIMIT {
            // Once a day and channel. An alarm of the template looks for these words.
            tracing::warn!(%account, %channel, "the quarantine of a channel is full for today");
        }
        Ok(total <= DAY_LIMIT)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
