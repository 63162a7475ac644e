//! The record of the call itself in the CRM's history: once, with the recording if it comes in time.

use super::decide::Turn;
use super::{Call, Copy, Decided, GivenLink, LogState, RecordsState, Snapshot};
use crate::effect::Command;
use crate::event::Direction;
use crate::job::{CallLog, Point, RecordingLink, Records};
use crate::number::Number;
use crate::reason::Reason;
use crate::time::Timestamp;

enum Recorded {
    /// Log now, with this recording or with none.
    Now(Option<RecordingLink>),
    Until(Timestamp),
}

impl Turn<'_> {
    /// The records are there: log the call when the recording is too, or when it is not to be waited for.
    pub(super) fn log_the_call(&mut self) {
        let Some((records, decided)) = self.records_to_log_to() else { return };
        let Recorded::Now(recording) = self.recorded() else { return };
        let (Some(crm), Some(number)) = (self.policy.crm.clone(), self.call.client_number().cloned()) else { return };
        let snapshot = self.call.snapshot(recording.as_ref());
        let words = if snapshot.link.is_some() {
            "с записью разговора"
        } else {
            "без записи разговора"
        };
        self.because(Reason::new("log_wanted", [words]));
        let log = self.call_log(number.clone(), &records, &decided, recording);
        let effect = self.order(&crm, Command::LogCall(Box::new(log)), vec![Point::Phone(number)]);
        self.call.log = LogState::Asked { effect, snapshot };
    }

    fn records_to_log_to(&self) -> Option<(Records, Decided)> {
        if self.call.log != LogState::Waiting || self.call.final_at.is_none() {
            return None;
        }
        match &self.call.records {
            RecordsState::Made { records, decided } => Some((records.clone(), decided.clone())),
            // The deal or the task could not be made, but the contact stands: the call belongs to it.
            RecordsState::Failed { made, decided, .. } if made.contact.is_some() => {
                Some((made.clone(), decided.clone()))
            }
            _ => None,
        }
    }

    pub(super) fn call_log(
        &self,
        number: Number,
        records: &Records,
        decided: &Decided,
        recording: Option<RecordingLink>,
    ) -> CallLog {
        let call = &self.call;
        CallLog {
            uniq: call.aggregate(),
            number,
            direction: call.direction().unwrap_or(Direction::Incoming),
            outcome: call.outcome(),
            started_at: call.started_at(),
            seconds: call.talk_seconds(),
            responsible: decided.responsible.clone(),
            recording,
            contact: records.contact.clone(),
            deal: records.deal.clone(),
        }
    }

    fn recorded(&self) -> Recorded {
        if !self.call.answered() {
            return Recorded::Now(None);
        }
        if let Some(link) = self.call.recording_link() {
            return Recorded::Now(Some(link));
        }
        let expects = self.policy.channels.get(&self.call.channel).is_some_and(|channel| channel.expects_recordings);
        if !expects || self.nothing_was_recorded() {
            return Recorded::Now(None);
        }
        let deadline = self.call.final_at.unwrap_or(self.now).after(self.policy.waits.recording_ms);
        if deadline <= self.now { Recorded::Now(None) } else { Recorded::Until(deadline) }
    }

    /// When the wait for the recording is over, if that is what the call waits for.
    pub(super) fn log_due(&self) -> Option<Timestamp> {
        self.records_to_log_to()?;
        match self.recorded() {
            Recorded::Until(due) => Some(due),
            Recorded::Now(_) => None,
        }
    }
}

impl Call {
    /// The first recording that can be played, and how.
    pub(super) fn recording_link(&self) -> Option<RecordingLink> {
        self.recordings.keys().find_map(|id| self.link_to(id))
    }

    /// How a recording can be played, if it can.
    pub(super) fn link_to(&self, id: &str) -> Option<RecordingLink> {
        let recording = self.recordings.get(id)?;
        let outside = match &recording.copy {
            Copy::Stored { .. } => None,
            Copy::Linked { url } => Some(url.clone()),
            _ => return None,
        };
        Some(RecordingLink { recording: id.to_owned(), generation: recording.generation, outside })
    }

    pub(super) fn snapshot(&self, link: Option<&RecordingLink>) -> Snapshot {
        Snapshot { outcome: self.outcome(), seconds: self.talk_seconds(), link: link.map(GivenLink::of) }
    }
}

impl GivenLink {
    pub(super) fn of(link: &RecordingLink) -> Self {
        Self { recording: link.recording.clone(), generation: link.generation }
    }
}
