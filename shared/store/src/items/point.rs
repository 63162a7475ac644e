//! A contact point: one telephone number of an account or one client of its chats, and whose it is in the CRM.

use perezvon_domain::{AccountId, ClientId, CrmId, EffectId, Timestamp};

use crate::keys;
use crate::table::{Condition, Row, Update, Value};

/// A contact point as it stands in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointRow {
    pub contact: Option<CrmId>,
    pub name: String,
    pub responsible: Option<CrmId>,
    pub read_at: Option<Timestamp>,
    /// The job that may make the contact.
    pub claimed_by: Option<EffectId>,
    /// The job that made the contact; noted where it matters.
    pub made_by: Option<EffectId>,
    /// When the client was last talked to.
    pub reached_at: Option<Timestamp>,
}

impl PointRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Self {
        Self {
            contact: row.s("contact").map(CrmId::from),
            name: row.s("name").unwrap_or_default().to_owned(),
            responsible: row.s("responsible").map(CrmId::from),
            read_at: row.n("read_at").map(Timestamp),
            claimed_by: row.s("claimed_by").map(EffectId::from),
            made_by: row.s("made_by").map(EffectId::from),
            reached_at: row.n("reached_at").map(Timestamp),
        }
    }

    /// The client was reached; the later moment stays.
    pub fn reached(account: &AccountId, client: &ClientId, at: Timestamp) -> Update {
        let name = "reached_at".to_owned();
        let later = Condition::Or(vec![Condition::NotExists(name.clone()), Condition::Lt(name, Value::N(at.0))]);
        Update::new(keys::point(account, client)).set("reached_at", at.0).when(later)
    }

    /// Takes the right to make the contact, while there is none. Jobs about one client are worked one after
    /// another, so an older claim belongs to a job that has ended.
    pub fn claim(account: &AccountId, client: &ClientId, id: &EffectId) -> Update {
        Update::new(keys::point(account, client))
            .set("claimed_by", id.0.clone())
            .when(Condition::NotExists("contact".to_owned()))
    }

    /// What the CRM said.
    pub fn news(
        account: &AccountId,
        client: &ClientId,
        contact: Option<&CrmId>,
        name: &str,
        responsible: Option<&CrmId>,
        read_at: Timestamp,
    ) -> Update {
        let update = Update::new(keys::point(account, client)).set("read_at", read_at.0);
        let Some(contact) = contact else {
            return update.remove("contact").remove("name").remove("responsible").remove("claimed_by");
        };
        let update = update.set("contact", contact.0.clone()).set("name", name).remove("claimed_by");
        match responsible {
            Some(user) => update.set("responsible", user.0.clone()),
            None => update.remove("responsible"),
        }
    }
}
