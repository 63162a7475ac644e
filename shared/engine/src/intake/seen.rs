//! What one batch counted for one channel: so that "nothing comes" has an answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use perezvon_adapters::Guess;
use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_platform::raw::RawMessage;
use perezvon_store::items::intake::Seen;

use super::refused::Refused;

/// Whose counts they are.
pub type Channel = (AccountId, ChannelId);

/// Counts of this process that wait to be saved. Whoever looks why nothing comes sees the first request at once,
/// and every refusal and ping; the rest is saved now and then.
pub struct Counts {
    every_ms: i64,
    waiting: Mutex<BTreeMap<Channel, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    seen: Seen,
    /// By the monotonic clock.
    saved_ms: Option<i64>,
}

impl Counts {
    /// None yet.
    pub fn new(every_ms: i64) -> Self {
        Self { every_ms, waiting: Mutex::default() }
    }

    /// Takes a batch in; what is to be saved now, of whatever channel.
    pub fn take(&self, tallies: BTreeMap<Channel, Tally>, now_ms: i64) -> Vec<(Channel, Seen)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for (channel, tally) in tallies {
            waiting.entry(channel).or_default().seen.add(tally.seen);
        }
        let due = waiting.iter_mut().filter(|(_, counts)| counts.are_due(now_ms, self.every_ms));
        due.map(|(channel, counts)| {
            counts.saved_ms = Some(now_ms);
            (channel.clone(), std::mem::take(&mut counts.seen))
        })
        .collect()
    }
}

impl Waiting {
    fn are_due(&self, now_ms: i64, every_ms: i64) -> bool {
        let urgent = self.seen.refused > 0 || self.seen.pings > 0;
        let long_ago = self.saved_ms.is_none_or(|saved| now_ms - saved >= every_ms);
        self.seen != Seen::default() && (urgent || long_ago)
    }
}

/// Sums of a batch.
#[derive(Default)]
pub struct Tally {
    pub seen: Seen,
}

impl Tally {
    fn webhook(&mut self, raw: &RawMessage) -> Option<Timestamp> {
        let at = Some(Timestamp(raw.received_at));
        self.seen.last_webhook = self.seen.last_webhook.max(at);
        at
    }

    /// Its events are on the event queue.
    pub fn accepted(&mut self, raw: &RawMessage) {
        let at = self.webhook(raw);
        self.seen.accepted += 1;
        self.seen.last_accepted = self.seen.last_accepted.max(at);
    }

    /// Known, and of no use yet.
    pub fn counted(&mut self, raw: &RawMessage) {
        let at = self.webhook(raw);
        self.seen.counted += 1;
        self.seen.last_accepted = self.seen.last_accepted.max(at);
    }

    /// The provider's "check the connection".
    pub fn ping(&mut self, raw: &RawMessage) {
        let at = self.webhook(raw);
        self.seen.pings += 1;
        self.seen.last_ping = self.seen.last_ping.max(at);
    }

    /// What its signature fits, where nobody knows how it is made.
    pub fn guessed(&mut self, guess: Guess) {
        match guess {
            Guess::Fits(formula) => {
                self.seen.signed += 1;
                self.seen.formula = Some(formula.to_owned());
            }
            Guess::Misses => self.seen.signed_otherwise += 1,
            Guess::Absent => self.seen.unsigned += 1,
        }
    }

    /// In quarantine.
    pub fn refused(&mut self, raw: &RawMessage, refused: &Refused) {
        let at = self.webhook(raw);
        self.seen.refused += 1;
        self.seen.last_refused = self.seen.last_refused.max(at);
        self.seen.last_refusal = Some(refused.words.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(channel: &str, accepted: i64, pings: i64) -> BTreeMap<Channel, Tally> {
        let seen = Seen { accepted, pings, last_webhook: Some(Timestamp(accepted)), ..Seen::default() };
        BTreeMap::from([((AccountId::from("school"), ChannelId::from(channel)), Tally { seen })])
    }

    /// Channel, accepted and last webhook of what is saved.
    fn saved(counts: &Counts, batch: BTreeMap<Channel, Tally>, now_ms: i64) -> Vec<(String, i64, Option<i64>)> {
        let saved = counts.take(batch, now_ms).into_iter();
        saved.map(|((_, channel), seen)| (channel.0, seen.accepted, seen.last_webhook.map(|at| at.0))).collect()
    }

    #[test]
    fn the_first_count_is_saved_at_once_and_the_next_ones_together() {
        let counts = Counts::new(10_000);
        assert_eq!(saved(&counts, batch("main", 3, 0), 0), [("main".to_owned(), 3, Some(3))]);
        assert_eq!(saved(&counts, batch("main", 2, 0), 4_000), []);
        assert_eq!(saved(&counts, batch("other", 1, 0), 9_999), [("other".to_owned(), 1, Some(1))]);
        assert_eq!(saved(&counts, batch("other", 5, 0), 10_000), [("main".to_owned(), 2, Some(2))], "by any batch");
        assert_eq!(saved(&counts, BTreeMap::new(), 19_999), [("other".to_owned(), 5, Some(5))]);
        assert_eq!(saved(&counts, BTreeMap::new(), 90_000), [], "nothing is written for nothing");
    }

    #[test]
    fn a_ping_takes_what_waits_along() {
        let counts = Counts::new(10_000);
        saved(&counts, batch("main", 1, 0), 0);
        saved(&counts, batch("main", 1, 0), 1);
        assert_eq!(saved(&counts, batch("main", 0, 1), 2), [("main".to_owned(), 1, Some(1))]);
    }
}
