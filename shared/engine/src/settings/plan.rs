//! What applying would do to each connection: a token in a file is taken once, a connection that
//! was disconnected never comes back under its id.

use std::collections::BTreeMap;

use perezvon_adapters::provider;
use perezvon_domain::time::Millis;
use perezvon_domain::{ConnectionId, Lane, Timestamp};
use perezvon_store::items::connection::{ConnectionRow, Healing, UNTIL_A_PERSON_ACTS};
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use serde_json::Value;

use super::check::{Checked, channel_connection, crm_connection};
use super::digest;
use crate::failure::Failure;
use crate::secrets::ConnectionSecret;

/// How many digests of tokens are remembered for a connection.
const TOKENS_KEPT: usize = 100;

/// How often it is read who works at a CRM.
const DAY: Millis = Millis::minutes(24 * 60);

/// What stands in the table now.
pub(super) struct Standing {
    /// Version 0: nothing was ever applied.
    pub(super) head: SettingsHead,
    pub(super) version: Option<SettingsVersion>,
    /// The rows of the connections that are to be.
    pub(super) rows: BTreeMap<ConnectionId, ConnectionRow>,
}

impl Standing {
    /// The very same settings stand there already.
    pub(super) fn is(&self, checked: &Checked) -> bool {
        self.head.version > 0 && self.head.digest == checked.digest
    }
}

/// What becomes of one connection.
pub(super) struct Planned<'a> {
    pub(super) secret: &'a ConnectionSecret,
    pub(super) lane: Lane,
    /// Digest of its secret.
    pub(super) token: String,
    /// Write the record; otherwise its token was taken before and has been exchanged since.
    pub(super) write: bool,
    /// The connection was there and gets another secret than the last time.
    pub(super) new_token: bool,
    /// It is paused until somebody sets something right.
    pub(super) waits_for_a_person: bool,
    /// From when on what was missed is fetched.
    pub(super) heals: Option<Healing>,
    /// The row says something else about that.
    pub(super) heals_anew: bool,
    /// Where an account gives access in the browser.
    pub(super) page: Option<String>,
    /// The row says something else about that.
    pub(super) page_anew: bool,
    /// Its CRM tells of changes.
    pub(super) hears: bool,
    /// The row says something else about that.
    pub(super) hears_anew: bool,
}

/// Decides for all connections, or refuses with what to do.
pub(super) fn plan<'a>(checked: &'a Checked, standing: &Standing, now: Timestamp) -> Result<Vec<Planned<'a>>, Failure> {
    let connections = checked.connections.iter();
    connections.map(|(secret, lane)| planned(checked, standing, secret, *lane, now)).collect()
}

fn planned<'a>(
    checked: &Checked,
    standing: &Standing,
    secret: &'a ConnectionSecret,
    lane: Lane,
    now: Timestamp,
) -> Result<Planned<'a>, Failure> {
    let id = &secret.connection;
    let row = standing.rows.get(id);
    let (kind, name) = id.as_str().split_once(':').unwrap_or(("", id.as_str()));
    let kind = if kind == "crm" { "the CRM connection" } else { "the channel" };
    if row.is_some_and(|row| row.off || row.leave_by.is_some() || row.gone_at.is_some() || row.disconnected) {
        let why = format!("choose another id for {kind}: `{name}` was disconnected");
        return Err(Failure::Reject(why));
    }
    let token = checked.tokens.get(id.as_str()).cloned().unwrap_or_default();
    let last = standing.head.tokens.get(id.as_str()).and_then(|taken| taken.last());
    let write = !is_refreshable(secret) || !is_taken(&standing.head, &token);
    if !write {
        let before = standing.version.as_ref().and_then(|it| address(&it.document, id));
        let as_taken = taken(&standing.head).any(|taken| *taken == token);
        if !as_taken || before.is_none() || before != address(&checked.document, id) {
            return Err(Failure::Reject(format!(
                "the token of {kind} `{name}` was taken before and has been exchanged since: to connect \
                 it anew, or to change its provider, address, times or other secrets, give a fresh token"
            )));
        }
    }
    let new_token = write && row.is_some() && last != Some(&token);
    let waits_for_a_person = row.is_some_and(|row| row.retry_at == Some(UNTIL_A_PERSON_ACTS));
    let healing = row.and_then(|row| row.heals);
    let superseded = row.is_some_and(|row| row.superseded.is_some());
    let heals = match lane {
        Lane::Outbound => heals(checked, secret, healing, now).filter(|_| !superseded),
        Lane::Crm => asks(checked, secret, healing, now),
    };
    let heals_anew = heals != healing;
    let page = page(secret);
    let page_anew = page != row.and_then(|row| row.page.clone());
    let hears = checked.channels.iter().any(|hook| hook.channel.as_str() == id.as_str());
    Ok(Planned {
        secret,
        lane,
        token,
        write,
        new_token,
        waits_for_a_person,
        heals,
        heals_anew,
        page,
        page_anew,
        hears,
        hears_anew: hears != row.is_some_and(|row| row.hears),
    })
}

/// A channel that looks for what was lost, whose provider can be asked: since it is so.
fn heals(
    checked: &Checked,
    connection: &ConnectionSecret,
    healing: Option<Healing>,
    now: Timestamp,
) -> Option<Healing> {
    let days = *checked.heals.get(&connection.connection)?;
    let every = provider(&connection.provider)?.capabilities.heals_every?;
    let from = healing.map_or(now, |healing| healing.from);
    Some(Healing { from, days, every })
}

/// Of a CRM it is read who does not work there any more, where somebody is rung because of what it says.
fn asks(checked: &Checked, crm: &ConnectionSecret, asking: Option<Healing>, now: Timestamp) -> Option<Healing> {
    let lists = provider(&crm.provider)?.capabilities.lists_users;
    let rings = checked.policy.scenarios.iter().any(|it| it.active && it.contact_manager.is_some());
    let from = asking.map_or(now, |asking| asking.from);
    (lists && rings).then_some(Healing { from, days: 1, every: DAY })
}

fn page(connection: &ConnectionSecret) -> Option<String> {
    provider(&connection.provider)?.settings.page(&connection.base, &connection.secret)
}

/// The secret changes by itself, each exchange making the one before it worthless. A token that keys alone bring anew
/// is lost without harm.
fn is_refreshable(connection: &ConnectionSecret) -> bool {
    provider(&connection.provider).is_some_and(|it| it.settings.is_exchanged(&connection.secret))
}

fn taken(head: &SettingsHead) -> impl Iterator<Item = &String> {
    head.tokens.values().flatten()
}

fn is_taken(head: &SettingsHead, token: &str) -> bool {
    taken(head).any(|taken| digest::same_exchange(taken, token))
}

/// The digests to remember after this plan, the newest last.
pub(super) fn tokens(head: &SettingsHead, plan: &[Planned<'_>]) -> BTreeMap<String, Vec<String>> {
    let mut tokens = head.tokens.clone();
    for planned in plan.iter().filter(|it| it.write) {
        let taken = tokens.entry(planned.secret.connection.0.clone()).or_default();
        taken.retain(|token| *token != planned.token);
        taken.push(planned.token.clone());
        let surplus = taken.len().saturating_sub(TOKENS_KEPT);
        taken.drain(..surplus);
    }
    tokens
}

/// Provider, address and times of a connection in a document.
fn address(document: &str, id: &ConnectionId) -> Option<[Value; 3]> {
    let document: Value = serde_json::from_str(document).ok()?;
    let is = |settings: &&Value, connection: fn(&str) -> ConnectionId| {
        settings["id"].as_str().is_some_and(|it| connection(it) == *id)
    };
    let crm = document.get("crm").filter(|it| is(it, crm_connection));
    let of_channel = |it: &str| channel_connection(&it.into());
    let mut channels = document["channels"].as_array().into_iter().flatten();
    let settings = crm.or_else(|| channels.find(|it| is(it, of_channel)))?;
    Some(["provider", "base", "times"].map(|name| settings[name].clone()))
}
