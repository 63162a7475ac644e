//! Tokens: long-lived ones, and OAuth pairs whose refresh token works once.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{AmoCrm, Call, Config, problem};
use crate::http::Response;

/// How long an authorisation code lives.
const CODE_LIFE_MS: i64 = 20 * 60 * 1000;

/// An access token with the refresh token that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
    /// When the access token stops working.
    pub expires_ms: i64,
    /// The refresh token was exchanged or revoked.
    refresh_spent: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Code {
    text: String,
    expires_ms: i64,
    spent: bool,
}

/// Every code and pair ever given out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Auth {
    codes: Vec<Code>,
    pairs: Vec<Pair>,
}

/// What the token endpoint takes.
#[derive(Deserialize)]
struct Exchange {
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    grant_type: String,
    code: Option<String>,
    refresh_token: Option<String>,
}

impl Auth {
    fn pair(&mut self, life_s: i64, now_ms: i64) -> Pair {
        let n = self.pairs.len() + 1;
        let pair = Pair {
            access: format!("sandbox-access-{n}"),
            refresh: format!("sandbox-refresh-{n}"),
            expires_ms: now_ms + life_s * 1000,
            refresh_spent: false,
        };
        self.pairs.push(pair.clone());
        pair
    }

    fn spend_code(&mut self, text: &str, now_ms: i64) -> Result<(), Response> {
        match self.codes.iter_mut().find(|code| code.text == text) {
            Some(code) if code.spent => Err(refused("Authorization code has been revoked")),
            Some(code) if code.expires_ms <= now_ms => Err(refused("Authorization code has expired")),
            Some(code) => {
                code.spent = true;
                Ok(())
            }
            None => Err(refused("Cannot decrypt the authorization code")),
        }
    }

    fn spend_refresh(&mut self, text: &str) -> Result<(), Response> {
        match self.pairs.iter_mut().find(|pair| pair.refresh == text) {
            Some(pair) if pair.refresh_spent => Err(refused("Token has been revoked")),
            Some(pair) => {
                pair.refresh_spent = true;
                Ok(())
            }
            None => Err(refused("Cannot decrypt the refresh token")),
        }
    }

    fn accepts(&self, config: &Config, token: &str, now_ms: i64) -> bool {
        config.tokens.iter().any(|known| known == token)
            || self.pairs.iter().any(|pair| pair.access == token && now_ms < pair.expires_ms)
    }
}

impl AmoCrm {
    /// Authorises the integration: the code that the redirect would bring, good for 20 minutes.
    pub fn grant_code(&mut self, now_ms: i64) -> String {
        let text = format!("sandbox-code-{}", self.auth.codes.len() + 1);
        let expires_ms = now_ms + CODE_LIFE_MS;
        self.auth.codes.push(Code { text: text.clone(), expires_ms, spent: false });
        text
    }

    /// A fresh pair, as if a code had just been exchanged.
    pub fn grant_pair(&mut self, now_ms: i64) -> Pair {
        self.auth.pair(self.config.access_life_s, now_ms)
    }

    /// No token given out so far works any more: the user disconnected the integration.
    pub fn revoke_tokens(&mut self) {
        self.config.tokens.clear();
        for pair in &mut self.auth.pairs {
            pair.expires_ms = i64::MIN;
            pair.refresh_spent = true;
        }
    }

    pub(super) fn authorised(&self, call: &Call<'_>) -> Result<(), Response> {
        let header = call.request.headers.get("authorization");
        let token = header.and_then(|value| value.strip_prefix("Bearer "));
        if token.is_some_and(|token| self.auth.accepts(&self.config, token, call.now_ms)) {
            return Ok(());
        }
        Err(problem(401, "Unauthorized"))
    }

    pub(super) fn exchange(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let asked: Exchange = serde_json::from_slice(&call.request.body)
            .map_err(|_| malformed("client_id, client_secret, grant_type and redirect_uri"))?;
        let config = &self.config;
        if (&asked.client_id, &asked.client_secret) != (&config.client_id, &config.client_secret) {
            return Err(refused("Client authentication failed"));
        }
        if asked.redirect_uri != config.redirect_uri {
            return Err(malformed("the registered redirect_uri"));
        }
        match (asked.grant_type.as_str(), &asked.code, &asked.refresh_token) {
            ("authorization_code", Some(code), _) => self.auth.spend_code(code, call.now_ms)?,
            ("refresh_token", _, Some(refresh)) => self.auth.spend_refresh(refresh)?,
            _ => return Err(malformed("a grant_type with its code or refresh_token")),
        }
        let life_s = self.config.access_life_s;
        let pair = self.auth.pair(life_s, call.now_ms);
        Ok(Response::of_json(
            200,
            &json!({
                "token_type": "Bearer",
                "expires_in": life_s,
                "server_time": call.now_ms.div_euclid(1000),
                "access_token": pair.access,
                "refresh_token": pair.refresh,
            }),
        ))
    }
}

fn refused(hint: &str) -> Response {
    oauth_problem(401, hint)
}

fn malformed(wanted: &str) -> Response {
    oauth_problem(400, &format!("the request needs {wanted}"))
}

fn oauth_problem(status: u16, hint: &str) -> Response {
    let body: Value = json!({
        "hint": hint,
        "title": "Некорректный запрос",
        "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
        "status": status,
        "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
    });
    Response::new(status, "application/problem+json", body.to_string())
}
