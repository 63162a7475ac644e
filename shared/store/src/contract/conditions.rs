//! Conditions of updates and removals, and what a conflict tells.

use super::{conflict, same, single, worked};
use crate::table::{Condition, Row, Table, TableError, Update, Value};

pub(super) async fn all(table: &dyn Table) -> Result<(), String> {
    a_row_is_made_once(table).await?;
    a_conflict_returns_the_row_that_won(table).await?;
    each_condition_holds_when_it_says_so(table).await?;
    on_a_missing_row_every_attribute_is_missing(table).await?;
    a_removal_obeys_its_condition(table).await
}

async fn a_row_is_made_once(table: &dyn Table) -> Result<(), String> {
    let key = single("once");
    let write = |condition, by: &str| Update::new(key.clone()).set("by", by).when(condition);
    let missing = table.update(write(Condition::Present, "nobody")).await;
    conflict("changing a row that is not there", missing, None)?;
    let row = worked("the first", table.update(write(Condition::Absent, "first")).await)?;
    conflict("the second", table.update(write(Condition::Absent, "second")).await, Some(&row))?;
    let changed = worked("a change", table.update(write(Condition::Present, "third")).await)?;
    same("the changed row", worked("get", table.get(&key).await)?, Some(changed))
}

async fn a_conflict_returns_the_row_that_won(table: &dyn Table) -> Result<(), String> {
    let key = single("conflict");
    let write = |seen: i64| {
        let update = Update::new(key.clone()).add("version", 1).set("by", seen);
        update.when(Condition::Eq("version".to_owned(), seen.into()))
    };
    worked("version 1", table.update(Update::new(key.clone()).set("version", 1)).await)?;
    let won = worked("the faster", table.update(write(1)).await)?;
    same("the version", won.n("version"), Some(2))?;
    conflict("the slower", table.update(write(1)).await, Some(&won))?;
    same("the row after it", worked("get", table.get(&key).await)?, Some(won))?;
    worked("the slower, once more", table.update(write(2)).await).map(drop)
}

/// Conditions on a row with `text` = "m" and `number` = 5, and whether they hold.
fn cases() -> Vec<(Condition, bool)> {
    use Condition::{Absent, And, Eq, Exists, Ge, Lt, NotExists, Or, Present};
    let text = |value: &str| ("text".to_owned(), Value::from(value));
    let number = |value: i64| ("number".to_owned(), Value::N(value));
    let missing = || ("missing".to_owned(), Value::N(0));
    let eq = |(name, value)| Eq(name, value);
    let lt = |(name, value)| Lt(name, value);
    let ge = |(name, value)| Ge(name, value);
    let (yes, no) = (|| Exists("text".to_owned()), || NotExists("text".to_owned()));
    vec![
        (Present, true),
        (Absent, false),
        (yes(), true),
        (no(), false),
        (Exists("missing".to_owned()), false),
        (NotExists("missing".to_owned()), true),
        (eq(text("m")), true),
        (eq(text("n")), false),
        (eq(number(5)), true),
        (eq(number(-5)), false),
        (eq(("number".to_owned(), "5".into())), false),
        (eq(missing()), false),
        (lt(text("n")), true),
        (lt(text("m")), false),
        (lt(number(10)), true),
        (lt(number(5)), false),
        (lt(("number".to_owned(), "9".into())), false),
        (lt(missing()), false),
        (ge(text("m")), true),
        (ge(text("n")), false),
        (ge(number(5)), true),
        (ge(number(-10)), true),
        (ge(number(6)), false),
        (ge(missing()), false),
        (And(vec![]), true),
        (Or(vec![]), false),
        (And(vec![yes()]), true),
        (And(vec![yes(), no()]), false),
        (And(vec![yes(), eq(number(5)), lt(text("z"))]), true),
        (Or(vec![no()]), false),
        (Or(vec![no(), eq(missing()), yes()]), true),
        (Or(vec![no(), eq(missing())]), false),
        (And(vec![yes(), Or(vec![no(), And(vec![yes(), eq(number(5))])])]), true),
        (Or(vec![And(vec![yes(), no()]), And(vec![no(), yes()])]), false),
        (And(vec![And(vec![]), yes()]), true),
        (And(vec![Or(vec![]), yes()]), false),
        (Or(vec![And(vec![]), no()]), true),
    ]
}

async fn holds(table: &dyn Table, row: &Row, condition: &Condition) -> Result<bool, String> {
    match table.update(Update::new(row.key.clone()).when(condition.clone())).await {
        Ok(_) => Ok(true),
        Err(TableError::Conflict(old)) => {
            same("the row of the conflict", old.as_deref(), Some(row))?;
            Ok(false)
        }
        Err(error) => Err(format!("{condition:?}: {error:?}")),
    }
}

async fn each_condition_holds_when_it_says_so(table: &dyn Table) -> Result<(), String> {
    let update = Update::new(single("cases")).set("text", "m").set("number", 5);
    let row = worked("the row", table.update(update).await)?;
    for (condition, want) in cases() {
        same(&format!("{condition:?}"), holds(table, &row, &condition).await?, want)?;
    }
    Ok(())
}

async fn on_a_missing_row_every_attribute_is_missing(table: &dyn Table) -> Result<(), String> {
    let key = single("nothing");
    let write = |condition| Update::new(key.clone()).set("made", 1).when(condition);
    for condition in [
        Condition::Exists("made".to_owned()),
        Condition::Eq("made".to_owned(), 1.into()),
        Condition::Lt("made".to_owned(), 2.into()),
        Condition::Ge("made".to_owned(), 0.into()),
    ] {
        conflict(&format!("{condition:?}"), table.update(write(condition.clone())).await, None)?;
    }
    worked("NotExists", table.update(write(Condition::NotExists("made".to_owned()))).await).map(drop)
}

async fn a_removal_obeys_its_condition(table: &dyn Table) -> Result<(), String> {
    let key = single("removal");
    let at = |version: i64| Some(Condition::Eq("version".to_owned(), version.into()));
    conflict("removing what is not there under a condition", table.delete(&key, at(1)).await, None)?;
    let row = worked("the row", table.update(Update::new(key.clone()).set("version", 2)).await)?;
    conflict("removing an older version", table.delete(&key, at(1)).await, Some(&row))?;
    same("the row after it", worked("get", table.get(&key).await)?, Some(row))?;
    worked("removing this version", table.delete(&key, at(2)).await)?;
    same("the row at last", worked("get", table.get(&key).await)?, None)
}
