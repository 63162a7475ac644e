//! What `verify` leaves behind: the channel's status, its counts, and the quarantine.

use perezvon_domain::{AccountId, ChannelId, Timestamp};
use serde::{Deserialize, Serialize};

use super::json;
use crate::keys;
use crate::table::{Row, TableError, Update};

/// How long a quarantined request is kept, in seconds.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// A request that was refused or could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub id: String,
    pub channel: ChannelId,
    pub received_at: Timestamp,
    /// Short code: `wrong_signature`, `malformed` ...
    pub reason: String,
    /// The reason in words, with what to do.
    pub words: String,
    /// The raw message as it stood on the queue; `None`: over the day's limit, only the digest is kept.
    pub message: Option<String>,
    pub digest: String,
    pub bytes: u64,
    /// When it was put back on the raw queue.
    pub released_at: Option<Timestamp>,
}

impl Quarantined {
    /// Puts it there; the same request again overwrites itself.
    pub fn put(&self, account: &AccountId) -> Update {
        Update::new(keys::quarantined(account, self.received_at, &self.id))
            .set("request", super::text(self))
            .set("expires", self.received_at.seconds() + KEPT_SECONDS)
    }

    /// Reads the row.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        json(row, "request")
    }
}

/// What was counted for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub accepted: i64,
    pub refused: i64,
    pub counted: i64,
    pub pings: i64,
    pub last_webhook: Option<Timestamp>,
    pub last_accepted: Option<Timestamp>,
    pub last_refused: Option<Timestamp>,
    pub last_refusal: Option<String>,
    pub last_ping: Option<Timestamp>,
    /// Signatures that fitted a guess, that fitted none, that were not there; and the guess that fitted last.
    pub signed: i64,
    pub signed_otherwise: i64,
    pub unsigned: i64,
    pub formula: Option<String>,
}

impl Seen {
    /// Takes later counts in.
    pub fn add(&mut self, later: Self) {
        self.accepted += later.accepted;
        self.refused += later.refused;
        self.counted += later.counted;
        self.pings += later.pings;
        self.last_webhook = self.last_webhook.max(later.last_webhook);
        self.last_accepted = self.last_accepted.max(later.last_accepted);
        self.last_refused = self.last_refused.max(later.last_refused);
        self.last_refusal = later.last_refusal.or(self.last_refusal.take());
        self.last_ping = self.last_ping.max(later.last_ping);
        self.signed += later.signed;
        self.signed_otherwise += later.signed_otherwise;
        self.unsigned += later.unsigned;
        self.formula = later.formula.or(self.formula.take());
    }

    /// One update: sums are added, times are set.
    pub fn save(&self, account: &AccountId, channel: &ChannelId) -> Update {
        let mut update = Update::new(keys::channel_status(account, channel));
        let sums = [
            ("accepted", self.accepted),
            ("refused", self.refused),
            ("counted", self.counted),
            ("pings", self.pings),
            ("signed", self.signed),
            ("signed_otherwise", self.signed_otherwise),
            ("unsigned", self.unsigned),
        ];
        for (name, by) in sums.into_iter().filter(|(_, by)| *by > 0) {
            update = update.add(name, by);
        }
        let times = [
            ("last_webhook", self.last_webhook),
            ("last_accepted", self.last_accepted),
            ("last_refused", self.last_refused),
            ("last_ping", self.last_ping),
        ];
        for (name, at) in times {
            if let Some(at) = at {
                update = update.set(name, at.0);
            }
        }
        let words = [("last_refusal", &self.last_refusal), ("formula", &self.formula)].into_iter();
        words.fold(update, |update, (name, words)| match words {
            Some(words) => update.set(name, words.clone()),
            None => update,
        })
    }

    /// Reads the status row.
    pub fn read(row: &Row) -> Self {
        let time = |name| row.n(name).map(Timestamp);
        let sum = |name| row.n(name).unwrap_or_default();
        Self {
            accepted: sum("accepted"),
            refused: sum("refused"),
            counted: sum("counted"),
            pings: sum("pings"),
            last_webhook: time("last_webhook"),
            last_accepted: time("last_accepted"),
            last_refused: time("last_refused"),
            last_refusal: row.s("last_refusal").map(str::to_owned),
            last_ping: time("last_ping"),
            signed: sum("signed"),
            signed_otherwise: sum("signed_otherwise"),
            unsigned: sum("unsigned"),
            formula: row.s("formula").map(str::to_owned),
        }
    }
}
