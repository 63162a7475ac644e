//! Tokens: by the keys alone for one's own account, or a pair whose refresh token is exchanged once.

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;
use serde_json::Value;

use super::answer::complaint;
use super::settings::is_by_browser;
use super::value::text;
use crate::jobs::{Expect, Known, Outgoing, Reply, TokenPair};
use crate::secret::Secret;

/// So long after its issue a token is not refused for its age.
const FRESH: Millis = Millis::minutes(20);

// The names among the secrets.
pub(super) const CLIENT_ID: &str = "client_id";
pub(super) const CLIENT_SECRET: &str = "client_secret";
pub(super) const ACCESS: &str = "access_token";
pub(super) const REFRESH: &str = "refresh_token";
pub(super) const ISSUED_AT: &str = "issued_at";
pub(super) const EXPIRES_AT: &str = "expires_at";

/// The request for a new token; none without keys, or before an account has authorised.
pub(super) fn refresh(known: &Known<'_>) -> Option<Outgoing> {
    let secret = known.secret;
    if !is_renewable(secret) {
        return None;
    }
    let keys = [CLIENT_ID, CLIENT_SECRET].map(|name| (name, secret.get(name)));
    Some(match secret.get(REFRESH) {
        "" => request(known, &[("grant_type", "client_credentials"), keys[0], keys[1]]),
        pair => request(known, &[("grant_type", "refresh_token"), (REFRESH, pair), keys[0], keys[1]]),
    })
}

/// A request of the token address.
pub(super) fn request(known: &Known<'_>, fields: &[(&str, &str)]) -> Outgoing {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Outgoing {
        method: "POST",
        url: format!("{}/token", known.base),
        headers: vec![
            ("accept", "application/json".to_owned()),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ],
        body: form.into_bytes(),
        expect: Expect::Small,
    }
}

fn is_renewable(secret: &Secret) -> bool {
    let has = |name| !secret.get(name).is_empty();
    has(CLIENT_ID) && has(CLIENT_SECRET) && (has(REFRESH) || !is_by_browser(secret))
}

/// The secret with the new token in it.
pub(super) fn refreshed(known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String> {
    let by_keys = known.secret.get(REFRESH).is_empty();
    let refused = match by_keys {
        true => WRONG_KEYS,
        false if is_by_browser(known.secret) => ENDED,
        false => REVOKED,
    };
    // Keys alone never bring a pair, whatever the answer holds: the pair may be of another account.
    Ok(with_tokens(known, &said(reply, refused)?, !by_keys))
}

/// An answer that brought a token; else what is wrong, and if the request was refused, what that means.
pub(super) fn said(reply: &Reply, refused: &str) -> Result<Value, String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match reply.status {
        200..=299 if !text(&body[ACCESS]).is_empty() => Ok(body),
        200..=299 => Err(format!("Avito не выдал токен: в ответе его нет{}", complaint(&body))),
        400 | 401 | 403 => Err(format!("{refused}{}", complaint(&body))),
        status => Err(format!("Avito не выдал токен (ответ {status}){}", complaint(&body))),
    }
}

/// The secret with the tokens of an answer.
pub(super) fn with_tokens(known: &Known<'_>, body: &Value, with_pair: bool) -> TokenPair {
    let mut secret = known.secret.clone();
    let mut put = |name: &str, value: String| _ = secret.0.insert(name.to_owned(), value);
    put(ACCESS, text(&body[ACCESS]));
    put(ISSUED_AT, known.now.seconds().to_string());
    let next = text(&body[REFRESH]);
    if with_pair && !next.is_empty() {
        put(REFRESH, next);
    }
    match body["expires_in"].as_i64().or_else(|| text(&body["expires_in"]).parse().ok()) {
        Some(seconds) => put(EXPIRES_AT, known.now.seconds().saturating_add(seconds).to_string()),
        None => _ = secret.0.remove(EXPIRES_AT),
    }
    TokenPair { secret }
}

const WRONG_KEYS: &str = "Avito не принял client_id и client_secret: возьмите их заново в личном кабинете \
     Avito (Настройки -> API) и примените настройки";
const REVOKED: &str = "нужна новая авторизация: Avito больше не принимает refresh_token. Получите новую пару \
     токенов и примените настройки";
const ENDED: &str = "нужна новая авторизация: Avito больше не принимает refresh_token";

/// A token that was issued a moment ago is refused for something else than its age.
pub(super) fn is_fresh(known: &Known<'_>) -> bool {
    let issued = moment(known.secret, ISSUED_AT);
    issued.is_some_and(|issued| known.now.since(issued).0 < FRESH.0)
}

/// At four fifths of its life; at once where there is none yet.
pub(super) fn refresh_due(secret: &Secret) -> Option<Timestamp> {
    if !is_renewable(secret) {
        return None;
    }
    if secret.get(ACCESS).is_empty() {
        return Some(Timestamp::default());
    }
    let (issued, expires) = (moment(secret, ISSUED_AT)?, moment(secret, EXPIRES_AT)?);
    Some(issued.after(Millis(expires.since(issued).0 / 5 * 4)))
}

fn moment(secret: &Secret, name: &str) -> Option<Timestamp> {
    secret.get(name).trim().parse().ok().map(Timestamp::from_seconds)
}
