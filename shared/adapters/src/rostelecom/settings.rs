//! What a channel of this provider needs: the identification code and the signing key of its API.

use std::collections::BTreeMap;

use super::Rostelecom;
use super::sign::{CLIENT_ID, SIGN_KEY};
use crate::settings::{FieldSpec, Problem, Settings, words};

/// The name of the domain among the secrets.
pub(super) const DOMAIN: &str = "domain";

const SECRETS: &[FieldSpec] = &[
    FieldSpec {
        name: CLIENT_ID,
        required: true,
        single_use: false,
        about: "cabinet of the VATS domain, \"API интеграции\": \"Уникальный код идентификации\"",
    },
    FieldSpec {
        name: SIGN_KEY,
        required: true,
        single_use: false,
        about: "cabinet of the VATS domain, \"API интеграции\": \"Уникальный ключ для подписи\"",
    },
    FieldSpec {
        name: DOMAIN,
        required: false,
        single_use: false,
        about: "the name of the domain, like `name.20.rt.ru`; only if the provider asks for it",
    },
];

impl Settings for Rostelecom {
    fn secrets(&self) -> &'static [FieldSpec] {
        SECRETS
    }

    fn default_base(&self) -> &'static str {
        "https://api.cloudpbx.rt.ru"
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[]
    }

    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem> {
        words(SECRETS, secret)
    }
}
