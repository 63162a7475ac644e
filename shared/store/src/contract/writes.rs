//! Updates without conditions: what they set, what they leave alone, what is refused.

use std::collections::BTreeMap;

use super::{refused, same, single, worked};
use crate::table::{Attributes, Row, Table, Update, Value};

pub(super) async fn all(table: &dyn Table) -> Result<(), String> {
    a_missing_row_is_none_until_it_is_written(table).await?;
    attributes_are_set_removed_and_added_to(table).await?;
    values_come_back_as_they_went(table).await?;
    entries_of_maps_leave_their_neighbours_alone(table).await?;
    an_entry_of_a_missing_map_is_refused(table).await?;
    nonsense_is_refused_and_changes_nothing(table).await?;
    empty_texts_are_for_plain_attributes_only(table).await?;
    an_item_too_large_is_refused(table).await
}

fn attributes<const N: usize>(list: [(&str, Value); N]) -> Attributes {
    list.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

async fn a_missing_row_is_none_until_it_is_written(table: &dyn Table) -> Result<(), String> {
    let key = single("missing");
    same("a row that is not there", worked("get", table.get(&key).await)?, None)?;
    let empty = Row { key: key.clone(), attributes: Attributes::new() };
    let written = worked("an update of nothing", table.update(Update::new(key.clone())).await)?;
    same("an update of nothing makes the row", &written, &empty)?;
    same("and it is there", worked("get", table.get(&key).await)?, Some(empty))?;
    worked("delete", table.delete(&key, None).await)?;
    same("after its removal", worked("get", table.get(&key).await)?, None)?;
    worked("removing what is not there", table.delete(&key, None).await)
}

async fn attributes_are_set_removed_and_added_to(table: &dyn Table) -> Result<(), String> {
    let key = single("set");
    let first = Update::new(key.clone()).set("a", "one").set("b", 1).set("gone", "x").add("count", 2);
    let row = worked("the first write", table.update(first).await)?;
    let want = attributes([("a", "one".into()), ("b", 1.into()), ("gone", "x".into()), ("count", 2.into())]);
    same("the row after the first write", &row.attributes, &want)?;
    // `size` and `shard` are reserved words of the service.
    let second = Update::new(key.clone())
        .set("a", 7)
        .set("size", "s")
        .set("shard", "t")
        .remove("gone")
        .remove("never")
        .add("count", -5);
    let row = worked("the second write", table.update(second).await)?;
    let want = attributes([
        ("a", 7.into()),
        ("b", 1.into()),
        ("count", (-3).into()),
        ("size", "s".into()),
        ("shard", "t".into()),
    ]);
    same("the row after the second write", &row.attributes, &want)?;
    same("the row read", worked("get", table.get(&key).await)?, Some(row))
}

async fn values_come_back_as_they_went(table: &dyn Table) -> Result<(), String> {
    let key = single("values");
    let inner = BTreeMap::from([("empty".to_owned(), Value::M(BTreeMap::new())), ("n".to_owned(), Value::N(-1))]);
    let want = attributes([
        ("text", "Привет, \"мир\"\n🙂".into()),
        ("great", i64::MAX.into()),
        ("small", i64::MIN.into()),
        ("round", 1_700_000_000_000.into()),
        ("map", Value::M(BTreeMap::from([("a.b/#1".to_owned(), Value::M(inner))]))),
        ("bare", Value::M(BTreeMap::new())),
        ("bytes", Value::B(vec![0, 255, 10])),
    ]);
    let update = want.iter().fold(Update::new(key.clone()), |update, (name, value)| update.set(name, value.clone()));
    worked("the write", table.update(update).await)?;
    let row = worked("get", table.get(&key).await)?;
    same("the values", row.map(|row| row.attributes), Some(want))
}

async fn entries_of_maps_leave_their_neighbours_alone(table: &dyn Table) -> Result<(), String> {
    let key = single("entries");
    let map = |list: &[(&str, i64)]| {
        Value::M(list.iter().map(|(name, number)| ((*name).to_owned(), Value::N(*number))).collect())
    };
    let whole = Update::new(key.clone()).set("outbox", map(&[])).set("other", map(&[("x", 1)]));
    worked("the maps whole", table.update(whole).await)?;
    let two = Update::new(key.clone()).set_in("outbox", "call/a.b/1", 1).set_in("outbox", "call/2", 2);
    worked("two entries", table.update(two).await)?;
    let more = Update::new(key.clone())
        .set_in("outbox", "call/3", 3)
        .set_in("outbox", "call/2", 20)
        .remove_in("outbox", "call/a.b/1")
        .remove_in("outbox", "never");
    let row = worked("entries set and removed", table.update(more).await)?;
    let want = attributes([("outbox", map(&[("call/2", 20), ("call/3", 3)])), ("other", map(&[("x", 1)]))]);
    same("the maps", row.attributes, want)?;
    let last = Update::new(key.clone()).remove_in("outbox", "call/2").remove_in("outbox", "call/3");
    let row = worked("the last entries removed", table.update(last).await)?;
    same("a map without entries stays a map", row.attributes.get("outbox"), Some(&map(&[])))
}

async fn an_entry_of_a_missing_map_is_refused(table: &dyn Table) -> Result<(), String> {
    let key = single("no-map");
    let set = || Update::new(key.clone()).set("before", 1).set_in("map", "entry", 1);
    refused("an entry of a row that is not there", table.update(set()).await)?;
    same("the refused row", worked("get", table.get(&key).await)?, None)?;
    let row = worked("the row", table.update(Update::new(key.clone()).set("text", "t")).await)?;
    refused("an entry of a missing map", table.update(set()).await)?;
    refused("an entry of a text", table.update(Update::new(key.clone()).set_in("text", "entry", 1)).await)?;
    let remove = Update::new(key.clone()).remove_in("map", "entry");
    refused("removing an entry of a missing map", table.update(remove).await)?;
    same("the row after it", worked("get", table.get(&key).await)?, Some(row))
}

async fn nonsense_is_refused_and_changes_nothing(table: &dyn Table) -> Result<(), String> {
    let key = single("nonsense");
    let start = Update::new(key.clone()).set("text", "t").set("map", Value::M(BTreeMap::new()));
    let row = worked("the row", table.update(start).await)?;
    let update = || Update::new(key.clone()).set("other", 1);
    refused("adding to a text", table.update(update().add("text", 1)).await)?;
    refused("a map and its entry at once", table.update(update().set("map", 1).set_in("map", "a", 1)).await)?;
    refused("setting and removing at once", table.update(update().remove("other")).await)?;
    refused("setting a part of the key", table.update(update().set("sk", "x")).await)?;
    same("the row after it", worked("get", table.get(&key).await)?, Some(row))
}

async fn empty_texts_are_for_plain_attributes_only(table: &dyn Table) -> Result<(), String> {
    let key = single("empty-text");
    let row = worked("an empty text", table.update(Update::new(key.clone()).set("note", "")).await)?;
    same("an empty text stays", row.s("note"), Some(""))?;
    for name in ["open", "feed", "feed_at", "phone", "due_shard", "reply_shard", "close_shard", "waiting"] {
        let empty = Update::new(key.clone()).set(name, "");
        refused(&format!("an empty text as {name}, a key of an index"), table.update(empty).await)?;
    }
    for name in ["wake_due", "reply_due", "close_due", "waiting_at"] {
        refused(&format!("a text as {name}"), table.update(Update::new(key.clone()).set(name, "5")).await)?;
    }
    refused("a number as feed_at", table.update(Update::new(key.clone()).set("feed_at", 5)).await)?;
    same("the row after it", worked("get", table.get(&key).await)?, Some(row))
}

async fn an_item_too_large_is_refused(table: &dyn Table) -> Result<(), String> {
    let key = single("large");
    let large = |bytes: usize| Update::new(key.clone()).set("body", "x".repeat(bytes));
    refused("an item above 400 KB", table.update(large(410_000)).await)?;
    same("the refused row", worked("get", table.get(&key).await)?, None)?;
    worked("an item below 400 KB", table.update(large(390_000)).await)?;
    refused("growing above 400 KB", table.update(Update::new(key.clone()).set("more", "x".repeat(20_000))).await)
}
