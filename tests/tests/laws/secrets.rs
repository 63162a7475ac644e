//! Secrets are compared by one function, in constant time.

use crate::{obeyed, tree};

/// What must never be compared byte by byte.
const SECRET_WORDS: &[&str] = &["sign", "signature", "secret", "token", "mac", "hmac", "digest", "password"];
const COMPARISONS: &[&str] = &[" == ", " != ", ".eq(", ".ne(", ".eq_ignore_ascii_case("];

#[test]
fn no_adapter_compares_a_secret_by_itself() {
    let mut offences = Vec::new();
    let adapters = tree::rust().filter(|file| file.path.starts_with("shared/adapters/src/"));
    for file in adapters.filter(|file| !file.is_test()) {
        let found = file.code().filter(|(_, line)| compares_a_secret(line));
        offences.extend(found.map(|(number, line)| format!("{}:{number}: {}", file.path, line.trim())));
    }
    obeyed("secrets are compared with `same` of shared/adapters/src/secret.rs", offences);
}

fn compares_a_secret(line: &str) -> bool {
    COMPARISONS.iter().any(|comparison| {
        line.match_indices(comparison).any(|(at, _)| {
            let left = line[..at].rsplit([' ', '(', '&', '!']).next().unwrap_or_default();
            let right = line[at + comparison.len()..].split([' ', ')', ';', ',']).next().unwrap_or_default();
            // How long something is, or that it is a certain text of ours, is no secret.
            let plain = |operand: &str| operand.ends_with(".len(") || operand.starts_with(['"', '\'']);
            !plain(left) && !plain(right) && (is_secret(left) || is_secret(right))
        })
    })
}

fn is_secret(operand: &str) -> bool {
    let words = operand.split(|character: char| !character.is_ascii_alphanumeric());
    words.into_iter().any(|word| SECRET_WORDS.contains(&word))
}

#[test]
fn a_comparison_of_secrets_is_found() {
    for line in [
        "if envelope.sign == expected {",
        "expected != secret.token",
        "sign.eq(&other)",
        "let fits = given == signature;",
        "return mac != &given;",
    ] {
        assert!(compares_a_secret(line), "{line}");
    }
    for line in [
        "same(sign.as_bytes(), expected.as_bytes())",
        "if refusal == Refusal::NoSecret {",
        "if name == \"token\" {",
        "let design = plan == other;",
        "secrets.iter().filter(|entry| entry.id == id)",
    ] {
        assert!(!compares_a_secret(line), "{line}");
    }
}

#[test]
fn constant_time_comparison_stands_in_two_places() {
    let mut offences = Vec::new();
    for file in tree::rust().filter(|file| !file.path.starts_with("tests/")) {
        let uses = file.text.contains("subtle::") || file.text.contains("ct_eq(");
        let allowed = file.path == "shared/adapters/src/secret.rs" || file.path.starts_with("shared/platform/src/");
        if uses && !allowed {
            offences.push(file.path.clone());
        }
    }
    obeyed("`subtle` is used in shared/adapters/src/secret.rs and in shared/platform only", offences);
}
