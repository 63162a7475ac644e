//! What is refused or unreadable waits here with its reason, and can be released.

use perezvon_adapters::{Malformed, Refusal};
use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_engine::Failure;
use perezvon_platform::raw::RawMessage;
use perezvon_store::items::call::day;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::keys;
use perezvon_store::table::Update;
use sha2::{Digest, Sha256};

use crate::Verify;

/// Whole bodies kept per channel and day, in bytes; beyond that only digests.
const DAY_LIMIT: i64 = 64 * 1024 * 1024;

/// Why a request was put aside.
pub struct Refused {
    pub reason: &'static str,
    pub words: String,
    /// Other settings might have judged otherwise.
    pub by_settings: bool,
    /// Counted, and not kept: it must never be released.
    pub is_dropped: bool,
}

impl Refused {
    fn new(reason: &'static str, words: impl Into<String>, by_settings: bool) -> Self {
        Self { reason, words: words.into(), by_settings, is_dropped: false }
    }

    pub fn no_channel() -> Self {
        let words =
            "для этого канала нет настроек или пропал их секрет: примените настройки и выпустите запрос из карантина";
        Self::new("no_channel", words, true)
    }

    pub fn revoked() -> Self {
        let words = "адрес отозван: у канала новый адрес вебхуков, впишите его в кабинете АТС";
        Self::new("revoked_url", words, true)
    }

    /// What was written in a chat while its channel was off is not taken in afterwards.
    pub fn inactive(is_chat: bool) -> Self {
        Self {
            is_dropped: is_chat, ..Self::new("inactive", "канал выключен в настройках", true)
        }
    }

    /// The channel that lives is told the same.
    pub fn superseded() -> Self {
        Self {
            is_dropped: true, ..Self::new("superseded", "этот аккаунт подключён позже в другом канале", true)
        }
    }

    pub fn too_old() -> Self {
        let words = "событие слишком старое (oldest_event_days в настройках канала), а такого звонка у нас нет: похоже на повтор старого запроса";
        Self::new("too_old", words, true)
    }

    pub fn unbelieved(refusal: &Refusal) -> Self {
        let (reason, words) = match refusal {
            Refusal::NoSignature => ("no_signature", "в запросе нет подписи".to_owned()),
            Refusal::UnknownKey => {
                ("unknown_key", "запрос подписан ключом другой АТС: сверьте «Уникальный код» в настройках".to_owned())
            }
            Refusal::OtherAccount => {
                ("other_account", "запрос для другого аккаунта: сверьте номер аккаунта в настройках канала".to_owned())
            }
            Refusal::WrongSignature => {
                ("wrong_signature", "подпись не сходится: сверьте ключ для подписи в настройках".to_owned())
            }
            Refusal::NoSecret => ("no_secret", "у канала нет ключа: впишите его в настройки".to_owned()),
            Refusal::Unreadable(what) => ("unreadable", format!("запрос не читается: {what}")),
        };
        Self::new(reason, words, !matches!(refusal, Refusal::Unreadable(_)))
    }

    pub fn malformed(malformed: &Malformed) -> Self {
        Self::new("malformed", format!("подпись верна, но содержание непонятно: {malformed}"), false)
    }
}

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
