//! The CRM told that something about a client changed. Nothing of it is believed: the contact points that it may be about
//! count as stale, and the CRM is asked about them by a job.
//!
//! What is told of one client within a few seconds is one question, asked after them: so it is never asked too early, and
//! a burst of webhooks is one request.

use perezvon_adapters::ClientChange;
use perezvon_domain::effect::JobOrder;
use perezvon_domain::{AccountId, ClientId, Command, ConnectionId, EffectId, Timestamp};
use perezvon_platform::Queue;
use perezvon_store::items::contact;
use perezvon_store::items::job::JobRow;
use perezvon_store::items::point::PointRow;
use perezvon_store::{Table, TableError, keys};

use crate::failure::Failure;
use crate::wakeup::WakeUp;

/// What is told within so long is one question.
const GATHERED_MS: i64 = 5_000;
/// So much before its end a span is over for whoever comes: what they write must stand when the wake-up is delivered.
const MARGIN_MS: i64 = 1_000;

/// The span in which this moment lies, by its number.
fn span(at: Timestamp) -> i64 {
    (at.0 + MARGIN_MS).div_euclid(GATHERED_MS)
}

/// Where changes of a CRM go.
pub struct Changes<'a> {
    pub table: &'a dyn Table,
    /// The queue of `crm`.
    pub wake_ups: &'a dyn Queue,
    pub account: &'a AccountId,
    pub connection: &'a ConnectionId,
    pub skew_ms: i64,
    pub now: Timestamp,
}

impl Changes<'_> {
    /// Marks what may have changed, and has it asked about. A client that we know nothing of costs a read.
    ///
    /// # Errors
    /// The table or the queue did not take it: all of it may be done again.
    pub async fn take_in(&self, told: &[ClientChange]) -> Result<(), Failure> {
        let mut changed = Vec::new();
        for change in told {
            for client in self.clients(change).await? {
                if !changed.contains(&client) && self.is_news(&client).await? {
                    changed.push(client);
                }
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let asked_at = Timestamp((span(self.now) + 1) * GATHERED_MS);
        // First of all: where a job stands, or a mark, whoever comes next need not wake anybody.
        let wake_up = WakeUp { account: self.account.clone(), connection: self.connection.clone() };
        let wait = asked_at.since(self.now).0 + 2 * self.skew_ms;
        self.wake_ups.send(vec![wake_up.message(wait)]).await?;
        for client in &changed {
            self.ask(client, asked_at).await?;
            unless_conflict(self.table.update(PointRow::changed(self.account, client, self.now)).await)?;
        }
        Ok(())
    }

    /// Those whom we know the contact by, and those whom its card names.
    async fn clients(&self, change: &ClientChange) -> Result<Vec<ClientId>, TableError> {
        let row = self.table.get(&keys::contact(self.account, &change.contact)).await?;
        let mut clients = row.as_ref().map(contact::clients).unwrap_or_default();
        clients.extend(change.clients.iter().cloned());
        Ok(clients)
    }

    /// We know something of this client, and nobody told of a change in this span.
    async fn is_news(&self, client: &ClientId) -> Result<bool, TableError> {
        let row = self.table.get(&keys::point(self.account, client)).await?;
        let marked = |row: &PointRow| row.stale_at.is_some_and(|at| span(at) >= span(self.now));
        Ok(row.is_some_and(|row| !marked(&PointRow::read(&row))))
    }

    async fn ask(&self, client: &ClientId, at: Timestamp) -> Result<(), TableError> {
        let id = EffectId(format!("changed/{}", client.words()));
        let command = Command::ReadClient { client: client.clone() };
        let order = JobOrder { connection: self.connection.clone(), command, points: vec![client.point()], prev: None };
        unless_conflict(self.table.update(JobRow::put_for(self.account, at, &id, &order)).await)
    }
}

/// A conflict is fine: it stands there already, or there is nothing to mark any more.
fn unless_conflict<T>(written: Result<T, TableError>) -> Result<(), TableError> {
    match written {
        Err(error) if !error.is_conflict() => Err(error),
        _ => Ok(()),
    }
}
