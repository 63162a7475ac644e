//! Pushes in: whose account they name, and the way into our words.

use serde_json::Value;

use super::value::{cap, text};
use super::{Avito, message, signature};
use crate::intake::{Guess, Inbound, Intake, Malformed, RawRequest, Refusal, Verified};
use crate::secret::{Secret, same};

/// The name of our own account's number among the secrets.
pub(super) const USER_ID: &str = "user_id";
/// The only documented kind of push.
const MESSAGE: &str = "message";
/// Chats in which the provider itself writes to us.
const FROM_PROVIDER: &str = "a2u";
/// Longest name of a kind of push that is kept, in characters.
const KIND_LIMIT: usize = 80;

impl Intake for Avito {
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret]) -> Result<Verified<'a>, Refusal> {
        let payload =
            std::str::from_utf8(&request.body).map_err(|_| Refusal::Unreadable("the bytes are no UTF-8".to_owned()))?;
        let push: Value =
            serde_json::from_str(payload).map_err(|error| Refusal::Unreadable(format!("it is no JSON: {error}")))?;
        let Value::Object(fields) = &push else {
            return Err(Refusal::Unreadable("an object was expected".to_owned()));
        };
        // The address is tried with an empty object, and all it can bring about is a `Ping`.
        if fields.is_empty() {
            return Ok(Verified::new(request, String::new()));
        }
        let mut accounts =
            secrets.iter().map(|secret| secret.get(USER_ID).trim()).filter(|id| !id.is_empty()).peekable();
        if accounts.peek().is_none() {
            return Err(Refusal::NoSecret);
        }
        let account = text(&push["payload"]["value"][USER_ID]);
        if account.is_empty() && kind(&push) == MESSAGE {
            return Err(Refusal::Unreadable("`user_id` is missing: whose message is it?".to_owned()));
        }
        if !account.is_empty() && !accounts.any(|ours| same(ours.as_bytes(), account.as_bytes())) {
            return Err(Refusal::OtherAccount);
        }
        Ok(Verified::new(request, payload.to_owned()))
    }

    fn guess(&self, request: &RawRequest, secrets: &[Secret]) -> Option<Guess> {
        signature::guess(request, secrets)
    }

    fn normalise(&self, request: Verified<'_>) -> Result<Vec<Inbound>, Malformed> {
        if request.payload().is_empty() {
            return Ok(vec![Inbound::Ping]);
        }
        let push: Value = serde_json::from_str(request.payload())
            .map_err(|error| Malformed(format!("the push is no JSON: {error}")))?;
        let kind = kind(&push);
        if kind.is_empty() {
            return Err(Malformed("field `payload.type` is missing or empty".to_owned()));
        }
        Ok(vec![if kind != MESSAGE {
            Inbound::Counted(cap(kind, KIND_LIMIT))
        } else if is_from_provider(&push["payload"]["value"]) {
            Inbound::Counted(FROM_PROVIDER.to_owned())
        } else {
            Inbound::Chat(message::news(&push)?)
        }])
    }

    /// Exactly the given address is called.
    fn paths(&self) -> &'static [&'static str] {
        &[""]
    }
}

fn kind(push: &Value) -> String {
    text(&push["payload"]["type"])
}

/// A chat in which the provider itself writes.
pub(super) fn is_from_provider(value: &Value) -> bool {
    let named = text(&value["chat_type"]);
    let kind = if named.is_empty() { text(&value["chat_id"]) } else { named };
    kind.split('-').next() == Some(FROM_PROVIDER)
}
