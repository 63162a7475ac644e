//! The project stands alone, and its README begins with how to try it.

use crate::{obeyed, tree};

/// What only makes sense where this was written; in pieces, so that this file does not contain it.
const FOREIGN: &[&str] = &[
    concat!("../", "shared"),
    concat!("/wo", "rk/"),
    concat!("/tmp/", "lane"),
    concat!("design", ".md"),
    concat!("protocol", ".md"),
    concat!("requirements", ".md"),
    concat!("reliability", ".md"),
    concat!("design", " card"),
    concat!("the iss", "ue #"),
];
/// What the items of somebody's list begin with, before a hyphen and a number.
const ITEMS: &[&str] = &["MNG", "AMO", "SCN", "FEED", "ENT", "DBG", "AVT", "CHT", "EML", "APP", "TRF", "MAP"];

#[test]
fn nothing_refers_to_what_a_reader_does_not_have() {
    let mut offences = Vec::new();
    for file in tree::files() {
        for (number, line) in file.lines() {
            let foreign = FOREIGN.iter().any(|word| line.contains(word)) || names_an_item(line);
            if foreign {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    obeyed("the project stands alone", offences);
}

fn names_an_item(line: &str) -> bool {
    ITEMS.iter().any(|item| {
        line.match_indices(item).any(|(at, _)| {
            let inside = line[..at].ends_with(|before: char| before.is_alphanumeric());
            let mut rest = line[at + item.len()..].chars();
            !inside && rest.next() == Some('-') && rest.next().is_some_and(|digit| digit.is_ascii_digit())
        })
    })
}

#[test]
fn an_item_of_a_foreign_list_is_found() {
    let item = |number: u32| format!("({}-{number})", ITEMS[0]);
    assert!(names_an_item(&format!("switched off {}", item(18))));
    assert!(!names_an_item("MNG-alpha") && !names_an_item("REMAP-1"));
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = tree::text("README.md");
    let head: Vec<&str> = readme.lines().take(40).collect();
    for command in ["cargo run --release", "cargo test --workspace"] {
        assert!(head.contains(&command), "`{command}` is a line of its own in the first 40 of README.md");
    }
}

#[test]
fn what_stands_in_the_readme_is_what_ci_runs() {
    let script = tree::text(".ci/run");
    assert!(script.contains("README.md"), "the test command is taken from the README");
    for stage in ["cargo fmt --all --check", "clippy --workspace --all-targets", "cargo build --release"] {
        assert!(script.contains(stage), "{stage}");
    }
}
