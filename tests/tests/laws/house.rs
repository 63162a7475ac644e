//! Who may depend on whom, and what the program for one machine is built from.

use std::collections::BTreeSet;

use crate::cargo::{self, Package};
use crate::obeyed;

const DOMAIN: &str = "perezvon-domain";
const ADAPTERS: &str = "perezvon-adapters";
const STORE: &str = "perezvon-store";
const PLATFORM: &str = "perezvon-platform";
const CLIENT: &str = "perezvon-client";
const ENGINE: &str = "perezvon-engine";
const SANDBOX: &str = "perezvon-sandbox";
const INGEST: &str = "perezvon-ingest";
const ANSWER: &str = "perezvon-answer";
const CRM: &str = "perezvon-crm";
const OUTBOUND: &str = "perezvon-outbound";
const PROGRAM: &str = "perezvon";
const TESTS: &str = "perezvon-tests";

const BELOW_ENGINE: &[&str] = &[DOMAIN, ADAPTERS, STORE, PLATFORM];
const BELOW_FUNCTIONS: &[&str] = &[DOMAIN, ADAPTERS, STORE, PLATFORM, ENGINE];
/// Only the workers talk to the outside, and who asks the CRM while a caller waits.
const BELOW_WORKERS: &[&str] = &[DOMAIN, ADAPTERS, STORE, PLATFORM, ENGINE, CLIENT];

/// What of ours a crate may use; `None`: everything.
fn may_use(name: &str) -> Option<&'static [&'static str]> {
    match name {
        DOMAIN | SANDBOX => Some(&[]),
        ADAPTERS | STORE | PLATFORM => Some(&[DOMAIN]),
        ENGINE => Some(BELOW_ENGINE),
        INGEST | CLIENT => Some(&[PLATFORM]),
        ANSWER | CRM | OUTBOUND => Some(BELOW_WORKERS),
        PROGRAM | TESTS => None,
        _function => Some(BELOW_FUNCTIONS),
    }
}

fn is_ours(name: &str) -> bool {
    name == PROGRAM || name.starts_with("perezvon-")
}

#[test]
fn crates_use_only_what_stands_to_their_right() {
    let mut offences = Vec::new();
    for package in cargo::packages() {
        let Some(allowed) = may_use(&package.name) else {
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| is_ours(&dependency.name)) {
            if !allowed.contains(&dependency.name.as_str()) {
                offences.push(format!("{} uses {}", package.name, dependency.name));
            }
        }
    }
    obeyed("functions, program, tests -> engine -> store, platform, adapters -> domain", offences);
}

#[test]
fn only_the_program_and_the_tests_use_the_sandbox() {
    let users = cargo::packages()
        .iter()
        .filter(|package| package.dependencies.iter().any(|dependency| dependency.name == SANDBOX));
    let users: BTreeSet<&str> = users.map(|package| package.name.as_str()).collect();
    assert_eq!(users, BTreeSet::from([PROGRAM, TESTS]));
}

#[test]
fn the_domain_knows_serde_and_time_zones_and_nothing_else() {
    only(cargo::package_of(DOMAIN), &["serde", "serde_json", "jiff", "schemars"]);
}

#[test]
fn ingest_knows_the_platform_and_the_shape_of_its_events() {
    let allowed = &[PLATFORM, "aws_lambda_events", "serde", "serde_json", "tracing", "base64"];
    only(cargo::package_of(INGEST), allowed);
}

fn only(package: &Package, allowed: &[&str]) {
    let used = package.dependencies.iter().filter(|dependency| !dependency.dev);
    let others = used.filter(|dependency| !allowed.contains(&dependency.name.as_str()));
    let told = others.map(|dependency| dependency.name.clone()).collect();
    obeyed(&format!("{} uses only {}", package.name, allowed.join(", ")), told);
}

#[test]
fn pure_crates_link_no_runtime_no_client_and_no_cloud() {
    let mut offences = Vec::new();
    for name in [DOMAIN, ADAPTERS, SANDBOX] {
        let linked = cargo::linked(name);
        let heavy = linked.iter().filter(|other| is_of_the_shell(other));
        offences.extend(heavy.map(|other| format!("{name} links {other}")));
    }
    obeyed("codecs and decisions need neither runtime nor client", offences);
    assert!(is_of_the_shell("tokio") && is_of_the_shell("aws-sdk-sqs") && !is_of_the_shell("serde"));
}

fn is_of_the_shell(name: &str) -> bool {
    let names = ["tokio", "reqwest", "hyper", "axum", "lambda_runtime", "rusqlite", "getrandom"];
    name.starts_with("aws-") || names.contains(&name)
}

#[test]
fn a_function_takes_the_sdk_of_the_table_for_its_binary_only() {
    let mut offences = Vec::new();
    for package in cargo::packages() {
        let function = !matches!(package.name.as_str(), STORE | PLATFORM | PROGRAM | TESTS);
        let sdk = package.dependencies.iter().filter(|other| other.name.starts_with("aws-"));
        let needed = sdk.filter(|other| !other.optional && !other.dev);
        offences.extend(needed.filter(|_| function).map(|other| format!("{}: {}", package.name, other.name)));
    }
    obeyed("SDK types end in store and platform; functions have them behind `lambda`", offences);
}

#[test]
fn the_program_is_built_without_lambda_and_with_the_sdk_of_the_table_alone() {
    let linked = cargo::linked(PROGRAM);
    let lambda = linked.iter().filter(|name| name.starts_with("lambda"));
    let sdk = linked.iter().filter(|name| name.starts_with("aws-sdk-") && *name != "aws-sdk-dynamodb");
    obeyed("the program needs no cloud", lambda.chain(sdk).cloned().collect());
    assert!(linked.contains("aws-sdk-dynamodb"), "the table is asked with its SDK");
}

#[test]
fn there_is_one_tls_provider_and_it_is_ring() {
    let everything = cargo::everything();
    let names: BTreeSet<&str> = everything.iter().filter_map(|line| line.split(' ').next()).collect();
    let others = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "s2n-tls", "boring"];
    let found = others.iter().filter(|other| names.contains(*other));
    obeyed("TLS is ring everywhere", found.map(|name| (*name).to_owned()).collect());
    for name in ["ring", "rustls"] {
        let versions = everything.iter().filter(|line| line.split(' ').next() == Some(name)).count();
        assert_eq!(versions, 1, "{name} is linked in {versions} versions");
    }
    assert!(cargo::linked(PROGRAM).contains("ring"));
}
