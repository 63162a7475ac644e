//! Hook URLs: which channel a webhook belongs to, signed, so that nobody can guess one.
//!
//! A token is `h1` and the URL-safe base64 of a small JSON array with its ed25519 signature behind
//! it. Who checks holds public keys only; a token is revoked by raising the channel's generation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

const VERSION: &str = "h1";
const CONTEXT: &[u8] = b"perezvon hook 1\0";
/// Marks a private half, so that it cannot pass for a public one.
const PRIVATE: &str = "private.";
/// Most tokens remembered by one process.
const REMEMBERED: usize = 1024;

/// What a hook URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    pub account: String,
    pub channel: String,
    /// Must equal the channel's: an older URL is revoked.
    pub generation: u32,
    /// Largest body taken, in bytes.
    pub body_limit: u32,
}

/// Why a key could not be made or read. Never shows the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("there is no public key: a ring is a list of public halves, separated by commas")]
    Empty,
    #[error(
        "public key {place} is not one: 43 characters of URL-safe base64 are expected, keys are separated by commas"
    )]
    Public { place: usize },
    #[error("entry {place} is a private key; only public keys belong here, so make a new pair")]
    PrivateInRing { place: usize },
    #[error("this is not a private hook key: `private.` and 43 characters of URL-safe base64 are expected")]
    Private,
    #[error("the system gives no random numbers: {0}")]
    NoRandom(String),
}

/// A new private half; its public half is [`SigningKey::verifying_key`].
pub fn generate() -> Result<SigningKey, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyError::NoRandom(error.to_string()))?;
    Ok(SigningKey::from_bytes(&seed))
}

/// The private half as text, for a 0600 file or the secret store.
pub fn private_text(key: &SigningKey) -> String {
    format!("{PRIVATE}{}", URL_SAFE_NO_PAD.encode(key.as_bytes()))
}

/// Reads what [`private_text`] wrote.
pub fn parse_private(text: &str) -> Result<SigningKey, KeyError> {
    let seed = text.trim().strip_prefix(PRIVATE).and_then(thirty_two).ok_or(KeyError::Private)?;
    Ok(SigningKey::from_bytes(&seed))
}

/// The public half as text, for a [`Ring`].
pub fn public_text(key: &VerifyingKey) -> String {
    URL_SAFE_NO_PAD.encode(key.as_bytes())
}

fn thirty_two(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// The token of this hook.
pub fn sign(hook: &Hook, key: &SigningKey) -> String {
    let Hook { account, channel, generation, body_limit } = hook;
    let mut bytes = serde_json::json!([account, channel, generation, body_limit]).to_string().into_bytes();
    let signature = key.sign(&signed(&bytes));
    bytes.extend(signature.to_bytes());
    format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn signed(payload: &[u8]) -> Vec<u8> {
    [CONTEXT, payload].concat()
}

/// Public keys, any of which makes a token good: rotation is two keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring(Vec<VerifyingKey>);

impl Ring {
    /// Reads public keys separated by commas, each as [`public_text`] writes it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let keys: Vec<_> = entries.zip(1..).map(|(entry, place)| public(entry, place)).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(KeyError::Empty) } else { Ok(Self(keys)) }
    }

    /// What the token says, if a key of this ring signed it.
    pub fn check(&self, token: &str) -> Option<Hook> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(VERSION)?).ok()?;
        let (payload, signature) = bytes.split_last_chunk::<64>()?;
        let (message, signature) = (signed(payload), Signature::from_bytes(signature));
        if !self.0.iter().any(|key| key.verify_strict(&message, &signature).is_ok()) {
            return None;
        }
        let (account, channel, generation, body_limit) = serde_json::from_slice(payload).ok()?;
        Some(Hook { account, channel, generation, body_limit })
    }
}

fn public(entry: &str, place: usize) -> Result<VerifyingKey, KeyError> {
    if entry.starts_with(PRIVATE) {
        return Err(KeyError::PrivateInRing { place });
    }
    thirty_two(entry)
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .filter(|key| !key.is_weak())
        .ok_or(KeyError::Public { place })
}

/// A ring that remembers the tokens it found good; strangers' guesses take no memory.
#[derive(Debug)]
pub struct CheckedTokens {
    ring: Ring,
    known: Mutex<HashMap<String, Hook>>,
}

impl CheckedTokens {
    /// Remembers nothing yet.
    pub fn new(ring: Ring) -> Self {
        Self { ring, known: Mutex::default() }
    }

    /// Whether any token can be good at all.
    pub fn has_keys(&self) -> bool {
        !self.ring.0.is_empty()
    }

    /// As [`Ring::check`].
    pub fn check(&self, token: &str) -> Option<Hook> {
        let remembered = self.lock().get(token).cloned();
        remembered.or_else(|| {
            let hook = self.ring.check(token)?;
            let mut known = self.lock();
            if known.len() >= REMEMBERED {
                known.clear();
            }
            known.insert(token.to_owned(), hook.clone());
            Some(hook)
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Hook>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn ring(keys: &[SigningKey]) -> Ring {
        let texts: Vec<_> = keys.iter().map(|key| public_text(&key.verifying_key())).collect();
        Ring::parse(&texts.join(", ")).expect("public keys")
    }

    fn hook() -> Hook {
        Hook { account: "acme".into(), channel: "pbx.main".into(), generation: 7, body_limit: 65_536 }
    }

    #[test]
    fn account_channel_generation_and_limit_come_back() {
        let token = sign(&hook(), &key(1));
        assert_eq!(ring(&[key(1)]).check(&token), Some(hook()));
    }

    #[test]
    fn a_token_is_short_and_needs_no_escaping_in_a_url() {
        let token = sign(&hook(), &key(1));
        assert!(token.starts_with(VERSION) && token.len() < 140, "{}", token.len());
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }

    #[test]
    fn names_with_odd_characters_come_back_unmixed() {
        let hook = Hook { account: "a\"],[.б".into(), channel: ".".into(), ..hook() };
        assert_eq!(ring(&[key(1)]).check(&sign(&hook, &key(1))), Some(hook));
    }

    #[test]
    fn each_flipped_character_is_refused() {
        let (token, ring) = (sign(&hook(), &key(1)), ring(&[key(1)]));
        for place in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let flipped = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(ring.check(&flipped), None, "character {place}");
        }
    }

    #[test]
    fn the_last_character_has_one_spelling_only() {
        let ring = ring(&[key(1)]);
        for account in ["a", "ab", "abc"] {
            let token = sign(&Hook { account: account.into(), ..hook() }, &key(1));
            let (rest, last) = token.split_at(token.len() - 1);
            let others = ('!'..='~').filter(|other| !last.starts_with(*other));
            for other in others {
                assert_eq!(ring.check(&format!("{rest}{other}")), None, "{other}");
            }
        }
    }

    #[test]
    fn a_shortened_or_longer_token_is_refused() {
        let (token, ring) = (sign(&hook(), &key(1)), ring(&[key(1)]));
        for other in ["", "h1", "h1AAAA", &token[..token.len() - 1], &format!("{token}A"), &format!("{token}=")] {
            assert_eq!(ring.check(other), None, "{other}");
        }
    }

    #[test]
    fn another_ring_refuses() {
        assert_eq!(ring(&[key(2)]).check(&sign(&hook(), &key(1))), None);
        assert_eq!(Ring::default().check(&sign(&hook(), &key(1))), None);
    }

    #[test]
    fn both_keys_of_a_ring_are_good() {
        let ring = ring(&[key(1), key(2)]);
        assert_eq!(ring.check(&sign(&hook(), &key(1))), Some(hook()));
        assert_eq!(ring.check(&sign(&hook(), &key(2))), Some(hook()));
    }

    #[test]
    fn an_unreadable_ring_says_which_key_is_wrong() {
        let good = public_text(&key(1).verifying_key());
        assert_eq!(Ring::parse(" , "), Err(KeyError::Empty));
        assert_eq!(Ring::parse(&format!("{good},no key")), Err(KeyError::Public { place: 2 }));
        assert_eq!(Ring::parse(&URL_SAFE_NO_PAD.encode([0; 32])), Err(KeyError::Public { place: 1 }));
    }

    #[test]
    fn a_private_key_in_the_ring_is_refused_without_being_shown() {
        let text = private_text(&key(3));
        let error = Ring::parse(&text).expect_err("a private key");
        assert_eq!(error, KeyError::PrivateInRing { place: 1 });
        assert!(!error.to_string().contains(&text[PRIVATE.len()..]));
    }

    #[test]
    fn two_pairs_are_never_the_same_and_a_private_half_comes_back_from_its_text() {
        let (one, two) = (generate().expect("random"), generate().expect("random"));
        assert_ne!(one.as_bytes(), two.as_bytes());
        let read = parse_private(&format!("{}\n", private_text(&one))).expect("private key");
        assert_eq!(read.as_bytes(), one.as_bytes());
        let public = public_text(&one.verifying_key());
        assert_eq!(parse_private(&public).expect_err("a public half"), KeyError::Private);
    }

    #[test]
    fn good_tokens_are_remembered_and_bad_ones_are_not() {
        let (tokens, token) = (CheckedTokens::new(ring(&[key(1)])), sign(&hook(), &key(1)));
        assert_eq!(tokens.check(&token), Some(hook()));
        assert_eq!(tokens.check(&token), Some(hook()));
        assert_eq!(tokens.check(&sign(&hook(), &key(2))), None);
        assert_eq!(tokens.lock().len(), 1);
    }

    #[test]
    fn memory_for_tokens_is_bounded() {
        let tokens = CheckedTokens::new(ring(&[key(1)]));
        let filler = (0..REMEMBERED).map(|place| (place.to_string(), hook()));
        tokens.lock().extend(filler);
        assert_eq!(tokens.check(&sign(&hook(), &key(1))), Some(hook()));
        assert_eq!(tokens.lock().len(), 1);
    }
}
