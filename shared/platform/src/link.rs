//! Sealed tokens: links to recordings, and who a person is to the API.
//!
//! A token is `base64url(payload).base64url(mac)`, the MAC being HMAC-SHA256 cut to 128 bits. Each
//! kind has a label of its own in the MAC, so that one can never pass for the other.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const RECORDING: &str = "perezvon recording 1";
const PERSON: &str = "perezvon person 1";
const CONSENT: &str = "perezvon consent 1";
const STATE: &str = "perezvon state 1";
/// A shorter key seals nothing that opens: an empty secret must not become a known key.
const SHORTEST_KEY: usize = 16;

/// A recording of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRef {
    pub account: String,
    pub channel: String,
    /// The call, as the provider names it.
    pub entry: String,
    pub recording: String,
    /// Must equal the current one of the recording: an older link is revoked.
    pub generation: u32,
}

/// The token of a link to this recording. The key has at least 16 bytes, or the token never opens.
pub fn sign(recording: &RecordingRef, key: &[u8]) -> String {
    let RecordingRef { account, channel, entry, recording, generation } = recording;
    seal(RECORDING, &serde_json::json!([account, channel, entry, recording, generation]), key)
}

/// The recording a token leads to, if this key sealed it.
pub fn open(token: &str, key: &[u8]) -> Option<RecordingRef> {
    let (account, channel, entry, recording, generation) =
        serde_json::from_slice(&unseal(RECORDING, token, key)?).ok()?;
    Some(RecordingRef { account, channel, entry, recording, generation })
}

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Role {
    /// Everything.
    Owner,
    /// Settings, people, quarantine.
    Admin,
    /// Channels and connections.
    Integrator,
    /// Calls and conversations.
    Operator,
    /// Reads, changes nothing.
    Auditor,
}

/// Who speaks to the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub account: String,
    /// Employee id of the settings, or `owner`.
    pub name: String,
    pub role: Role,
}

/// The token of a person, good until `expires_ms` (Unix milliseconds), for ever if `None`. The key
/// has at least 16 bytes, or the token never opens.
pub fn sign_person(person: &Person, expires_ms: Option<i64>, key: &[u8]) -> String {
    let Person { account, name, role } = person;
    seal(PERSON, &serde_json::json!([account, name, role, expires_ms]), key)
}

/// The person a token stands for, if this key sealed it and it has not expired.
pub fn open_person(token: &str, key: &[u8], now_ms: i64) -> Option<Person> {
    let (account, name, role, expires_ms): (_, _, _, Option<i64>) =
        serde_json::from_slice(&unseal(PERSON, token, key)?).ok()?;
    expires_ms.is_none_or(|end| now_ms < end).then_some(Person { account, name, role })
}

/// What a person was shown and agrees to: switching this channel off, under these settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    pub account: String,
    pub channel: String,
    /// Version of the settings that it was shown under.
    pub version: u64,
}

/// The token of a consent, good until `expires_ms` (Unix milliseconds). The key has at least 16 bytes, or the token
/// never opens.
pub fn sign_consent(consent: &Consent, expires_ms: i64, key: &[u8]) -> String {
    let Consent { account, channel, version } = consent;
    seal(CONSENT, &serde_json::json!([account, channel, version, expires_ms]), key)
}

/// The consent of a token, if this key sealed it and it has not expired.
pub fn open_consent(token: &str, key: &[u8], now_ms: i64) -> Option<Consent> {
    let (account, channel, version, expires_ms): (_, _, _, i64) =
        serde_json::from_slice(&unseal(CONSENT, token, key)?).ok()?;
    (now_ms < expires_ms).then_some(Consent { account, channel, version })
}

/// What a provider's page brings back unchanged: for which channel somebody of its account set out to authorise us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub account: String,
    pub channel: String,
    /// When they set out, in Unix milliseconds.
    pub at_ms: i64,
}

/// How long a state is good, in milliseconds.
pub const STATE_GOOD_FOR_MS: i64 = 10 * 60_000;

/// The token of a state. The key has at least 16 bytes, or the token never opens.
pub fn sign_state(state: &State, key: &[u8]) -> String {
    let State { account, channel, at_ms } = state;
    seal(STATE, &serde_json::json!([account, channel, at_ms]), key)
}

/// The state of a token, if this key sealed it and it is good at this time.
pub fn open_state(token: &str, key: &[u8], now_ms: i64) -> Option<State> {
    let (account, channel, at_ms): (_, _, i64) = serde_json::from_slice(&unseal(STATE, token, key)?).ok()?;
    (now_ms < at_ms + STATE_GOOD_FOR_MS).then_some(State { account, channel, at_ms })
}

fn seal(label: &str, payload: &serde_json::Value, key: &[u8]) -> String {
    let payload = payload.to_string();
    let mac = mac(label, payload.as_bytes(), key);
    format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(mac))
}

fn unseal(label: &str, token: &str, key: &[u8]) -> Option<Vec<u8>> {
    let (payload, given) = token.split_once('.')?;
    let (payload, given) = (URL_SAFE_NO_PAD.decode(payload).ok()?, URL_SAFE_NO_PAD.decode(given).ok()?);
    let right: bool = mac(label, &payload, key).as_slice().ct_eq(&given).into();
    (right && key.len() >= SHORTEST_KEY).then_some(payload)
}

fn mac(label: &str, payload: &[u8], key: &[u8]) -> [u8; 16] {
    // Hashed to one block, so that a key of any length will do and no error can arise.
    let mut block = [0; 64];
    block[..32].copy_from_slice(&Sha256::digest(key));
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(label.as_bytes());
    mac.update(&[0]);
    mac.update(payload);
    let mut cut = [0; 16];
    cut.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"an invented key of enough length";

    fn recording() -> RecordingRef {
        RecordingRef {
            account: "acme".into(),
            channel: "main".into(),
            entry: "MTIz:1".into(),
            recording: "rec/1=".into(),
            generation: 3,
        }
    }

    fn anna() -> Person {
        Person { account: "acme".into(), name: "anna".into(), role: Role::Operator }
    }

    #[test]
    fn a_recording_comes_back_from_its_token() {
        let token = sign(&recording(), KEY);
        assert_eq!(open(&token, KEY), Some(recording()));
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
    }

    #[test]
    fn a_token_stays_the_same_from_release_to_release() {
        // Links stand in CRMs for years.
        assert_eq!(sign(&recording(), KEY), "WyJhY21lIiwibWFpbiIsIk1USXo6MSIsInJlYy8xPSIsM10.4gtsrgz4BTzxQZQS80a4yg");
    }

    #[test]
    fn each_flipped_character_of_a_link_is_refused() {
        let token = sign(&recording(), KEY);
        for place in 0..token.len() {
            for other in [b'A', b'B', b'.', b'='] {
                let mut bytes = token.clone().into_bytes();
                if std::mem::replace(&mut bytes[place], other) != other {
                    let flipped = String::from_utf8(bytes).expect("ASCII");
                    assert_eq!(open(&flipped, KEY), None, "character {place}");
                }
            }
        }
    }

    #[test]
    fn a_cut_or_missing_mac_is_refused() {
        let token = sign(&recording(), KEY);
        let (payload, mac) = token.split_once('.').expect("two parts");
        for other in ["", ".", payload, &format!("{payload}."), &format!("{payload}.{}", &mac[..4])] {
            assert_eq!(open(other, KEY), None, "{other}");
        }
    }

    #[test]
    fn another_key_opens_nothing() {
        assert_eq!(open(&sign(&recording(), KEY), b"another key of enough length"), None);
        assert_eq!(open_person(&sign_person(&anna(), None, KEY), b"another key of enough length", 0), None);
    }

    #[test]
    fn a_short_key_opens_nothing_not_even_its_own_tokens() {
        for key in [b"".as_slice(), b"fifteen letters"] {
            assert_eq!(open(&sign(&recording(), key), key), None);
            assert_eq!(open_person(&sign_person(&anna(), None, key), key, 0), None);
        }
    }

    #[test]
    fn one_kind_of_token_never_passes_for_the_other() {
        let payload = serde_json::json!(["acme", "anna", "owner", null]);
        let sealed = seal(RECORDING, &payload, KEY);
        assert_eq!(open_person(&sealed, KEY, 0), None);
        assert!(open_person(&seal(PERSON, &payload, KEY), KEY, 0).is_some());
        assert_eq!(open(&sign_person(&anna(), None, KEY), KEY), None);
    }

    #[test]
    fn a_person_comes_back_until_the_token_expires() {
        let token = sign_person(&anna(), Some(1_000), KEY);
        assert_eq!(open_person(&token, KEY, 999), Some(anna()));
        assert_eq!(open_person(&token, KEY, 1_000), None);
        assert_eq!(open_person(&sign_person(&anna(), None, KEY), KEY, i64::MAX), Some(anna()));
    }

    #[test]
    fn a_consent_comes_back_until_it_expires_and_is_no_token_of_a_person() {
        let consent = Consent { account: "acme".into(), channel: "ads".into(), version: 3 };
        let token = sign_consent(&consent, 1_000, KEY);
        assert_eq!(open_consent(&token, KEY, 999), Some(consent));
        assert_eq!((open_consent(&token, KEY, 1_000), open_consent(&token, b"another key of length", 0)), (None, None));
        assert_eq!(open_person(&token, KEY, 0), None);
        assert_eq!(open_consent(&sign_person(&anna(), Some(1_000), KEY), KEY, 0), None);
    }

    #[test]
    fn a_state_comes_back_for_ten_minutes_and_is_no_consent() {
        let state = State { account: "acme".into(), channel: "ads".into(), at_ms: 1_000 };
        let token = sign_state(&state, KEY);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{token}");
        assert_eq!(open_state(&token, KEY, 600_999), Some(state));
        assert_eq!((open_state(&token, KEY, 601_000), open_state(&token, b"another key of length", 0)), (None, None));
        assert_eq!(open_consent(&token, KEY, 0), None);
        let consent = Consent { account: "acme".into(), channel: "ads".into(), version: 3 };
        assert_eq!(open_state(&sign_consent(&consent, 1_000, KEY), KEY, 0), None);
    }

    #[test]
    fn roles_are_written_in_snake_case() {
        let roles = [Role::Owner, Role::Admin, Role::Integrator, Role::Operator, Role::Auditor];
        let text = serde_json::to_string(&roles).expect("JSON");
        assert_eq!(text, r#"["owner","admin","integrator","operator","auditor"]"#);
    }
}
