//! Secrets by reference: where the file names an environment variable or another file.

use super::document::Document;
use super::problem::{Findings, Problem};

/// Where a secret value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// In this environment variable.
    Env(String),
    /// In this file; the line break at its end does not count.
    File(String),
}

impl Reference {
    /// Reads `env:NAME` and `file:PATH`; `None`: the text is the value itself.
    pub fn of(text: &str) -> Option<Self> {
        let env = text.strip_prefix("env:").map(|name| Self::Env(name.trim().to_owned()));
        env.or_else(|| text.strip_prefix("file:").map(|path| Self::File(path.trim().to_owned())))
    }

    fn what_to_do(&self) -> String {
        match self {
            Self::Env(name) => format!("set the environment variable `{name}` for this command"),
            Self::File(path) => {
                format!("put the value into the file `{path}` and let this user read it")
            }
        }
    }
}

/// Puts the values in the place of all references. The document is unchanged if one is missing.
pub fn resolve(
    document: &mut Document,
    look_up: &dyn Fn(Reference) -> Result<String, String>,
) -> Result<(), Vec<Problem>> {
    let mut resolved = document.clone();
    let mut findings = Findings::default();
    for (path, secret) in resolved.secrets_mut() {
        let Some(reference) = Reference::of(&secret.0) else {
            continue;
        };
        match look_up(reference.clone()) {
            Ok(value) if !value.trim().is_empty() => {
                secret.0 = value.trim_end_matches(['\r', '\n']).to_owned();
            }
            Ok(_) => findings.add(path, "the value is empty", reference.what_to_do()),
            Err(why) => findings.add(path, why, reference.what_to_do()),
        }
    }
    if findings.0.is_empty() {
        *document = resolved;
        return Ok(());
    }
    Err(findings.0)
}
