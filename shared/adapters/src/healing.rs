//! Up to when nothing is missing: a fact of the connection, kept by whoever fetches what was not told.

use perezvon_domain::Timestamp;
use perezvon_domain::time::Millis;

use crate::jobs::{Known, Work};

/// The name of the fact; in milliseconds.
const HEALED_TO: &str = "healed_to";

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
