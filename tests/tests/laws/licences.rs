//! Licences and sources of all that we are built from; `deny.toml` is the one list.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::{cargo, obeyed, tree};

fn deny() -> Table {
    tree::text("deny.toml").parse().expect("deny.toml is TOML")
}

#[test]
fn every_licence_is_one_we_allow() {
    let deny = deny();
    let allowed: BTreeSet<&str> = words(&deny["licenses"]["allow"]).collect();
    let everything = cargo::everything();
    assert!(everything.len() > 100, "only {} crates", everything.len());
    let bad = everything.iter().filter(|line| {
        let (_, licence) = line.split_once('|').unwrap_or((line, ""));
        !allows(licence, &allowed)
    });
    obeyed("licences stand in deny.toml", bad.cloned().collect());
}

fn words(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str)
}

/// Reads `A OR B`, `(A OR B) AND C`, `A/B`; stricter than it needs to be where they nest deeper.
fn allows(licence: &str, allowed: &BTreeSet<&str>) -> bool {
    let plain = licence.replace(['(', ')'], "").replace('/', " OR ");
    let all_of = plain.split(" AND ");
    all_of.into_iter().all(|any_of| any_of.split(" OR ").any(|one| allowed.contains(one.trim())))
}

#[test]
fn a_licence_is_read_as_it_is_meant() {
    let allowed = BTreeSet::from(["MIT", "Unicode-3.0"]);
    for good in ["MIT", "GPL-3.0 OR MIT", "Apache-2.0/MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(allows(good, &allowed), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND ISC"] {
        assert!(!allows(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_crate_comes_from_crates_io_or_from_here() {
    // cargo shows a source in parentheses unless it is crates.io.
    let strange = cargo::everything().iter().filter(|line| {
        let package = line.split('|').next().unwrap_or_default();
        let sources = package.split(" (").skip(1).filter(|note| !note.starts_with("proc-macro"));
        sources.into_iter().any(|source| !source.starts_with('/'))
    });
    obeyed("no git, no other registry", strange.cloned().collect());
}

#[test]
fn what_is_banned_is_not_linked() {
    let deny = deny();
    let banned: BTreeSet<&str> = deny["bans"]["deny"]
        .as_array()
        .expect("a list of bans")
        .iter()
        .filter_map(|entry| entry.get("crate").and_then(Value::as_str))
        .collect();
    assert!(banned.contains("openssl-sys"));
    let everything = cargo::everything();
    let found = everything.iter().filter(|line| banned.contains(line.split(' ').next().unwrap_or_default()));
    obeyed("banned in deny.toml", found.cloned().collect());
}

#[test]
fn both_licence_texts_are_here() {
    assert!(tree::text("LICENSE-MIT").contains("Permission is hereby granted, free of charge"));
    assert!(tree::text("LICENSE-APACHE").contains("Apache License"));
    assert!(tree::text("Cargo.toml").contains("license = \"MIT OR Apache-2.0\""));
}
