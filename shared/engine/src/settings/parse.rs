//! From TOML to the document; what cannot be read is named by its line and its path.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::document::Document;
use super::problem::Problem;

/// Longest file, in bytes.
const LIMIT: usize = 1024 * 1024;

/// Reads the file. Secret references stay as they are; values are not checked yet.
pub fn parse(text: &str) -> Result<Document, Vec<Problem>> {
    if text.len() > LIMIT {
        let what = format!("the file has {} bytes", text.len());
        return Err(vec![Problem::new("", what, format!("keep it under {LIMIT}"))]);
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    toml::from_str(text).map_err(|error| vec![shape(text, table.get_ref(), &error)])
}

/// One problem a line: what follows on the same line is mostly the same mistake.
fn syntax(text: &str, errors: &[Error]) -> Vec<Problem> {
    let mut lines: BTreeMap<usize, &Error> = BTreeMap::new();
    for error in errors {
        lines.entry(line(text, error)).or_insert(error);
    }
    let problem = |(line, error): (usize, &Error)| {
        let what = format!("not TOML: {}", error.message());
        let instead = "correct the spelling: https://toml.io/en/v1.0.0";
        Problem::new(format!("line {line}"), what, instead)
    };
    lines.into_iter().map(problem).collect()
}

fn shape(text: &str, table: &DeTable<'_>, error: &Error) -> Problem {
    let path = error.span().map(|span| place_in(table, &span)).unwrap_or_default();
    let place = if path.is_empty() { String::new() } else { format!(", {path}") };
    let message = error.message();
    let instead = if message.starts_with("unknown field") {
        "correct the name or take it out"
    } else if message.starts_with("unknown variant") {
        "write one of these"
    } else if message.starts_with("missing field") {
        "add it"
    } else if message.ends_with("expected a string") {
        "put the value in quotes"
    } else if message.starts_with("wanted exactly 1 element") {
        "name exactly one"
    } else if message.ends_with("expected a sequence") {
        "write it in brackets: `[...]`"
    } else {
        "docs/settings.example.toml shows how it is written"
    };
    Problem::new(format!("line {}{place}", line(text, error)), message, instead)
}

fn line(text: &str, error: &Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.bytes().take(start);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// The path of the smallest thing around this place. Tables are looked into wherever they stand:
/// the span of one is that of its header alone.
fn place_in(table: &DeTable<'_>, at: &Range<usize>) -> String {
    let mut best = Best { at, size: usize::MAX, path: String::new() };
    best.table(table, "");
    best.path
}

struct Best<'a> {
    at: &'a Range<usize>,
    size: usize,
    path: String,
}

impl Best<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &str) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.offer(&key.span(), &path);
            self.value(value, &path);
        }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &str) {
        self.offer(&value.span(), path);
        match value.get_ref() {
            DeValue::Table(table) => self.table(table, path),
            DeValue::Array(array) => {
                for (index, value) in array.iter().enumerate() {
                    self.value(value, &format!("{path}[{index}]"));
                }
            }
            _ => {}
        }
    }

    fn offer(&mut self, span: &Range<usize>, path: &str) {
        let around = span.start <= self.at.start && self.at.end <= span.end;
        if around && span.len() <= self.size {
            self.size = span.len();
            path.clone_into(&mut self.path);
        }
    }
}
