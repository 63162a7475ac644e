//! Step 6, before something is sent that is wanted only for a while: it is asked about once more. What a person wrote
//! is not sent a day late.

use perezvon_domain::conversation::{self, StillWanted, still_wanted};
use perezvon_domain::reason::Reason;
use perezvon_domain::time::Millis;
use perezvon_domain::{Command, JobResult, Timestamp, call};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::job::JobRow;
use perezvon_store::keys;

use super::hold::Hold;
use crate::failure::Failure;

/// How long what a person wrote may wait; after that somebody looks first whether it still fits.
const STALE: Millis = Millis::minutes(24 * 60);

/// What is of the moment waits here for its turn, if it comes so soon; put off, it would wait for all clocks besides.
const NEAR: Millis = Millis::seconds(5);

/// Whether a job is still to be sent.
pub(super) enum Wanted {
    Yes,
    /// The job ends with this.
    No(JobResult),
    Later,
}

impl Hold<'_> {
    /// Whether a job waits under the lease.
    pub(super) fn is_near(&self, job: &JobRow, until: Timestamp) -> bool {
        let wait = until.since(self.now());
        job.command.is_of_the_moment() && wait <= NEAR && self.left_ms() - wait.0 >= self.margin_ms()
    }

    /// Waits for it.
    pub(super) async fn wait_until(&self, until: Timestamp) {
        self.worker.clock.sleep_ms(until.since(self.now()).0.max(0)).await;
    }

    /// Reads the item for what is wanted only for a while.
    pub(super) async fn still_wanted(&self, job: &JobRow) -> Result<Wanted, Failure> {
        Ok(match &job.command {
            command if command.is_wanted_for_a_while() => match self.asked_again(job).await? {
                StillWanted::Yes => Wanted::Yes,
                StillWanted::No(because) => Wanted::No(JobResult::Dropped { because }),
                StillWanted::Later => Wanted::Later,
            },
            // Put back by a person, it has a result already: whoever did that has looked.
            Command::Chat(command) if command.origin().is_some() && job.result.is_none() && self.is_stale(job) => {
                let why = "ждало отправки больше суток и не отправлено: посмотрите переписку и напишите заново".into();
                Wanted::No(JobResult::Failed { why, made: None })
            }
            _ => Wanted::Yes,
        })
    }

    fn is_stale(&self, job: &JobRow) -> bool {
        self.now().since(job.at) > STALE
    }

    /// The core, with the job's item as it stands now, read strongly consistent.
    async fn asked_again(&self, job: &JobRow) -> Result<StillWanted, Failure> {
        if let Some((channel, entry)) = call::of_effect(&job.id) {
            let row = self.worker.table.get(&keys::call(&job.account, &channel, &entry)).await?;
            return Ok(match row.as_ref().map(CallItem::read).transpose()? {
                Some(item) => call::still_wanted(&item.call, &job.id, job.at, self.now()),
                None => StillWanted::No(Reason::new("moment_over", [])),
            });
        }
        let Some((channel, chat)) = conversation::of_effect(&job.id) else { return Ok(StillWanted::Yes) };
        match self.worker.table.get(&keys::chat(&job.account, &channel, &chat)).await? {
            Some(row) => Ok(still_wanted(&ConversationItem::read(&row)?.conversation, &job.id, self.now())),
            // Erased: nobody awaits it any more.
            None => Ok(StillWanted::No(Reason::new("chat_over_done", []))),
        }
    }
}
