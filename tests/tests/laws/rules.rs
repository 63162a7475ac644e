//! Every marked rule of the protocol stands in its table, and every spec the table names is there.

use std::collections::BTreeSet;

use crate::{obeyed, tree};

const PROTOCOL: &str = "docs/protocol.md";
const SPECS: &str = "tests/tests/stories/";
const NOT_BUILT: &str = "not built (section 6)";

/// A mark and the step it stands in.
type Mark = (String, String);

/// The marks of sections 1 to 3, in their order.
fn marks(protocol: &str) -> Vec<Mark> {
    let mut found = Vec::new();
    let (mut section, mut step) = (0, String::new());
    for line in protocol.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0);
            step = section.to_string();
        }
        let number = line.split_once(". ").and_then(|(number, _)| number.parse::<u32>().ok());
        if let Some(number) = number {
            step = format!("{section}.{number}");
        }
        if (1..=3).contains(&section) {
            found.extend(numbers(line).map(|mark| (step.clone(), mark)));
        }
    }
    found
}

/// `!14` wherever it stands in a line.
fn numbers(line: &str) -> impl Iterator<Item = String> {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    line.split('!').skip(1).map(digits).filter(|digits| !digits.is_empty()).map(|digits| format!("!{digits}"))
}

/// The rows of section 7: the mark, and what stands in the last column.
fn table(protocol: &str) -> Vec<(Mark, String)> {
    let section = protocol.split("\n## 7 ").nth(1).unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    let cells = cells.filter(|cells| cells.len() == 4 && cells[1].starts_with('!'));
    cells.map(|cells| ((cells[0].to_owned(), cells[1].to_owned()), cells[3].to_owned())).collect()
}

/// The stories: functions that are run.
fn specs() -> BTreeSet<String> {
    let files = tree::rust().filter(|file| file.path.starts_with(SPECS));
    let text: String = files.map(|file| file.text.as_str()).collect();
    let tests = text.split("#[tokio::test(start_paused = true)]\nasync fn ").skip(1);
    tests.filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_mark_of_the_protocol_has_a_row_in_its_table() {
    let protocol = tree::text(PROTOCOL);
    let marks = marks(&protocol);
    assert!(marks.len() > 40, "only {} marks found", marks.len());
    let rows: Vec<Mark> = table(&protocol).into_iter().map(|(mark, _)| mark).collect();
    assert_eq!(rows, marks, "section 7 of {PROTOCOL} names every mark of sections 1 to 3, in their order");
}

#[test]
fn every_row_of_the_table_names_a_spec_of_its_own() {
    let specs = specs();
    let (mut taken, mut offences) = (BTreeSet::new(), Vec::new());
    for ((step, mark), cell) in table(&tree::text(PROTOCOL)) {
        if cell == NOT_BUILT {
            continue;
        }
        for name in cell.split(", ").map(|name| name.trim_matches('`')) {
            if !specs.contains(name) {
                offences.push(format!("{step} ({mark}): no spec `{name}` in {SPECS}"));
            }
            if !taken.insert(name.to_owned()) {
                offences.push(format!("{step} ({mark}): `{name}` is the spec of another rule already"));
            }
        }
    }
    obeyed("a marked rule that is built has a spec of its own", offences);
}

#[test]
fn marks_are_found_wherever_they_stand() {
    let text = "## 2 Jobs\n(!18)\n1. Take (!24, !26). **So!**\n   on (!21 the other way round)\n## 6 Built\n(!1)\n";
    let found = marks(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(step, mark)| (step.as_str(), mark.as_str())).collect();
    assert_eq!(found, [("2", "!18"), ("2.1", "!24"), ("2.1", "!26"), ("2.1", "!21")]);
}
