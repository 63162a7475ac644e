//! Why a request is refused, in a code and in words that say what to do.

use perezvon_adapters::{Malformed, Refusal};

/// Why a request is not taken in.
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

    /// There is no such channel, or its secret is lost.
    pub fn no_channel() -> Self {
        let words =
            "для этого канала нет настроек или пропал их секрет: примените настройки и выпустите запрос из карантина";
        Self::new("no_channel", words, true)
    }

    /// It came by an address of another generation.
    pub fn revoked() -> Self {
        let words = "адрес отозван: новый адрес вебхуков покажет `perezvon urls`, впишите его в кабинете АТС или в CRM";
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

    /// It came from an address that the settings do not name.
    pub fn foreign_address(from: Option<&str>) -> Self {
        let from = from.unwrap_or("неизвестного адреса");
        let words = format!("запрос пришёл с {from}, а его нет в `allowed_ips` канала: если адрес верен, допишите его");
        Self::new("foreign_address", words, true)
    }

    /// A signed event of a call that nobody knows.
    pub fn too_old() -> Self {
        let words = "событие слишком старое (oldest_event_days в настройках канала), а такого звонка у нас нет: похоже на повтор старого запроса";
        Self::new("too_old", words, true)
    }

    /// Its signature does not fit.
    pub fn unbelieved(refusal: &Refusal) -> Self {
        let (reason, words) = match refusal {
            Refusal::NoSignature => ("no_signature", "в запросе нет подписи".to_owned()),
            Refusal::UnknownKey => {
                ("unknown_key", "запрос подписан ключом другой АТС: сверьте «Уникальный код» в настройках".to_owned())
            }
            Refusal::OtherAccount => (
                "other_account",
                "запрос для другого аккаунта: сверьте номер аккаунта в настройках канала или CRM".to_owned(),
            ),
            Refusal::WrongSignature => {
                ("wrong_signature", "подпись не сходится: сверьте ключ для подписи в настройках".to_owned())
            }
            Refusal::NoSecret => ("no_secret", "у канала нет ключа: впишите его в настройки".to_owned()),
            Refusal::Unreadable(what) => ("unreadable", format!("запрос не читается: {what}")),
        };
        Self::new(reason, words, !matches!(refusal, Refusal::Unreadable(_)))
    }

    /// It is signed, and means nothing to us.
    pub fn malformed(malformed: &Malformed) -> Self {
        Self::new("malformed", format!("подпись верна, но содержание непонятно: {malformed}"), false)
    }
}
