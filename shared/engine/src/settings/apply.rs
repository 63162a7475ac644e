//! Applying: secrets first, then rows, then ONE numbered version, then the head.
//!
//! Whatever breaks off in the middle, applying the same file again finishes it: before the head has
//! moved everything is done anew, after it only what is not in the settings any more is switched off.

use std::collections::{BTreeMap, BTreeSet};

use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ChannelId, ConnectionId, Lane, Timestamp};
use perezvon_platform::{Queue, Secrets};
use perezvon_store::items::SCHEMA;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use perezvon_store::{Query, Table, TableError, Update, keys};

use super::check::Checked;
use super::difference::between;
use super::plan::{Planned, Standing, plan, tokens};
use crate::addresses::Addresses;
use crate::failure::Failure;
use crate::secrets::{ANSWERED_WITHIN_MS, ChannelSecret, ConnectionSecret, OLDEST_EVENT_DAYS, SignatureMode, write};
use crate::wakeup::WakeUp;

/// How many numbers are tried that others may have used up.
const NUMBERS_TRIED: u64 = 20;

/// How long a provider is tried to be told that a channel is gone, before it is off all the same.
const FAREWELL: Millis = Millis::minutes(10);

/// What applying needs of the world.
pub struct Applier<'a> {
    pub table: &'a dyn Table,
    pub secrets: &'a dyn Secrets,
    pub crm: &'a dyn Queue,
    pub outbound: &'a dyn Queue,
    pub now: Timestamp,
}

/// What stands after applying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    pub version: u64,
    /// False: the same settings stood there already.
    pub changed: bool,
}

/// The newest settings of an account; `None`: nothing was ever applied.
pub async fn current(
    table: &dyn Table,
    account: &AccountId,
) -> Result<Option<(SettingsHead, SettingsVersion)>, TableError> {
    let Some(row) = table.get(&keys::settings_head(account)).await? else {
        return Ok(None);
    };
    let head = SettingsHead::read(&row)?;
    let row = table.get(&keys::settings_version(account, head.version)).await?;
    Ok(row.map(|row| SettingsVersion::read(&row)).transpose()?.map(|version| (head, version)))
}

impl Applier<'_> {
    /// Writes the settings. `source` is the file they came from (empty: none), `by` who applied them.
    /// [`Failure::Reject`] says what to change in the file, [`Failure::Retry`] that trying again may help.
    pub async fn apply(&self, mut checked: Checked, source: &str, by: &str) -> Result<Applied, Failure> {
        let account = checked.policy.account.clone();
        let standing = self.standing(&checked).await?;
        for rules in checked.policy.channels.values_mut() {
            rules.superseded =
                standing.rows.get(&rules.connection).and_then(|row| Some(row.superseded.as_ref()?.by.clone()));
        }
        if standing.is(&checked) {
            self.put_secrets_again(&checked, &standing).await?;
            let applied_at = standing.version.as_ref().map_or(self.now, |version| version.applied_at);
            self.claim(&checked, standing.head.version).await?;
            self.part_with_the_rest(&checked, standing.head.version, applied_at).await?;
            return Ok(Applied { version: standing.head.version, changed: false });
        }
        let plan = plan(&checked, &standing, self.now)?;
        self.put_secrets(&checked, &plan).await?;
        self.put_rows(&account, &plan).await?;
        let version = self.put_version(&checked, standing.head.version, by).await?;
        let head = SettingsHead {
            version,
            digest: checked.digest.clone(),
            source: source.to_owned(),
            tokens: tokens(&standing.head, &plan),
            ..standing.head.clone()
        };
        self.advance(&account, &head, standing.head.version).await?;
        self.claim(&checked, version).await?;
        self.part_with_the_rest(&checked, version, self.now).await?;
        for planned in plan.iter().filter(|planned| planned.new_token) {
            self.wake(&account, &planned.secret.connection, planned.lane).await;
        }
        Ok(Applied { version, changed: true })
    }

    /// What applying would change, a line each, secrets never shown; it fails where applying would.
    pub async fn difference(&self, checked: &Checked) -> Result<Vec<String>, Failure> {
        let standing = self.standing(checked).await?;
        if standing.is(checked) {
            return Ok(Vec::new());
        }
        let plan = plan(checked, &standing, self.now)?;
        let old = standing.version.as_ref().map_or("{}", |version| &version.document);
        let mut lines = between(old, &checked.document);
        let renewed = plan.iter().filter(|planned| planned.new_token);
        lines.extend(renewed.map(|it| format!("{}: another secret", it.secret.connection)));
        lines.extend(self.superseding(checked).await?);
        if lines.is_empty() {
            lines.push("a secret, or the order of entries".to_owned());
        }
        Ok(lines)
    }

    async fn standing(&self, checked: &Checked) -> Result<Standing, Failure> {
        let account = &checked.policy.account;
        let (head, version) = match self.table.get(&keys::settings_head(account)).await? {
            None => (SettingsHead::default(), None),
            Some(row) => {
                let head = SettingsHead::read(&row)?;
                let row = self.table.get(&keys::settings_version(account, head.version)).await?;
                (head, row.map(|row| SettingsVersion::read(&row)).transpose()?)
            }
        };
        let mut rows = BTreeMap::new();
        for (secret, _) in &checked.connections {
            let row = self.table.get(&keys::connection(account, &secret.connection)).await?;
            if let Some(row) = row {
                rows.insert(secret.connection.clone(), ConnectionRow::read(&row)?);
            }
        }
        Ok(Standing { head, version, rows })
    }

    async fn put_secrets(&self, checked: &Checked, plan: &[Planned<'_>]) -> Result<(), Failure> {
        for channel in &checked.channels {
            let name = ChannelSecret::name(channel.account.as_str(), channel.channel.as_str());
            write(self.secrets, &name, channel).await?;
        }
        for secret in plan.iter().filter(|it| it.write).map(|it| it.secret) {
            let name = ConnectionSecret::name(&secret.account, &secret.connection);
            write(self.secrets, &name, secret).await?;
        }
        Ok(())
    }

    /// The same settings once more. They may be applied because a secret was lost: that is what a connection without
    /// one, and the quarantine of a channel without one, ask for.
    async fn put_secrets_again(&self, checked: &Checked, standing: &Standing) -> Result<(), Failure> {
        let account = &checked.policy.account;
        let plan = plan(checked, standing, self.now)?;
        self.put_secrets(checked, &plan).await?;
        for Planned { secret, lane, .. } in plan.iter().filter(|it| it.write && it.waits_for_a_person) {
            self.table.update(ConnectionRow::new_code(account, &secret.connection, self.now)).await?;
            self.wake(account, &secret.connection, *lane).await;
        }
        self.put_extras(account, &plan).await
    }

    /// What only some connections have.
    async fn put_extras(&self, account: &AccountId, plan: &[Planned<'_>]) -> Result<(), Failure> {
        for Planned { secret, heals, .. } in plan.iter().filter(|it| it.heals_anew) {
            self.put_once(ConnectionRow::healing(account, &secret.connection, heals.as_ref())).await?;
        }
        for Planned { secret, page, .. } in plan.iter().filter(|it| it.page_anew) {
            self.table.update(ConnectionRow::authorised_at(account, &secret.connection, page.as_deref())).await?;
        }
        for Planned { secret, hears, .. } in plan.iter().filter(|it| it.hears_anew) {
            if !hears {
                self.close(account, secret.connection.as_str(), &secret.provider, 0).await?;
            }
            self.table.update(ConnectionRow::hearing(account, &secret.connection, *hears)).await?;
        }
        Ok(())
    }

    async fn put_rows(&self, account: &AccountId, plan: &[Planned<'_>]) -> Result<(), Failure> {
        for Planned { secret, lane, new_token, write, .. } in plan {
            let connection = &secret.connection;
            let made = self.put_once(ConnectionRow::put(account, connection, *lane)).await?;
            self.table.update(ConnectionRow::put_entry(account, connection, *lane)).await?;
            // The secret is there already: from here on the pause only holds up.
            if *new_token {
                self.table.update(ConnectionRow::new_code(account, connection, self.now)).await?;
            } else if *write && !made {
                // Workers remember the record under its code: address and times stand in it too.
                self.table.update(ConnectionRow::raised(account, connection)).await?;
            }
        }
        self.put_extras(account, plan).await?;
        self.table.update(Update::new(keys::account_entry(account)).set("schema", SCHEMA)).await?;
        Ok(())
    }

    /// False: it was there.
    pub(super) async fn put_once(&self, update: Update) -> Result<bool, Failure> {
        match self.table.update(update).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn put_version(&self, checked: &Checked, seen: u64, by: &str) -> Result<u64, Failure> {
        let (policy, document) = (checked.policy.clone(), checked.document.clone());
        let version = SettingsVersion { policy, document, applied_at: self.now, applied_by: by.to_owned() };
        self.put_numbered(version, seen).await
    }

    /// Under the first number behind `seen` that nobody has used.
    pub(super) async fn put_numbered(&self, mut version: SettingsVersion, seen: u64) -> Result<u64, Failure> {
        let account = version.policy.account.clone();
        for number in seen + 1..=seen + NUMBERS_TRIED {
            version.policy.version = number;
            if self.put_once(version.put(&account)).await? {
                return Ok(number);
            }
        }
        Err(Failure::Retry(somebody_else()))
    }

    pub(super) async fn advance(&self, account: &AccountId, head: &SettingsHead, seen: u64) -> Result<(), Failure> {
        if self.put_once(head.advance(account, seen)).await? {
            return Ok(());
        }
        Err(Failure::Retry(somebody_else()))
    }

    /// Switches off whatever this account still has connected and the settings do not name any more.
    async fn part_with_the_rest(&self, checked: &Checked, version: u64, applied_at: Timestamp) -> Result<(), Failure> {
        let account = &checked.policy.account;
        let addresses = Addresses { table: self.table, account, version, applied_at };
        let wanted: BTreeSet<&ConnectionId> =
            checked.connections.iter().map(|(secret, _)| &secret.connection).collect();
        for connection in self.connections(account).await? {
            if !wanted.contains(&connection) {
                self.part_with(&addresses, &connection).await?;
            }
        }
        Ok(())
    }

    async fn connections(&self, account: &AccountId) -> Result<Vec<ConnectionId>, Failure> {
        // Every id of ours begins with a letter before `z`.
        let place = |id: &str| keys::connection_entry(account, &id.into()).sk().into();
        let mut query = Query::table(keys::all_connections());
        (query.from, query.to) = (Some(place("")), Some(place("z")));
        let mut found = Vec::new();
        loop {
            let page = self.table.query(query.clone()).await?;
            let entries = page.rows.iter().filter_map(|row| keys::parse_connection_entry(&row.key));
            found.extend(entries.filter(|(owner, _)| owner == account).map(|(_, id)| id));
            if page.next.is_none() {
                return Ok(found);
            }
            query.start = page.next;
        }
    }

    async fn part_with(&self, addresses: &Addresses<'_>, connection: &ConnectionId) -> Result<(), Failure> {
        let account = addresses.account;
        let Some(row) = self.table.get(&keys::connection(account, connection)).await? else {
            return Ok(());
        };
        let row = ConnectionRow::read(&row)?;
        if row.off || row.leave_by.is_some() || row.disconnected {
            return Ok(());
        }
        if let Some(channel) = connection.as_str().strip_prefix("channel:") {
            self.close(account, channel, "", 0).await?;
        } else if row.hears {
            self.close(account, connection.as_str(), "", 0).await?;
        }
        // The jobs first: without one there is nothing to stay for.
        let off = match addresses.take_back(connection, |_| true).await? {
            true => ConnectionRow::leave(account, connection, self.now.after(FAREWELL), self.now),
            false => ConnectionRow::switch_off(account, connection, self.now),
        };
        self.table.update(off).await?;
        if let Some(lane) = row.lane {
            self.wake(account, connection, lane).await;
        }
        Ok(())
    }

    /// The record of a channel that is gone or off: there, without secrets, and taking nothing in.
    pub(super) async fn close(
        &self,
        account: &AccountId,
        channel: &str,
        provider: &str,
        generation: u32,
    ) -> Result<(), Failure> {
        let record = ChannelSecret {
            account: account.clone(),
            channel: ChannelId::from(channel),
            provider: provider.to_owned(),
            generation,
            active: false,
            secrets: Vec::new(),
            oldest_event_days: OLDEST_EVENT_DAYS,
            signature: SignatureMode::default(),
            allowed_ips: Vec::new(),
            answer_within_ms: ANSWERED_WITHIN_MS,
        };
        write(self.secrets, &ChannelSecret::name(account.as_str(), channel), &record).await?;
        Ok(())
    }

    /// Only makes it faster: the row is due already.
    pub(super) async fn wake(&self, account: &AccountId, connection: &ConnectionId, lane: Lane) {
        let queue = match lane {
            Lane::Crm => self.crm,
            Lane::Outbound => self.outbound,
        };
        let wake_up = WakeUp { account: account.clone(), connection: connection.clone() };
        if let Err(error) = queue.send(vec![wake_up.message(0)]).await {
            tracing::warn!(%connection, %error, "no wake-up sent; the next pass of `wake` will do");
        }
    }
}

fn somebody_else() -> String {
    "somebody applied settings at the same moment: look at the difference and apply again".to_owned()
}
