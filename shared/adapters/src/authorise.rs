//! Access that an account gives in the browser (OAuth): the exchange of the code that the provider's page sends back,
//! and whose account it is. The page itself is one of the provider's settings: whoever leads there exchanges nothing.

use serde::{Deserialize, Serialize};

use crate::jobs::{Known, Outgoing, Reply, TokenPair};
use crate::secret::Secret;

/// An account at the provider, as people know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pub id: String,
    pub name: String,
}

/// The facet of a provider whose accounts authorise an application in the browser.
pub trait Authorise: Sync {
    /// Tokens were given.
    fn is_given(&self, secret: &Secret) -> bool;
    /// A channel's own secrets with what was given to them; without it if another application asked for it, or another
    /// account gave it.
    fn with_given(&self, own: &Secret, given: Secret) -> Secret;
    /// The request that exchanges a code.
    fn exchange(&self, known: &Known<'_>, code: &str) -> Outgoing;
    /// Tokens from the answer, with every right that is needed; an error is for a person to read.
    fn exchanged(&self, known: &Known<'_>, reply: &Reply) -> Result<TokenPair, String>;
    /// The request that tells whose account it is, with the tokens that `known` has.
    fn whose(&self, known: &Known<'_>) -> Outgoing;
    /// The account; an error if it is not the one of the settings, for a person to read.
    fn owner(&self, known: &Known<'_>, reply: &Reply) -> Result<Owner, String>;
}
