//! The project stands alone, and its README begins with how to try it.

use crate::{obeyed, tree};

/// Places of the machine this was written on; in pieces, so that this file does not contain them.
const PLACES: &[&str] = &[concat!("../", "shared"), concat!("/wo", "rk/"), concat!("/tmp/", "lane")];
/// Papers that may be referred to only if they are here.
const PAPERS: &[&str] = &[
    concat!("design", ".md"),
    concat!("requirements", ".md"),
    concat!("reliability", ".md"),
    concat!("emulators", ".md"),
    concat!("ecosystem", ".md"),
];

#[test]
fn nothing_refers_to_what_a_reader_does_not_have() {
    let is_here = |paper: &str| tree::files().iter().any(|file| file.name() == paper);
    let absent = PAPERS.iter().filter(|paper| !is_here(paper));
    let foreign: Vec<&str> = PLACES.iter().chain(absent).copied().collect();
    let mut offences = Vec::new();
    for file in tree::files() {
        for (number, line) in file.lines() {
            if foreign.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    obeyed("the project stands alone", offences);
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = tree::text("README.md");
    let head = readme.lines().take(40);
    let head: Vec<&str> = head.map(|line| line.split('#').next().unwrap_or_default().trim()).collect();
    for command in ["cargo run --release", "cargo test --workspace"] {
        assert!(head.contains(&command), "`{command}` is a line of its own in the first 40 of README.md");
    }
}

#[test]
fn every_spec_that_the_cloud_paper_names_is_there() {
    let paper = tree::text("docs/cloud.md");
    let words = paper.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
    let named: Vec<&str> = words.filter(is_name).filter(|word| word.matches('_').count() > 3).collect();
    assert!(named.len() > 15, "only {named:?}");
    let is_there = |name: &&str| tree::rust().any(|file| file.text.contains(&format!("fn {name}()")));
    let missing = named.into_iter().filter(|name| !is_there(name));
    obeyed("a spec that docs/cloud.md names is run", missing.map(str::to_owned).collect());
}

#[test]
fn what_stands_in_the_readme_is_what_ci_runs() {
    let script = tree::text(".ci/run");
    assert!(script.contains("README.md"), "the test command is taken from the README");
    for stage in ["cargo fmt --all --check", "clippy --workspace --all-targets", "cargo build --release"] {
        assert!(script.contains(stage), "{stage}");
    }
}
