//! Lenient reading of JSON: numbers as texts and back, blank texts as absent.

use perezvon_domain::Timestamp;
use serde_json::Value;

/// Longest address that is kept, in bytes: half of one leads nowhere.
const ADDRESS_LIMIT: usize = 2048;
/// The last second of the year 9999. More is no time in seconds.
const LAST_SECOND: i64 = 253_402_300_799;

/// A text without the spaces around it, or a number taken as text; everything else is empty.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// The first of these texts that is not empty.
pub(super) fn first_text(values: &[&Value]) -> String {
    values.iter().map(|value| text(value)).find(|text| !text.is_empty()).unwrap_or_default()
}

/// An address that a browser may open without harm.
pub(super) fn address(value: &Value) -> Option<String> {
    let address = text(value);
    let is_safe = address.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        && !address.contains(|it: char| it.is_whitespace() || it.is_control());
    (is_safe && address.len() <= ADDRESS_LIMIT).then_some(address)
}

/// A time in whole seconds since the epoch; 0 is absent.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    seconds.filter(|seconds| (1..=LAST_SECOND).contains(seconds)).map(Timestamp::from_seconds)
}

/// At most so many characters of a text.
pub(super) fn cap(text: String, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
        None => text,
    }
}
