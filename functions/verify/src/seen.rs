//! What one batch counted for one channel: so that "nothing comes" has an answer.

use perezvon_domain::Timestamp;
use perezvon_platform::raw::RawMessage;
use perezvon_store::items::intake::Seen;

use crate::quarantine::Refused;

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

    /// In quarantine.
    pub fn refused(&mut self, raw: &RawMessage, refused: &Refused) {
        let at = self.webhook(raw);
        self.seen.refused += 1;
        self.seen.last_refused = self.seen.last_refused.max(at);
        self.seen.last_refusal = Some(refused.words.clone());
    }
}
