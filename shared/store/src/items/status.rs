//! Whether an employee is away: until somebody says otherwise. Without a row the employee is not.

use perezvon_domain::{AccountId, EmployeeId, Timestamp};

use super::SCHEMA;
use crate::keys;
use crate::table::{Row, Update};

const AWAY: &str = "away";
const ONLINE: &str = "online";

/// The status of an employee as it stands in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusRow {
    pub away: bool,
    /// When it was set; `None`: nobody ever did.
    pub at: Option<Timestamp>,
    /// Who set it, by the name of their token.
    pub by: Option<String>,
}

impl StatusRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Self {
        Self { away: row.s("status") == Some(AWAY), at: row.n("at").map(Timestamp), by: row.s("by").map(str::to_owned) }
    }

    /// The write of a status.
    pub fn put(account: &AccountId, employee: &EmployeeId, away: bool, at: Timestamp, by: &str) -> Update {
        Update::new(keys::employee_status(account, employee))
            .set("schema", SCHEMA)
            .set("status", if away { AWAY } else { ONLINE })
            .set("at", at.0)
            .set("by", by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_and_nobody_is_away_by_themselves() {
        let read = |away| {
            let put = StatusRow::put(&"school".into(), &"anna".into(), away, Timestamp(5), "ivan");
            let attributes = put.applied_to(None).expect("a row");
            StatusRow::read(&Row { key: put.key, attributes })
        };
        let set = |away| StatusRow { away, at: Some(Timestamp(5)), by: Some("ivan".to_owned()) };
        assert_eq!((read(true), read(false)), (set(true), set(false)));
        assert!(!StatusRow::default().away);
    }
}
