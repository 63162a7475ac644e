//! Expressions of DynamoDB from our updates, conditions and queries.
//!
//! Every name and every value goes in as a placeholder, so no reserved word and no outside text
//! ever stands in an expression.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::convert;
use crate::table::{Condition, Path, Query, Update, Value};

/// The parts of a request; what would be empty is absent, for the service refuses empty ones.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// The update expression.
    pub update: Option<String>,
    /// The condition, of a query the key condition.
    pub condition: Option<String>,
    /// Placeholders of names.
    pub names: Option<HashMap<String, String>>,
    /// Placeholders of values.
    pub values: Option<HashMap<String, AttributeValue>>,
}

/// The parts of an update.
pub(super) fn update(update: &Update) -> Parts {
    let mut words = Words::default();
    let mut clauses = Vec::new();
    let mut clause = |verb: &str, items: Vec<String>| {
        if !items.is_empty() {
            clauses.push(format!("{verb} {}", items.join(", ")));
        }
    };
    let set = update.set.iter().map(|(path, value)| format!("{} = {}", words.path(path), words.value(value)));
    clause("SET", set.collect());
    clause("REMOVE", update.remove.iter().map(|path| words.path(path)).collect());
    let add = update.add.iter().map(|(name, by)| format!("{} {}", words.name(name), words.value(&Value::N(*by))));
    clause("ADD", add.collect());
    let condition = update.condition.as_ref().and_then(|condition| words.whole_condition(condition));
    words.into_parts((!clauses.is_empty()).then(|| clauses.join(" ")), condition)
}

/// The parts of a condition alone.
pub(super) fn condition(condition: Option<&Condition>) -> Parts {
    let mut words = Words::default();
    let condition = condition.and_then(|condition| words.whole_condition(condition));
    words.into_parts(None, condition)
}

/// The parts of a query.
pub(super) fn query(query: &Query) -> Parts {
    let mut words = Words::default();
    let (partition, sort) = query.index.map_or(("pk", "sk"), crate::table::Index::keys);
    let mut text = format!("{} = {}", words.name(partition), words.value(&Value::S(query.partition.clone())));
    let range = match (&query.from, &query.to) {
        (None, None) => None,
        (Some(from), None) => Some(format!("{} >= {}", words.name(sort), words.value(from))),
        (None, Some(to)) => Some(format!("{} <= {}", words.name(sort), words.value(to))),
        (Some(from), Some(to)) => {
            Some(format!("{} BETWEEN {} AND {}", words.name(sort), words.value(from), words.value(to)))
        }
    };
    if let Some(range) = range {
        text = format!("{text} AND {range}");
    }
    words.into_parts(None, Some(text))
}

/// Placeholders given out so far; a name gets one, each value its own.
#[derive(Default)]
struct Words {
    names: Vec<String>,
    values: Vec<AttributeValue>,
}

impl Words {
    fn name(&mut self, name: &str) -> String {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        format!("#n{place}")
    }

    fn value(&mut self, value: &Value) -> String {
        self.values.push(convert::value(value));
        format!(":v{}", self.values.len() - 1)
    }

    fn path(&mut self, path: &Path) -> String {
        path.iter().map(|part| self.name(part)).collect::<Vec<_>>().join(".")
    }

    /// `None`: it always holds.
    fn whole_condition(&mut self, condition: &Condition) -> Option<String> {
        match constant(condition) {
            Some(true) => None,
            Some(false) => {
                let pk = self.name("pk");
                Some(format!("attribute_exists({pk}) AND attribute_not_exists({pk})"))
            }
            None => Some(self.condition(condition)),
        }
    }

    /// For conditions that are not constant: a dropped operand must leave no placeholder behind.
    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Absent => format!("attribute_not_exists({})", self.name("pk")),
            Condition::Present => format!("attribute_exists({})", self.name("pk")),
            Condition::Exists(name) => format!("attribute_exists({})", self.name(name)),
            Condition::NotExists(name) => format!("attribute_not_exists({})", self.name(name)),
            Condition::Eq(name, value) => format!("{} = {}", self.name(name), self.value(value)),
            Condition::Lt(name, value) => format!("{} < {}", self.name(name), self.value(value)),
            Condition::Ge(name, value) => format!("{} >= {}", self.name(name), self.value(value)),
            Condition::And(parts) => self.joined(parts, " AND "),
            Condition::Or(parts) => self.joined(parts, " OR "),
        }
    }

    /// In parentheses only where there is something to group: the service refuses redundant ones.
    fn joined(&mut self, parts: &[Condition], with: &str) -> String {
        let open: Vec<_> = parts.iter().filter(|part| constant(part).is_none()).collect();
        let texts: Vec<_> = open.into_iter().map(|part| self.condition(part)).collect();
        match texts.as_slice() {
            [only] => only.clone(),
            _ => format!("({})", texts.join(with)),
        }
    }

    fn into_parts(self, update: Option<String>, condition: Option<String>) -> Parts {
        let names = self.names.into_iter().enumerate().map(|(place, name)| (format!("#n{place}"), name));
        let values = self.values.into_iter().enumerate().map(|(place, value)| (format!(":v{place}"), value));
        let (names, values) = (names.collect::<HashMap<_, _>>(), values.collect::<HashMap<_, _>>());
        Parts {
            update,
            condition,
            names: Some(names).filter(|names| !names.is_empty()),
            values: Some(values).filter(|values| !values.is_empty()),
        }
    }
}

/// What a condition is whatever the row: an empty `And` holds, an empty `Or` does not.
fn constant(condition: &Condition) -> Option<bool> {
    let fold = |parts: &[Condition], decisive: bool| {
        let parts: Vec<_> = parts.iter().map(constant).collect();
        if parts.contains(&Some(decisive)) {
            Some(decisive)
        } else {
            parts.iter().all(Option::is_some).then_some(!decisive)
        }
    };
    match condition {
        Condition::And(parts) => fold(parts, false),
        Condition::Or(parts) => fold(parts, true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;
    use crate::table::Index;

    fn key() -> Key {
        Key::from_table("p".to_owned(), "s".to_owned())
    }

    fn text_of(condition: Condition) -> Option<String> {
        super::condition(Some(&condition)).condition
    }

    #[test]
    fn an_update_names_everything_by_placeholder() {
        let parts = super::update(
            &Update::new(key())
                .set("status", "open")
                .set_in("outbox", "call/1/2", 7)
                .remove("shard")
                .remove_in("outbox", "a.b")
                .add("count", 2)
                .when(Condition::Eq("status".to_owned(), "new".into())),
        );
        assert_eq!(parts.update.as_deref(), Some("SET #n0 = :v0, #n1.#n2 = :v1 REMOVE #n3, #n1.#n4 ADD #n5 :v2"));
        assert_eq!(parts.condition.as_deref(), Some("#n0 = :v3"));
        let names = parts.names.expect("names");
        assert_eq!((names.len(), names["#n2"].as_str(), names["#n4"].as_str()), (6, "call/1/2", "a.b"));
        assert_eq!(parts.values.expect("values")[":v2"], AttributeValue::N("2".to_owned()));
    }

    #[test]
    fn an_update_of_nothing_has_no_empty_parts() {
        assert_eq!(super::update(&Update::new(key())), Parts::default());
        assert_eq!(super::condition(None), Parts::default());
    }

    #[test]
    fn empty_groups_are_the_constants_they_mean() {
        let never = "attribute_exists(#n0) AND attribute_not_exists(#n0)";
        let exists = || Condition::Exists("a".to_owned());
        assert_eq!(text_of(Condition::And(vec![])), None);
        assert_eq!(text_of(Condition::Or(vec![])).as_deref(), Some(never));
        assert_eq!(text_of(Condition::Or(vec![exists(), Condition::And(vec![])])), None);
        let one = super::condition(Some(&Condition::And(vec![exists(), Condition::Or(vec![])])));
        assert_eq!(one.condition.as_deref(), Some(never));
        assert_eq!(one.names.map(|names| names.len()), Some(1), "the dropped operand left a name behind");
        let kept = text_of(Condition::And(vec![Condition::And(vec![]), exists()]));
        assert_eq!(kept.as_deref(), Some("attribute_exists(#n0)"));
    }

    #[test]
    fn groups_are_kept_apart_without_redundant_parentheses() {
        let lt = |name: &str| Condition::Lt(name.to_owned(), 1.into());
        let nested = Condition::And(vec![
            Condition::Present,
            Condition::Or(vec![Condition::NotExists("a".to_owned()), Condition::And(vec![lt("b")])]),
        ]);
        assert_eq!(
            text_of(nested).as_deref(),
            Some("(attribute_exists(#n0) AND (attribute_not_exists(#n1) OR #n2 < :v0))")
        );
    }

    #[test]
    fn a_query_asks_for_exactly_its_range() {
        let mut query = Query::index(Index::WakeDue, "due#1".to_owned());
        let text = |query: &Query| super::query(query).condition.expect("a condition");
        assert_eq!(text(&query), "#n0 = :v0");
        query.to = Some(Value::N(9));
        assert_eq!(text(&query), "#n0 = :v0 AND #n1 <= :v1");
        query.from = Some(Value::N(3));
        assert_eq!(text(&query), "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2");
        assert_eq!(super::query(&query).names.expect("names")["#n1"], "wake_due");
    }
}
