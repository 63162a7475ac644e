//! What a channel of this provider needs: the key and the salt of its API connector.

use std::collections::BTreeMap;

use super::Mango;
use super::form::{KEY, SALT};
use crate::settings::{FieldSpec, Problem, Settings};

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
        let mut problems: Vec<Problem> = SECRETS
            .iter()
            .filter_map(|spec| Some((spec, value_problem(secret.get(spec.name)?)?)))
            .map(|(spec, what)| problem(spec, what))
            .collect();
        let [key, salt] = [KEY, SALT].map(|name| secret.get(name).map(String::as_str));
        if problems.is_empty() && key.is_some() && key == salt {
            problems.push(problem(&SECRETS[1], "the same value as `key`"));
        }
        problems
    }
}

fn value_problem(value: &str) -> Option<&'static str> {
    if value.trim().is_empty() {
        Some("empty")
    } else if value.contains(char::is_whitespace) {
        Some("there is a space or a line break in it")
    } else {
        None
    }
}

fn problem(spec: &FieldSpec, what: &str) -> Problem {
    let instead = format!("copy the value again, without anything around it: {}", spec.about);
    Problem { field: spec.name.to_owned(), what: what.to_owned(), instead }
}
