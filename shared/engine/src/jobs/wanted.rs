//! Step 6, before the first sending of an automatic text: the core is asked once more.

use perezvon_domain::conversation::{self, StillWanted, still_wanted};
use perezvon_domain::reason::Reason;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::job::JobRow;
use perezvon_store::keys;

use super::hold::Hold;
use crate::failure::Failure;

impl Hold<'_> {
    /// Reads the job's item, strongly consistent, and asks whether its text is still to be sent.
    pub(super) async fn still_wanted(&self, job: &JobRow) -> Result<StillWanted, Failure> {
        let Some((channel, chat)) = conversation::of_effect(&job.id) else { return Ok(StillWanted::Yes) };
        match self.worker.table.get(&keys::chat(&job.account, &channel, &chat)).await? {
            Some(row) => Ok(still_wanted(&ConversationItem::read(&row)?.conversation, &job.id, self.now())),
            // Erased: nobody awaits it any more.
            None => Ok(StillWanted::No(Reason::new("chat_over_done", []))),
        }
    }
}
