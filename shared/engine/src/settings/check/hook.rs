//! Webhooks of the CRM: there is an address for them where the settings say which account may post there.

use std::collections::BTreeMap;

use perezvon_adapters::{ACCOUNT_ID, Provider, SUBDOMAIN, Secret, provider};
use perezvon_domain::ChannelId;

use super::super::document::{Crm, Document};
use super::super::problem::Findings;
use crate::secrets::{ANSWERED_WITHIN_MS, ChannelSecret, ConnectionSecret, OLDEST_EVENT_DAYS, SignatureMode};

/// Longest number of an account, in characters.
const LONGEST: usize = 40;

/// What is wrong with the number of the account.
pub(super) fn check(crm: &Crm, known: &Provider, findings: &mut Findings) {
    findings.range("crm.generation", crm.generation.into(), 1..=1_000_000);
    let Some(account) = &crm.account_id else { return };
    let path = "crm.account_id";
    if known.capabilities.body_limit == 0 {
        return findings.add(path, format!("{} tells of no changes", known.name), "take it out");
    }
    if account.is_empty() || account.len() > LONGEST || !account.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let what = format!("`{account:.40}` is no number of an account");
        findings.add(path, what, "write the number that the CRM shows beside the name of the account");
    }
}

/// What `verify` compares the webhooks with: whose they are, and no token. `None`: nobody may post.
pub(super) fn record(document: &Document, connection: &ConnectionSecret) -> Option<ChannelSecret> {
    let crm = document.crm.as_ref()?;
    let account = (ACCOUNT_ID.to_owned(), crm.account_id.clone()?);
    let name = subdomain(&connection.base, &connection.provider);
    let name = name.map(|name| (SUBDOMAIN.to_owned(), name.to_owned()));
    Some(ChannelSecret {
        account: document.account.id.clone(),
        // No channel has such an id: there is a colon in it.
        channel: ChannelId(connection.connection.0.clone()),
        provider: connection.provider.clone(),
        generation: crm.generation,
        active: true,
        secrets: vec![Secret([Some(account), name].into_iter().flatten().collect::<BTreeMap<_, _>>())],
        oldest_event_days: OLDEST_EVENT_DAYS,
        signature: SignatureMode::default(),
        allowed_ips: Vec::new(),
        answer_within_ms: ANSWERED_WITHIN_MS,
    })
}

/// The account's name, where its address is one of the CRM's own.
fn subdomain<'a>(base: &'a str, id: &str) -> Option<&'a str> {
    let host = base.strip_prefix("https://")?;
    provider(id)?.settings.hosts().iter().find_map(|suffix| host.strip_suffix(suffix))
}
