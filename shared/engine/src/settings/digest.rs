//! Digests: which document, which token; and the document as people may see it.

use std::fmt::Write as _;

use perezvon_adapters::Secret;
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

/// The same for the same secret.
pub(super) fn of_secret(secret: &Secret) -> String {
    sha256(&text(secret))
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
