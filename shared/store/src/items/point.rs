//! A contact point: one telephone number of an account or one client of its chats, and whose it is in the CRM.

use perezvon_domain::answer::Known;
use perezvon_domain::job::FoundClient;
use perezvon_domain::{AccountId, ClientId, CrmId, EffectId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{json_or_default, text};
use crate::keys;
use crate::table::{Condition, Row, Update, Value};

/// A contact point as it stands in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PointRow {
    pub contact: Option<CrmId>,
    pub name: String,
    pub responsible: Option<CrmId>,
    /// Further contacts with the number.
    pub duplicates: u32,
    pub read_at: Option<Timestamp>,
    /// The job that may make the contact.
    pub claimed_by: Option<EffectId>,
    /// The job that made the contact; noted where it matters.
    pub made_by: Option<EffectId>,
    /// When the client was last talked to.
    pub reached_at: Option<Timestamp>,
    /// What the CRM said when a PBX asked who calls. Beside what jobs know: they alone say which contact is ours.
    pub seen: Option<Seen>,
    /// When the CRM told that something about the client changed.
    pub stale_at: Option<Timestamp>,
}

/// An answer of the CRM to a question of the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When it was asked.
    pub at: Timestamp,
    /// `None`: nobody has the number.
    pub client: Option<FoundClient>,
}

impl PointRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Self {
        Self {
            contact: row.s("contact").map(CrmId::from),
            name: row.s("name").unwrap_or_default().to_owned(),
            responsible: row.s("responsible").map(CrmId::from),
            duplicates: u32::try_from(row.n("duplicates").unwrap_or_default()).unwrap_or_default(),
            read_at: row.n("read_at").map(Timestamp),
            claimed_by: row.s("claimed_by").map(EffectId::from),
            made_by: row.s("made_by").map(EffectId::from),
            reached_at: row.n("reached_at").map(Timestamp),
            // Jobs need the row, whoever wrote this into it.
            seen: json_or_default(row, "seen").unwrap_or_default(),
            stale_at: row.n("stale_at").map(Timestamp),
        }
    }

    /// The newest word of the CRM, whoever asked it; `None`: nobody did.
    pub fn known(&self) -> Option<Known> {
        let by_jobs = self.read_at.map(|at| Seen { at, client: self.client() });
        let newest = match (by_jobs, self.seen.clone()) {
            (Some(job), Some(seen)) => Some(if seen.at > job.at { seen } else { job }),
            (job, seen) => job.or(seen),
        }?;
        let stale = self.stale_at.is_some_and(|at| at > newest.at);
        Some(Known { client: newest.client, read_at: newest.at, stale })
    }

    fn client(&self) -> Option<FoundClient> {
        let contact = self.contact.clone()?;
        let (name, responsible) = (self.name.clone(), self.responsible.clone());
        Some(FoundClient { contact, name, responsible, duplicates: self.duplicates })
    }

    /// Keeps what the CRM said to a question; never an older word over a newer one.
    pub fn seen(account: &AccountId, client: &ClientId, seen: &Seen) -> Update {
        let asked = "seen_at".to_owned();
        let older = Condition::Lt(asked.clone(), Value::N(seen.at.0));
        Update::new(keys::point(account, client))
            .set("seen", text(seen))
            .set("seen_at", seen.at.0)
            .when(Condition::Or(vec![Condition::NotExists(asked), older]))
    }

    /// The CRM told that something about a client changed: what is known of them stays, and counts as stale.
    pub fn changed(account: &AccountId, client: &ClientId, at: Timestamp) -> Update {
        Update::new(keys::point(account, client)).set("stale_at", at.0).when(Condition::Present)
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

    /// What the CRM said to a job; `None`: nobody is known by it.
    pub fn news(account: &AccountId, client: &ClientId, found: Option<&FoundClient>, read_at: Timestamp) -> Update {
        let update = Update::new(keys::point(account, client)).set("read_at", read_at.0).remove("claimed_by");
        let Some(found) = found else {
            return update.remove("contact").remove("name").remove("responsible").remove("duplicates");
        };
        let update = update.set("contact", found.contact.0.clone()).set("name", found.name.as_str());
        let update = match &found.responsible {
            Some(user) => update.set("responsible", user.0.clone()),
            None => update.remove("responsible"),
        };
        match found.duplicates {
            0 => update.remove("duplicates"),
            others => update.set("duplicates", i64::from(others)),
        }
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Number;

    use super::*;
    use crate::table::Attributes;

    fn ids() -> (AccountId, ClientId) {
        ("school".into(), Number::parse("79990001122").expect("a number").into())
    }

    fn found(name: &str) -> FoundClient {
        FoundClient { contact: "7".into(), name: name.to_owned(), responsible: Some("504".into()), duplicates: 1 }
    }

    fn after(updates: &[Update]) -> PointRow {
        let (account, client) = ids();
        let attributes =
            updates.iter().fold(Attributes::new(), |row, update| update.applied_to(Some(&row)).expect("it fits"));
        PointRow::read(&Row { key: keys::point(&account, &client), attributes })
    }

    #[test]
    fn the_newest_word_of_the_crm_counts_whoever_asked() {
        let (account, client) = ids();
        let job = PointRow::news(&account, &client, Some(&found("Из задания")), Timestamp(10));
        let seen =
            |at| PointRow::seen(&account, &client, &Seen { at: Timestamp(at), client: Some(found("Из вопроса")) });
        let name = |row: PointRow| row.known().and_then(|known| known.client).map(|client| client.name);
        assert_eq!(name(after(&[job.clone(), seen(11)])).as_deref(), Some("Из вопроса"));
        assert_eq!(name(after(&[job.clone(), seen(9)])).as_deref(), Some("Из задания"));
        assert_eq!(after(&[job.clone(), seen(11)]).contact, Some("7".into()), "which contact is ours, jobs say alone");
        assert_eq!(after(&[job]).known().and_then(|known| known.client), Some(found("Из задания")));
        assert_eq!(after(&[]).known(), None);
    }

    #[test]
    fn that_nobody_has_the_number_is_a_word_too() {
        let (account, client) = ids();
        let row = after(&[PointRow::seen(&account, &client, &Seen { at: Timestamp(5), client: None })]);
        assert_eq!(row.known(), Some(Known { client: None, read_at: Timestamp(5), stale: false }));
    }

    #[test]
    fn a_change_in_the_crm_makes_what_was_said_before_stale_and_nothing_after() {
        let (account, client) = ids();
        let read = |at| PointRow::news(&account, &client, Some(&found("Ольга")), Timestamp(at));
        let changed = PointRow::changed(&account, &client, Timestamp(7));
        let stale = |updates: &[Update]| after(updates).known().map(|known| known.stale);
        assert_eq!(stale(&[read(6), changed.clone()]), Some(true));
        assert_eq!(stale(&[read(6), changed, read(8)]), Some(false));
    }
}
