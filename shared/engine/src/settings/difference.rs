//! What would change, for people to read. Both documents come without secrets.

use std::collections::BTreeMap;

use serde_json::Value;

/// One line per changed value: `path: old -> new`.
pub(super) fn between(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (values(old), values(new));
    let paths = old.keys().chain(new.keys().filter(|path| !old.contains_key(*path)));
    let mut lines: Vec<String> = paths
        .filter_map(|path| match (old.get(path), new.get(path)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(format!("{path}: {old} -> {new}")),
            (Some(old), None) => Some(format!("{path}: {old} -> nothing")),
            (None, new) => Some(format!("{path}: nothing -> {}", new.map_or("", |new| new))),
        })
        .collect();
    lines.sort();
    lines
}

fn values(document: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let document = serde_json::from_str(document).unwrap_or(Value::Null);
    flatten("", &document, &mut values);
    values
}

fn flatten(path: &str, value: &Value, values: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, values);
            }
        }
        Value::Array(entries) if entries.iter().any(Value::is_object) => {
            for (index, entry) in entries.iter().enumerate() {
                flatten(&format!("{path}[{}]", label(index, entry)), entry, values);
            }
        }
        Value::Null => {}
        _ => _ = values.insert(path.to_owned(), value.to_string()),
    }
}

/// Entries are told apart by what people call them, so that one put in between moves nothing.
fn label(index: usize, entry: &Value) -> String {
    let name = entry["id"].as_str().or_else(|| entry["name"].as_str());
    name.map_or_else(|| index.to_string(), str::to_owned)
}
