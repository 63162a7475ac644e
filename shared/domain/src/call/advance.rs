//! Looking at the state: each function asks for one thing that is wanted and was not asked for yet.

use super::decide::Turn;
use super::{Client, Copy, RecordsState};
use crate::effect::{CallFact, Command, Fact};
use crate::event::{Direction, RecordingState};
use crate::ids::EmployeeId;
use crate::job::Point;
use crate::reason::Reason;
use crate::time::Timestamp;

impl Turn<'_> {
    /// Goes through everything that may be wanted.
    pub(super) fn advance(&mut self) {
        self.tell_of_ringing();
        self.ask_who_is_calling();
        self.route_call();
        self.read_account();
        self.tell_who_talks();
        self.see_whether_final();
        self.settle_without_asking();
        self.tell_that_it_ended();
        self.decide_on_records();
        self.fetch_recordings();
        self.log_the_call();
        self.amend();
    }

    /// What an earlier decision stood on changed while nothing had been made: decide again.
    /// An outgoing call, for one, learns its line from the summary alone, and that may be late.
    pub(super) fn reconsider(&mut self) {
        if !matches!(self.call.records, RecordsState::Unlinked { .. }) {
            return;
        }
        self.call.records = RecordsState::Undecided;
        if self.call.client == Client::Hidden {
            self.call.client = Client::Unasked;
        }
    }

    /// A call with an outside number appeared: ask the CRM, once.
    fn ask_who_is_calling(&mut self) {
        let outside = self.call.direction().is_some_and(|direction| direction != Direction::Internal);
        let (Client::Unasked, true) = (&self.call.client, outside) else { return };
        let (Some(number), Some(crm)) = (self.call.client_number().cloned(), self.policy.crm.clone()) else { return };
        self.because(Reason::new("client_asked", [&number.plus()]));
        let point = Point::Phone(number.clone());
        let effect = self.order(&crm, Command::FindClient { client: number.into() }, vec![point]);
        self.call.client = Client::Asked { effect };
    }

    /// The account came, or never will; or the call is over and a while passed; or nothing happened for long while
    /// nobody talks.
    fn see_whether_final(&mut self) {
        // A recording alone is no call yet: who called whom comes with the legs or the summary.
        if self.call.final_at.is_some() || self.call.direction().is_none() {
            return;
        }
        let due = self.final_due().is_some_and(|due| due <= self.now) && !self.account_decides();
        let reason = match (&self.call.summary, self.call.reading.is_given_up()) {
            (Some(_), _) => "final_summary",
            (None, true) => "final_unread",
            (None, false) if due && self.call.over_at.is_some() => "final_end",
            (None, false) if due && self.call.is_over() => "final_legs",
            (None, false) if due => "final_silence",
            (None, false) => return,
        };
        self.call.final_at = Some(self.now);
        self.because(Reason::new(reason, []));
    }

    /// When the call becomes final without a summary; a connected leg is never timed out.
    pub(super) fn final_due(&self) -> Option<Timestamp> {
        let waits = &self.policy.waits;
        self.call.direction()?;
        if self.call.is_over() {
            // From when we learned it: a delivery that was late by hours must not cut the wait short.
            return Some(self.call.touched_at.after(waits.final_after_legs_ended_ms));
        }
        (!self.call.is_connected()).then(|| self.call.touched_at.after(waits.final_after_silence_ms))
    }

    /// A final call with nobody to ask about is settled as it is.
    fn settle_without_asking(&mut self) {
        if self.call.final_at.is_none() || self.call.client != Client::Unasked {
            return;
        }
        self.call.client = if self.call.direction() == Some(Direction::Internal) || self.call.client_number().is_none()
        {
            Client::Hidden
        } else {
            Client::NoCrm
        };
    }

    fn tell_that_it_ended(&mut self) {
        let (Some(_), Some(direction)) = (self.call.final_at, self.call.direction()) else { return };
        let answered = self.call.answered();
        if let (true, false, Some(number)) = (answered, self.call.asked.reached, self.call.client_number().cloned()) {
            self.call.asked.reached = true;
            let at = self.call.started_at();
            self.reached(number, at);
        }
        if std::mem::replace(&mut self.call.asked.told, true) {
            return;
        }
        let extension = self.call.employee(true).map(|(extension, _)| extension);
        let employee = extension.and_then(|extension| self.policy.by_extension(&extension)).map(|e| e.id.clone());
        let fact = self.fact(direction, employee, self.call.talk_seconds());
        let missed = direction == Direction::Incoming && !answered;
        self.tell(if missed { Fact::CallMissed(fact) } else { Fact::CallEnded(fact) });
    }

    /// The call as the bus hears of it.
    pub(super) fn fact(&self, direction: Direction, employee: Option<EmployeeId>, seconds: i64) -> CallFact {
        CallFact {
            channel: self.call.channel.clone(),
            entry: self.call.entry.clone(),
            direction,
            client: self.call.client_number().cloned(),
            line: self.call.line().map(str::to_owned),
            employee,
            started_at: self.call.started_at(),
            seconds,
        }
    }

    /// A recording is ready and was not fetched yet.
    fn fetch_recordings(&mut self) {
        let Some(channel) = self.policy.channels.get(&self.call.channel) else { return };
        let ready = |recording: &super::Recording| recording.ready && recording.copy == Copy::NotAsked;
        let wanted: Vec<String> =
            self.call.recordings.iter().filter(|(_, recording)| ready(recording)).map(|(id, _)| id.clone()).collect();
        for id in wanted {
            let blob = format!("{}/{}/{}/{}", self.call.account, self.call.channel, self.call.entry, id);
            let link_only = !channel.copy_recordings;
            let command = Command::CopyRecording { recording: id.clone(), blob, link_only };
            let effect = self.order(&channel.connection, command, vec![Point::Recording(id.clone())]);
            self.because(Reason::new(if link_only { "recording_link" } else { "recording_copy" }, []));
            if let Some(recording) = self.call.recordings.get_mut(&id) {
                recording.copy = Copy::Asked { effect };
            }
        }
    }

    /// There were recordings, and the provider kept none of them.
    pub(super) fn nothing_was_recorded(&self) -> bool {
        let lost = |recording: &super::Recording| {
            !recording.ready && matches!(recording.state, Some((_, RecordingState::NotKept { .. })))
        };
        !self.call.recordings.is_empty() && self.call.recordings.values().all(lost)
    }

    /// When the call must be looked at again; `None`: when something happens.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        let next = match self.call.final_at {
            None => self.final_due().filter(|_| !self.account_decides()),
            Some(_) => self.log_due(),
        };
        next.into_iter().chain(self.read_due()).chain(self.route_due()).min()
    }
}
