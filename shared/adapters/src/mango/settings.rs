//! What a channel of this provider needs: the key and the salt of its API connector.

use std::collections::BTreeMap;

use super::Mango;
use super::form::{KEY, SALT};
use crate::settings::{FieldSpec, Problem, Settings, words};

const SECRETS: &[FieldSpec] = &[
    FieldSpec {
        name: KEY,
        required: true,
        single_use: false,
        about: "Mango Office cabinet, \"Интеграции -> API коннектор\": \"Уникальный код вашей АТС\"",
    },
    FieldSpec {
        name: SALT,
        required: true,
        single_use: false,
        about: "Mango Office cabinet, \"Интеграции -> API коннектор\": \"Ключ для создания подписи\"",
    },
];

impl Settings for Mango {
    fn secrets(&self) -> &'static [FieldSpec] {
        SECRETS
    }

    fn default_base(&self) -> &'static str {
        "https://app.mango-office.ru/vpbx"
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[]
    }

    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem> {
        words(SECRETS, secret)
    }
}
