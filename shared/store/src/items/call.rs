//! The item of a call: state, outbox, due time, list keys. One item, one conditional write.

use perezvon_domain::call::{Call, row::Row as FeedRow};
use perezvon_domain::{AccountId, ChannelId, Effect, Timestamp};

use super::base::{Base, Next, beside};
use super::{json, text};
use crate::keys;
use crate::table::{Row, TableError, Update};

/// A call as it stands in the table.
#[derive(Clone, Debug)]
pub struct CallItem {
    pub call: Call,
    pub base: Base,
}

impl CallItem {
    /// A call that is not in the table yet.
    pub fn absent(account: &AccountId, channel: &ChannelId, entry: &str, received_at: Timestamp) -> Self {
        let call = Call::new(account.clone(), channel.clone(), entry.to_owned(), received_at);
        Self { call, base: Base::default() }
    }

    /// Reads the item.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        let base = Base::read(row)?;
        let mut call: Call = json(row, "state")?;
        call.version = base.version;
        (call.at, call.because) = beside(row)?;
        Ok(Self { call, base })
    }

    /// The write that makes `next` of this item; its due times are put into it afterwards.
    pub fn commit(&self, next: &Call, effects: &[Effect], summary: &FeedRow) -> Update {
        let key = keys::call(&next.account, &next.channel, &next.entry);
        let (version, at, because) = (next.version, next.at, next.because.as_slice());
        let next_item = Next { version, at, state: next, because, effects, summary: text(summary) };
        self.list_keys(next, self.base.commit(key, next_item))
    }

    /// Keys of the feed and of the number's list, which have one order: written once, never changed.
    fn list_keys(&self, next: &Call, mut update: Update) -> Update {
        // An order is no call yet: it stands in no list.
        if self.base.version == 0 && next.ordered.is_none() {
            let month = keys::feed(&next.account, &month(next.first_received_at));
            let at = keys::feed_at(next.first_received_at, &next.channel, &next.entry);
            update = update.set("feed", month).set("feed_at", at);
        }
        if let (false, Some(number)) = (self.base.stands.contains_key("phone"), next.client_number()) {
            update = update.set("phone", keys::phone(&next.account, number));
        }
        update
    }
}

/// What the feed shows of a call: from its item, or from its entry in the feed's index.
pub fn feed_row(row: &Row) -> Result<Option<FeedRow>, TableError> {
    row.attributes.contains_key("summary").then(|| json(row, "summary")).transpose()
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
    use std::collections::BTreeMap;

    use perezvon_domain::effect::Wanted;
    use perezvon_domain::reason::{Because, Reason};
    use perezvon_domain::{EffectId, Number};

    use super::super::pack::plain;
    use super::*;
    use crate::table::{Value, size};

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
        assert_eq!((&item.call.because, &item.base.outbox), (&call.because, &vec![effect]));
        assert_eq!(item.base.summary, shown);
        let mut shows = feed_row(&row).expect("readable").expect("it is in the feed");
        shows.ended = true;
        let write = item.commit(&Call { version: 2, ..item.call.clone() }, &item.base.outbox, &shows);
        let packed = write.applied_to(Some(&stands)).expect("a row");
        assert!(["state", "reasons", "summary"].iter().all(|name| matches!(packed[*name], Value::B(_))), "{packed:?}");
        let again = Row { key, attributes: packed.clone() };
        assert_eq!(feed_row(&again).expect("readable"), Some(shows));
        let again = CallItem::read(&again).expect("an item");
        assert_eq!((&again.call.because, &again.base.outbox), (&item.call.because, &item.base.outbox));
        let text = plain(packed.clone()).expect("text");
        assert_eq!(item.base.size_after(&write), Ok(size(&text)), "judged by what it says");
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
