//! What is wrong with the settings, where, and what to write instead; all of it at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that is wrong, or in a list of warnings: that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Fault"))]
pub struct Problem {
    /// Where: `scenarios[0].missed_new.task.responsible`; empty: the document as a whole.
    pub path: String,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl Problem {
    /// A problem at this place.
    pub fn new(path: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.into(), what: what.into(), instead: instead.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "settings" } else { &self.path };
        let line = format!("{place}: {}; {}", self.what, self.instead);
        // A text of the file may be quoted in it, line breaks and all.
        f.write_str(&line.replace(['\n', '\r'], " "))
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Problem>);

impl Findings {
    pub(super) fn add(&mut self, path: impl Into<String>, what: impl Into<String>, instead: impl Into<String>) {
        self.0.push(Problem::new(path, what, instead));
    }
}
