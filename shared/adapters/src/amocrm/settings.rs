//! What amoCRM needs in the settings.

use std::collections::BTreeMap;

use super::token;
use crate::Secret;
use crate::settings::{FieldSpec, Problem, Settings};

pub(super) struct AmoSettings;

const KEYS: &str = "amoCRM: Настройки -> Интеграции -> ваша интеграция -> Ключи и доступы";
const LONG_LIVED: &str = "amoCRM: Настройки -> Интеграции -> ваша интеграция -> Ключи и доступы \
     -> Долгосрочный токен";
const PAIR_ABOUT: &str = "только вместо долгосрочного токена: выдаётся при подключении интеграции (OAuth)";

static SECRETS: [FieldSpec; 7] = [
    optional("token", LONG_LIVED),
    optional("access_token", PAIR_ABOUT),
    exchanged("refresh_token", PAIR_ABOUT),
    optional("client_id", KEYS),
    optional("client_secret", KEYS),
    optional("redirect_uri", KEYS),
    optional("expires_at", "ведётся программой: когда кончается access_token, секунды Unix"),
];

/// What a pair consists of.
const PAIR: [&str; 5] = ["access_token", "refresh_token", "client_id", "client_secret", "redirect_uri"];

const fn optional(name: &'static str, about: &'static str) -> FieldSpec {
    FieldSpec { name, required: false, single_use: false, about }
}

/// amoCRM gives a new pair for each refresh token, once.
const fn exchanged(name: &'static str, about: &'static str) -> FieldSpec {
    FieldSpec { single_use: true, ..optional(name, about) }
}

impl Settings for AmoSettings {
    fn secrets(&self) -> &'static [FieldSpec] {
        &SECRETS
    }

    fn default_base(&self) -> &'static str {
        ""
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[".amocrm.ru", ".amocrm.com", ".kommo.com"]
    }

    fn is_exchanged(&self, secret: &Secret) -> bool {
        token::is_pair(secret)
    }

    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem> {
        let get = |name: &str| secret.get(name).map(|value| value.trim()).unwrap_or_default();
        let mut problems: Vec<Problem> = ["token", "access_token"]
            .into_iter()
            .filter(|name| get(name).contains(char::is_whitespace))
            .map(|name| problem(name, "в токене пробел", "скопируйте один токен, без слова Bearer"))
            .collect();
        if !get("token").is_empty() {
            return problems;
        }
        let missing: Vec<&str> = PAIR.into_iter().filter(|name| get(name).is_empty()).collect();
        if missing.len() == PAIR.len() {
            problems.push(problem("token", "нет токена", LONG_LIVED));
            return problems;
        }
        problems.extend(missing.into_iter().map(|name| {
            let about = SECRETS.iter().find(|spec| spec.name == name).map_or(KEYS, |spec| spec.about);
            let instead = format!("{about}; или возьмите долгосрочный токен (token): {LONG_LIVED}");
            problem(name, "не хватает для пары токенов", &instead)
        }));
        problems
    }
}

fn problem(field: &str, what: &str, instead: &str) -> Problem {
    Problem { field: field.to_owned(), what: what.to_owned(), instead: instead.to_owned() }
}
