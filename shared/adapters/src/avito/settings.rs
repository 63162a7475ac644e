//! What a channel of this provider needs: the account's number and the keys of its API.

use std::collections::BTreeMap;

use super::Avito;
use super::intake::USER_ID;
use super::signature::SIGNATURE_SECRET;
use super::token::{ACCESS, CLIENT_ID, CLIENT_SECRET, EXPIRES_AT, ISSUED_AT, REFRESH};
use crate::settings::{FieldSpec, Problem, Settings};

const OF_A_PAIR: &str =
    "only if somebody else's account authorised your application (OAuth): the pair that was given then";
const OF_SIGNATURES: &str = "only if Avito told you a secret for the signatures of its pushes";
const KEPT: &str = "kept by the program: Unix seconds";

static SECRETS: [FieldSpec; 8] = [
    required(USER_ID, "Avito, profile: \"Номер профиля\", digits only"),
    required(CLIENT_ID, "Avito, cabinet: \"Настройки -> API\": Client_id"),
    required(CLIENT_SECRET, "Avito, cabinet: \"Настройки -> API\": Client_secret"),
    FieldSpec { required: false, ..required(SIGNATURE_SECRET, OF_SIGNATURES) },
    FieldSpec { required: false, ..required(ACCESS, OF_A_PAIR) },
    FieldSpec { required: false, single_use: true, ..required(REFRESH, OF_A_PAIR) },
    FieldSpec { required: false, ..required(ISSUED_AT, KEPT) },
    FieldSpec { required: false, ..required(EXPIRES_AT, KEPT) },
];

const fn required(name: &'static str, about: &'static str) -> FieldSpec {
    FieldSpec { name, required: true, single_use: false, about }
}

impl Settings for Avito {
    fn secrets(&self) -> &'static [FieldSpec] {
        &SECRETS
    }

    fn default_base(&self) -> &'static str {
        "https://api.avito.ru"
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[".avito.ru"]
    }

    fn own_id(&self) -> Option<&'static str> {
        Some(USER_ID)
    }

    fn signature_secret(&self) -> Option<&'static str> {
        Some(SIGNATURE_SECRET)
    }

    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem> {
        SECRETS.iter().filter_map(|spec| Some(problem(spec, wrong(spec, secret.get(spec.name)?)?))).collect()
    }
}

fn wrong(spec: &FieldSpec, value: &str) -> Option<&'static str> {
    let is_number = [USER_ID, ISSUED_AT, EXPIRES_AT].contains(&spec.name);
    if value.is_empty() {
        spec.required.then_some("empty")
    } else if value.contains(char::is_whitespace) {
        Some("there is a space or a line break in it")
    } else if is_number && !value.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("it is no number")
    } else {
        None
    }
}

fn problem(spec: &FieldSpec, what: &str) -> Problem {
    let instead = format!("copy the value again, without anything around it: {}", spec.about);
    Problem { field: spec.name.to_owned(), what: what.to_owned(), instead }
}
