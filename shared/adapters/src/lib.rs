//! Pure codecs of the outside systems, one folder each, and their registry.
//!
//! Bytes in, bytes out: no client, no clock, no environment. A new provider is one folder here,
//! one folder under `events/` and one line in the registry. A difference between providers is
//! a value in [`Capabilities`] or an absent facet, never a question which provider it is.

mod amocrm;
mod answer;
mod authorise;
mod avito;
mod charset;
mod fields;
mod healing;
pub mod hooks;
mod intake;
mod jobs;
mod lab;
mod mango;
mod recording;
mod rostelecom;
mod secret;
mod settings;

pub use answer::{Answer, Answering};
pub use authorise::{Authorise, Owner};
pub use intake::{CallNews, ChatNews, ClientChange, Guess, Inbound, Intake, Malformed, RawRequest, Refusal, Verified};
pub use jobs::{
    Expect, Jobs, Known, Learned, Level, Marker, Outcome, Outgoing, PointKnown, PointNews, Reply, Step, TokenPair, Work,
};
pub use lab::{Attempt, Example, Lab, Signed};
pub use secret::{Secret, same};
pub use settings::{ACCOUNT_ID, FieldSpec, Problem, SUBDOMAIN, Settings};

use perezvon_domain::time::Millis;

// Two lists out of one, so that a function that only has to know a provider links none of the codecs.
macro_rules! register {
    ($($provider:ident),+ $(,)?) => {
        /// Every provider there is.
        pub static PROVIDERS: &[&Provider] = &[$(&$provider::PROVIDER),+];
        /// What speaks with each of them.
        pub static CODECS: &[&Codec] = &[$(&$provider::CODEC),+];
    };
}

// Every provider there is: one line each.
register! {
    mango,
    amocrm,
    avito,
    rostelecom,
}

/// An outside system: what is known of it.
pub struct Provider {
    /// Its name in settings and rows.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    pub capabilities: Capabilities,
    pub settings: &'static dyn Settings,
}

/// What speaks with an outside system.
pub struct Codec {
    pub provider: &'static Provider,
    /// It posts webhooks to us.
    pub intake: Option<&'static dyn Intake>,
    /// We ask it to do things.
    pub jobs: Option<&'static dyn Jobs>,
    /// Signatures by hand, for the command line.
    pub lab: Option<&'static dyn Lab>,
    /// It asks who calls, and waits for the answer.
    pub answer: Option<&'static dyn Answer>,
}

/// What a provider can and cannot do, as values.
pub struct Capabilities {
    pub role: Role,
    /// Largest webhook body, in bytes; 0: it posts none.
    pub body_limit: u32,
    /// Smallest gap between two requests of ours, in milliseconds.
    pub pace_ms: i64,
    /// Longest text of one message to a client, in characters; 0: it takes none.
    pub max_text: usize,
    /// It lets us write to a client first.
    pub can_initiate: bool,
    /// Messages do not say who the client is: the chat is read for it.
    pub read_chat: bool,
    /// It is told by a request where its webhooks go; otherwise a person enters the address.
    pub subscribes: bool,
    /// What it did not post can be fetched afterwards: how often at most (0: at each look); `None`: it cannot.
    pub heals_every: Option<Millis>,
    /// It can be asked how a call went.
    pub reads_calls: bool,
    /// It takes a call that waits to whomever it is told.
    pub routes_calls: bool,
    /// Its outgoing calls say which number of the company they belong to.
    pub names_outgoing_line: bool,
    /// Its links to recordings go on playing, so that they need not be copied.
    pub links_last: bool,
    /// A reply may be a picture.
    pub takes_images: bool,
    /// It calls a client for an employee, whose telephone rings first.
    pub calls_back: bool,
    /// It says who works there.
    pub lists_users: bool,
    /// How long after it was sent a message can be taken back; `None`: whether it can is asked.
    pub delete_within: Option<Millis>,
    /// What it appends to the address of its webhooks where it asks and waits for the answer.
    pub synchronous: &'static [&'static str],
    pub signature: Signature,
}

/// What a provider is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Telephony,
    Crm,
    /// Clients write to it, and we answer.
    Chat,
}

/// What makes a webhook believable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// A signature over the bytes.
    Checked,
    /// Nothing but the secret URL.
    UrlTokenOnly { why: &'static str },
}

/// The provider of this name.
pub fn provider(id: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.id == id)
}

/// Whether a provider waits for the answer to what it posts to this path, which begins with `/h/{token}/`.
pub fn is_asked(path: &str) -> bool {
    let Some((_, name)) = path.strip_prefix("/h/").and_then(|rest| rest.split_once('/')) else { return false };
    PROVIDERS.iter().any(|provider| provider.capabilities.synchronous.contains(&name))
}

/// What speaks with the provider of this name.
pub fn codec(id: &str) -> Option<&'static Codec> {
    CODECS.iter().copied().find(|codec| codec.provider.id == id)
}
