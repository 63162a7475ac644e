//! Disconnecting (step 10): nothing is created any more, jobs in flight included.

use perezvon_domain::{AccountId, ConnectionId, JobResult, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::due::Due;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::keys;
use perezvon_store::table::{Condition, Update, Value};

use super::send::result_message;
use super::{Worker, open};
use crate::failure::Failure;

impl Worker {
    /// Every wake-up of a connection that is off comes here.
    pub(super) async fn disconnect(
        &self,
        account: &AccountId,
        id: &ConnectionId,
        row: &ConnectionRow,
    ) -> Result<(), Failure> {
        if !row.disconnected && !self.is_over(account, id, row).await? {
            return Ok(());
        }
        self.fail_open_jobs(account, id).await?;
        if row.disconnected && row.wake_due.is_none() {
            return Ok(());
        }
        // Last of all: until here a lost step is found again by the due time (!9).
        let update = Update::new(keys::connection(account, id)).when(Condition::Exists("disconnected".to_owned()));
        self.update_quietly(Due::Remove.apply(update)).await
    }

    /// Whether nothing of the last holder can still be carried out; then `disconnected` is written.
    async fn is_over(&self, account: &AccountId, id: &ConnectionId, row: &ConnectionRow) -> Result<bool, Failure> {
        let now = self.clock.now_ms();
        let skew = 2 * self.times.skew_ms;
        if row.holder.is_some() && row.until.0 >= now - skew {
            self.look_later(account, id, Timestamp(row.until.0 + skew + 1)).await?;
            return Ok(false);
        }
        // The connection's own D: so long may a request of the last holder still be carried out.
        let times = self.secret(account, id).await?.map(|secret| secret.times).unwrap_or_default();
        let wait = times.carried_out_within_ms + skew;
        let Some(gone_at) = row.gone_at else {
            let update = Update::new(keys::connection(account, id))
                .set("gone_at", now)
                .when(Condition::NotExists("gone_at".to_owned()));
            self.update_quietly(Due::Set(Timestamp(now + wait)).apply(update)).await?;
            return Ok(false);
        };
        // Gone for less than D + 2 skew: a request on its way may still be carried out (!20).
        let over = gone_at.0 + wait;
        if now < over {
            self.look_later(account, id, Timestamp(over)).await?;
            return Ok(false);
        }
        let update = Update::new(keys::connection(account, id)).set("disconnected", 1).when(Condition::Present);
        self.update_quietly(update).await?;
        Ok(true)
    }

    async fn look_later(&self, account: &AccountId, id: &ConnectionId, at: Timestamp) -> Result<(), Failure> {
        let update = Update::new(keys::connection(account, id)).when(Condition::Eq("off".to_owned(), Value::N(1)));
        self.update_quietly(Due::Set(at).apply(update)).await
    }

    pub(super) async fn update_quietly(&self, update: Update) -> Result<(), Failure> {
        match self.table.update(update).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Ends every open job as failed: also what comes after the disconnect (!17).
    async fn fail_open_jobs(&self, account: &AccountId, id: &ConnectionId) -> Result<(), Failure> {
        loop {
            let jobs = open::read(self.table.as_ref(), account, id, None, &[]).await?.jobs;
            if jobs.is_empty() {
                return Ok(());
            }
            for job in jobs {
                let why = "подключение отключено".to_owned();
                self.end_undone(job, why.clone(), JobResult::Failed { why, made: None }).await?;
            }
        }
    }

    /// Ends a job that nobody carries out any more: first the result as an event, then the receipt.
    pub(super) async fn end_undone(&self, mut job: JobRow, why: String, result: JobResult) -> Result<(), Failure> {
        let now = Timestamp(self.clock.now_ms());
        if let Some(message) = result_message(&job, &result, now) {
            self.events.send(vec![message]).await?;
        }
        job.state = JobState::Failed;
        job.why = Some(why);
        job.result = Some(result);
        self.update_quietly(job.save(now)).await
    }
}
