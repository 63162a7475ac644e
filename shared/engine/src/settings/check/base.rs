//! Addresses that we send secrets to: https and a host of the provider, unless the laptop switch names it.

use super::super::problem::Findings;
use super::Context;
use super::texts::TEXT_LIMIT;

/// The address without a slash at its end; empty if it may not be used.
pub(super) fn check(path: &str, base: &str, hosts: &[&str], context: &Context, findings: &mut Findings) -> String {
    let base = base.trim_end_matches('/');
    match allowed(base, hosts, context) {
        Ok(()) => base.to_owned(),
        Err((what, instead)) => {
            findings.add(path, what, instead);
            String::new()
        }
    }
}

fn allowed(base: &str, hosts: &[&str], context: &Context) -> Result<(), (String, String)> {
    let refuse = |what: &str, instead: &str| Err((format!("`{base}` {what}"), instead.to_owned()));
    let whole = "write it like `https://example.com`";
    if base.is_empty() {
        return Err(("there is no address".to_owned(), whole.to_owned()));
    }
    if base.chars().count() > TEXT_LIMIT || base.contains(|c: char| !c.is_ascii_graphic()) {
        return refuse("is too long or has odd characters", whole);
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    let authority = rest.split('/').next().unwrap_or_default();
    if rest.contains(['@', '?', '#', '\\']) || !["http", "https"].contains(&scheme) {
        return refuse("is not an address of an API", whole);
    }
    let usual = if scheme == "http" { "80" } else { "443" };
    let (host, port) = authority.split_once(':').unwrap_or((authority, usual));
    if !is_host(host) || port.parse::<u16>().is_err() {
        return refuse("has no name of a host that we can read", whole);
    }
    if context.allow_hosts.contains(&format!("{host}:{port}")) {
        return Ok(());
    }
    if scheme != "https" {
        let instead = format!("{whole}; a test server is let through by `--allow-host {host}:{port}`");
        return refuse("is not https: secrets would be readable on the way", &instead);
    }
    if authority.contains(':') {
        return refuse("names a port", "leave the port out");
    }
    let fits = |suffix: &&str| match suffix.strip_prefix('.') {
        Some(_) => host.ends_with(suffix) && host.len() > suffix.len(),
        None => host == *suffix,
    };
    if !hosts.is_empty() && !hosts.iter().any(fits) {
        let hosts = hosts.iter().map(|suffix| match suffix.strip_prefix('.') {
            Some(_) => format!("*{suffix}"),
            None => (*suffix).to_owned(),
        });
        let hosts: Vec<String> = hosts.collect();
        return refuse("is not a host of this provider", &format!("use one of {}", hosts.join(", ")));
    }
    Ok(())
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(usual)
    };
    host.split('.').all(label)
}
