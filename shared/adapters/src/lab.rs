//! Signatures by hand: to make one, and to see which formula and key fit.

use crate::intake::RawRequest;
use crate::secret::Secret;

/// A signed request, ready to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Among them the content type; the signature too, where it travels in one.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The signature itself, for people.
    pub signature: String,
}

/// One formula tried on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The formula and the key, in words.
    pub what: String,
    pub fits: bool,
    /// What to do about it.
    pub advice: String,
}

/// A sample request.
pub struct Example {
    pub path: &'static str,
    pub payload: &'static str,
}

/// The signature lab of a provider.
pub trait Lab: Sync {
    /// Signs a payload as the provider would.
    fn sign(&self, payload: &str, secret: &Secret) -> Signed;
    /// Which formula and key fit a request, tried one after another.
    fn explain(&self, request: &RawRequest, secrets: &[Secret]) -> Vec<Attempt>;
    /// Sample payloads to try with.
    fn examples(&self) -> &'static [Example];
}
