//! The row of a connection: its lease, pace and pause. One worker holds it at a time.

use std::collections::BTreeMap;
use std::fmt;

use perezvon_domain::policy::Superseded;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ConnectionId, Lane, Timestamp};
use serde::{Deserialize, Serialize};

use super::{SCHEMA, json_or_default, text};
use crate::keys;
use crate::table::{Condition, Row, TableError, Update, Value};

/// A pause without an end in sight: until a person brings a new token.
pub const UNTIL_A_PERSON_ACTS: Timestamp = Timestamp(253_402_300_799_000);

/// Among the facts: the account that gave access in the browser, as JSON.
pub const ACCOUNT: &str = "account";
/// Among the facts: why the last attempt to give it came to nothing.
pub const TROUBLE: &str = "not_authorised";

/// A code that the browser brought, to be exchanged for tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// When somebody set out for it.
    pub at: Timestamp,
    pub code: String,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("at", &self.at).finish_non_exhaustive()
    }
}

/// What was missed is fetched afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healing {
    /// When its channel was first applied, or enabled again: what is older is not ours.
    pub from: Timestamp,
    /// Nothing older than so many days.
    pub days: u32,
    /// How often it is fetched; 0: at each look.
    #[serde(default)]
    pub every: Millis,
}

impl Healing {
    /// What is older than this is not taken in.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        self.from.max(now.after(Millis::seconds(-86_400 * i64::from(self.days))))
    }
}

/// Another channel answers for the account at the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandDown {
    pub by: Superseded,
    /// Since when.
    pub at: Timestamp,
    /// Its conversations were closed, also what was on its way then.
    pub closed: bool,
}

/// A connection as it stands in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRow {
    pub holder: Option<String>,
    pub lease: i64,
    pub until: Timestamp,
    /// Raised by whoever found the lease taken: look again before you release.
    pub pokes: i64,
    pub off: bool,
    /// To be switched off as soon as its provider posts to us no more, and then at the latest.
    pub leave_by: Option<Timestamp>,
    pub gone_at: Option<Timestamp>,
    pub disconnected: bool,
    /// Raised after every write of its secret record.
    pub code: i64,
    /// A pause: nothing is sent before this.
    pub retry_at: Option<Timestamp>,
    pub why: Option<String>,
    pub last_sent: Timestamp,
    pub wake_due: Option<Timestamp>,
    /// The due time that a delayed wake-up was sent for: one each.
    pub told: Option<Timestamp>,
    pub lane: Option<Lane>,
    /// `None`: its provider has nothing to fetch, or its channel is off.
    pub heals: Option<Healing>,
    /// The provider's page where an account gives access, but for `&state=`; `None`: nobody asks for that.
    pub page: Option<String>,
    pub grant: Option<Grant>,
    /// Its channel is superseded: nothing is sent but the end of its address.
    pub superseded: Option<StandDown>,
    /// Its CRM tells us of changes: then it is kept which points a contact has.
    pub hears: bool,
    /// What adapters learned: the id of our marker field ...
    pub facts: BTreeMap<String, String>,
}

impl ConnectionRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        Ok(Self {
            holder: row.s("holder").map(str::to_owned),
            lease: row.n("lease").unwrap_or_default(),
            until: Timestamp(row.n("until").unwrap_or_default()),
            pokes: row.n("pokes").unwrap_or_default(),
            off: row.n("off").is_some(),
            leave_by: row.n("leave_by").map(Timestamp),
            gone_at: row.n("gone_at").map(Timestamp),
            disconnected: row.n("disconnected").is_some(),
            code: row.n("code").unwrap_or_default(),
            retry_at: row.n("retry_at").map(Timestamp),
            why: row.s("why").map(str::to_owned),
            last_sent: Timestamp(row.n("last_sent").unwrap_or_default()),
            wake_due: row.n("wake_due").map(Timestamp),
            told: row.n("told").map(Timestamp),
            lane: json_or_default(row, "lane")?,
            heals: json_or_default(row, "heals")?,
            page: row.s("page").map(str::to_owned),
            grant: row
                .s("grant")
                .map(|code| Grant { at: Timestamp(row.n("granted_at").unwrap_or_default()), code: code.to_owned() }),
            superseded: json_or_default(row, "superseded")?,
            hears: row.n("hears").is_some(),
            facts: json_or_default(row, "facts")?,
        })
    }

    /// Paused at this moment, clocks' skew included.
    pub fn is_paused(&self, now: Timestamp, skew_ms: i64) -> bool {
        self.retry_at.is_some_and(|until| until.0 + 2 * skew_ms > now.0)
    }

    /// Makes the row at connecting; never touches one that is there.
    pub fn put(account: &AccountId, connection: &ConnectionId, lane: Lane) -> Update {
        Update::new(keys::connection(account, connection))
            .set("schema", SCHEMA)
            .set("lane", text(&lane))
            .set("code", 1)
            .when(Condition::Absent)
    }

    /// From when on what was missed is fetched; `None`: nothing is. Of a channel that is superseded by now nothing is either.
    pub fn healing(account: &AccountId, connection: &ConnectionId, heals: Option<&Healing>) -> Update {
        let update = Update::new(keys::connection(account, connection));
        let lives = Condition::NotExists("superseded".to_owned());
        match heals {
            Some(heals) => update.set("heals", text(heals)).when(Condition::And(vec![Condition::Present, lives])),
            None => update.remove("heals").when(Condition::Present),
        }
    }

    /// Where an account gives access in the browser; `None`: nowhere.
    pub fn authorised_at(account: &AccountId, connection: &ConnectionId, page: Option<&str>) -> Update {
        let update = Update::new(keys::connection(account, connection)).when(Condition::Present);
        match page {
            Some(page) => update.set("page", page),
            None => update.remove("page"),
        }
    }

    /// Whether its CRM tells us of changes.
    pub fn hearing(account: &AccountId, connection: &ConnectionId, hears: bool) -> Update {
        let update = Update::new(keys::connection(account, connection)).when(Condition::Present);
        if hears { update.set("hears", 1) } else { update.remove("hears") }
    }

    /// A code came, of somebody who set out later than for any code before it: so each state brings one code. It is a
    /// new code of the connection too: no pause that is being written for the old tokens holds it up.
    pub fn granted(account: &AccountId, connection: &ConnectionId, grant: &Grant, now: Timestamp) -> Update {
        let missing = |name: &str| Condition::NotExists(name.to_owned());
        let later = Condition::Lt("granted_at".to_owned(), Value::N(grant.at.0));
        let wanted = Condition::And(vec![
            Condition::Exists("page".to_owned()),
            missing("off"),
            missing("leave_by"),
            Condition::Or(vec![missing("granted_at"), later]),
        ]);
        let update = Self::new_code(account, connection, now);
        update.set("grant", grant.code.as_str()).set("granted_at", grant.at.0).when(wanted)
    }

    /// Superseded, or no longer, if it still is as it was seen: whoever holds the lease must look again.
    pub fn supersede(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
        by: Option<Superseded>,
        now: Timestamp,
    ) -> Update {
        let update = Update::new(keys::connection(account, connection)).add("pokes", 1).when(self.stands_as_seen());
        let update = match by {
            Some(by) => update.set("superseded", text(&StandDown { by, at: now, closed: false })).remove("heals"),
            None => update.remove("superseded"),
        };
        super::due::Due::Set(now).apply(update)
    }

    /// All that was open in its chats is closed.
    pub fn closed(&self, account: &AccountId, connection: &ConnectionId) -> Option<Update> {
        let closed = StandDown { closed: true, ..self.superseded.clone()? };
        let update = Update::new(keys::connection(account, connection)).set("superseded", text(&closed));
        Some(update.when(self.stands_as_seen()))
    }

    fn stands_as_seen(&self) -> Condition {
        let name = "superseded".to_owned();
        let seen = match &self.superseded {
            Some(seen) => Condition::Eq(name, text(seen).into()),
            None => Condition::NotExists(name),
        };
        Condition::And(vec![Condition::Present, seen])
    }

    /// Puts it into the partition that `wake` looks through.
    pub fn put_entry(account: &AccountId, connection: &ConnectionId, lane: Lane) -> Update {
        Update::new(keys::connection_entry(account, connection)).set("lane", text(&lane))
    }

    /// A new token: in ONE update the pause goes, the code rises, and whoever holds the lease must look again (!23).
    pub fn new_code(account: &AccountId, connection: &ConnectionId, now: Timestamp) -> Update {
        let update = Update::new(keys::connection(account, connection))
            .remove("retry_at")
            .remove("why")
            .add("code", 1)
            .add("pokes", 1)
            .when(Condition::Present);
        super::due::Due::Set(now).apply(update)
    }

    /// The same token under another code: whoever remembers the record reads it again.
    pub fn raised(account: &AccountId, connection: &ConnectionId) -> Update {
        Update::new(keys::connection(account, connection)).add("code", 1).when(Condition::Present)
    }

    /// The first step of disconnecting.
    pub fn switch_off(account: &AccountId, connection: &ConnectionId, now: Timestamp) -> Update {
        let update = Update::new(keys::connection(account, connection)).set("off", 1).when(Condition::Present);
        super::due::Due::Set(now).apply(update)
    }

    /// What comes before it where a provider must be told: whoever holds the lease must look again.
    pub fn leave(account: &AccountId, connection: &ConnectionId, by: Timestamp, now: Timestamp) -> Update {
        let update = Update::new(keys::connection(account, connection))
            .set("leave_by", by.0)
            .remove("heals")
            .add("pokes", 1)
            .when(Condition::Present);
        super::due::Due::Set(now).apply(update)
    }
}
