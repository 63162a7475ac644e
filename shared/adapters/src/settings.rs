//! What a provider needs in the settings.

use std::collections::BTreeMap;

use crate::Secret;

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
