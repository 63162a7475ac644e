//! The JSON Schema of the document, for editors.

use super::document::Document;

/// The schema as pretty JSON with a line break at the end.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document);
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}
