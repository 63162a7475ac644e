//! What every driver of the table must do, as checks that any test can run against a fresh table.
//!
//! Held by the embedded database, by the model of the test world and by the real service. The
//! checks do not panic: the first that fails is the error, with what was expected.

mod conditions;
mod indexes;
mod queries;
mod writes;

use std::fmt::Debug;

use perezvon_domain::{AccountId, ChannelId};

use crate::keys::{self, Key};
use crate::table::{Page, Query, Row, Table, TableError};

/// Runs the whole contract.
///
/// # Errors
/// The check that failed, with what was found and what was expected.
pub async fn all(table: &dyn Table) -> Result<(), String> {
    writes::all(table).await.map_err(|why| format!("writes: {why}"))?;
    conditions::all(table).await.map_err(|why| format!("conditions: {why}"))?;
    queries::all(table).await.map_err(|why| format!("queries: {why}"))?;
    indexes::all(table).await.map_err(|why| format!("indexes: {why}"))
}

/// A row of its own for one check.
fn single(check: &str) -> Key {
    keys::call(&AccountId::from("contract"), &ChannelId::from(check), "row")
}

/// The n-th row of a partition of its own for one check.
fn nth(check: &str, n: u64) -> Key {
    keys::settings_version(&AccountId::from(format!("contract-{check}").as_str()), n)
}

fn same<T: PartialEq + Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, expected {want:?}")) }
}

fn worked<T>(what: &str, result: Result<T, TableError>) -> Result<T, String> {
    result.map_err(|error| format!("{what}: {error:?}"))
}

fn refused<T: Debug>(what: &str, result: Result<T, TableError>) -> Result<(), String> {
    match result {
        Err(TableError::Refused(_)) => Ok(()),
        other => Err(format!("{what}: got {other:?}, expected that it is refused")),
    }
}

/// The result must be a conflict with this row.
fn conflict<T: Debug>(what: &str, result: Result<T, TableError>, old: Option<&Row>) -> Result<(), String> {
    match result {
        Err(TableError::Conflict(row)) => same(what, row.as_deref(), old),
        other => Err(format!("{what}: got {other:?}, expected a conflict with {old:?}")),
    }
}

/// All rows of a query, page by page, none longer than the limit.
async fn walk(table: &dyn Table, mut query: Query) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    // No check has so many rows: a driver whose pages do not end must not hang the suite.
    for _ in 0..100 {
        let Page { rows: page, next } = worked(&format!("{query:?}"), table.query(query.clone()).await)?;
        if page.len() > query.limit {
            return Err(format!("{query:?}: a page of {} rows", page.len()));
        }
        rows.extend(page);
        if next.is_none() {
            return Ok(rows);
        }
        query.start = next;
    }
    Err(format!("{query:?}: the pages do not end"))
}

/// The query must find exactly these rows; a global index may need a while.
async fn finds(table: &dyn Table, what: &str, query: Query, want: &[Key]) -> Result<(), String> {
    let patience = if query.consistent { 1 } else { 100 };
    let mut got = Vec::new();
    for _ in 0..patience {
        got = walk(table, query.clone()).await?.into_iter().map(|row| row.key).collect();
        if got == want {
            break;
        }
    }
    same(&format!("{what} ({query:?})"), got.as_slice(), want)
}
