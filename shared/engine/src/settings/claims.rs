//! Several channels of one account at a provider: the one created last lives, the others are superseded.
//!
//! The claims say who was created when. All else follows from them, and is brought about again and again: the mark on a
//! connection's row, by which its worker stands down; the mark in its account's policy; since when its channel heals.

use std::collections::BTreeSet;

use perezvon_adapters::provider;
use perezvon_domain::policy::Superseded;
use perezvon_domain::{AccountId, ChannelId, Lane, Timestamp};
use perezvon_store::items::claim::ClaimRow;
use perezvon_store::items::connection::{ConnectionRow, Healing};
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use perezvon_store::{Query, TableError, keys, lenient};

use super::apply::{Applier, current};
use super::check::{Checked, channel_connection};
use super::document::{Channel, Document};
use crate::failure::Failure;

/// Who applies the version that says what is superseded.
const BY: &str = "perezvon";

/// What is tried again when others write at the same moment.
const TRIES: usize = 20;

impl Applier<'_> {
    /// Lays the claims of settings that were just applied, and withdraws those that they do not lay any more.
    pub(super) async fn claim(&self, checked: &Checked, version: u64) -> Result<(), Failure> {
        let account = &checked.policy.account;
        let known: Vec<ClaimRow> = self.claims(None).await?.into_iter().filter(|it| it.account == *account).collect();
        for (order, (place, channel)) in checked.claims.iter().enumerate() {
            let laid = match known.iter().find(|it| it.place == *place && it.channel == *channel) {
                Some(it) if !it.gone => continue,
                Some(it) => ClaimRow { gone: false, ..it.clone() },
                None => {
                    let since = self.first_named(account, channel, version).await?;
                    let (place, account, channel) = (place.clone(), account.clone(), channel.clone());
                    ClaimRow {
                        place,
                        account,
                        channel,
                        since,
                        order: i64::try_from(order).unwrap_or(i64::MAX),
                        gone: false,
                    }
                }
            };
            self.table.update(laid.put()).await?;
        }
        let is_laid = |it: &ClaimRow| checked.claims.iter().any(|(place, id)| it.place == *place && it.channel == *id);
        for it in known.into_iter().filter(|it| !it.gone && !is_laid(it)) {
            self.table.update(ClaimRow { gone: true, ..it }.put()).await?;
        }
        Ok(())
    }

    /// When the first version that names the channel was applied: versions name it without a gap.
    async fn first_named(&self, account: &AccountId, channel: &ChannelId, version: u64) -> Result<Timestamp, Failure> {
        let mut since = self.now;
        for number in (1..=version).rev() {
            let Some(row) = self.table.get(&keys::settings_version(account, number)).await? else { continue };
            let version = SettingsVersion::read(&row)?;
            if !version.policy.channels.contains_key(channel) {
                break;
            }
            since = version.applied_at;
        }
        Ok(since)
    }

    /// What the settings would do to channels of others, or of their own, that have the same account at a provider.
    pub(super) async fn superseding(&self, checked: &Checked) -> Result<Vec<String>, Failure> {
        let account = &checked.policy.account;
        let mut lines = Vec::new();
        for (place, channel) in &checked.claims {
            let known = self.candidates(place).await?;
            let is_new = !known.iter().any(|it| it.account == *account && it.channel == *channel);
            if let Some(live) = known.last().filter(|_| is_new) {
                let live = match live.account == *account {
                    true => format!("`{}`", live.channel),
                    false => "a channel in another account of this installation".to_owned(),
                };
                lines.push(format!(
                    "channels[{channel}]: supersedes {live}, which has the same account at the provider"
                ));
            }
        }
        Ok(lines)
    }

    /// Lets the channel created last of each account at a provider live that this account claims, or did. Others may
    /// do the same at the same moment, for other claims: whoever marked by claims that were not all looks again.
    /// Returns all accounts that it concerns.
    ///
    /// # Errors
    /// Trying again may help; doing it again does nothing twice.
    pub async fn settle(&self, account: &AccountId) -> Result<BTreeSet<AccountId>, Failure> {
        let all = self.claims(None).await?;
        let own = all.iter().filter(|it| it.account == *account);
        let mut concerned = BTreeSet::new();
        for place in own.map(|it| it.place.as_str()).collect::<BTreeSet<_>>() {
            let mut marked = Vec::new();
            loop {
                let candidates = self.candidates(place).await?;
                if candidates == marked {
                    break;
                }
                for it in &candidates {
                    let live = candidates.last().filter(|live| *live != it);
                    let by = live.map(|live| (live.account == it.account).then(|| live.channel.clone()));
                    self.mark(it, by.map(|by| Superseded { by })).await?;
                }
                marked = candidates;
            }
            concerned.extend(marked.into_iter().map(|it| it.account));
        }
        for account in &concerned {
            self.follow(account).await?;
        }
        Ok(concerned)
    }

    /// The claims to one account at a provider that stand, the one laid last at the end.
    async fn candidates(&self, place: &str) -> Result<Vec<ClaimRow>, TableError> {
        let mut claims = self.claims(Some(place)).await?;
        claims.retain(|it| !it.gone);
        claims.sort_by(|one, other| one.age().cmp(&other.age()));
        Ok(claims)
    }

    async fn claims(&self, place: Option<&str>) -> Result<Vec<ClaimRow>, TableError> {
        let whole = Query::table(keys::all_claims());
        let mut query = match place {
            Some(place) => whole.between(keys::claim_range(place)),
            None => whole,
        };
        let mut claims = Vec::new();
        loop {
            let page = self.table.query(query.clone()).await?;
            claims.extend(page.rows.iter().filter_map(ClaimRow::read));
            if page.next.is_none() {
                return Ok(claims);
            }
            query.start = page.next;
        }
    }

    /// On the connection's row, due at once: its worker does the rest.
    async fn mark(&self, claim: &ClaimRow, by: Option<Superseded>) -> Result<(), Failure> {
        let (account, connection) = (&claim.account, channel_connection(&claim.channel));
        for _ in 0..TRIES {
            let Some(row) = self.table.get(&keys::connection(account, &connection)).await? else { return Ok(()) };
            let row = ConnectionRow::read(&row)?;
            if row.superseded.as_ref().map(|it| &it.by) == by.as_ref() {
                return Ok(());
            }
            if self.put_once(row.supersede(account, &connection, by.clone(), self.now)).await? {
                self.wake(account, &connection, Lane::Outbound).await;
                return Ok(());
            }
        }
        Err(crowded())
    }

    /// Brings an account's policy in line with the marks on its connections, as a version of its own of the same
    /// document; and lets a channel heal that is not superseded any more, from now on.
    async fn follow(&self, account: &AccountId) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let Some((head, mut version)) = current(self.table, account).await? else { return Ok(()) };
            let unreadable = |error| Failure::Retry(format!("the settings of `{account}` cannot be read: {error}"));
            let document: Document = lenient::from_str(&version.document).map_err(unreadable)?;
            let mut changed = false;
            for channel in document.channels.iter().filter(|channel| is_claimed(channel)) {
                let connection = channel_connection(&channel.id);
                let Some(row) = self.table.get(&keys::connection(account, &connection)).await? else { continue };
                let row = ConnectionRow::read(&row)?;
                if let Some(heals) = self.heals_again(channel, &row) {
                    self.put_once(ConnectionRow::healing(account, &connection, Some(&heals))).await?;
                }
                let by = row.superseded.map(|it| it.by);
                let rules = version.policy.channels.get_mut(&channel.id);
                if let Some(rules) = rules.filter(|rules| rules.superseded != by) {
                    (rules.superseded, changed) = (by, true);
                }
            }
            if !changed {
                return Ok(());
            }
            (version.applied_at, version.applied_by) = (self.now, BY.to_owned());
            let number = self.put_numbered(version, head.version).await?;
            let next = SettingsHead { version: number, ..head.clone() };
            if self.put_once(next.advance(account, head.version)).await? {
                return Ok(());
            }
        }
        Err(crowded())
    }

    fn heals_again(&self, channel: &Channel, row: &ConnectionRow) -> Option<Healing> {
        let every = provider(&channel.provider)?.capabilities.heals_every.filter(|_| channel.heals())?;
        let rests = row.heals.is_none() && row.superseded.is_none() && !row.off && row.leave_by.is_none();
        rests.then_some(Healing { from: self.now, days: channel.oldest_event_days, every })
    }
}

fn is_claimed(channel: &Channel) -> bool {
    provider(&channel.provider).is_some_and(|it| it.settings.own_id().is_some())
}

fn crowded() -> Failure {
    Failure::Retry("others applied settings at the same moment again and again: apply once more".to_owned())
}
