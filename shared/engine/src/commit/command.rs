//! What a person does: the same steps, but nothing delivers it again. So the commit itself arms the due time, and the
//! sweep hands over what this process could not.

use perezvon_domain::time::Millis;
use perezvon_domain::{Policy, Timestamp};
use perezvon_store::items::due::{Due, Timer};

use super::aggregate::{Aggregate, ItemId, News, Once};
use super::{Committer, Plan, TRIES, crowded};
use crate::failure::Failure;

/// What became of a person's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commanded<S, R> {
    /// It is committed; the item as it stands now. Its effects are handed over, or will be.
    Done(Box<S>),
    /// There is no such item, and none was made.
    Unknown,
    /// The item, as it was read, does not allow it. Nothing was written.
    Refused(R),
    /// Something else was done under this `Idempotency-Key`. Nothing was written.
    Reused,
}

impl Committer {
    /// Commits what a person does. `kind` sees the state as it was read for this very write: it says what happens,
    /// or why nothing may. `once`: asked again under the same key, it is done once. `ends_ms`: as for
    /// [`Committer::commit`].
    ///
    /// An error means that nothing is known to be committed: whoever asked may ask again.
    pub async fn command<A: Aggregate, R>(
        &self,
        policy: &Policy,
        id: &ItemId,
        once: Option<&Once>,
        kind: impl Fn(&A::State) -> Result<A::Kind, R>,
        ends_ms: i64,
    ) -> Result<Commanded<A::State, R>, Failure> {
        let now = Timestamp(self.clock.now_ms());
        let news = |kind| vec![News { event: A::event(id, now, kind), once: once.cloned() }];
        for _ in 0..TRIES {
            let item: A = self.load(id, now).await?;
            if item.base().version == 0 && !kind(item.state()).is_ok_and(|kind| A::begins(&kind)) {
                return Ok(Commanded::Unknown);
            }
            if let Some(once) = once
                && let Some(digest) = self.done_once(&item, once, now).await?
            {
                if digest != once.digest {
                    return Ok(Commanded::Reused);
                }
                let news = kind(item.state()).map(news).unwrap_or_default();
                self.hand_over(&item, id, &news, &[], None, now).await?;
                return Ok(Commanded::Done(Box::new(item.state().clone())));
            }
            let news = match kind(item.state()) {
                Ok(kind) => news(kind),
                Err(refusal) => return Ok(Commanded::Refused(refusal)),
            };
            let mut plan = self.plan(policy, &item, news.clone(), now);
            let armed = self.arm_plan(&item, &mut plan);
            let item = match plan.changed {
                true => self.write(policy, id, &item, &plan, ends_ms).await?,
                false => Some(item),
            };
            let Some(item) = item else { continue };
            // Step 8: it is committed, so it is done, whatever becomes of the hand-over.
            if let Err(failure) = self.hand_over(&item, id, &news, &plan.soon, armed, now).await {
                if once.is_some() && plan.decided.effects.is_empty() {
                    return Err(failure); // Nothing is armed: its row comes with the same request, asked again.
                }
                tracing::warn!(%failure, "a person's command is committed and not handed over: the sweep will do it");
            }
            return Ok(Commanded::Done(Box::new(item.state().clone())));
        }
        Err(crowded())
    }

    /// A plan with effects arms `wake_due`; the time that its receipt takes off.
    fn arm_plan<A: Aggregate>(&self, item: &A, plan: &mut Plan<A>) -> Option<Timestamp> {
        if plan.decided.effects.is_empty() {
            return None;
        }
        let wanted = plan.decided.wanted.iter().find(|(timer, _)| *timer == Timer::Wake)?.1;
        let due = plan.dues.iter_mut().find(|(timer, _)| *timer == Timer::Wake)?;
        let ours = A::at(&plan.decided.next).after(Millis(self.times.arm_ms));
        let (set, armed) = arm(due.1, item.base().due(Timer::Wake), wanted, ours);
        due.1 = set;
        armed
    }
}

/// Step 5: `wake_due = min(wake_due, at + 60 s)` (!14), the latter being `ours`. The second value is our own
/// time, if nothing else is due: the receipt takes it off.
pub(super) fn arm(
    settled: Due,
    stands: Option<Timestamp>,
    wanted: Option<Timestamp>,
    ours: Timestamp,
) -> (Due, Option<Timestamp>) {
    let due = match settled {
        Due::Set(due) | Due::Told(due) => Some(due),
        Due::Leave => stands,
        Due::Remove => None,
    };
    if due.is_some_and(|due| due <= ours) {
        return (settled, None);
    }
    (Due::Set(ours), wanted.is_none().then_some(ours))
}
