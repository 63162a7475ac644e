//! Nothing scans, and nobody makes a key but the file of keys.

use crate::{obeyed, tree};

const KEYS: &str = "shared/store/src/keys.rs";

/// In pieces, so that this file does not contain what it looks for.
const SCANS: &[&str] = &[concat!(".scan", "("), concat!("operation::", "scan"), concat!("Scan", "Input")];

#[test]
fn nothing_scans_a_table() {
    let mut offences = Vec::new();
    for file in tree::rust() {
        for (number, line) in file.lines() {
            if SCANS.iter().any(|call| line.contains(call)) {
                offences.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    obeyed("a page is a Query; a Scan reads what everybody pays for", offences);
}

#[test]
fn keys_are_made_in_one_file() {
    let keys = tree::text(KEYS);
    let key = between(&keys, "pub struct Key {", "}");
    assert!(!key.contains("pub "), "the parts of a key are private: {key}");
    let own = between(&keys, "impl Key {", "\n}");
    let makers: Vec<&str> = own.lines().filter(|line| line.contains("-> Self")).map(str::trim).collect();
    assert_eq!(makers, ["pub fn from_table(pk: String, sk: String) -> Self {"]);
    let mut offences = Vec::new();
    let others = tree::rust().filter(|file| !file.path.starts_with("shared/store/"));
    // The model of the table in the test world is a driver as well.
    for file in others.filter(|file| !file.path.starts_with("tests/")) {
        let made = file.lines().filter(|(_, line)| line.contains("from_table("));
        offences.extend(made.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    obeyed("only a driver of the table reads a key back; all others call shared/store/src/keys.rs", offences);
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("`{from}` is not in {KEYS}"));
    rest.split_once(to).unwrap_or_default().0
}
