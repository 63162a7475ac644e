//! A synchronous path: the provider asks who calls and whom to ring, and waits.

use perezvon_domain::answer::{Answered, Question};

use crate::intake::{Malformed, Verified};
use crate::secret::Secret;

/// What goes back to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// The asking half of a provider. Its questions come by the paths that its capabilities name.
pub trait Answer: Sync {
    /// Puts a verified request into our words.
    ///
    /// # Errors
    /// The request is no question.
    fn question(&self, request: &Verified<'_>) -> Result<Question, Malformed>;
    /// The answer, signed where the provider signs, with the secret that the question fitted.
    fn reply(&self, answered: &Answered, secret: &Secret) -> Answering;
    /// What somebody is told who is not believed: nothing, and unsigned.
    fn refusal(&self) -> Answering;
}
