//! Our values, rows and page marks, and those of the SDK.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::keys::Key;
use crate::table::{Row, TableError, Value};

type Item = HashMap<String, AttributeValue>;

/// The key attributes of a row.
pub(super) fn key(key: &Key) -> Item {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk().to_owned())),
        ("sk".to_owned(), AttributeValue::S(key.sk().to_owned())),
    ])
}

/// A value for the SDK.
pub(super) fn value(value: &Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text.clone()),
        Value::N(number) => AttributeValue::N(number.to_string()),
        Value::B(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        Value::M(map) => {
            AttributeValue::M(map.iter().map(|(name, entry)| (name.clone(), self::value(entry))).collect())
        }
    }
}

fn our_value(name: &str, theirs: AttributeValue) -> Result<Value, TableError> {
    let foreign = || TableError::Refused(format!("attribute {name} holds what we never write"));
    match theirs {
        AttributeValue::S(text) => Ok(Value::S(text)),
        AttributeValue::N(digits) => digits.parse().map(Value::N).map_err(|_| foreign()),
        AttributeValue::B(bytes) => Ok(Value::B(bytes.into_inner())),
        AttributeValue::M(map) => {
            let entries = map.into_iter().map(|(name, entry)| {
                let value = our_value(&name, entry)?;
                Ok((name, value))
            });
            Ok(Value::M(entries.collect::<Result<_, _>>()?))
        }
        _ => Err(foreign()),
    }
}

/// A row as it came from the table.
pub(super) fn row(mut item: Item) -> Result<Row, TableError> {
    let mut part = |name: &str| match item.remove(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(TableError::Refused(format!("a row came without its {name}"))),
    };
    let key = Key::from_table(part("pk")?, part("sk")?);
    let mut attributes = BTreeMap::new();
    for (name, theirs) in item {
        let value = our_value(&name, theirs)?;
        attributes.insert(name, value);
    }
    Ok(Row { key, attributes })
}

/// The place where a page ended, as text.
pub(super) fn mark(last: &Item) -> Result<String, TableError> {
    let mut parts = BTreeMap::new();
    for (name, theirs) in last {
        let part = match theirs {
            AttributeValue::S(text) => serde_json::Value::from(text.as_str()),
            AttributeValue::N(digits) => serde_json::Value::from(
                digits.parse::<i64>().map_err(|_| TableError::Refused(format!("{name} is no whole number")))?,
            ),
            _ => {
                return Err(TableError::Refused(format!("key attribute {name} is neither text nor number")));
            }
        };
        parts.insert(name, part);
    }
    serde_json::to_string(&parts).map_err(|error| TableError::Refused(error.to_string()))
}

/// What [`mark`] was given.
pub(super) fn parse_mark(mark: &str) -> Result<Item, TableError> {
    let foreign = || TableError::Refused("this is no page mark of the table".to_owned());
    let parts: BTreeMap<String, serde_json::Value> = serde_json::from_str(mark).map_err(|_| foreign())?;
    let part = |theirs: serde_json::Value| match theirs {
        serde_json::Value::String(text) => Ok(AttributeValue::S(text)),
        serde_json::Value::Number(number) if number.is_i64() => Ok(AttributeValue::N(number.to_string())),
        _ => Err(foreign()),
    };
    parts.into_iter().map(|(name, theirs)| Ok((name, part(theirs)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_mark_survives_being_a_text() {
        let last = HashMap::from([
            ("pk".to_owned(), AttributeValue::S("a#\"b\"".to_owned())),
            ("wake_due".to_owned(), AttributeValue::N("-12".to_owned())),
        ]);
        let text = mark(&last).expect("a mark");
        assert_eq!(parse_mark(&text), Ok(last));
        assert!(matches!(parse_mark("[1]"), Err(TableError::Refused(_))));
        assert!(matches!(parse_mark("{\"pk\":true}"), Err(TableError::Refused(_))));
    }

    #[test]
    fn a_value_we_never_write_is_named() {
        let item = |odd| {
            let mut item = key(&Key::from_table("p".to_owned(), "s".to_owned()));
            item.insert("odd".to_owned(), odd);
            item
        };
        for odd in [AttributeValue::Bool(true), AttributeValue::N("1.5".to_owned())] {
            let Err(TableError::Refused(why)) = row(item(odd)) else { panic!("it was read") };
            assert!(why.contains("odd"), "{why}");
        }
        let nested = Value::M(BTreeMap::from([("a".to_owned(), Value::N(-1))]));
        let read = row(item(value(&nested))).expect("a row");
        assert_eq!(read.m("odd").and_then(|map| map["a"].as_n()), Some(-1));
    }
}
