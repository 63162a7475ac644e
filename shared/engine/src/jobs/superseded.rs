//! The channel of this connection is superseded: what waits ends unsent, what is open is closed without a word. All of
//! it under the lease, and again until what was on its way has come. Only providers are still told where to post.

use perezvon_domain::reason::Reason;
use perezvon_domain::time::Millis;
use perezvon_domain::{ChannelId, ConversationEventKind, JobResult, Point, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::job::JobRow;

use super::hold::Hold;
use super::open;
use super::send::told;
use crate::commit::ItemId;
use crate::failure::Failure;
use crate::open_chats::open_chats;

/// So long after the mark somebody may still decide by the settings before it.
const SETTLED: Millis = Millis::minutes(1);

/// Whether a superseded connection still does this.
pub(super) fn is_about_address(job: &JobRow) -> bool {
    job.points.contains(&Point::Address)
}

impl Hold<'_> {
    /// When it must be looked at again; `None`: all is closed.
    pub(super) fn stands_down_at(&self) -> Option<Timestamp> {
        let open = self.row.superseded.as_ref().filter(|it| !it.closed);
        open.map(|it| it.at.after(SETTLED))
    }

    /// Ends the jobs each time; the conversations once in a hold, and for good when all has come.
    pub(super) async fn stand_down(&mut self) -> Result<(), Failure> {
        self.end_unsent().await?;
        let Some(settled) = self.stands_down_at().filter(|_| !self.stood_down) else { return Ok(()) };
        self.stood_down = true;
        let (worker, account, connection) = (self.worker, &self.wake_up.account, &self.wake_up.connection);
        let Some(channel) = connection.as_str().strip_prefix("channel:").map(ChannelId::from) else { return Ok(()) };
        let began = self.now();
        let until_ms = self.ends_ms() - self.margin_ms();
        let open = open_chats(&*worker.table, &*worker.clock, account, &channel, until_ms).await?;
        let id = |entry| ItemId { account: account.clone(), channel: channel.clone(), entry };
        let kind = || ConversationEventKind::ChannelSuperseded;
        let events = open.chats.into_iter().map(|chat| told::<ConversationItem>(&id(chat), began, kind()));
        let events: Vec<_> = events.collect();
        if !events.is_empty() {
            worker.events.send(events).await?;
        }
        let is_over = open.whole && began >= settled;
        let Some(closed) = self.row.closed(account, connection).filter(|_| is_over) else { return Ok(()) };
        match worker.table.update(closed).await {
            Ok(row) => self.row = ConnectionRow::read(&row)?,
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn end_unsent(&self) -> Result<(), Failure> {
        let (worker, account, connection) = (self.worker, &self.wake_up.account, &self.wake_up.connection);
        let mut start = None;
        loop {
            let page = open::read(&*worker.table, account, connection, start, &[]).await?;
            for job in page.jobs.into_iter().filter(|job| !is_about_address(job)) {
                let because = Reason::new("chat_over_superseded", []);
                let why = because.words();
                let result = match &job.intent {
                    None => JobResult::Dropped { because },
                    // The request may have been carried out: nobody looks any more.
                    Some(_) => {
                        JobResult::Failed { why: format!("неизвестно, дошло ли: {why}"), made: None }
                    }
                };
                worker.end_undone(job, why, result).await?;
            }
            match page.more {
                Some(more) => start = Some(more),
                None => return Ok(()),
            }
        }
    }
}
