//! Leases of a process that was killed: under the lock of the data folder nobody else can hold one.

use perezvon_domain::{AccountId, ConnectionId, Timestamp};
use perezvon_store::items::due::Due;
use perezvon_store::table::{Condition, Update};
use perezvon_store::{Query, Table, TableError, keys};

/// Takes the holder off every connection, so that work goes on at once instead of after the lease;
/// returns how many were held.
pub(super) async fn free(table: &dyn Table, now: Timestamp) -> Result<usize, TableError> {
    let mut freed = 0;
    let mut query = Query::table(keys::all_connections());
    loop {
        let page = table.query(query.clone()).await?;
        let entries = page.rows.iter().filter_map(|row| keys::parse_connection_entry(&row.key));
        for (account, connection) in entries {
            freed += usize::from(free_one(table, &account, &connection, now).await?);
        }
        match page.next {
            Some(next) => query.start = Some(next),
            None => return Ok(freed),
        }
    }
}

async fn free_one(
    table: &dyn Table,
    account: &AccountId,
    connection: &ConnectionId,
    now: Timestamp,
) -> Result<bool, TableError> {
    let update = Update::new(keys::connection(account, connection))
        .remove("holder")
        .remove("until")
        .when(Condition::Exists("holder".to_owned()));
    // Due now: what the dead holder left undone is looked at in the first pass of `wake`.
    match table.update(Due::Set(now).apply(update)).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_conflict() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Lane;
    use perezvon_store::items::connection::ConnectionRow;

    use super::*;
    use crate::drivers::table::Embedded;

    #[tokio::test]
    async fn a_dead_holder_is_taken_off_and_its_connection_is_due_at_once() {
        let table = Embedded::open_in_memory().await.expect("open").main();
        let account = AccountId::from("a");
        for id in ["held", "free"] {
            let connection = ConnectionId::from(id);
            table.update(ConnectionRow::put(&account, &connection, Lane::Crm)).await.expect("a row");
            table.update(ConnectionRow::put_entry(&account, &connection, Lane::Crm)).await.expect("an entry");
        }
        let held = keys::connection(&account, &ConnectionId::from("held"));
        let take = Update::new(held.clone()).set("holder", "dead").add("lease", 1).set("until", 99);
        table.update(take).await.expect("a lease");
        assert_eq!(free(&table, Timestamp(5)).await, Ok(1));
        let row = table.get(&held).await.expect("a read").expect("the row");
        let row = ConnectionRow::read(&row).expect("a connection");
        assert_eq!((row.holder, row.lease, row.wake_due), (None, 1, Some(Timestamp(5))));
        assert_eq!(free(&table, Timestamp(6)).await, Ok(0));
    }
}
