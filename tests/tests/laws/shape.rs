//! Sizes, headers, and where a provider may be named.

use perezvon_adapters::PROVIDERS;

use crate::obeyed;
use crate::tree::{self, File};

const LONGEST_FILE: usize = 400;

/// Who may name providers besides their own folder: what imitates them, and what tries us.
const MAY_NAME_PROVIDERS: &[&str] = &[
    "shared/sandbox/",
    "tests/",
    "infra/perezvon/src/demo/",
    "infra/perezvon/tests/",
    // Serves the sandbox on this machine.
    "infra/perezvon/src/local/sandbox.rs",
    "infra/perezvon/src/local/sandbox/",
];
const REGISTRY: &str = "shared/adapters/src/lib.rs";

/// Words for "not done yet", in pieces so that this file does not contain them.
const UNFINISHED: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimpl", "emented!("),
    concat!("not impl", "emented"),
];

#[test]
fn no_rust_file_is_longer_than_400_lines() {
    let long = tree::rust().filter(|file| file.text.lines().count() > LONGEST_FILE);
    let told = long.map(|file| format!("{}: {} lines", file.path, file.text.lines().count()));
    obeyed("a file has at most 400 lines; specs that outgrow it move to a tests.rs", told.collect());
}

#[test]
fn every_rust_file_begins_with_what_it_is_for() {
    let bare = tree::rust().filter(|file| !has_header(&file.text));
    obeyed("a file begins with a `//!` header", bare.map(|file| file.path.clone()).collect());
    assert!(has_header("//! Words.\n") && !has_header("//! x\n") && !has_header("use std;\n"));
}

fn has_header(text: &str) -> bool {
    text.strip_prefix("//! ").and_then(|rest| rest.lines().next()).is_some_and(|words| words.len() > 5)
}

#[test]
fn nothing_is_left_unfinished() {
    let mut offences = Vec::new();
    for file in tree::rust() {
        for (number, line) in file.lines() {
            if UNFINISHED.iter().any(|word| line.contains(word)) {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    obeyed("no reminders and no stubs: build it, or say in the README that it is not there", offences);
}

#[test]
fn a_provider_is_named_in_its_own_folder_only() {
    let mut offences = Vec::new();
    for provider in PROVIDERS {
        for file in tree::rust().filter(|file| !may_name(&file.path, provider.id)) {
            offences.extend(named(file, provider.id));
        }
    }
    obeyed("a provider is named in its own folder and in its line of the registry only", offences);
}

fn may_name(path: &str, id: &str) -> bool {
    let own = format!("shared/adapters/src/{id}/");
    path.starts_with(&own) || MAY_NAME_PROVIDERS.iter().any(|place| path.starts_with(place))
}

fn named(file: &File, id: &str) -> Vec<String> {
    let found = file.lines().filter(|(_, line)| {
        let mut line = line.to_lowercase();
        if file.path == REGISTRY && line.trim() == format!("{id},") {
            return false;
        }
        if file.path == REGISTRY {
            line = line.replace(&format!("mod {id};"), "");
        }
        line.contains(id)
    });
    found.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())).collect()
}

#[test]
fn a_provider_that_is_named_elsewhere_is_found() {
    let id = PROVIDERS[0].id;
    let file = |path: &str, text: String| File { path: path.to_owned(), text };
    let registry = format!("mod {id};\n    {id},\nif id == \"{id}\" {{}}\n");
    assert_eq!(named(&file(REGISTRY, registry.clone()), id).len(), 1);
    assert_eq!(named(&file("functions/route/src/lib.rs", registry), id).len(), 3);
    let capital = format!("// as {} does\n", id.to_uppercase());
    assert_eq!(named(&file("shared/domain/src/lib.rs", capital), id).len(), 1);
    assert!(may_name(&format!("shared/adapters/src/{id}/mod.rs"), id));
    assert!(!may_name("shared/adapters/src/intake.rs", id));
}

#[test]
fn every_provider_has_a_folder_and_a_line() {
    let registry = tree::text(REGISTRY);
    let mut offences = Vec::new();
    for provider in PROVIDERS {
        let id = provider.id;
        if !tree::at(&format!("shared/adapters/src/{id}/mod.rs")).is_file() {
            offences.push(format!("{id}: no folder shared/adapters/src/{id}"));
        }
        if !registry.contains(&format!("mod {id};")) {
            offences.push(format!("{id}: no `mod {id};` in {REGISTRY}"));
        }
    }
    obeyed("a provider is one folder and one line", offences);
}
