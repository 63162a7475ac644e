//! Digests: which document, which token; and the document as people may see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use perezvon_adapters::{FieldSpec, Secret};
use perezvon_store::items::text;
use sha2::{Digest, Sha256};

use super::document::Document;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// The document as JSON, secrets hidden.
pub(super) fn shown(document: &Document) -> String {
    text(&with_secrets(document, |_| HIDDEN.to_owned()))
}

/// The same for the same settings and secrets, whatever the file looks like.
pub(super) fn of_document(document: &Document) -> String {
    sha256(&text(&with_secrets(document, sha256)))
}

/// The same for the same secret; up to the slash, for the same values that can be exchanged once.
pub(super) fn of_secret(secret: &Secret, fields: &[FieldSpec]) -> String {
    let single_use = |name: &str| fields.iter().any(|field| field.single_use && field.name == name);
    let exchanged: BTreeMap<_, _> =
        secret.0.iter().filter(|(name, value)| single_use(name) && !value.trim().is_empty()).collect();
    let whole = sha256(&text(secret));
    if exchanged.is_empty() { format!("{whole}/{whole}") } else { format!("{}/{whole}", sha256(&text(&exchanged))) }
}

/// Whether two digests of secrets are of the same exchange.
pub(super) fn same_exchange(one: &str, other: &str) -> bool {
    let exchange = |digest: &str| digest.split('/').next().map(str::to_owned);
    exchange(one) == exchange(other)
}

fn with_secrets(document: &Document, instead: impl Fn(&str) -> String) -> Document {
    let mut document = document.clone();
    for (_, secret) in document.secrets_mut() {
        secret.0 = instead(&secret.0);
    }
    document
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}
