//! Channels and the CRM: known providers of the right role, whole sets of secrets, addresses (MNG-15 to MNG-18).

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use perezvon_adapters::{PROVIDERS, Provider, Role, Secret, Signature, provider};
use perezvon_domain::{ChannelId, ConnectionId, Lane};
use perezvon_store::keys;

use super::super::document::{Channel, Document, SecretSet};
use super::super::problem::Findings;
use super::super::resolve::Reference;
use super::{Context, base, channel_connection, crm_connection, hook};
use crate::secrets::{ANSWERED_WITHIN_MS, ChannelSecret, ConnectionSecret, JobTimes, SignatureMode};

/// What is shorter leaves the CRM no time; no PBX waits longer.
const ANSWER_WITHIN_MS: std::ops::RangeInclusive<i64> = 150..=5_000;
/// Longest secret value, in bytes.
const SECRET_LIMIT: usize = 8192;

/// The records of all channels. One that is not right is reported and left out.
pub(super) fn channels(
    document: &Document,
    context: &Context,
    findings: &mut Findings,
) -> Vec<(ChannelSecret, (ConnectionSecret, Lane))> {
    let all = || document.channels.iter().enumerate();
    findings.count("channels", document.channels.len(), 0..=50);
    let ids = all().map(|(index, channel)| (format!("channels[{index}].id"), &channel.id));
    findings.unique(ids, "give each channel an id of its own");
    let mut records = Vec::new();
    for (index, channel) in all() {
        let path = format!("channels[{index}]");
        findings.id(&format!("{path}.id"), channel.id.as_str());
        findings.text(&format!("{path}.name"), &channel.name);
        findings.range(&format!("{path}.generation"), channel.generation.into(), 1..=1_000_000);
        findings.range(&format!("{path}.oldest_event_days"), channel.oldest_event_days.into(), 1..=3650);
        times(&format!("{path}.times"), &channel.times, findings);
        networks(&format!("{path}.allowed_ips"), &channel.allowed_ips, findings);
        let secrets = format!("{path}.secrets");
        findings.count(&secrets, channel.secrets.len(), 1..=2);
        if let Some(known) = of_role(&path, &channel.provider, &[Role::Telephony, Role::Chat], findings) {
            inbox(&path, document, channel, known, findings);
            signature(&path, channel, known, findings);
            answer_within(&path, channel, known, findings);
            links(&path, channel, known, findings);
            for (index, set) in channel.secrets.iter().enumerate() {
                secret_set(&format!("{secrets}[{index}]"), set, known, findings);
            }
            let base = address(&path, channel.base.as_deref(), known, context, findings);
            records.push((record(document, channel), (connection(document, channel, base), Lane::Outbound)));
        }
    }
    records
}

/// Whose account at the provider each channel is: of several with one account there only one lives (AVT-18).
pub(super) fn claims(document: &Document) -> Vec<(String, ChannelId)> {
    document.channels.iter().filter_map(|channel| Some((claim(channel)?, channel.id.clone()))).collect()
}

fn claim(channel: &Channel) -> Option<String> {
    let name = provider(&channel.provider)?.settings.own_id()?;
    Some(keys::claim_place(&channel.provider, channel.secrets.first()?.get(name)?.0.trim()))
}

/// Channels of one account at a provider are allowed, and look wrong.
pub(super) fn warn(document: &Document, findings: &mut Findings) {
    let mut known = BTreeMap::new();
    for (index, channel) in document.channels.iter().enumerate() {
        let Some(claim) = claim(channel) else { continue };
        if let Some(other) = known.insert(claim, &channel.id) {
            let what = format!("`{}` is the same account at the provider as `{other}`", channel.id);
            let instead =
                "only the one that was created last answers (of two new ones the lower one): take the other out";
            findings.add(format!("channels[{index}]"), what, instead);
        }
    }
}

/// The record of the CRM, if there is one.
pub(super) fn crm(document: &Document, context: &Context, findings: &mut Findings) -> Option<ConnectionSecret> {
    let crm = document.crm.as_ref()?;
    findings.id("crm.id", &crm.id);
    times("crm.times", &crm.times, findings);
    let known = of_role("crm", &crm.provider, &[Role::Crm], findings)?;
    secret_set("crm.secret", &crm.secret, known, findings);
    hook::check(crm, known, findings);
    Some(ConnectionSecret {
        account: document.account.id.clone(),
        connection: crm_connection(&crm.id),
        provider: crm.provider.clone(),
        base: address("crm", crm.base.as_deref(), known, context, findings),
        secret: secret(&crm.secret),
        times: crm.times,
    })
}

/// A network, or one address.
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn networks(path: &str, texts: &[String], findings: &mut Findings) {
    findings.count(path, texts.len(), 0..=50);
    for (index, text) in texts.iter().enumerate().filter(|(_, text)| network(text).is_none()) {
        let what = format!("`{text:.60}` is no network");
        findings.add(format!("{path}[{index}]"), what, "write an address or a network, like `81.88.80.0/24`");
    }
}

fn record(document: &Document, channel: &Channel) -> ChannelSecret {
    ChannelSecret {
        account: document.account.id.clone(),
        channel: channel.id.clone(),
        provider: channel.provider.clone(),
        generation: channel.generation,
        active: channel.active,
        secrets: channel.secrets.iter().map(secret).collect(),
        oldest_event_days: channel.oldest_event_days,
        signature: channel.signature.unwrap_or_default(),
        allowed_ips: channel.allowed_ips.iter().filter_map(|text| network(text)).collect(),
        answer_within_ms: channel.answer_within_ms.unwrap_or(ANSWERED_WITHIN_MS),
    }
}

fn connection(document: &Document, channel: &Channel, base: String) -> ConnectionSecret {
    let connection: ConnectionId = channel_connection(&channel.id);
    ConnectionSecret {
        account: document.account.id.clone(),
        connection,
        provider: channel.provider.clone(),
        base,
        secret: channel.secrets.first().map(secret).unwrap_or_default(),
        times: channel.times,
    }
}

fn secret(set: &SecretSet) -> Secret {
    Secret(set.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect())
}

/// A channel of chats feeds one of the inboxes, telephony feeds none.
fn inbox(path: &str, document: &Document, channel: &Channel, known: &Provider, findings: &mut Findings) {
    let path = format!("{path}.inbox");
    let is_known = |name: &String| document.inboxes.iter().any(|inbox| &inbox.name == name);
    match (&channel.inbox, known.capabilities.role == Role::Chat) {
        (None, true) => findings.add(path, "missing", "add it: the name of one of the `[[inboxes]]`"),
        (Some(_), false) => findings.add(path, format!("{} brings no conversations", known.name), "take it out"),
        (Some(name), true) if !is_known(name) => {
            findings.add(path, format!("there is no inbox `{name}`"), "write the name of one of the `[[inboxes]]`");
        }
        _ => {}
    }
}

/// A signature whose formula nobody knows refuses nothing unless there is a secret that it may be made with.
fn signature(path: &str, channel: &Channel, known: &Provider, findings: &mut Findings) {
    let Some(mode) = channel.signature else { return };
    let path = format!("{path}.signature");
    if known.capabilities.signature == Signature::Checked {
        return findings.add(
            path,
            format!("{} signs by a known formula, which is always checked", known.name),
            "take it out",
        );
    }
    let name = known.settings.signature_secret();
    let is_there = |name: &str| channel.secrets.iter().any(|set| set.contains_key(name));
    if mode == SignatureMode::Enforce && !name.is_some_and(is_there) {
        let what = format!("how {} signs is not known, so everything would be refused", known.name);
        let secret = name.map(|name| format!(", or add the secret `{name}` if you were told one")).unwrap_or_default();
        findings.add(path, what, format!("write `observe`, which counts what fits a guess{secret}"));
    }
}

/// Only who asks waits for an answer.
fn answer_within(path: &str, channel: &Channel, known: &Provider, findings: &mut Findings) {
    let Some(ms) = channel.answer_within_ms else { return };
    let path = format!("{path}.answer_within_ms");
    if known.capabilities.synchronous.is_empty() {
        return findings.add(path, format!("{} asks nothing that it waits for", known.name), "take it out");
    }
    findings.range(&path, ms, ANSWER_WITHIN_MS);
}

fn links(path: &str, channel: &Channel, known: &Provider, findings: &mut Findings) {
    let can = &known.capabilities;
    if can.role == Role::Telephony && !channel.copy_recordings && !can.links_last {
        let what = format!("a link to a recording of {} plays once: it must be copied", known.name);
        findings.add(format!("{path}.copy_recordings"), what, "take it out");
    }
}

fn of_role(path: &str, id: &str, roles: &[Role], findings: &mut Findings) -> Option<&'static Provider> {
    let path = format!("{path}.provider");
    let fits = |known: &&&Provider| roles.contains(&known.capabilities.role);
    let ids: Vec<&str> = PROVIDERS.iter().filter(fits).map(|known| known.id).collect();
    let instead = format!("use one of {}", ids.join(", "));
    match provider(id) {
        Some(known) if roles.contains(&known.capabilities.role) => return Some(known),
        Some(known) => {
            let wanted: Vec<&str> = roles.iter().map(|role| words(*role)).collect();
            let (is, wanted) = (words(known.capabilities.role), wanted.join(" or "));
            findings.add(path, format!("{} is {is}, not {wanted}", known.name), instead);
        }
        None => findings.add(path, format!("there is no provider `{id}`"), instead),
    }
    None
}

fn words(role: Role) -> &'static str {
    match role {
        Role::Crm => "a CRM",
        Role::Telephony => "telephony",
        Role::Chat => "a channel of chats",
    }
}

fn secret_set(path: &str, set: &SecretSet, known: &Provider, findings: &mut Findings) {
    let before = findings.0.len();
    let specs = known.settings.secrets();
    for spec in specs.iter().filter(|spec| spec.required && !set.contains_key(spec.name)) {
        findings.add(format!("{path}.{}", spec.name), "missing", format!("add it: {}", spec.about));
    }
    for (name, value) in set {
        let path = format!("{path}.{name}");
        let names: Vec<&str> = specs.iter().map(|spec| spec.name).collect();
        if !names.contains(&name.as_str()) {
            let what = format!("{} has no secret of this name", known.name);
            findings.add(path, what, format!("use {}", names.join(", ")));
        } else if value.0.trim().is_empty() {
            findings.add(path, "empty", "give the value, `env:NAME` or `file:PATH`");
        } else if value.0.len() > SECRET_LIMIT {
            findings.add(path, format!("{} bytes", value.0.len()), format!("give at most {SECRET_LIMIT}"));
        } else if Reference::of(&value.0).is_some() {
            let instead = "apply the file with the program, which fetches the values, or give the value";
            findings.add(path, "this is a reference, not the value", instead);
        }
    }
    // What the provider says about broken values would only repeat the above.
    if findings.0.len() == before {
        let plain = set.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
        for problem in known.settings.check(&plain) {
            findings.add(format!("{path}.{}", problem.field), problem.what, problem.instead);
        }
    }
}

fn address(path: &str, given: Option<&str>, known: &Provider, context: &Context, findings: &mut Findings) -> String {
    let address = given.unwrap_or(known.settings.default_base());
    base::check(&format!("{path}.base"), address, known.settings.hosts(), context, findings)
}

fn times(path: &str, times: &JobTimes, findings: &mut Findings) {
    let mut check = |name: &str, number, allowed| findings.range(&format!("{path}.{name}"), number, allowed);
    check("carried_out_within_ms", times.carried_out_within_ms, 1..=600_000);
    // Longer requests would outlive the lease of the worker that sends them.
    check("request_timeout_ms", times.request_timeout_ms, 1..=10_000);
    check("pace_ms", times.pace_ms.unwrap_or_default(), 0..=60_000);
    check("lag_ms", times.lag_ms.unwrap_or_default(), 0..=600_000);
    check("backoff_ms", times.backoff_ms, 1..=1_800_000);
    check("longest_backoff_ms", times.longest_backoff_ms, 1..=86_400_000);
    check("after_dead_ms", times.after_dead_ms, 0..=60_000);
    // It is begun only if this much of an invocation is left.
    check("recording_timeout_ms", times.recording_timeout_ms, 1..=40_000);
}
