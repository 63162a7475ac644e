//! What cargo says about the workspace. Nothing here needs the network.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::tree;

/// A crate of ours as its Cargo.toml describes it.
pub struct Package {
    pub name: String,
    pub dependencies: Vec<Dependency>,
}

/// One dependency.
pub struct Dependency {
    pub name: String,
    /// Only for tests.
    pub dev: bool,
    pub optional: bool,
}

/// All crates of the workspace.
pub fn packages() -> &'static [Package] {
    static PACKAGES: OnceLock<Vec<Package>> = OnceLock::new();
    PACKAGES.get_or_init(|| {
        let json = cargo(&["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Value = serde_json::from_str(&json).expect("JSON of cargo metadata");
        list(&metadata["packages"]).iter().map(package).collect()
    })
}

fn package(json: &Value) -> Package {
    let dependencies = list(&json["dependencies"]).iter().map(|dependency| Dependency {
        name: text(&dependency["name"]),
        dev: dependency["kind"] == "dev",
        optional: dependency["optional"] == true,
    });
    Package { name: text(&json["name"]), dependencies: dependencies.collect() }
}

/// One crate of the workspace.
pub fn package_of(name: &str) -> &'static Package {
    let found = packages().iter().find(|package| package.name == name);
    found.unwrap_or_else(|| panic!("there is no crate {name}"))
}

/// Names of everything that is linked into a crate with its default features.
pub fn linked(name: &str) -> BTreeSet<String> {
    let tree = format!("tree -p {name} -e normal --prefix none --format {{p}}");
    let lines = cargo(&tree.split(' ').collect::<Vec<_>>());
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// What this function is built from, each crate with its features when cargo builds this function alone: those of the
/// program, and those of the compiler's helpers where they differ.
pub fn features(name: &str) -> BTreeMap<String, BTreeSet<String>> {
    let tree = format!("tree -p {name} -e normal,build --prefix none --format {{p}}|{{f}}");
    let lines = cargo(&tree.split(' ').collect::<Vec<_>>());
    // A repetition has a star behind it.
    let pairs = lines.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, features) in pairs {
        found.entry(name.to_owned()).or_default().insert(features.to_owned());
    }
    found
}

/// Everything the workspace is built, tested and run with, a line each: `name version (source)|licence`.
pub fn everything() -> &'static BTreeSet<String> {
    static EVERYTHING: OnceLock<BTreeSet<String>> = OnceLock::new();
    EVERYTHING.get_or_init(|| {
        let all = "tree --workspace --all-features -e normal,build,dev --prefix none --format {p}|{l}";
        let lines = cargo(&all.split(' ').collect::<Vec<_>>());
        // A repetition has a star behind it.
        let lines = lines.lines().map(|line| line.trim_end_matches(" (*)"));
        lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
    })
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).arg("--offline").current_dir(tree::root());
    let output = command.output().expect("cargo can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("UTF-8 from cargo")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
