//! Sparse indexes: when a row is in one, and what of it.

use super::{finds, nth, same, walk, worked};
use crate::keys::Key;
use crate::table::{Attributes, Index, Query, Row, Table, Update, Value};

pub(super) async fn all(table: &dyn Table) -> Result<(), String> {
    for index in Index::ALL {
        let named = |why| format!("{index:?}: {why}");
        a_row_is_in_an_index_while_it_has_its_attributes(table, index).await.map_err(named)?;
        an_index_shows_only_what_it_projects(table, index).await.map_err(named)?;
    }
    an_open_job_is_seen_at_once(table).await
}

/// A sort value of the index: the n-th of them.
fn sort_value(index: Index, n: i64) -> Value {
    if index.sorts_numbers() { Value::N(n) } else { Value::S(format!("{n:015}#x")) }
}

/// The update that puts the row at this place of the index, in the partition named `check`.
fn place(index: Index, key: &Key, check: &str, n: i64) -> Update {
    let (partition, sort) = index.keys();
    let update = Update::new(key.clone()).set(sort, sort_value(index, n));
    if partition == "pk" { update } else { update.set(partition, check) }
}

fn query(index: Index, key: &Key, check: &str) -> Query {
    Query::index(index, if index == Index::Open { key.pk() } else { check }.to_owned())
}

async fn a_row_is_in_an_index_while_it_has_its_attributes(table: &dyn Table, index: Index) -> Result<(), String> {
    let check = format!("sparse-{}", index.name());
    let (first, second) = (nth(&check, 1), nth(&check, 2));
    let (partition, sort) = index.keys();
    let query = || query(index, &first, &check);
    let both = [first.clone(), second.clone()];
    worked("a plain row", table.update(Update::new(first.clone()).set("plain", 1)).await)?;
    finds(table, "without the attributes", query(), &[]).await?;
    worked("the first", table.update(place(index, &first, &check, 5)).await)?;
    worked("the second", table.update(place(index, &second, &check, 7)).await)?;
    finds(table, "with them", query(), &both).await?;
    worked("a move", table.update(place(index, &second, &check, 3)).await)?;
    finds(table, "after a move", query(), &[second.clone(), first.clone()]).await?;
    worked("an untouched place", table.update(Update::new(first.clone()).set("plain", 2)).await)?;
    worked("out again", table.update(Update::new(first.clone()).remove(sort)).await)?;
    finds(table, "without the sort attribute", query(), std::slice::from_ref(&second)).await?;
    worked("in again", table.update(place(index, &first, &check, 5)).await)?;
    if partition != "pk" {
        worked("no partition", table.update(Update::new(first.clone()).remove(partition)).await)?;
        finds(table, "without the partition attribute", query(), std::slice::from_ref(&second)).await?;
        worked("in again", table.update(place(index, &first, &check, 5)).await)?;
    }
    worked("a removal", table.delete(&second, None).await)?;
    finds(table, "after the removal of a row", query(), std::slice::from_ref(&first)).await
}

async fn an_index_shows_only_what_it_projects(table: &dyn Table, index: Index) -> Result<(), String> {
    let check = format!("projection-{}", index.name());
    let key = nth(&check, 1);
    let (partition, sort) = index.keys();
    let summary = || Value::M([("who".to_owned(), Value::from("Иван"))].into());
    let update = place(index, &key, &check, 1).set("state", "long").set("summary", summary());
    worked("the row", table.update(update).await)?;
    finds(table, "the row", query(index, &key, &check), std::slice::from_ref(&key)).await?;
    let mut want = Attributes::from([(sort.to_owned(), sort_value(index, 1))]);
    if partition != "pk" {
        want.insert(partition.to_owned(), check.as_str().into());
    }
    if index.shows_summary() {
        want.insert("summary".to_owned(), summary());
    }
    let rows = walk(table, query(index, &key, &check)).await?;
    same("the row as the index shows it", rows, vec![Row { key, attributes: want }])
}

async fn an_open_job_is_seen_at_once(table: &dyn Table) -> Result<(), String> {
    let key = nth("at-once", 1);
    let query = || Query::index(Index::Open, key.pk().to_owned());
    same("read strongly unless told otherwise", query().consistent, true)?;
    for n in 0..20 {
        worked("open", table.update(place(Index::Open, &key, "", n)).await)?;
        finds(table, "right after it was opened", query(), std::slice::from_ref(&key)).await?;
        worked("done", table.update(Update::new(key.clone()).remove("open")).await)?;
        finds(table, "right after it was done", query(), &[]).await?;
    }
    Ok(())
}
