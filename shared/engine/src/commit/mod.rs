//! Commit: load, decide, commit, hand over, receipt. The numbered steps are those of the protocol
//! in docs/protocol.md; the order of the steps is what keeps everything exactly once.

mod command;
mod hand_over;

pub use command::Commanded;
pub use hand_over::{event_message, wake_due};
#[cfg(test)]
mod tests;

use std::sync::Arc;

use perezvon_domain::call::{Decision, decide};
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, CallEvent, CallEventKind, ChannelId, Envelope, Policy, Timestamp};
use perezvon_platform::{Bus, Clock, Queue};
use perezvon_store::items::call::{CallItem, Due};
use perezvon_store::table::{Condition, Update, Value};
use perezvon_store::{Table, TableError, keys};

use crate::failure::Failure;
use crate::times::Times;

/// No commit makes an item larger than this while a retry would find a smaller one (step 5), in bytes.
const LARGEST: usize = 7 * 1024;
/// Conflicts that are retried in the same invocation.
const TRIES: u32 = 20;

/// The ports of the commit loop.
#[derive(Clone)]
pub struct Committer {
    pub table: Arc<dyn Table>,
    pub events: Arc<dyn Queue>,
    pub crm: Arc<dyn Queue>,
    pub outbound: Arc<dyn Queue>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub times: Times,
}

/// Which call some events belong to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey {
    pub account: AccountId,
    pub channel: ChannelId,
    pub entry: String,
}

impl Committer {
    /// Commits events of one call: one load, one write, however many they are.
    /// `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn commit(
        &self,
        policy: &Policy,
        key: &CallKey,
        events: &[Envelope],
        ends_ms: i64,
    ) -> Result<(), Failure> {
        let now = Timestamp(self.clock.now_ms());
        let received_at = events.iter().map(|event| event.received_at).min().unwrap_or(now);
        let news: Vec<CallEvent> = events.iter().map(|envelope| envelope.event.clone()).collect();
        let timer = news.iter().any(|event| event.kind == CallEventKind::WakeDue);
        let look_ahead = Millis(self.times.look_ahead_ms);
        for _ in 0..TRIES {
            let item = self.load(key, received_at).await?;
            if item.call.version == 0 && news.iter().all(|event| event.kind == CallEventKind::WakeDue) {
                return Ok(()); // A timer never makes an item.
            }
            let decision = decide(&item.call, &news, policy, now);
            let due = settle(item.wake_due, decision.wake_due, timer, now, look_ahead);
            // For a timer event a due time that is not the wanted one is a change (!3).
            let changed = decision.changed || (timer && due != Due::Leave);
            let item = match changed {
                true => self.write(policy, &item, &decision, due, ends_ms).await?,
                false => Some(item),
            };
            // Somebody was faster: look again, in this same invocation.
            let Some(item) = item else { continue };
            let soon = soon(&decision, now, look_ahead).filter(|_| timer || due != Due::Leave);
            return self.hand_over(&item, soon, None, now).await;
        }
        Err(crowded())
    }

    /// Step 2: strongly consistent.
    async fn load(&self, key: &CallKey, received_at: Timestamp) -> Result<CallItem, TableError> {
        match self.table.get(&keys::call(&key.account, &key.channel, &key.entry)).await? {
            Some(row) => CallItem::read(&row),
            None => Ok(CallItem::absent(&key.account, &key.channel, &key.entry, received_at)),
        }
    }

    /// Step 5; the item as it stands then. `None`: a conflict.
    async fn write(
        &self,
        policy: &Policy,
        item: &CallItem,
        decision: &Decision,
        due: Due,
        ends_ms: i64,
    ) -> Result<Option<CallItem>, Failure> {
        if self.clock.monotonic_ms() + self.times.commit_margin_ms > ends_ms {
            return Err(Failure::Retry("too little time was left to commit; the next copy has more".to_owned()));
        }
        let update = item.commit(&decision.next, &decision.effects, &decision.next.row(policy), due);
        if !item.outbox.is_empty() && item.size_after(&update)? > LARGEST {
            self.hand_over(item, None, None, Timestamp(self.clock.now_ms())).await?;
            return Err(Failure::Retry("the item was too large; what filled it is handed over now".to_owned()));
        }
        match self.table.update(update).await {
            Ok(row) => Ok(Some(CallItem::read(&row)?)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(TableError::Unavailable(why)) => {
                Err(Failure::Retry(format!("the commit has no answer and is read again: {why}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// At the last receive before the dead letter: the item itself asks to be looked at again (step 8).
    pub async fn arm(&self, key: &CallKey) -> Result<(), TableError> {
        let now = Timestamp(self.clock.now_ms());
        let due = now.after(Millis(self.times.arm_ms));
        let name = "wake_due".to_owned();
        let earlier = Condition::Or(vec![Condition::NotExists(name.clone()), Condition::Ge(name, Value::N(due.0))]);
        let present = Condition::And(vec![Condition::Exists("version".to_owned()), earlier]);
        let update = Update::new(keys::call(&key.account, &key.channel, &key.entry)).when(present);
        match self.table.update(Due::Set(due).apply(update)).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }
}

fn crowded() -> Failure {
    Failure::Retry("many others wrote to this call at the same time; they will be done".to_owned())
}

/// When the call wants to be looked at, if that is within the look-ahead.
fn soon(decision: &Decision, now: Timestamp, look_ahead: Millis) -> Option<Timestamp> {
    decision.wake_due.filter(|at| at.since(now) <= look_ahead)
}

/// What becomes of the due time. It is moved lazily: written when it gets earlier, and always settled
/// when a timer event comes (!8). Within the look-ahead it stays where the sweep moved it: a delayed
/// message does the waiting, and the moved time is the net below it.
fn settle(
    stands: Option<Timestamp>,
    wanted: Option<Timestamp>,
    timer: bool,
    now: Timestamp,
    look_ahead: Millis,
) -> Due {
    // One that is near is also a delayed message.
    let set = |at: Timestamp| if at.since(now) <= look_ahead { Due::Told(at) } else { Due::Set(at) };
    match (stands, wanted) {
        (None, None) => Due::Leave,
        (Some(_), None) if timer => Due::Remove,
        (Some(_), None) => Due::Leave,
        (None, Some(wanted)) => set(wanted),
        (Some(stands), Some(wanted)) if wanted < stands && !(timer && wanted.since(now) <= look_ahead) => set(wanted),
        (Some(stands), Some(wanted)) if timer && stands != wanted => {
            // A stale time that has passed would be swept again at once: it is a change too.
            let near = wanted.since(now) <= look_ahead && stands > now;
            if near { Due::Leave } else { set(wanted) }
        }
        (Some(_), Some(_)) => Due::Leave,
    }
}
