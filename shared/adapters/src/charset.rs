//! Charsets that providers declare for their bodies.

use yore::CodePage;
use yore::code_pages::{CP866, CP1251};

/// What a content type declares.
pub(crate) fn declared(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    })
}

/// The label means UTF-8, or a part of it.
pub(crate) fn is_utf8(label: &str) -> bool {
    matches!(label.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "us-ascii" | "ascii")
}

/// The code page of a label, of those that are met.
pub(crate) fn page(label: &str) -> Option<&'static dyn CodePage> {
    match label.to_ascii_lowercase().as_str() {
        "windows-1251" | "cp1251" | "cp-1251" | "x-cp1251" | "1251" => Some(&CP1251),
        "cp866" | "ibm866" | "866" => Some(&CP866),
        _ => None,
    }
}
