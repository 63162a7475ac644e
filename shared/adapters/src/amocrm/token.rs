//! Tokens: a long-lived one, or a pair that is exchanged. Both tokens of a pair change each time.

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;
use serde_json::{Value, json};

use super::answer::{integer, text};
use crate::jobs::{Expect, Known, Outgoing, Reply, TokenPair};
use crate::secret::Secret;

/// How long before its end a token is exchanged.
const AHEAD: Millis = Millis::minutes(10);

/// The exchange of the refresh token; none for a long-lived token.
pub(super) fn refresh(known: &Known<'_>) -> Option<Outgoing> {
    let secret = known.secret;
    if !is_pair(secret) {
        return None;
    }
    let body = json!({
        "client_id": secret.get("client_id"),
        "client_secret": secret.get("client_secret"),
        "grant_type": "refresh_token",
        "refresh_token": secret.get("refresh_token"),
        "redirect_uri": secret.get("redirect_uri"),
    });
    Some(Outgoing {
        method: "POST",
        url: format!("{}/oauth2/access_token", known.base),
        headers: vec![("accept", "application/json".to_owned()), ("content-type", "application/json".to_owned())],
        body: body.to_string().into_bytes(),
        expect: Expect::Small,
    })
}

pub(super) fn is_pair(secret: &Secret) -> bool {
    secret.get("token").is_empty() && !secret.get("refresh_token").is_empty()
}

/// The secret with the new tokens in it.
pub(super) fn refreshed(known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    match reply.status {
        200..=299 => {}
        400 | 401 | 403 => return Err(revoked(&body)),
        status => return Err(format!("amoCRM не выдала новый токен (ответ {status})")),
    }
    let (access, next) = (text(&body["access_token"]), text(&body["refresh_token"]));
    if access.is_empty() || next.is_empty() {
        return Err("amoCRM не выдала новый токен: в ответе нет токенов".to_owned());
    }
    let mut secret = known.secret.clone();
    secret.0.insert("access_token".to_owned(), access);
    secret.0.insert("refresh_token".to_owned(), next);
    match integer(&body["expires_in"]) {
        Some(seconds) => {
            let at = known.now.seconds().saturating_add(seconds);
            secret.0.insert("expires_at".to_owned(), at.to_string());
        }
        None => {
            secret.0.remove("expires_at");
        }
    }
    Ok(TokenPair { secret })
}

fn revoked(body: &Value) -> String {
    let told = [text(&body["hint"]), text(&body["detail"]), text(&body["title"])];
    let told = told.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let told: String = told.chars().take(200).collect();
    format!(
        "нужен новый токен: amoCRM больше не принимает прежний ({told}). Возьмите долгосрочный \
         токен: Настройки -> Интеграции -> ваша интеграция -> Ключи и доступы"
    )
}

/// Ten minutes before the end of the access token.
pub(super) fn refresh_due(secret: &Secret) -> Option<Timestamp> {
    let ends: i64 = secret.get("expires_at").parse().ok().filter(|_| is_pair(secret))?;
    Some(Timestamp::from_seconds(ends).after(Millis(-AHEAD.0)))
}
