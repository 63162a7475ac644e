//! What a person does with a call: the same steps, but nothing delivers it again. So the commit itself arms
//! the due time, and the sweep hands over what this process could not.

use perezvon_domain::call::{Call, decide};
use perezvon_domain::time::Millis;
use perezvon_domain::{CallEvent, CallEventKind, Policy, Timestamp};
use perezvon_store::items::call::{CallItem, Due};

use super::{CallKey, Committer, TRIES, crowded, settle, soon};
use crate::failure::Failure;

/// What became of a person's command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commanded<R> {
    /// It is committed; the call as it stands now. Its effects are handed over, or will be.
    Done(Box<Call>),
    /// There is no such call, and none was made.
    Unknown,
    /// The call, as it was read, does not allow it. Nothing was written.
    Refused(R),
}

impl Committer {
    /// Commits what a person does. `event` sees the call as it was read for this very write: it says what
    /// happens, or why nothing may. `ends_ms`: as for [`Committer::commit`].
    ///
    /// An error means that nothing is known to be committed: whoever asked may ask again.
    pub async fn command<R>(
        &self,
        policy: &Policy,
        key: &CallKey,
        event: impl Fn(&Call) -> Result<CallEventKind, R>,
        ends_ms: i64,
    ) -> Result<Commanded<R>, Failure> {
        let now = Timestamp(self.clock.now_ms());
        let look_ahead = Millis(self.times.look_ahead_ms);
        for _ in 0..TRIES {
            let item = self.load(key, now).await?;
            if item.call.version == 0 {
                return Ok(Commanded::Unknown);
            }
            let kind = match event(&item.call) {
                Ok(kind) => kind,
                Err(refusal) => return Ok(Commanded::Refused(refusal)),
            };
            let news = CallEvent { channel: key.channel.clone(), entry: key.entry.clone(), occurred_at: now, kind };
            let decision = decide(&item.call, &[news], policy, now);
            let settled = settle(item.wake_due, decision.wake_due, false, now, look_ahead);
            let (due, armed) = match decision.effects.is_empty() {
                true => (settled, None),
                false => {
                    let ours = decision.next.at.after(Millis(self.times.arm_ms));
                    arm(settled, item.wake_due, decision.wake_due, ours)
                }
            };
            let item = match decision.changed {
                true => self.write(policy, &item, &decision, due, ends_ms).await?,
                false => Some(item),
            };
            let Some(item) = item else { continue };
            let soon = soon(&decision, now, look_ahead).filter(|_| settled != Due::Leave);
            return Ok(self.finish(item, soon, armed, now).await);
        }
        Err(crowded())
    }

    /// Step 8: it is committed, so it is done, whatever becomes of the hand-over.
    async fn finish<R>(
        &self,
        item: CallItem,
        soon: Option<Timestamp>,
        armed: Option<Timestamp>,
        now: Timestamp,
    ) -> Commanded<R> {
        if let Err(failure) = self.hand_over(&item, soon, armed, now).await {
            tracing::warn!(%failure, "a person's command is committed and not handed over: the sweep will do it");
        }
        Commanded::Done(Box::new(item.call))
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
