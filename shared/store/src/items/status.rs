//! Whether an employee is there: away until somebody says otherwise.

use perezvon_domain::{AccountId, EmployeeId, Timestamp};

use super::SCHEMA;
use crate::keys;
use crate::table::{Row, Update};

const AWAY: &str = "away";
const ONLINE: &str = "online";

/// The status of an employee as it stands in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusRow {
    pub online: bool,
    /// When it was set; `None`: nobody ever did.
    pub at: Option<Timestamp>,
    /// Who set it, by the name of their token.
    pub by: Option<String>,
}

impl StatusRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Self {
        Self {
            online: row.s("status") == Some(ONLINE),
            at: row.n("at").map(Timestamp),
            by: row.s("by").map(str::to_owned),
        }
    }

    /// The write of a status.
    pub fn put(account: &AccountId, employee: &EmployeeId, online: bool, at: Timestamp, by: &str) -> Update {
        Update::new(keys::employee_status(account, employee))
            .set("schema", SCHEMA)
            .set("status", if online { ONLINE } else { AWAY })
            .set("at", at.0)
            .set("by", by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_and_who_never_set_one_is_away() {
        let read = |online| {
            let put = StatusRow::put(&"school".into(), &"anna".into(), online, Timestamp(5), "ivan");
            let attributes = put.applied_to(None).expect("a row");
            StatusRow::read(&Row { key: put.key, attributes })
        };
        let set = |online| StatusRow { online, at: Some(Timestamp(5)), by: Some("ivan".to_owned()) };
        assert_eq!((read(true), read(false)), (set(true), set(false)));
        assert!(!StatusRow::default().online);
    }
}
