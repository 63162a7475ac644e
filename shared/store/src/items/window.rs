//! What an item remembers of what was written: the keys of the last messages and of what people did once.

use std::collections::BTreeMap;

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;
use serde::{Deserialize, Serialize};

/// How many keys an item remembers; older ones are known by their rows.
pub const HELD: usize = 32;
/// How long an `Idempotency-Key` counts.
pub const ONCE: Millis = Millis::minutes(24 * 60);

/// The name under which something is remembered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// The provider's id of a message.
    Message(String),
    /// An `Idempotency-Key`.
    Once(String),
}

/// What a person did under an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub at: Timestamp,
    /// Of the body: another body under the same key is a mistake.
    pub digest: String,
    /// The version it was committed as: its effects carry that number.
    pub version: u64,
}

/// The dedup window with its floor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Messages with the provider's time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub messages: BTreeMap<String, Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub once: BTreeMap<String, Done>,
    /// No message after this was evicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Timestamp>,
}

impl Window {
    /// Whether it is remembered here.
    pub fn knows(&self, mark: &Mark) -> bool {
        match mark {
            Mark::Message(id) => self.messages.contains_key(id),
            Mark::Once(key) => self.once.contains_key(key),
        }
    }

    /// Remembers a message; the time it was first told with stays.
    pub fn enter(&mut self, message: String, occurred_at: Timestamp) {
        self.messages.entry(message).or_insert(occurred_at);
    }

    /// An `Idempotency-Key` leaves a day after it entered, row or not.
    pub fn expire(&mut self, now: Timestamp) {
        self.once.retain(|_, done| now.since(done.at) < ONCE);
    }

    /// Holds more than it should.
    pub fn is_over(&self) -> bool {
        self.messages.len() + self.once.len() > HELD
    }

    /// What may be evicted, the oldest first.
    pub fn by_age(&self) -> Vec<Mark> {
        let messages = self.messages.iter().map(|(id, at)| (*at, Mark::Message(id.clone())));
        let once = self.once.iter().map(|(key, done)| (done.at, Mark::Once(key.clone())));
        let mut all: Vec<_> = messages.chain(once).collect();
        all.sort();
        all.into_iter().map(|(_, mark)| mark).collect()
    }

    /// Forgets what a row is known to stand for; the floor rises to a message (!18), not to what a person did:
    /// that comes again with another time, and is always looked up.
    pub fn evict(&mut self, mark: &Mark) {
        match mark {
            Mark::Message(id) => self.floor = self.floor.max(self.messages.remove(id)),
            Mark::Once(key) => _ = self.once.remove(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_rises_to_what_was_evicted_and_never_falls() {
        let mut window = Window::default();
        for (id, at) in [("a", 30), ("b", 10), ("c", 20)] {
            window.enter(id.to_owned(), Timestamp(at));
        }
        window.enter("b".to_owned(), Timestamp(99));
        let ages = window.by_age();
        assert_eq!(ages, ["b", "c", "a"].map(|id| Mark::Message(id.to_owned())), "the first time counts");
        window.evict(&ages[1]);
        window.evict(&ages[0]);
        assert_eq!((window.floor, window.messages.len()), (Some(Timestamp(20)), 1));
    }

    #[test]
    fn what_a_person_did_leaves_after_a_day_and_raises_no_floor() {
        let done = |at| Done { at: Timestamp(at), digest: "d".to_owned(), version: 1 };
        let mut window = Window::default();
        window.once.insert("old".to_owned(), done(0));
        window.once.insert("new".to_owned(), done(1));
        window.expire(Timestamp(ONCE.0));
        assert!(!window.knows(&Mark::Once("old".to_owned())) && window.knows(&Mark::Once("new".to_owned())));
        window.evict(&Mark::Once("new".to_owned()));
        assert_eq!(window, Window::default());
    }
}
