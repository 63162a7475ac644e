//! The item of a call: state, outbox, due time, list keys. One item, one conditional write.

use std::collections::BTreeMap;

use perezvon_domain::call::{Call, row::Row as FeedRow};
use perezvon_domain::reason::Because;
use perezvon_domain::{AccountId, ChannelId, Effect, EffectId, Timestamp};

use super::pack::{packed, packed_text, plain, unpacked};
use super::{SCHEMA, json, json_or_default, text};
use crate::keys;
use crate::table::{Attributes, Condition, Row, TableError, Update, Value, size};

/// A call as it stands in the table.
#[derive(Clone, Debug)]
pub struct CallItem {
    pub call: Call,
    /// Effects that were not handed over yet, oldest first.
    pub outbox: Vec<Effect>,
    pub wake_due: Option<Timestamp>,
    /// What the feed shows now, as text: written again only when it changes.
    pub summary: String,
    has_phone: bool,
    stands: Attributes,
}

impl CallItem {
    /// A call that is not in the table yet.
    pub fn absent(account: &AccountId, channel: &ChannelId, entry: &str, received_at: Timestamp) -> Self {
        let call = Call::new(account.clone(), channel.clone(), entry.to_owned(), received_at);
        let (outbox, stands) = (Vec::new(), Attributes::new());
        Self { call, outbox, wake_due: None, summary: String::new(), has_phone: false, stands }
    }

    /// Reads the item.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        let mut call: Call = json(row, "state")?;
        call.version = u64::try_from(row.n("version").unwrap_or_default()).unwrap_or_default();
        call.at = Timestamp(row.n("at").unwrap_or_default());
        call.because = json_or_default::<Vec<Because>>(row, "reasons")?;
        let mut outbox = Vec::new();
        for value in row.m("outbox").map(BTreeMap::values).into_iter().flatten() {
            let effect: Effect = serde_json::from_str(&unpacked(value)?)
                .map_err(|error| TableError::Refused(format!("an effect cannot be read: {error}")))?;
            outbox.push(effect);
        }
        outbox.sort_by_key(|effect| (effect.at, place(&effect.id)));
        Ok(Self {
            call,
            outbox,
            wake_due: row.n("wake_due").map(Timestamp),
            summary: row.attributes.get("summary").map(unpacked).transpose()?.unwrap_or_default().into_owned(),
            has_phone: row.s("phone").is_some(),
            stands: row.attributes.clone(),
        })
    }

    /// Bytes of the item as it would be after this write, with its JSON as text.
    pub fn size_after(&self, update: &Update) -> Result<usize, TableError> {
        Ok(size(&plain(update.applied_to(Some(&self.stands))?)?))
    }

    /// The write that makes `next` of this item. `due` is the due time to stand there; `None` leaves it.
    pub fn commit(&self, next: &Call, effects: &[Effect], summary: &FeedRow, due: Due) -> Update {
        let key = keys::call(&next.account, &next.channel, &next.entry);
        let mut update = Update::new(key)
            .set("version", i64::try_from(next.version).unwrap_or(i64::MAX))
            .set("at", next.at.0)
            .set("state", packed(next))
            .set("reasons", packed(&next.because));
        update = self.list_keys(next, update);
        let summary = text(summary);
        if summary != self.summary {
            update = update.set("summary", packed_text(summary));
        }
        if self.call.version == 0 {
            // The first write makes the map whole; later ones name their entries only.
            let entries = effects.iter().map(|effect| (effect.id.0.clone(), packed(effect))).collect();
            update = update.set("outbox", Value::M(entries)).set("schema", SCHEMA).when(Condition::Absent);
        } else {
            for effect in effects {
                update = update.set_in("outbox", effect.id.as_str(), packed(effect));
            }
            let seen = i64::try_from(self.call.version).unwrap_or(i64::MAX);
            update = update.when(Condition::Eq("version".to_owned(), Value::N(seen)));
        }
        due.apply(update)
    }

    /// Keys of the feed and of the number's list, which have one order: written once, never changed.
    fn list_keys(&self, next: &Call, mut update: Update) -> Update {
        if self.call.version == 0 {
            let month = keys::feed(&next.account, &month(next.first_received_at));
            let at = keys::feed_at(next.first_received_at, &next.channel, &next.entry);
            update = update.set("feed", month).set("feed_at", at);
        }
        if let (false, Some(number)) = (self.has_phone, next.client_number()) {
            update = update.set("phone", keys::phone(&next.account, number));
        }
        update
    }

    /// The receipt: exactly these effects were handed over.
    pub fn receipt(&self, handed_over: &[Effect]) -> Update {
        let key = keys::call(&self.call.account, &self.call.channel, &self.call.entry);
        let mut update = Update::new(key).when(Condition::Exists("version".to_owned()));
        for effect in handed_over {
            update = update.remove_in("outbox", effect.id.as_str());
        }
        update
    }

    /// The receipt of whoever armed the due time, if nothing else is due: takes that time off as well, unless
    /// somebody committed or moved it meanwhile (!14).
    pub fn receipt_disarming(&self, handed_over: &[Effect], armed: Timestamp) -> Update {
        let seen = i64::try_from(self.call.version).unwrap_or(i64::MAX);
        let mine = vec![
            Condition::Eq("wake_due".to_owned(), Value::N(armed.0)),
            Condition::Eq("version".to_owned(), Value::N(seen)),
        ];
        Due::Remove.apply(self.receipt(handed_over)).when(Condition::And(mine))
    }
}

/// What the feed shows of a call: from its item, or from its entry in the feed's index.
pub fn feed_row(row: &Row) -> Result<Option<FeedRow>, TableError> {
    row.attributes.contains_key("summary").then(|| json(row, "summary")).transpose()
}

/// What becomes of the due time in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Leave,
    Set(Timestamp),
    /// The same, and a delayed message waits for it: the sweep leaves it alone until then.
    Told(Timestamp),
    Remove,
}

impl Due {
    /// Puts it into a write; the shard goes with it, so that the index stays sparse.
    pub fn apply(self, update: Update) -> Update {
        match self {
            Self::Leave => update,
            Self::Set(due) => {
                let shard = keys::due_shard(&update.key);
                update.set("wake_due", due.0).set("due_shard", shard)
            }
            Self::Told(due) => Self::Set(due).apply(update).set("told", due.0),
            Self::Remove => update.remove("wake_due").remove("due_shard"),
        }
    }
}

/// Version and index of an effect id as numbers, so that `10` comes after `9`.
fn place(id: &EffectId) -> (u64, u64) {
    let mut parts = id.as_str().rsplit('/').map(|part| part.parse().unwrap_or_default());
    let index = parts.next().unwrap_or_default();
    (parts.next().unwrap_or_default(), index)
}

/// `2026-11`, in UTC: the partition of the feed.
pub fn month(at: Timestamp) -> String {
    let (year, month, _) = date(at);
    format!("{year:04}-{month:02}")
}

/// `2026-11-21`, in UTC.
pub fn day(at: Timestamp) -> String {
    let (year, month, day) = date(at);
    format!("{year:04}-{month:02}-{day:02}")
}

fn date(at: Timestamp) -> (i64, i64, i64) {
    let days = at.0.div_euclid(86_400_000);
    // Civil date from days since the epoch (Hinnant): no time zone is needed for a partition.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// The month before a month.
pub fn month_before(month: &str) -> Option<String> {
    let (year, month) = month.split_once('-')?;
    let (year, month): (i64, i64) = (year.parse().ok()?, month.parse().ok()?);
    Some(if month == 1 { format!("{:04}-12", year - 1) } else { format!("{year:04}-{:02}", month - 1) })
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Number;
    use perezvon_domain::effect::Wanted;
    use perezvon_domain::reason::Reason;

    use super::*;

    #[test]
    fn an_item_with_its_json_as_text_is_read_and_written_packed() {
        let key = keys::call(&AccountId::from("school"), &ChannelId::from("main"), "entry");
        let mut call = Call::new("school".into(), "main".into(), "entry".to_owned(), Timestamp(1));
        call.because = vec![Because { at: Timestamp(2), reason: Reason::new("no_crm", []) }];
        let wanted = Wanted::Reached { number: Number::parse("+79990000001").expect("a number"), at: Timestamp(1) };
        let effect = Effect { id: EffectId::from("call/main/entry/1/0"), at: Timestamp(2), wanted };
        let shown = r#"{"channel":"main","entry":"entry","answered":false,"ended":false,"started_at":1,"seconds":0}"#;
        let mut update = Update::new(key.clone()).set("state", text(&call)).set("reasons", text(&call.because));
        let entries = BTreeMap::from([(effect.id.0.clone(), Value::S(text(&effect)))]);
        update = update.set("summary", shown).set("version", 1).set("outbox", Value::M(entries));
        let stands = update.applied_to(None).expect("a row");
        let row = Row { key: key.clone(), attributes: stands.clone() };
        let item = CallItem::read(&row).expect("an item");
        assert_eq!((&item.call.because, &item.outbox, item.summary.as_str()), (&call.because, &vec![effect], shown));
        let mut shows = feed_row(&row).expect("readable").expect("it is in the feed");
        shows.ended = true;
        let write = item.commit(&Call { version: 2, ..item.call.clone() }, &item.outbox, &shows, Due::Leave);
        let packed = write.applied_to(Some(&stands)).expect("a row");
        assert!(["state", "reasons", "summary"].iter().all(|name| matches!(packed[*name], Value::B(_))), "{packed:?}");
        let again = Row { key, attributes: packed.clone() };
        assert_eq!(feed_row(&again).expect("readable"), Some(shows));
        let again = CallItem::read(&again).expect("an item");
        assert_eq!((&again.call.because, &again.outbox), (&item.call.because, &item.outbox));
        let text = plain(packed.clone()).expect("text");
        assert_eq!(item.size_after(&write), Ok(size(&text)), "judged by what it says");
        assert!(size(&packed) < size(&text), "{packed:?}");
    }

    #[test]
    fn months_follow_the_calendar() {
        let month_of = |text: &str| month(Timestamp::from_seconds(text.parse().expect("seconds")));
        assert_eq!(month_of("0"), "1970-01");
        assert_eq!(month_of("1709164800"), "2024-02");
        assert_eq!(month_of("1709251199"), "2024-02");
        assert_eq!(month_of("1709251200"), "2024-03");
        assert_eq!(month_of("1798761599"), "2026-12");
        assert_eq!(month_before("2026-01").as_deref(), Some("2025-12"));
        assert_eq!(day(Timestamp::from_seconds(1_709_164_800)), "2024-02-29");
    }
}
