//! What was not told is read off what the provider keeps. Up to when nothing is missing is a fact of the connection, kept
//! by whoever fetches it.

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;

use crate::jobs::{Known, Work};

/// The name of the fact; in milliseconds.
const HEALED_TO: &str = "healed_to";

/// How a log is read: a bounded part of it after the other.
pub(crate) struct Log {
    /// So much before what was read is read once more, for the clocks and for what shows late: a call stands there only
    /// once it is over.
    pub(crate) overlap: Millis,
    /// Nothing older is asked for ...
    pub(crate) oldest: Millis,
    /// ... and no more at a time, because an answer has a limit.
    pub(crate) part: Millis,
}

/// From when on, and up to when.
pub(crate) type Part = (Timestamp, Timestamp);

impl Log {
    /// What is read first.
    pub(crate) fn first(&self, known: &Known<'_>, since: Timestamp) -> Part {
        let from = not_before(known, since, self.overlap).max(known.now.after(Millis(-self.oldest.0)));
        (from, known.now.min(from.after(self.part)))
    }

    /// Nothing is missing up to this moment: what is read next. `None`: what is later is left to the next time.
    pub(crate) fn next(&self, work: &mut Work, known: &Known<'_>, until: Timestamp) -> Option<Part> {
        healed(work, until);
        (known.now.since(until) >= self.overlap).then(|| (until, known.now.min(until.after(self.part))))
    }
}

/// From when on it is read: `overlap` before that moment, for the clocks and for what shows late.
pub(crate) fn not_before(known: &Known<'_>, since: Timestamp, overlap: Millis) -> Timestamp {
    let healed = known.facts.get(HEALED_TO).and_then(|at| at.parse().ok());
    let healed = healed.map(|at: i64| Timestamp(at.saturating_sub(overlap.0)));
    healed.unwrap_or_default().max(since)
}

/// Nothing is missing up to this moment.
pub(crate) fn healed(work: &mut Work, to: Timestamp) {
    work.learned.facts.insert(HEALED_TO.to_owned(), to.0.to_string());
}
