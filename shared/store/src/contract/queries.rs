//! Order, ranges and pages, of the table and of every index alike.

use super::{finds, nth, refused, same, walk, worked};
use crate::keys::Key;
use crate::table::{Index, Query, Table, Update, Value};

pub(super) async fn all(table: &dyn Table) -> Result<(), String> {
    the_table_is_read_in_order(table).await?;
    for index in Index::ALL {
        an_index_is_read_in_order(table, index).await.map_err(|why| format!("{index:?}: {why}"))?;
    }
    rows_due_at_the_same_time_are_each_seen_once(table).await?;
    a_global_index_cannot_be_read_strongly(table).await
}

/// Five rows in the order of their sort values.
struct Shelf {
    rows: Vec<(Key, Value)>,
    query: Query,
}

impl Shelf {
    fn keys(&self, places: std::ops::Range<usize>) -> Vec<Key> {
        self.rows[places].iter().map(|(key, _)| key.clone()).collect()
    }

    fn value(&self, place: usize) -> Option<Value> {
        Some(self.rows[place].1.clone())
    }
}

async fn the_table_is_read_in_order(table: &dyn Table) -> Result<(), String> {
    // Written out of order; a row of a neighbouring partition must not be seen.
    let rows: Vec<_> =
        [2, 10, 11, 100, 1000].map(|n| nth("order", n)).map(|key| (key.clone(), Value::from(key.sk()))).into();
    for place in [3, 0, 4, 2, 1] {
        let update = Update::new(rows[place].0.clone()).set("place", i64::try_from(place).unwrap_or_default());
        worked("a row", table.update(update).await)?;
    }
    worked("a neighbour", table.update(Update::new(nth("order2", 1))).await)?;
    let query = Query::table(rows[0].0.pk().to_owned());
    let whole = walk(table, query.clone()).await?;
    let places: Vec<_> = whole.iter().map(|row| row.n("place")).collect();
    same("rows come with their attributes", places, (0..5).map(Some).collect())?;
    is_read_in_order(table, &Shelf { rows, query }).await
}

async fn an_index_is_read_in_order(table: &dyn Table, index: Index) -> Result<(), String> {
    let check = format!("order-{}", index.name());
    let (partition, sort) = index.keys();
    // As texts these numbers would sort differently.
    let values: [Value; 5] = match index.sorts_numbers() {
        true => [-7, 2, 10, 900, 1000].map(Value::N),
        false => ["000002#b", "000002#c", "000010#a", "000900#a", "001000#a"].map(Value::from),
    };
    let mut rows = Vec::new();
    for (place, value) in values.into_iter().enumerate() {
        // The order of the table is not the order of the index.
        rows.push((nth(&check, [4, 2, 5, 1, 3][place]), value));
    }
    for place in [1, 4, 0, 3, 2] {
        let (key, value) = &rows[place];
        let update = Update::new(key.clone()).set(sort, value.clone());
        let update = if partition == "pk" { update } else { update.set(partition, check.as_str()) };
        worked("a row", table.update(update).await)?;
    }
    let neighbour = Update::new(nth(&format!("{check}-2"), 1)).set(sort, rows[1].1.clone());
    let neighbour = if partition == "pk" { neighbour } else { neighbour.set(partition, "elsewhere") };
    worked("a neighbour", table.update(neighbour).await)?;
    let partition = if partition == "pk" { rows[0].0.pk().to_owned() } else { check };
    is_read_in_order(table, &Shelf { query: Query::index(index, partition), rows }).await
}

async fn is_read_in_order(table: &dyn Table, shelf: &Shelf) -> Result<(), String> {
    let backward = |mut keys: Vec<Key>| {
        keys.reverse();
        keys
    };
    finds(table, "all", shelf.query.clone(), &shelf.keys(0..5)).await?;
    let reverse = Query { backward: true, ..shelf.query.clone() };
    finds(table, "all, backward", reverse.clone(), &backward(shelf.keys(0..5))).await?;
    for limit in [1, 2, 5] {
        let pages = Query { limit, ..shelf.query.clone() };
        finds(table, "in pages", pages, &shelf.keys(0..5)).await?;
        let pages = Query { limit, ..reverse.clone() };
        finds(table, "in pages, backward", pages, &backward(shelf.keys(0..5))).await?;
    }
    let range = |from: Option<usize>, to: Option<usize>| Query {
        from: from.and_then(|place| shelf.value(place)),
        to: to.and_then(|place| shelf.value(place)),
        ..shelf.query.clone()
    };
    finds(table, "from, inclusive", range(Some(1), None), &shelf.keys(1..5)).await?;
    finds(table, "to, inclusive", range(None, Some(3)), &shelf.keys(0..4)).await?;
    finds(table, "from and to", range(Some(1), Some(3)), &shelf.keys(1..4)).await?;
    finds(table, "one value", range(Some(2), Some(2)), &shelf.keys(2..3)).await?;
    finds(table, "an empty range", range(Some(3), Some(1)), &[]).await?;
    let pages = Query { limit: 2, backward: true, ..range(Some(1), Some(3)) };
    finds(table, "a range in pages, backward", pages, &backward(shelf.keys(1..4))).await?;
    let nowhere = Query { partition: "nowhere".to_owned(), ..shelf.query.clone() };
    finds(table, "an empty partition", nowhere, &[]).await
}

async fn rows_due_at_the_same_time_are_each_seen_once(table: &dyn Table) -> Result<(), String> {
    let keys: Vec<_> = (1..=7).map(|n| nth(&format!("tie-{}", n % 3), n)).collect();
    for key in &keys {
        let update = Update::new(key.clone()).set("due_shard", "tie").set("wake_due", 60_000);
        worked("a row", table.update(update).await)?;
    }
    let query = Query { limit: 2, ..Query::index(Index::WakeDue, "tie".to_owned()) };
    let mut seen = Vec::new();
    // Eventually consistent: as in `finds`.
    for _ in 0..100 {
        seen = walk(table, query.clone()).await?.into_iter().map(|row| row.key).collect();
        if seen.len() == keys.len() {
            break;
        }
    }
    seen.sort();
    let mut want = keys;
    want.sort();
    same("rows with one time, in pages", seen, want)
}

async fn a_global_index_cannot_be_read_strongly(table: &dyn Table) -> Result<(), String> {
    for index in Index::ALL.into_iter().filter(|index| *index != Index::Open) {
        let strongly = Query { consistent: true, ..Query::index(index, "p".to_owned()) };
        refused(&format!("a strong read of {index:?}"), table.query(strongly).await)?;
    }
    let weakly = Query { consistent: false, ..Query::index(Index::Open, "p".to_owned()) };
    worked("a weak read of the local index", table.query(weakly).await).map(drop)
}
