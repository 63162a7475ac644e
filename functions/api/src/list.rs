//! Pages of rows: reads on until enough are kept.

use perezvon_store::table::Query;
use perezvon_store::{Row, Table, TableError};

use crate::web::{Problem, Request};

/// Rows of a page unless somebody asks for another number (FEED-12).
const USUAL: i64 = 50;
/// Most rows of a page.
const MOST: i64 = 200;

/// How many rows a request asks for.
pub fn limit(request: &Request) -> Result<usize, Problem> {
    let limit = request.number("limit")?.unwrap_or(USUAL).clamp(1, MOST);
    Ok(usize::try_from(limit).unwrap_or_default())
}

/// Rows that `keep` lets through, until there are `want` of them, `look` rows were looked at or the
/// partition ends.
pub async fn rows(
    table: &dyn Table,
    mut query: Query,
    want: usize,
    look: usize,
    keep: impl Fn(&Row) -> bool + Send,
) -> Result<Vec<Row>, TableError> {
    let (mut kept, mut looked) = (Vec::new(), 0);
    loop {
        let page = table.query(query.clone()).await?;
        looked += page.rows.len();
        kept.extend(page.rows.into_iter().filter(&keep));
        if kept.len() >= want || looked >= look || page.next.is_none() {
            kept.truncate(want);
            return Ok(kept);
        }
        query.start = page.next;
    }
}
