//! An account authorised an application in the browser: the code, the rights, whose account it is.

use serde_json::Value;

use super::Avito;
use super::answer::complaint;
use super::intake::USER_ID;
use super::request;
use super::settings::RIGHTS;
use super::token::{self, ACCESS, CLIENT_ID, CLIENT_SECRET, REFRESH};
use super::value::text;
use crate::authorise::{Authorise, Owner};
use crate::jobs::{Known, Outgoing, Reply, TokenPair};
use crate::secret::{Secret, same};

impl Authorise for Avito {
    fn is_given(&self, secret: &Secret) -> bool {
        !secret.get(ACCESS).is_empty() && !secret.get(REFRESH).is_empty()
    }

    fn with_given(&self, own: &Secret, given: Secret) -> Secret {
        let fits = |name: &&str| same(own.get(name).as_bytes(), given.get(name).as_bytes());
        if ![USER_ID, CLIENT_ID].iter().all(fits) {
            return own.clone();
        }
        let mut whole = given;
        whole.0.extend(own.0.clone());
        whole
    }

    fn exchange(&self, known: &Known<'_>, code: &str) -> Outgoing {
        let keys = [CLIENT_ID, CLIENT_SECRET].map(|name| (name, known.secret.get(name)));
        token::request(known, &[("grant_type", "authorization_code"), keys[0], keys[1], ("code", code)])
    }

    fn exchanged(&self, known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String> {
        let body = token::said(reply, REFUSED)?;
        let missing = missing(&text(&body["scope"]));
        if !missing.is_empty() {
            return Err(format!("Avito дал не все права, нет {}: {AGAIN} и разрешите всё", missing.join(", ")));
        }
        if text(&body[REFRESH]).is_empty() {
            return Err(format!("Avito не прислал refresh_token: {AGAIN}"));
        }
        Ok(token::with_tokens(known, &body, true))
    }

    fn whose(&self, known: &Known<'_>) -> Outgoing {
        request::own_account(known)
    }

    fn owner(&self, known: &Known<'_>, reply: &Reply) -> Result<Owner, String> {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let (id, name) = (text(&body["id"]), text(&body["name"]));
        if !(200..300).contains(&reply.status) || id.is_empty() {
            let status = reply.status;
            return Err(format!("Avito не сказал, чей это аккаунт (ответ {status}){}: {AGAIN}", complaint(&body)));
        }
        let wanted = known.secret.get(USER_ID).trim();
        if !same(wanted.as_bytes(), id.as_bytes()) {
            return Err(format!(
                "доступ дал другой аккаунт Avito, «{name}» ({id}), а в настройках канала {wanted}: выйдите из него на \
                 avito.ru, войдите в нужный и {AGAIN}"
            ));
        }
        Ok(Owner { id, name })
    }
}

const AGAIN: &str = "авторизуйте канал ещё раз";
const REFUSED: &str = "Avito не принял код авторизации, он действует один раз и недолго: авторизуйте канал ещё раз. Если \
     не поможет, проверьте client_id и client_secret";

/// Rights that were asked for and not given. Separated by commas or blanks; not told means as asked for.
fn missing(told: &str) -> Vec<&'static str> {
    let given: Vec<&str> = told.split([',', ' ']).filter(|right| !right.is_empty()).collect();
    RIGHTS.into_iter().filter(|right| !given.is_empty() && !given.contains(right)).collect()
}
