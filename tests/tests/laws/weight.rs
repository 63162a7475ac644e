//! What makes a function heavy or slow to start stays out of it: by `cargo tree` and by the build settings.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::{cargo, obeyed, tree};

/// What no function links, and why.
const TOO_HEAVY: &[(&str, &str)] = &[
    ("aws-lc-rs", "its jitter entropy costs a small function half a second at the first call"),
    ("aws-lc-sys", "its jitter entropy costs a small function half a second at the first call"),
    ("aws-config", "looks for credentials in five places that a function does not have"),
    ("aws-smithy-http-client", "brings HTTP/2 and gathers the system's root certificates at each start"),
    ("aws-sdk-s3", "weighs as much as all else; four kinds of request are signed links"),
    ("h2", "AWS is asked by HTTP/1.1"),
    ("regex-automata", "a filter of logs needs no regular expressions"),
];
/// What gathers or reads the root certificates of a system.
const SCANS: &[&str] = &["rustls-native-certs", "rustls-platform-verifier"];
/// The HTTP client for the outside brings a scan along; the second law sees that it is not asked.
const CLIENT: &str = "reqwest";

#[test]
fn no_function_links_what_is_heavy_or_scans_for_root_certificates() {
    let mut offences = Vec::new();
    let mut with_client = BTreeSet::new();
    for name in functions() {
        let linked = cargo::linked(&name);
        assert!(linked.contains("lambda_runtime") && linked.contains("webpki-roots"), "{name} as it is deployed");
        offences.extend(heavy(&linked).map(|why| format!("{name} links {why}")));
        if linked.contains(CLIENT) {
            with_client.insert(name);
        }
    }
    obeyed("a function starts at once and is small", offences);
    let ask = ["perezvon-answer", "perezvon-crm", "perezvon-outbound"].map(str::to_owned);
    assert_eq!(with_client, BTreeSet::from(ask));
}

#[test]
fn functions_are_built_with_the_same_features_so_that_nothing_is_built_twice() {
    let mut known: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    let mut offences = Vec::new();
    for name in functions() {
        for (library, features) in cargo::features(&name) {
            let (first, as_there) =
                known.entry(library.clone()).or_insert_with(|| (name.clone(), features.clone())).clone();
            if features != as_there {
                offences.push(format!("{library}: {as_there:?} in {first}, {features:?} in {name}"));
            }
        }
    }
    obeyed("`sam build` calls cargo once for each function, and what differs is built again", offences);
}

fn functions() -> Vec<String> {
    let folders = std::fs::read_dir(tree::at("functions")).expect("a folder");
    let names = folders.map(|folder| folder.expect("an entry").file_name().to_string_lossy().into_owned());
    names.map(|name| format!("perezvon-{name}")).collect()
}

fn heavy(linked: &BTreeSet<String>) -> impl Iterator<Item = String> {
    let heavy = TOO_HEAVY.iter().filter(|(name, _)| linked.contains(*name));
    let scans = SCANS.iter().filter(|name| linked.contains(**name) && !linked.contains(CLIENT));
    let scans = scans.map(|name| format!("{name}: roots are compiled in"));
    heavy.map(|(name, why)| format!("{name}: {why}")).chain(scans)
}

#[test]
fn what_is_heavy_is_found() {
    let of = |names: &[&str]| heavy(&names.iter().map(|name| (*name).to_owned()).collect()).count();
    assert_eq!(of(&["h2", "ring"]), 1);
    assert_eq!(of(&["rustls-native-certs"]), 1);
    assert_eq!(of(&["rustls-native-certs", CLIENT]), 0);
}

#[test]
fn a_function_builds_every_tls_client_with_the_roots_that_are_compiled_in() {
    let client = tree::text("shared/client/src/lib.rs");
    let made = client.matches("reqwest::Client::builder()").count();
    let taken = "#[cfg(feature = \"aws\")]\n    let builder = builder.tls_backend_preconfigured(";
    assert_eq!((made, client.matches(taken).count()), (1, 1), "a client of {CLIENT} in a function scans otherwise");
    let mut offences = Vec::new();
    for file in tree::rust().filter(|file| {
        file.path.starts_with("shared/platform/")
            || file.path.starts_with("shared/client/")
            || file.path.contains("functions/")
    }) {
        let own = ["shared/client/src/lib.rs", "shared/platform/src/aws/http.rs"].contains(&file.path.as_str());
        let words = ["reqwest::Client::", "ClientConfig::builder", "HttpsConnectorBuilder::"];
        let found = file.code().filter(|(_, line)| !own && words.iter().any(|word| line.contains(word)));
        offences.extend(found.map(|(number, _)| format!("{}:{number}", file.path)));
    }
    obeyed("TLS clients are made in client.rs and aws/http.rs only", offences);
}

/// A setting of the profile `deploy`, or what it takes over from `release`.
fn setting(cargo: &Table, name: &str) -> Value {
    let profiles = &cargo["profile"];
    assert_eq!(profiles["deploy"]["inherits"].as_str(), Some("release"));
    profiles["deploy"].get(name).unwrap_or_else(|| &profiles["release"][name]).clone()
}

#[test]
fn functions_are_built_to_be_small_and_the_papers_say_the_same() {
    let cargo: Table = tree::text("Cargo.toml").parse().expect("TOML");
    assert_eq!(setting(&cargo, "strip").as_str(), Some("symbols"));
    let papers = tree::text("docs/cloud.md");
    for (name, value) in [("opt-level", "z"), ("lto", "fat"), ("codegen-units", "1"), ("panic", "abort")] {
        let set = setting(&cargo, name).to_string();
        assert_eq!(set.trim_matches('"'), value, "{name} of the profile `deploy`");
        let variable = format!("CARGO_PROFILE_RELEASE_{}={value}", name.to_uppercase().replace('-', "_"));
        assert!(papers.contains(&variable), "docs/cloud.md does not say {variable}");
    }
}
