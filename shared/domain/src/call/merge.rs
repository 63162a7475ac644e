//! Merging: any order and any multiplicity of events gives the same record.
//!
//! Every field is a join: the value with the greatest `seq`, the earliest or the latest time, or "ever true".

use super::{Call, Folded, Latest, Leg};
use crate::event::{CallEvent, CallEventKind, Digits, LegChange, LegState, Place, RecordingChange, Summary};
use crate::time::Timestamp;

/// More legs than this, and finished ones without a talk are folded away (an item has 8 KB).
const LEGS_KEPT: usize = 16;
/// Key presses that are kept.
const DIGITS_KEPT: usize = 8;

impl Call {
    /// Takes in what an event says about the call; results of jobs, people and timers say nothing about it.
    /// Returns whether anything is new.
    pub(super) fn merge(&mut self, event: &CallEvent) -> bool {
        self.merge_news(&event.kind, event.occurred_at)
    }

    /// The same for what the provider told when it was asked.
    pub(super) fn merge_news(&mut self, news: &CallEventKind, at: Timestamp) -> bool {
        match news {
            CallEventKind::LegChanged(change) => self.merge_leg(change, at),
            CallEventKind::Summarised(summary) => self.merge_summary(summary),
            CallEventKind::Ended => {
                let known = self.over_at;
                latest(&mut self.over_at, at);
                self.over_at != known
            }
            CallEventKind::RecordingChanged(change) => self.merge_recording(change),
            CallEventKind::RecordingReady { recording } => {
                let recording = self.recordings.entry(recording.clone()).or_default();
                !std::mem::replace(&mut recording.ready, true)
            }
            CallEventKind::DigitsPressed(digits) => self.merge_digits(digits),
            CallEventKind::JobEnded { .. } | CallEventKind::RecordingLinkRevoked { .. } | CallEventKind::WakeDue => {
                false
            }
            // An order is no call: the one that comes of it is told elsewhere.
            CallEventKind::CallOrdered { .. } | CallEventKind::OrderTold { .. } => false,
        }
    }

    fn merge_leg(&mut self, change: &LegChange, at: Timestamp) -> bool {
        let before = self.legs.get(&change.leg).cloned();
        let leg = self.legs.entry(change.leg.clone()).or_insert_with(|| Leg { appeared_at: at, ..Leg::default() });
        leg.merge(change, at);
        let changed = before.as_ref() != Some(leg);
        if self.legs.len() > LEGS_KEPT {
            self.fold_legs();
        }
        changed
    }

    fn merge_summary(&mut self, summary: &Summary) -> bool {
        // One per call; should a second one differ, the greater stays, whatever came first.
        if self.summary.as_ref().is_some_and(|known| known >= summary) {
            return false;
        }
        self.summary = Some(summary.clone());
        true
    }

    fn merge_recording(&mut self, change: &RecordingChange) -> bool {
        let recording = self.recordings.entry(change.recording.clone()).or_default();
        let before = (recording.state, recording.employee.clone());
        join(&mut recording.state, change.seq, Some(change.state));
        join(&mut recording.employee, change.seq, change.employee.clone());
        before != (recording.state, recording.employee.clone())
    }

    fn merge_digits(&mut self, digits: &Digits) -> bool {
        self.digits.len() < DIGITS_KEPT && self.digits.insert(digits.clone())
    }

    /// Folds finished legs on which nobody talked, earliest first; the first leg stays, for it tells the direction.
    fn fold_legs(&mut self) {
        let first = self.first_leg().map(|(id, _)| id.clone());
        let victim = self
            .legs
            .iter()
            .filter(|(id, leg)| Some(*id) != first.as_ref() && leg.is_over() && leg.connected_at.is_none())
            .min_by_key(|(id, leg)| (leg.appeared_at, (*id).clone()))
            .map(|(id, _)| id.clone());
        let Some(leg) = victim.and_then(|id| self.legs.remove(&id)) else { return };
        let folded = self.folded.get_or_insert(Folded { count: 0, rang_last: None });
        folded.count += 1;
        if let Some((_, employee)) = leg.employee {
            folded.rang_last = folded.rang_last.take().max(Some((leg.appeared_at, employee)));
        }
    }
}

impl Leg {
    fn merge(&mut self, change: &LegChange, at: Timestamp) {
        join(&mut self.state, change.seq, Some((change.state, change.place)));
        if self.direction.is_none_or(|known| (change.seq, change.direction) < known) {
            self.direction = Some((change.seq, change.direction));
        }
        join(&mut self.client, change.seq, change.client.clone());
        join(&mut self.line, change.seq, change.line.clone());
        join(&mut self.employee, change.seq, change.employee.clone());
        join(&mut self.taken_from, change.seq, change.taken_from.clone());
        join(&mut self.reason, change.seq, change.reason.clone());
        join(&mut self.trunk_id, change.seq, change.trunk_id.clone());
        self.transfer |= change.transfer;
        self.appeared_at = self.appeared_at.min(at);
        match change.state {
            LegState::Connected | LegState::OnHold => earliest(&mut self.connected_at, at),
            LegState::Disconnected => latest(&mut self.ended_at, at),
            LegState::Appeared => {}
        }
    }

    /// The leg has ended, by the last we heard of it.
    pub(super) fn is_over(&self) -> bool {
        self.state.is_some_and(|(_, (state, _))| state == LegState::Disconnected)
    }

    /// Somebody's telephone, not the menu and not the queue.
    pub(super) fn is_telephone(&self) -> bool {
        self.state.is_some_and(|(_, (_, place))| place == Place::Telephone)
    }
}

fn join<T: Ord>(slot: &mut Latest<T>, seq: u64, value: Option<T>) {
    if let Some(value) = value {
        let new = (seq, value);
        if slot.as_ref().is_none_or(|known| *known < new) {
            *slot = Some(new);
        }
    }
}

fn earliest(slot: &mut Option<Timestamp>, at: Timestamp) {
    *slot = Some(slot.map_or(at, |known| known.min(at)));
}

fn latest(slot: &mut Option<Timestamp>, at: Timestamp) {
    *slot = Some(slot.map_or(at, |known| known.max(at)));
}
