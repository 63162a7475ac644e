//! Tokens: for the keys of one's own account, or pairs whose refresh token works once.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Avito, Call, refusal};
use crate::http::Response;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Token {
    access: String,
    expires_ms: i64,
}

/// Codes and refresh tokens: each works once.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Voucher {
    text: String,
    spent: bool,
}

/// Every token ever given out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Auth {
    tokens: Vec<Token>,
    codes: Vec<Voucher>,
    refresh: Vec<Voucher>,
}

fn spend(vouchers: &mut [Voucher], text: &str) -> Result<(), Response> {
    let found = vouchers.iter_mut().find(|voucher| voucher.text == text && !voucher.spent);
    let voucher = found.ok_or_else(|| refusal(400, "invalid_grant"))?;
    voucher.spent = true;
    Ok(())
}

impl Avito {
    /// Another account authorises the application: the code that the redirect would bring.
    pub fn grant_code(&mut self) -> String {
        let text = format!("sandbox-code-{}", self.count());
        self.auth.codes.push(Voucher { text: text.clone(), spent: false });
        text
    }

    /// No access token given out so far works any more.
    pub fn expire_tokens(&mut self) {
        for token in &mut self.auth.tokens {
            token.expires_ms = i64::MIN;
        }
    }

    pub(super) fn authorised(&self, call: &Call<'_>) -> Result<(), Response> {
        let header = call.request.headers.get("authorization");
        let given = header.and_then(|value| value.strip_prefix("Bearer "));
        let known = self.auth.tokens.iter().find(|token| Some(token.access.as_str()) == given);
        match known {
            Some(token) if call.now_ms < token.expires_ms => Ok(()),
            Some(_) => Err(refusal(self.manner.expired_status, "access token is expired")),
            None => Err(refusal(401, "Unauthorized")),
        }
    }

    /// A code that comes twice may have been stolen: as the standard advises, what was given so far ends.
    fn spend_code(&mut self, text: &str) -> Result<(), Response> {
        if self.auth.codes.iter().any(|code| code.text == text && code.spent) {
            self.expire_tokens();
            self.auth.refresh.iter_mut().for_each(|pair| pair.spent = true);
        }
        spend(&mut self.auth.codes, text)
    }

    pub(super) fn exchange(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(&call.request.body);
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let keys = (field("client_id"), field("client_secret"));
        if (&keys.0, &keys.1) != (&self.config.client_id, &self.config.client_secret) {
            return Err(refusal(401, "invalid_client"));
        }
        let by_keys = match field("grant_type").as_str() {
            "client_credentials" => true,
            "authorization_code" => self.spend_code(&field("code")).map(|()| false)?,
            "refresh_token" => spend(&mut self.auth.refresh, &field("refresh_token")).map(|()| false)?,
            _ => return Err(refusal(400, "unsupported_grant_type")),
        };
        let (n, life_s) = (self.count(), self.config.access_life_s);
        // The time is in it: after the sandbox began anew nobody's old token is good by chance.
        let access = format!("sandbox-access-{}-{n}", call.now_ms);
        self.auth.tokens.push(Token { access: access.clone(), expires_ms: call.now_ms + life_s * 1000 });
        let mut answer = json!({ "access_token": access, "expires_in": life_s, "token_type": "Bearer" });
        if !by_keys {
            let text = format!("sandbox-refresh-{}-{n}", call.now_ms);
            answer["refresh_token"] = json!(text);
            if !self.manner.scope.is_empty() {
                answer["scope"] = json!(self.manner.scope);
            }
            self.auth.refresh.push(Voucher { text, spent: false });
        }
        Ok(Response::of_json(200, &answer))
    }
}
