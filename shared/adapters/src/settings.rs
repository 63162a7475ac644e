//! What a provider needs in the settings.

use std::collections::BTreeMap;

use crate::Secret;

/// Among what a webhook of a CRM is compared with: the account's number there.
pub const ACCOUNT_ID: &str = "account_id";
/// And the account's name in its address, where the settings name an address of the CRM's own.
pub const SUBDOMAIN: &str = "subdomain";

/// The settings of a provider's channel or connection.
pub trait Settings: Sync {
    /// The secret values it needs.
    fn secrets(&self) -> &'static [FieldSpec];
    /// Where its API lives by default; empty: it must be given.
    fn default_base(&self) -> &'static str;
    /// Host suffixes an address may have (`.example.ru`); empty: any.
    fn hosts(&self) -> &'static [&'static str];
    /// Which of them names the account there, where two channels of one account would both answer; not secret.
    fn own_id(&self) -> Option<&'static str> {
        None
    }
    /// Whether a part of it is worth nothing once it was exchanged for the next one.
    fn is_exchanged(&self, secret: &Secret) -> bool {
        let held = |field: &&FieldSpec| field.single_use && !secret.get(field.name).trim().is_empty();
        self.secrets().iter().any(|field| held(&field))
    }
    /// The page where an account gives access in the browser, complete but for `&state=`; `None`: there is none, or the
    /// channel has keys or tokens of its own.
    fn page(&self, _base: &str, _secret: &Secret) -> Option<String> {
        None
    }
    /// Which of them is a secret for signatures alone, where the provider does not publish how it signs.
    fn signature_secret(&self) -> Option<&'static str> {
        None
    }
    /// What is wrong with a set of secrets beyond "missing".
    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem>;
}

/// A secret value by name.
pub struct FieldSpec {
    pub name: &'static str,
    pub required: bool,
    /// Worth nothing once it was exchanged for the next one: taken from a file once.
    pub single_use: bool,
    /// Where a person finds it.
    pub about: &'static str,
}

/// What is wrong with a value and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub field: String,
    pub what: String,
    pub instead: String,
}

/// What is wrong with values that are one word each: a pair of keys first, which must differ.
pub(crate) fn words(specs: &[FieldSpec], secret: &BTreeMap<String, String>) -> Vec<Problem> {
    let value = |spec: &FieldSpec| secret.get(spec.name).map(String::as_str);
    let mut problems: Vec<Problem> =
        specs.iter().filter_map(|spec| Some(problem(spec, word_problem(value(spec)?)?))).collect();
    if let ([first, second, ..], true) = (specs, problems.is_empty())
        && value(first).is_some_and(|first| value(second) == Some(first))
    {
        problems.push(problem(second, &format!("the same value as `{}`", first.name)));
    }
    problems
}

fn word_problem(value: &str) -> Option<&'static str> {
    if value.trim().is_empty() {
        Some("empty")
    } else if value.contains(char::is_whitespace) {
        Some("there is a space or a line break in it")
    } else {
        None
    }
}

/// A value that was not copied as it stands.
pub(crate) fn problem(spec: &FieldSpec, what: &str) -> Problem {
    let instead = format!("copy the value again, without anything around it: {}", spec.about);
    Problem { field: spec.name.to_owned(), what: what.to_owned(), instead }
}
