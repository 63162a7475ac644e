//! The checks of single values: texts, templates, ids, counts.

use std::collections::HashMap;
use std::fmt::Display;
use std::ops::RangeInclusive;

use perezvon_domain::template;

use super::super::problem::Findings;

/// Longest name or text, in characters.
pub(super) const TEXT_LIMIT: usize = 255;

const ID_LIMIT: usize = 40;

/// A count and its unit: `30m`.
pub(super) fn amount(text: &str) -> Option<(i64, char)> {
    let unit = text.chars().last()?;
    let count = text.strip_suffix(unit).filter(|count| count.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((count.parse().ok()?, unit))
}

impl Findings {
    /// One line of 1 to 255 characters.
    pub(super) fn text(&mut self, path: &str, text: &str) {
        self.text_of(path, text, TEXT_LIMIT);
    }

    /// One line of 1 to `limit` characters.
    pub(super) fn text_of(&mut self, path: &str, text: &str, limit: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.add(path, "empty", "write something here");
        } else if length > limit {
            self.add(path, format!("{length} characters"), format!("write at most {limit}"));
        } else if text.chars().any(char::is_control) {
            self.add(path, "there is a line break or a tab in it", "write it in one line");
        }
    }

    /// A text with these `$(parameters)`.
    pub(super) fn template(&mut self, path: &str, text: &str, parameters: &[(&str, &str)]) {
        self.text(path, text);
        if let Err(why) = template::check(text, parameters) {
            let (what, instead) = why.split_once("; ").unwrap_or((&why, "close it: `$(client)`"));
            self.add(path, what, instead);
        }
    }

    /// An id that we choose ourselves.
    pub(super) fn id(&mut self, path: &str, id: &str) {
        let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || id.len() > ID_LIMIT || !id.chars().all(usual) {
            let instead = "write 1 to 40 lowercase latin letters, digits and dashes";
            self.add(path, format!("`{id}` cannot be an id"), instead);
        }
    }

    /// How many of something there are.
    pub(super) fn count(&mut self, path: &str, count: usize, allowed: RangeInclusive<usize>) {
        if !allowed.contains(&count) {
            let (least, most) = allowed.into_inner();
            self.add(path, format!("{count} of them"), format!("give {least} to {most}"));
        }
    }

    /// A whole number.
    pub(super) fn range(&mut self, path: &str, number: i64, allowed: RangeInclusive<i64>) {
        if !allowed.contains(&number) {
            let (least, most) = allowed.into_inner();
            self.add(path, format!("{number} is out of range"), format!("give {least} to {most}"));
        }
    }

    /// No value stands twice; the later place is reported.
    pub(super) fn unique<T: Display>(&mut self, values: impl IntoIterator<Item = (String, T)>, instead: &str) {
        let mut seen: HashMap<String, String> = HashMap::new();
        for (path, value) in values {
            let value = value.to_string();
            match seen.get(&value) {
                Some(first) => self.add(path, format!("`{value}` stands in {first} too"), instead),
                None => _ = seen.insert(value, path),
            }
        }
    }
}
