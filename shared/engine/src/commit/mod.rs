//! Commit: load, decide, commit, hand over, receipt. The numbered steps are those of the protocol
//! in docs/protocol.md; the order of the steps is what keeps everything exactly once.

mod aggregate;
mod calls;
mod command;
mod conversations;
mod hand_over;
mod memory;
mod rows;
#[cfg(test)]
mod tests;

pub use aggregate::{Aggregate, ItemId, Once};
pub use command::Commanded;
pub use hand_over::{event_message, question};

use std::sync::Arc;

use perezvon_domain::time::Millis;
use perezvon_domain::{Envelope, Policy, Timestamp};
use perezvon_platform::{Blobs, Bus, Clock, Queue};
use perezvon_store::items::due::{Due, Timer};
use perezvon_store::table::{Condition, Update, Value};
use perezvon_store::{Table, TableError};

use crate::failure::Failure;
use crate::times::Times;
use aggregate::{Decided, News};

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
    /// For texts that are too long for a row.
    pub blobs: Arc<dyn Blobs>,
    pub clock: Arc<dyn Clock>,
    pub times: Times,
}

/// What is to be written, if anything changed, and what is asked again soon.
struct Plan<A: Aggregate> {
    /// Events that were not seen before.
    fresh: Vec<News<A::Event>>,
    decided: Decided<A::State>,
    dues: Vec<(Timer, Due)>,
    soon: Vec<(Timer, Timestamp)>,
    changed: bool,
    now: Timestamp,
}

impl Committer {
    /// Commits events of one item: one load, one write, however many they are.
    /// `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn commit<A: Aggregate>(
        &self,
        policy: &Policy,
        id: &ItemId,
        events: &[Envelope<A::Event>],
        ends_ms: i64,
    ) -> Result<(), Failure> {
        let now = Timestamp(self.clock.now_ms());
        let received_at = events.iter().map(|event| event.received_at).min().unwrap_or(now);
        let taken = events.iter().filter(|it| A::is_taken(id, &it.event, policy));
        let news: Vec<_> = taken.map(|it| News { event: it.event.clone(), once: None }).collect();
        if news.is_empty() {
            return Ok(());
        }
        for _ in 0..TRIES {
            let item: A = self.load(id, received_at).await?;
            if item.base().version == 0 && news.iter().all(|news| A::timer(&news.event).is_some()) {
                return Ok(()); // A timer never makes an item.
            }
            let fresh = self.unseen(&item, &news, now).await?;
            if fresh.is_empty() {
                return self.hand_over(&item, id, &news, &[], None, now).await; // All seen.
            }
            let plan = self.plan(policy, &item, fresh, now);
            let item = match plan.changed {
                true => self.write(policy, id, &item, &plan, ends_ms).await?,
                false => Some(item),
            };
            // Somebody was faster: look again, in this same invocation.
            let Some(item) = item else { continue };
            return self.hand_over(&item, id, &news, &plan.soon, None, now).await;
        }
        Err(crowded())
    }

    /// Step 2: strongly consistent.
    async fn load<A: Aggregate>(&self, id: &ItemId, received_at: Timestamp) -> Result<A, TableError> {
        let mut item = match self.table.get(&A::key(id)).await? {
            Some(row) => A::read(&row)?,
            None => A::absent(id, received_at),
        };
        if let Some(key) = item.beside()
            && let Some(row) = self.table.get(&key).await?
        {
            item.look(&row);
        }
        Ok(item)
    }

    /// Step 4.
    fn plan<A: Aggregate>(&self, policy: &Policy, item: &A, fresh: Vec<News<A::Event>>, now: Timestamp) -> Plan<A> {
        let look_ahead = Millis(self.times.look_ahead_ms);
        let events: Vec<A::Event> = fresh.iter().map(|news| news.event.clone()).collect();
        let asked: Vec<Timer> = events.iter().filter_map(A::timer).collect();
        let decided = item.decide(&events, policy, now);
        let (mut dues, mut soon) = (Vec::new(), Vec::new());
        // What was written is remembered, even if nothing else comes of it.
        let mut changed = decided.changed || fresh.iter().any(|news| A::dedup(news).is_some());
        for (timer, wanted) in &decided.wanted {
            let asks = asked.contains(timer);
            let due = settle(item.base().due(*timer), *wanted, asks, now, look_ahead);
            // For a timer event a due time that is not the wanted one is a change (!3).
            changed |= asks && due != Due::Leave;
            let near = wanted.filter(|at| at.since(now) <= look_ahead && (asks || due != Due::Leave));
            soon.extend(near.map(|at| (*timer, at)));
            dues.push((*timer, due));
        }
        Plan { fresh, decided, dues, soon, changed, now }
    }

    /// Step 5; the item as it stands then. `None`: a conflict.
    async fn write<A: Aggregate>(
        &self,
        policy: &Policy,
        id: &ItemId,
        item: &A,
        plan: &Plan<A>,
        ends_ms: i64,
    ) -> Result<Option<A>, Failure> {
        let window = self.remember(item, &plan.fresh, plan.now).await?;
        if self.clock.monotonic_ms() + self.times.commit_margin_ms > ends_ms {
            return Err(Failure::Retry("too little time was left to commit; the next copy has more".to_owned()));
        }
        let update = item.commit(&plan.decided, &window, policy);
        let update = plan.dues.iter().fold(update, |update, (timer, due)| due.apply_to(*timer, update));
        if !item.base().outbox.is_empty() && item.base().size_after(&update)? > LARGEST {
            self.hand_over(item, id, &[], &[], None, Timestamp(self.clock.now_ms())).await?;
            return Err(Failure::Retry("the item was too large; what filled it is handed over now".to_owned()));
        }
        match self.table.update(update).await {
            Ok(row) => Ok(Some(A::read(&row)?)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(TableError::Unavailable(why)) => {
                Err(Failure::Retry(format!("the commit has no answer and is read again: {why}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// At the last receive before the dead letter: the item itself asks to be looked at again (step 8).
    pub async fn arm<A: Aggregate>(&self, id: &ItemId) -> Result<(), TableError> {
        let now = Timestamp(self.clock.now_ms());
        let due = now.after(Millis(self.times.arm_ms));
        let name = "wake_due".to_owned();
        let earlier = Condition::Or(vec![Condition::NotExists(name.clone()), Condition::Ge(name, Value::N(due.0))]);
        let present = Condition::And(vec![Condition::Exists("version".to_owned()), earlier]);
        let update = Update::new(A::key(id)).when(present);
        match self.table.update(Due::Set(due).apply(update)).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }
}

fn crowded() -> Failure {
    Failure::Retry("many others wrote to this item at the same time; they will be done".to_owned())
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
