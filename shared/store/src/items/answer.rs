//! What questions of a PBX leave behind: the slots of the CRM that they took, and how each was decided.

use perezvon_domain::answer::Answered;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ChannelId, ConnectionId, Number, Timestamp};
use serde::{Deserialize, Serialize};

use super::{SCHEMA, json, text};
use crate::keys;
use crate::table::{Condition, Query, Row, TableError, Update};

/// One question may ask a connection in this time, besides its jobs, in milliseconds.
pub const SLOT_MS: i64 = 500;
/// How long a slot is remembered, in seconds: longer than two clocks differ.
const SLOT_KEPT: i64 = 600;
/// How long a decision is kept, in seconds.
const KEPT: i64 = 30 * 86_400;
/// A decision belongs to a call of its number and line that began within this time of it.
const NEAR: Millis = Millis::seconds(60);
/// More questions about one number within two such times are not looked through.
const MOST: usize = 50;

/// The half second that a moment lies in.
pub fn half_second(now: Timestamp) -> i64 {
    now.0.div_euclid(SLOT_MS)
}

/// Takes the one slot of this half second, if nobody has it.
pub fn take_slot(account: &AccountId, connection: &ConnectionId, half_second: i64) -> Update {
    Update::new(keys::slot(account, connection, half_second))
        .set("expires", half_second * SLOT_MS / 1000 + SLOT_KEPT)
        .when(Condition::Absent)
}

/// How one question was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub channel: ChannelId,
    /// The company's number, as scenarios list it.
    pub line: String,
    /// When the question came.
    pub at: Timestamp,
    /// How old the word of the CRM was; `None`: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Millis>,
    /// How long it took to decide, from the arrival of the question.
    pub took: Millis,
    pub answered: Answered,
}

impl Decision {
    /// Keeps it under the number; the same question again overwrites itself.
    pub fn put(&self, account: &AccountId, number: &Number, question: &str) -> Update {
        Update::new(keys::decision(account, number, self.at, question))
            .set("schema", SCHEMA)
            .set("decision", text(self))
            .set("expires", self.at.seconds() + KEPT)
    }

    /// Reads the row.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        json(row, "decision")
    }

    /// Those that may belong to a call of this number that began at this time.
    pub fn near(account: &AccountId, number: &Number, began: Timestamp) -> Query {
        let (from, to) = (began.after(Millis(-NEAR.0)), began.after(NEAR));
        let places = keys::decisions_between(from, to);
        Query { limit: MOST, ..Query::table(keys::decisions(account, number)).between(places) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_two_slots_and_each_is_taken_once() {
        let halves = [0, 499, 500, 999, 1000].map(|ms| half_second(Timestamp(ms)));
        assert_eq!(halves, [0, 0, 1, 1, 2]);
        let slot = take_slot(&"school".into(), &"crm:main".into(), 3_520_000_000);
        assert_eq!(slot.condition, Some(Condition::Absent));
        assert_eq!(slot.set[0], (vec!["expires".to_owned()], 1_760_000_600.into()));
    }

    #[test]
    fn a_decision_comes_back_and_is_looked_for_a_minute_around_its_call() {
        let number = Number::parse("79990001122").expect("a number");
        let decision = Decision {
            channel: "main".into(),
            line: "74950000001".to_owned(),
            at: Timestamp(1_760_000_000_000),
            age: Some(Millis::seconds(3)),
            took: Millis(12),
            answered: Answered { display_name: "Ольга".to_owned(), ..Answered::default() },
        };
        let put = decision.put(&"school".into(), &number, "request#1");
        let near = |began: i64| {
            let query = Decision::near(&"school".into(), &number, Timestamp(began));
            let bound =
                |value: &Option<crate::table::Value>| value.as_ref().and_then(|it| it.as_s()).map(str::to_owned);
            assert_eq!(query.partition, put.key.pk());
            let (from, to) = (bound(&query.from).expect("from"), bound(&query.to).expect("to"));
            from.as_str() <= put.key.sk() && put.key.sk() <= to.as_str()
        };
        let at = decision.at.0;
        assert_eq!([at - 60_001, at - 60_000, at + 60_000, at + 60_001].map(near), [false, true, true, false]);
        let attributes = put.applied_to(None).expect("a row");
        assert_eq!(Decision::read(&Row { key: put.key, attributes }), Ok(decision));
    }
}
