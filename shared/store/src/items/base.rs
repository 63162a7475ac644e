//! What the items of all aggregates have in common: version, outbox, summary, and the one write that makes the next
//! version of them.

use std::collections::BTreeMap;

use perezvon_domain::reason::Because;
use perezvon_domain::{Effect, EffectId, Timestamp};
use serde::Serialize;

use super::due::{Due, Timer};
use super::pack::{packed, packed_text, plain, unpacked};
use super::{SCHEMA, json_or_default};
use crate::keys::Key;
use crate::table::{Attributes, Condition, Row, TableError, Update, Value, size};

/// An item as it stands in the table, besides its state.
#[derive(Clone, Debug, Default)]
pub struct Base {
    /// The version that was read; 0: not in the table yet.
    pub version: u64,
    /// Effects that were not handed over yet, oldest first.
    pub outbox: Vec<Effect>,
    /// What lists show now, as text: written again only when it changes.
    pub summary: String,
    pub(crate) stands: Attributes,
}

/// What a commit makes of an item.
pub(crate) struct Next<'a, S> {
    pub version: u64,
    pub at: Timestamp,
    pub state: &'a S,
    pub because: &'a [Because],
    pub effects: &'a [Effect],
    pub summary: String,
}

impl Base {
    /// Reads it from its row.
    pub(crate) fn read(row: &Row) -> Result<Self, TableError> {
        let mut outbox = Vec::new();
        for value in row.m("outbox").map(BTreeMap::values).into_iter().flatten() {
            let effect: Effect = serde_json::from_str(&unpacked(value)?)
                .map_err(|error| TableError::Refused(format!("an effect cannot be read: {error}")))?;
            outbox.push(effect);
        }
        outbox.sort_by_key(|effect| (effect.at, place(&effect.id)));
        Ok(Self {
            version: u64::try_from(row.n("version").unwrap_or_default()).unwrap_or_default(),
            outbox,
            summary: row.attributes.get("summary").map(unpacked).transpose()?.unwrap_or_default().into_owned(),
            stands: row.attributes.clone(),
        })
    }

    /// The due time of a timer.
    pub fn due(&self, timer: Timer) -> Option<Timestamp> {
        timer.due(&self.stands)
    }

    /// Bytes of the item as it would be after this write, with its JSON as text.
    pub fn size_after(&self, update: &Update) -> Result<usize, TableError> {
        Ok(size(&plain(update.applied_to(Some(&self.stands))?)?))
    }

    /// The write that makes the next version, under the one that was read.
    pub(crate) fn commit<S: Serialize>(&self, key: Key, next: Next<'_, S>) -> Update {
        let mut update = Update::new(key)
            .set("version", i64::try_from(next.version).unwrap_or(i64::MAX))
            .set("at", next.at.0)
            .set("state", packed(next.state))
            .set("reasons", packed(&next.because));
        if next.summary != self.summary {
            update = update.set("summary", packed_text(next.summary));
        }
        if self.version == 0 {
            // The first write makes the map whole; later ones name their entries only.
            let entries = next.effects.iter().map(|effect| (effect.id.0.clone(), packed(effect))).collect();
            return update.set("outbox", Value::M(entries)).set("schema", SCHEMA).when(Condition::Absent);
        }
        for effect in next.effects {
            update = update.set_in("outbox", effect.id.as_str(), packed(effect));
        }
        update.when(self.unchanged())
    }

    fn unchanged(&self) -> Condition {
        Condition::Eq("version".to_owned(), Value::N(i64::try_from(self.version).unwrap_or(i64::MAX)))
    }

    /// The receipt: exactly what stood in the outbox was handed over.
    pub fn receipt(&self, key: Key) -> Update {
        let mut update = Update::new(key).when(Condition::Exists("version".to_owned()));
        for effect in &self.outbox {
            update = update.remove_in("outbox", effect.id.as_str());
        }
        update
    }

    /// The receipt of whoever armed the due time, if nothing else is due: takes that time off as well, unless
    /// somebody committed or moved it meanwhile (!14).
    pub fn receipt_disarming(&self, key: Key, armed: Timestamp) -> Update {
        let mine = vec![Condition::Eq("wake_due".to_owned(), Value::N(armed.0)), self.unchanged()];
        Due::Remove.apply(self.receipt(key)).when(Condition::And(mine))
    }
}

/// The item's time and its reasons, which stand beside the state.
pub(crate) fn beside(row: &Row) -> Result<(Timestamp, Vec<Because>), TableError> {
    Ok((Timestamp(row.n("at").unwrap_or_default()), json_or_default(row, "reasons")?))
}

/// The version of the commit that made an effect.
pub fn version_of(effect: &EffectId) -> u64 {
    place(effect).0
}

/// Version and index of an effect id as numbers, so that `10` comes after `9`.
fn place(id: &EffectId) -> (u64, u64) {
    let mut parts = id.as_str().rsplit('/').map(|part| part.parse().unwrap_or_default());
    let index = parts.next().unwrap_or_default();
    (parts.next().unwrap_or_default(), index)
}
