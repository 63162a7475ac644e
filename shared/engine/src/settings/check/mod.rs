//! The whole check: either everything that is wrong, or everything that is to be written.

mod base;
mod connections;
mod hook;
mod hours;
mod inboxes;
mod people;
mod rules;
mod scenarios;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use perezvon_domain::inbox::Inbox;
use perezvon_domain::{ChannelId, ConnectionId, Hours, Lane, Policy};
use perezvon_store::items::text;

use super::digest;
use super::document::Document;
use super::problem::{Findings, Problem};
use crate::secrets::{ChannelSecret, ConnectionSecret};

/// Most bytes that policy and document may come to: they share one row, which has a limit of its own.
const SIZE_LIMIT: usize = 350_000;

/// What the check needs to know of the host.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// `host:port` of addresses that may be plain http and of any name: the switch for one machine.
    pub allow_hosts: BTreeSet<String>,
}

/// Settings without a fault, ready to be written.
#[derive(Clone, Debug)]
pub struct Checked {
    /// With version 0: the number is given when it is written.
    pub policy: Policy,
    /// What `verify` reads, one per channel; one for the CRM if it tells of changes.
    pub channels: Vec<ChannelSecret>,
    /// What workers read, one per channel and one for the CRM, each with who reads it.
    pub connections: Vec<(ConnectionSecret, Lane)>,
    /// Whoever looks for what no webhook told of, where the provider can be asked, and how many days back.
    pub heals: BTreeMap<ConnectionId, u32>,
    /// The account at its provider that a channel is, where that matters ([`perezvon_store::keys::claim_place`]).
    pub claims: Vec<(String, ChannelId)>,
    /// JSON of the document with `***` for every secret.
    pub document: String,
    /// SHA-256 of the document with digests of its secrets, hex.
    pub digest: String,
    /// SHA-256 of the secret of each connection, hex.
    pub tokens: BTreeMap<String, String>,
    /// What is allowed but looks wrong.
    pub warnings: Vec<Problem>,
}

/// The connection of a channel.
pub fn channel_connection(channel: &ChannelId) -> ConnectionId {
    ConnectionId(format!("channel:{channel}"))
}

/// The connection of the CRM of this id.
pub fn crm_connection(id: &str) -> ConnectionId {
    ConnectionId(format!("crm:{id}"))
}

/// Checks the whole document, its references resolved. All problems are reported at once.
pub fn check(document: &Document, context: &Context) -> Result<Checked, Vec<Problem>> {
    let mut findings = Findings::default();
    account(document, &mut findings);
    people::check(document, &mut findings);
    waits(document, &mut findings);
    let hours = hours::check(document, &mut findings);
    let channels = connections::channels(document, context, &mut findings);
    let crm = connections::crm(document, context, &mut findings);
    let scenarios = scenarios::check(document, &mut findings);
    let inboxes: BTreeMap<_, _> = inboxes::check(document, &mut findings).into_iter().collect();
    if !findings.0.is_empty() {
        return Err(findings.0);
    }
    let (mut channels, mut connections): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
    channels.extend(crm.as_ref().and_then(|crm| hook::record(document, crm)));
    let policy = Policy {
        scenarios,
        crm: crm.as_ref().map(|crm| crm.connection.clone()),
        channels: document.channels.iter().map(|channel| rules::of(document, channel, &inboxes)).collect(),
        ..unconnected(document, hours)
    };
    connections.extend(crm.map(|crm| (crm, Lane::Crm)));
    let shown = digest::shown(document);
    let size = shown.len() + text(&policy).len();
    if size > SIZE_LIMIT {
        let what = format!("these settings come to {size} bytes; at most {SIZE_LIMIT} can be kept");
        return Err(vec![Problem::new("", what, "use fewer or shorter texts in the scenarios")]);
    }
    let token = |(connection, _): &(ConnectionSecret, Lane)| {
        let fields = perezvon_adapters::provider(&connection.provider).map_or(&[][..], |it| it.settings.secrets());
        (connection.connection.0.clone(), digest::of_secret(&connection.secret, fields))
    };
    let heals = document.channels.iter().filter(|channel| channel.heals());
    Ok(Checked {
        policy,
        heals: heals.map(|channel| (channel_connection(&channel.id), channel.oldest_event_days)).collect(),
        channels,
        tokens: connections.iter().map(token).collect(),
        connections,
        claims: connections::claims(document),
        document: shown,
        digest: digest::of_document(document),
        warnings: warnings(document),
    })
}

/// The working hours alone, which need no secrets.
///
/// # Errors
/// All that is wrong with them and with the time zone.
pub fn hours(document: &Document) -> Result<Hours, Vec<Problem>> {
    let mut findings = Findings::default();
    account(document, &mut findings);
    let hours = hours::check(document, &mut findings);
    if findings.0.is_empty() { Ok(hours) } else { Err(findings.0) }
}

/// What decisions on conversations need of the settings.
#[derive(Clone, Debug)]
pub struct Conversations {
    /// Without channels.
    pub policy: Policy,
    /// Each with its name.
    pub inboxes: Vec<(String, Inbox)>,
    /// What is allowed but looks wrong.
    pub warnings: Vec<Problem>,
}

/// What conversations need, alone: no secrets are asked for.
///
/// # Errors
/// All that is wrong with either.
pub fn conversations(document: &Document) -> Result<Conversations, Vec<Problem>> {
    let mut findings = Findings::default();
    account(document, &mut findings);
    people::check(document, &mut findings);
    let hours = hours::check(document, &mut findings);
    let inboxes = inboxes::check(document, &mut findings);
    if !findings.0.is_empty() {
        return Err(findings.0);
    }
    hours::warn(document, &mut findings);
    Ok(Conversations { policy: unconnected(document, hours), inboxes, warnings: findings.0 })
}

/// The policy of a company that is connected with nothing.
fn unconnected(document: &Document, hours: Hours) -> Policy {
    Policy {
        account: document.account.id.clone(),
        version: 0,
        time_zone: document.account.time_zone.clone(),
        employees: people::employees(document),
        groups: document.groups.clone(),
        fallback: document.fallback.clone(),
        scenarios: Vec::new(),
        crm: None,
        channels: BTreeMap::new(),
        waits: document.waits,
        hours,
        popups: document.popups,
        dismissed: Vec::new(),
    }
}

fn account(document: &Document, findings: &mut Findings) {
    findings.id("account.id", document.account.id.as_str());
    findings.text("account.name", &document.account.name);
    let zone = &document.account.time_zone;
    if jiff::tz::TimeZone::get(zone).is_err() {
        let what = format!("there is no time zone `{zone}`");
        findings.add("account.time_zone", what, "write an IANA name such as `Europe/Moscow`");
    }
}

fn waits(document: &Document, findings: &mut Findings) {
    let waits = document.waits;
    for (name, wait) in [
        ("final_after_legs_ended_ms", waits.final_after_legs_ended_ms),
        ("final_after_silence_ms", waits.final_after_silence_ms),
        ("recording_ms", waits.recording_ms),
        ("connected_ms", waits.connected_ms),
        ("connected_patience_ms", waits.connected_patience_ms),
        ("account_ms", waits.account_ms),
    ] {
        findings.range(&format!("waits.{name}"), wait.0, 1..=86_400_000);
    }
    findings.range("waits.responsible_kept_ms", waits.responsible_kept_ms.0, 1..=30 * 86_400_000);
}

fn warnings(document: &Document) -> Vec<Problem> {
    let mut findings = Findings::default();
    if document.crm.is_none() {
        findings.add("crm", "there is none", "calls will only be kept in the feed");
    }
    hours::warn(document, &mut findings);
    connections::warn(document, &mut findings);
    rules::warn(document, &mut findings);
    for (index, employee) in document.employees.iter().enumerate() {
        if document.crm.is_some() && employee.active && employee.crm_user.is_none() {
            let what = format!("`{}` is no user of the CRM", employee.id);
            let instead = "add the id of the user, else nobody is made responsible in their place";
            findings.add(format!("employees[{index}].crm_user"), what, instead);
        }
    }
    for (index, scenario) in document.scenarios.iter().enumerate().filter(|(_, it)| it.active) {
        let acts = scenario.contact_manager || scenario.events().next().is_some();
        if scenario.lines.is_empty() || !acts {
            let what = format!("`{}` has no lines or no events and never acts", scenario.name);
            findings.add(format!("scenarios[{index}]"), what, "add them, or set `active = false`");
        }
    }
    findings.0
}
