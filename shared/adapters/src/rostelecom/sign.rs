//! The signature of both directions: SHA-256 over id, exact body and key, in a header beside the id.

use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// The name of the identification code among the secrets; it travels, and names the domain.
pub(super) const CLIENT_ID: &str = "client_id";
/// The name of the signing key among the secrets; it never travels.
pub(super) const SIGN_KEY: &str = "sign_key";
/// The header with the identification code.
pub(super) const ID_HEADER: &str = "x-client-id";
/// The header with the signature.
pub(super) const SIGN_HEADER: &str = "x-client-sign";

/// Lower-case hex of SHA-256 over the parts one after another.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature of a body under a secret.
pub(super) fn signature(body: &[u8], secret: &Secret) -> String {
    digest(&[secret.get(CLIENT_ID).as_bytes(), body, secret.get(SIGN_KEY).as_bytes()])
}

/// Whether both halves are there; without a key anybody could sign.
pub(super) fn is_whole(secret: &Secret) -> bool {
    !secret.get(CLIENT_ID).is_empty() && !secret.get(SIGN_KEY).is_empty()
}

/// The headers of a request with this body.
pub(super) fn headers(body: &[u8], secret: &Secret) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json".to_owned()),
        (ID_HEADER, secret.get(CLIENT_ID).to_owned()),
        (SIGN_HEADER, signature(body, secret)),
    ]
}
