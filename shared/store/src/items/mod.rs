//! Rows of the table as types: what stands in which attribute.

pub mod answer;
pub mod base;
pub mod call;
pub mod claim;
pub mod connection;
pub mod contact;
pub mod conversation;
pub mod directory;
pub mod due;
pub mod history;
pub mod intake;
pub mod job;
pub mod pack;
pub mod point;
pub mod settings;
pub mod status;
pub mod window;

use crate::table::{Row, TableError};

/// Version of the shape of our rows; a reader accepts this one and its neighbours.
pub const SCHEMA: i64 = 1;

/// Reads a JSON attribute, packed or not.
pub(crate) fn json<T: serde::de::DeserializeOwned>(row: &Row, name: &str) -> Result<T, TableError> {
    read(row, name, |text| serde_json::from_str(text))
}

/// Reads a JSON attribute in which people may not write unknown fields, but the next version may.
pub(crate) fn lenient<T: serde::de::DeserializeOwned>(row: &Row, name: &str) -> Result<T, TableError> {
    read(row, name, crate::lenient::from_str)
}

fn read<T>(row: &Row, name: &str, parse: fn(&str) -> Result<T, serde_json::Error>) -> Result<T, TableError> {
    let value = row.attributes.get(name).ok_or_else(|| unreadable(row, &format!("`{name}` is missing")))?;
    let text = pack::unpacked(value).map_err(|error| unreadable(row, &format!("`{name}`: {error}")))?;
    parse(&text).map_err(|error| unreadable(row, &format!("`{name}`: {error}")))
}

/// Reads a JSON attribute that may be missing.
pub(crate) fn json_or_default<T: serde::de::DeserializeOwned + Default>(
    row: &Row,
    name: &str,
) -> Result<T, TableError> {
    if !row.attributes.contains_key(name) { Ok(T::default()) } else { json(row, name) }
}

/// A value as a JSON attribute. Our own types always serialise.
pub fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn unreadable(row: &Row, what: &str) -> TableError {
    TableError::Refused(format!("the row {} / {} cannot be read: {what}", row.key.pk(), row.key.sk()))
}
