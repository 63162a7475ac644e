//! Where providers post, when they are told that by requests: what stands there now, and what is to be taken back.

use perezvon_adapters::hooks;
use perezvon_domain::effect::JobOrder;
use perezvon_domain::{AccountId, Command, ConnectionId, EffectId, Point, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::JobRow;
use perezvon_store::{Table, TableError, keys};
use sha2::{Digest, Sha256};

use crate::jobs::open;

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
