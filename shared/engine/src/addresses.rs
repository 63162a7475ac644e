//! Where providers post, when they are told that by requests: what stands there now, and what is to be taken back.
//! And who works at a PBX: asked when somebody looks, and when it tells of a change.

use perezvon_adapters::hooks;
use perezvon_domain::effect::JobOrder;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, Command, ConnectionId, EffectId, Point, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::{Table, TableError, keys};
use sha2::{Digest, Sha256};

use crate::jobs::open;

/// Changes of who works at a PBX are gathered for so long, until the look at all connections: no wake-up is sent.
const CHANGES: Millis = Millis::minutes(10);
/// And so often at most.
const A_WHILE: i64 = 6;

/// The jobs that tell about addresses, under one version of the settings. Putting them again puts nothing twice.
pub struct Addresses<'a> {
    pub table: &'a dyn Table,
    pub account: &'a AccountId,
    pub version: u64,
    /// When that version was applied: jobs of one channel go in the order of versions.
    pub applied_at: Timestamp,
}

impl Addresses<'_> {
    /// "Post here": one job for each address and version, for somebody may have changed the keys.
    pub async fn tell(&self, connection: &ConnectionId, url: &str) -> Result<(), TableError> {
        self.put(connection, "subscribe", url, Command::Subscribe { url: url.to_owned() }).await
    }

    /// "Who works there?": once for each version.
    pub async fn read_users(&self, connection: &ConnectionId) -> Result<(), TableError> {
        self.put(connection, "users", "", Command::ReadUsers).await
    }

    /// "Post there no more", for every address that `is_over`: those that were told, and those about to be.
    /// False: there is none.
    pub async fn take_back(
        &self,
        connection: &ConnectionId,
        is_over: impl Fn(&str) -> bool,
    ) -> Result<bool, TableError> {
        // The jobs first: what one of them tells meanwhile stands in the row then.
        let jobs = open::read(self.table, self.account, connection, None, &[]).await?.jobs;
        let Some(row) = self.table.get(&keys::connection(self.account, connection)).await? else { return Ok(false) };
        let mut urls = hooks::told(&ConnectionRow::read(&row)?.facts);
        for job in jobs {
            match job.command {
                Command::Subscribe { url } if !urls.contains(&url) => urls.push(url),
                _ => {}
            }
        }
        urls.retain(|url| is_over(url));
        for url in &urls {
            self.put(connection, "unsubscribe", url, Command::Unsubscribe { url: url.clone() }).await?;
        }
        Ok(!urls.is_empty())
    }

    async fn put(&self, connection: &ConnectionId, what: &str, url: &str, command: Command) -> Result<(), TableError> {
        let (_, channel) = connection.as_str().split_once(':').unwrap_or_default();
        let digest: String = Sha256::digest(url).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let id = EffectId(format!("{what}/{channel}/{}/{digest}", self.version));
        let order = JobOrder { connection: connection.clone(), command, points: vec![Point::Address], prev: None };
        match self.table.update(JobRow::put(self.account, self.applied_at, &id, &order, false)).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }
}

/// Who works at a PBX may have changed: it is asked again, unless that waits already.
pub async fn users_changed(
    table: &dyn Table,
    account: &AccountId,
    connection: &ConnectionId,
    now: Timestamp,
) -> Result<(), TableError> {
    let place = now.0.div_euclid(CHANGES.0);
    // What was asked already may have missed the change: then once more.
    for place in place..place + A_WHILE {
        let (at, id) = (Timestamp(place * CHANGES.0), EffectId(format!("users/at/{place}")));
        let order =
            JobOrder { connection: connection.clone(), command: Command::ReadUsers, points: vec![], prev: None };
        match table.update(JobRow::put(account, at, &id, &order, false)).await {
            Err(TableError::Conflict(Some(row))) => {
                let job = JobRow::read(account, connection, &row)?;
                if !matches!(job.state, JobState::Done | JobState::Failed) {
                    return Ok(());
                }
            }
            Err(error) if !error.is_conflict() => return Err(error),
            _ => return Ok(()),
        }
    }
    Ok(())
}
