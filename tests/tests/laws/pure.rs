//! No clock, no environment, no IO where decisions and codecs live; and the limits of clippy.

use toml::{Table, Value};

use crate::{obeyed, tree};

const PURE: &[&str] = &["shared/domain/clippy.toml", "shared/adapters/clippy.toml"];

/// What must be banned there at least.
const BANNED: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::env::var",
    "std::env::vars",
    "std::env::args",
    "std::env::current_dir",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::read_dir",
    "std::fs::write",
    "std::fs::File::open",
    "std::fs::File::create",
    "std::net::TcpStream::connect",
    "std::net::TcpListener::bind",
    "std::net::UdpSocket::bind",
    "std::process::Command::new",
    "std::thread::spawn",
    "std::thread::sleep",
    "std::io::stdin",
    "std::io::stdout",
    "std::println",
    "std::eprintln",
];

fn read(path: &str) -> Table {
    tree::text(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn bans<'a>(table: &'a Table, kind: &str) -> impl Iterator<Item = &'a Value> {
    table.get(kind).and_then(Value::as_array).into_iter().flatten()
}

#[test]
fn clocks_environment_and_io_are_banned_in_pure_crates() {
    let mut offences = Vec::new();
    for path in PURE {
        let table = read(path);
        let entries: Vec<&Value> =
            bans(&table, "disallowed-methods").chain(bans(&table, "disallowed-macros")).collect();
        let has = |name: &&&str| entries.iter().any(|entry| word(entry, "path") == **name);
        let missing = BANNED.iter().filter(|name| !has(name));
        offences.extend(missing.map(|name| format!("{path}: {name} is not banned")));
        let mute = entries.iter().filter(|entry| word(entry, "reason").len() < 10);
        offences.extend(mute.map(|entry| format!("{path}: {} is banned without a reason", word(entry, "path"))));
    }
    let domain = read(PURE[0]);
    if !bans(&domain, "disallowed-methods").any(|entry| word(entry, "path") == "jiff::Timestamp::now") {
        offences.push(format!("{}: the clock of the time-zone library is not banned", PURE[0]));
    }
    obeyed("what is pure has no clock, no environment and no IO", offences);
}

fn word<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn functions_have_at_most_60_lines_wherever_clippy_looks() {
    let mut files = tree::files().iter().filter(|file| file.name() == "clippy.toml").peekable();
    assert!(files.peek().is_some());
    let long = files.filter(|file| {
        let limit = read(&file.path).get("too-many-lines-threshold").and_then(Value::as_integer);
        limit != Some(60)
    });
    obeyed("clippy reads the nearest file only, so each says 60", long.map(|file| file.path.clone()).collect());
    assert!(tree::at("clippy.toml").is_file());
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    let workspace = read("Cargo.toml");
    let lint = |group: &str, name: &str| workspace["workspace"]["lints"][group][name].as_str().map(str::to_owned);
    assert_eq!(lint("rust", "unsafe_code").as_deref(), Some("forbid"));
    assert_eq!(lint("clippy", "disallowed_methods").as_deref(), Some("deny"));
    for name in ["too_many_lines", "unwrap_used"] {
        assert!(lint("clippy", name).is_some_and(|level| level != "allow"), "{name}");
    }
    let manifests = tree::files().iter().filter(|file| file.name() == "Cargo.toml" && file.path != "Cargo.toml");
    let free = manifests.filter(|file| {
        let table = read(&file.path);
        let lints = table.get("lints").and_then(|lints| lints.get("workspace"));
        lints.and_then(Value::as_bool) != Some(true)
    });
    obeyed("`[lints] workspace = true` in every crate", free.map(|file| file.path.clone()).collect());
}

#[test]
fn configuration_is_read_in_one_place() {
    let mut offences = Vec::new();
    let shell = |path: &str| path.starts_with("shared/") || path.starts_with("functions/");
    for file in tree::rust().filter(|file| shell(&file.path) && !file.is_test()) {
        let reads = file.code().filter(|(_, line)| line.contains("env::var"));
        let elsewhere = reads.filter(|_| file.path != "shared/platform/src/config.rs");
        offences.extend(elsewhere.map(|(number, _)| format!("{}:{number}", file.path)));
    }
    obeyed("the environment is read in shared/platform/src/config.rs only", offences);
}
