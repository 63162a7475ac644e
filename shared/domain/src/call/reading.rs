//! Asking the provider for its own account of a call, where events cannot tell how it went.

use serde::{Deserialize, Serialize};

use super::decide::Turn;
use crate::effect::Command;
use crate::event::Direction;
use crate::ids::EffectId;
use crate::job::JobResult;
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// After a talk is over the account takes a moment: the first question waits for it.
const FIRST: Millis = Millis::seconds(5);
/// Wait before the second question; it doubles up to the longest.
const FIRST_PAUSE: Millis = Millis::seconds(30);
const LONGEST_PAUSE: Millis = Millis::minutes(30);

/// How far we are with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    #[default]
    Unasked,
    Asked {
        effect: EffectId,
        /// When the first question was asked.
        since: Timestamp,
        times: u32,
    },
    /// The provider had nothing to tell yet.
    Again { at: Timestamp, since: Timestamp, times: u32 },
    /// It told.
    Told,
    /// Asked often enough; a person may have the last question asked once more.
    GivenUp { effect: EffectId },
}

impl Reading {
    pub(super) fn is_unasked(&self) -> bool {
        *self == Self::Unasked
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(self, Self::GivenUp { .. })
    }
}

impl Turn<'_> {
    /// Asks when it is time to.
    pub(super) fn read_account(&mut self) {
        if self.read_due().is_none_or(|due| due > self.now) {
            return;
        }
        let (since, times) = match &self.call.reading {
            Reading::Asked { effect, .. } => {
                self.call.reading = Reading::GivenUp { effect: effect.clone() };
                return self.because(Reason::new("account_missing", []));
            }
            Reading::Again { since, times, .. } => (*since, *times),
            _ => (self.now, 0),
        };
        let Some(channel) = self.policy.channels.get(&self.call.channel) else { return };
        if times == 0 {
            self.because(Reason::new("account_asked", []));
        }
        let command = Command::ReadCall { entry: self.call.entry.clone(), started_at: self.call.started_at() };
        // No point: it holds nothing back, and a recording waits for nobody.
        let effect = self.order(&channel.connection, command, Vec::new());
        self.call.reading = Reading::Asked { effect, since, times: times + 1 };
    }

    /// When the provider is to be asked (again), or to be waited for no longer: a connection that is paused or cannot
    /// be reached must not keep a call open. `None`: neither.
    pub(super) fn read_due(&self) -> Option<Timestamp> {
        let call = &self.call;
        let outside = call.direction().is_some_and(|direction| direction != Direction::Internal);
        if !self.can_be_read() || call.summary.is_some() || !outside {
            return None;
        }
        match &call.reading {
            // Who talked is known: the account adds how long.
            Reading::Unasked if call.over_at.is_some() && call.answered() => Some(call.touched_at.after(FIRST)),
            Reading::Unasked if call.is_connected() => Some(call.touched_at.after(self.policy.waits.connected_ms)),
            Reading::Unasked => self.final_due(),
            Reading::Again { at, .. } => Some(*at),
            Reading::Asked { since, .. } if call.final_at.is_none() => Some(self.patient_until(*since)),
            Reading::Asked { .. } | Reading::Told | Reading::GivenUp { .. } => None,
        }
    }

    /// Nobody talked as far as we know, but events may be missing: the provider's account decides, if it comes.
    pub(super) fn account_decides(&self) -> bool {
        let outside = self.call.direction() != Some(Direction::Internal);
        outside && self.can_be_read() && !self.call.answered() && !self.call.reading.is_given_up()
    }

    fn can_be_read(&self) -> bool {
        self.policy.channels.get(&self.call.channel).is_some_and(|channel| channel.reads_calls)
    }

    /// What the provider told, in the words of its events; nothing: it has no account yet.
    pub(super) fn take_account(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        let (awaited, since, times) = match &self.call.reading {
            Reading::Asked { effect, since, times } => (effect, *since, *times),
            Reading::GivenUp { effect } => (effect, self.now, 1),
            _ => return false,
        };
        if awaited != effect {
            return false;
        }
        match result {
            JobResult::CallRead { news } if !news.is_empty() => {
                for news in news {
                    self.call.merge_news(news, self.now);
                }
                self.call.reading = Reading::Told;
            }
            JobResult::CallRead { .. } => self.call.reading = self.again(effect, since, times),
            JobResult::Failed { why, .. } => {
                self.because(Reason::new("account_failed", [why]));
                self.call.reading = Reading::GivenUp { effect: effect.clone() };
            }
            _ => {}
        }
        true
    }

    fn again(&mut self, effect: &EffectId, since: Timestamp, times: u32) -> Reading {
        let pause = FIRST_PAUSE.0.checked_shl(times.saturating_sub(1).min(16)).unwrap_or(LONGEST_PAUSE.0);
        let at = self.now.after(Millis(pause.min(LONGEST_PAUSE.0)));
        if at <= self.patient_until(since) {
            return Reading::Again { at, since, times };
        }
        self.because(Reason::new("account_missing", []));
        Reading::GivenUp { effect: effect.clone() }
    }

    fn patient_until(&self, since: Timestamp) -> Timestamp {
        let waits = &self.policy.waits;
        since.after(if self.call.is_connected() { waits.connected_patience_ms } else { waits.account_ms })
    }
}
