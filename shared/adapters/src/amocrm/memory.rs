//! What a job remembers between its steps: names of the entries and how to read them.

use perezvon_domain::CrmId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::jobs::Work;

/// The contact in use.
pub(super) const CONTACT: &str = "contact";
/// The contact was made by this job.
pub(super) const CONTACT_MADE: &str = "contact_made";
/// This contact turned out not to exist any more.
pub(super) const GONE: &str = "gone";
/// How far the search for a contact is.
pub(super) const SEARCH: &str = "search";
/// How far a look-up of more than one request is.
pub(super) const LOOK: &str = "look";
pub(super) const DEAL: &str = "deal";
pub(super) const TASK: &str = "task";
/// Where the call was logged.
pub(super) const LOGGED: &str = "logged";
/// When amoCRM first said that nobody has the number, in milliseconds.
pub(super) const REFUSED_AT: &str = "refused_at";
/// Not to be sent again before, in milliseconds.
pub(super) const AGAIN_AT: &str = "again_at";
/// The straight way is closed, the other one is taken.
pub(super) const FALLBACK: &str = "fallback";
/// The deal of the call does not exist any more.
pub(super) const NO_DEAL: &str = "no_deal";
/// The address of the contact's card.
pub(super) const CARD: &str = "card";
/// The ids of the contact's deals.
pub(super) const DEALS: &str = "deals";
/// Everything is done.
pub(super) const DONE: &str = "done";

/// Reads and writes the entries of a job.
pub(super) trait Memory {
    fn recall(&self, key: &str) -> Option<&str>;
    fn keep(&mut self, key: &str, value: impl Into<String>);
    fn forget(&mut self, key: &str);

    fn has(&self, key: &str) -> bool {
        self.recall(key).is_some()
    }

    fn mark(&mut self, key: &str) {
        self.keep(key, "yes");
    }

    fn id(&self, key: &str) -> Option<CrmId> {
        self.recall(key).map(CrmId::from)
    }

    fn moment(&self, key: &str) -> Option<i64> {
        self.recall(key)?.parse().ok()
    }

    fn read<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.recall(key)?).ok()
    }

    fn store<T: Serialize>(&mut self, key: &str, value: &T) {
        self.keep(key, serde_json::to_string(value).unwrap_or_default());
    }

    /// A write may or may not have been carried out, and we are finding out.
    fn in_doubt(&self) -> bool;
}

impl Memory for Work {
    fn recall(&self, key: &str) -> Option<&str> {
        self.progress.get(key).map(String::as_str)
    }

    fn keep(&mut self, key: &str, value: impl Into<String>) {
        self.progress.insert(key.to_owned(), value.into());
    }

    fn forget(&mut self, key: &str) {
        self.progress.remove(key);
    }

    fn in_doubt(&self) -> bool {
        self.unknown || self.has(LOOK)
    }
}
