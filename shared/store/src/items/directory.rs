//! Users and groups of a PBX, as it told them last.

use perezvon_domain::{AccountId, ConnectionId, Directory, Timestamp};

use super::pack::packed;
use super::{SCHEMA, lenient};
use crate::keys;
use crate::table::{Row, TableError, Update};

/// What a PBX said, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryRow {
    pub directory: Directory,
    pub read_at: Timestamp,
}

impl DirectoryRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        Ok(Self { directory: lenient(row, "directory")?, read_at: Timestamp(row.n("read_at").unwrap_or_default()) })
    }

    /// The write of it: the last word stays.
    pub fn put(account: &AccountId, connection: &ConnectionId, directory: &Directory, at: Timestamp) -> Update {
        Update::new(keys::directory(account, connection))
            .set("schema", SCHEMA)
            .set("directory", packed(directory))
            .set("read_at", at.0)
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Listed;

    use super::*;

    #[test]
    fn what_was_told_comes_back() {
        let petrova = Listed { name: "Петрова Анна".to_owned(), extension: Some("12".into()), login: None };
        let directory = Directory { users: vec![petrova], groups: Vec::new() };
        let put = DirectoryRow::put(&"school".into(), &"channel:main".into(), &directory, Timestamp(5));
        let attributes = put.applied_to(None).expect("a row");
        let row = DirectoryRow::read(&Row { key: put.key, attributes }).expect("readable");
        assert_eq!(row, DirectoryRow { directory, read_at: Timestamp(5) });
    }
}
