//! `decide`: events in, the next state, its effects and its reasons out.

use crate::call::{AmendKind, Call, Client, Copy, LogState, RecordsState};
use crate::effect::{Command, Effect, Fact, JobOrder, Prev, Wanted};
use crate::event::{CallEvent, CallEventKind};
use crate::ids::{ConnectionId, EffectId};
use crate::job::{JobResult, Point, Records};
use crate::policy::Policy;
use crate::reason::{Because, KEPT, Reason};
use crate::time::{Millis, Timestamp};

/// What a decision comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The next state; its `version` and `at` are those of the commit to come.
    pub next: Call,
    pub effects: Vec<Effect>,
    /// Something of the state changed: it must be committed.
    pub changed: bool,
    /// When the call must be looked at again.
    pub wake_due: Option<Timestamp>,
}

/// Decides on some events of one call at once: all are merged, then the state is looked at.
pub fn decide(state: &Call, events: &[CallEvent], policy: &Policy, now: Timestamp) -> Decision {
    let mut turn = Turn::new(state, policy, now);
    let basis = turn.call.basis();
    for event in events {
        if turn.call.merge(event) {
            turn.call.touched_at = turn.now;
        }
        match &event.kind {
            CallEventKind::JobEnded { effect, result } => turn.take_result(effect, result),
            CallEventKind::CallOrdered { by, extension, client } => turn.take_order(by, extension, client),
            CallEventKind::OrderTold { effect, news } => {
                turn.take_order_news(effect, news);
                turn.take_route_news(effect, news);
            }
            CallEventKind::RecordingLinkRevoked { recording, generation, by } => {
                turn.take_revocation(recording, *generation, by);
            }
            _ => {}
        }
    }
    if turn.call.basis() != basis {
        turn.reconsider();
    }
    turn.advance();
    let wake_due = turn.next_look();
    let changed = turn.call != *state_at(state, &turn.call);
    Decision { changed, wake_due, effects: turn.effects, next: turn.call }
}

/// The old state under the new version and time, so that only what was decided is compared.
fn state_at(state: &Call, next: &Call) -> Box<Call> {
    Box::new(Call { version: next.version, at: next.at, ..state.clone() })
}

/// One decision in the making.
pub(super) struct Turn<'a> {
    pub call: Call,
    pub policy: &'a Policy,
    pub now: Timestamp,
    pub effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    fn new(state: &Call, policy: &'a Policy, now: Timestamp) -> Self {
        let mut call = state.clone();
        call.version = state.version + 1;
        // Time on the item is monotonic, whatever the clocks of two machines say.
        call.at = now.max(state.at.after(Millis(1)));
        Self { call, policy, now, effects: Vec::new() }
    }

    /// Records why.
    pub(super) fn because(&mut self, reason: Reason) {
        let because = &mut self.call.because;
        because.push(Because { at: self.now, reason });
        if because.len() > KEPT {
            because.remove(0);
        }
    }

    fn next_id(&self) -> EffectId {
        EffectId(format!("{}/{}/{}", self.call.aggregate(), self.call.version, self.effects.len()))
    }

    /// Puts a job into the outbox, behind the last one of this call on the same connection.
    pub(super) fn order(&mut self, connection: &ConnectionId, command: Command, points: Vec<Point>) -> EffectId {
        let prev = Prev { at: self.call.at, id: self.next_id() };
        let prev = self.call.last_job.insert(connection.clone(), prev);
        self.put(JobOrder { connection: connection.clone(), command, points, prev })
    }

    /// Puts a job into the outbox that waits for no other and holds back none.
    pub(super) fn order_at_once(&mut self, connection: &ConnectionId, command: Command) -> EffectId {
        self.put(JobOrder { connection: connection.clone(), command, points: Vec::new(), prev: None })
    }

    fn put(&mut self, order: JobOrder) -> EffectId {
        let id = self.next_id();
        self.effects.push(Effect { id: id.clone(), at: self.call.at, wanted: Wanted::Job(order) });
        id
    }

    /// Tells the bus.
    pub(super) fn tell(&mut self, fact: Fact) {
        let id = self.next_id();
        self.effects.push(Effect { id, at: self.call.at, wanted: Wanted::Fact(fact) });
    }

    /// Notes that the client was reached.
    pub(super) fn reached(&mut self, number: crate::number::Number, at: Timestamp) {
        let id = self.next_id();
        self.effects.push(Effect { id, at: self.call.at, wanted: Wanted::Reached { number, at } });
    }

    /// The result of a job counts only where the call still awaits that effect.
    fn take_result(&mut self, effect: &EffectId, result: &JobResult) {
        if self.take_notice(effect, result) || self.take_routed(effect, result) {
            return;
        }
        if self.take_client(effect, result) || self.take_records(effect, result) || self.take_log(effect, result) {
            return;
        }
        if self.take_account(effect, result) {
            return;
        }
        if let Some(kind) = self.call.amends.get(effect).copied() {
            self.take_amendment(effect, kind, result);
            return;
        }
        self.take_copy(effect, result);
        self.take_order_result(effect, result);
    }

    fn take_client(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        if !matches!(&self.call.client, Client::Asked { effect: awaited } if awaited == effect) {
            return false;
        }
        let JobResult::ClientFound(found) = result else { return true };
        let number = self.call.client_number().map(crate::number::Number::plus).unwrap_or_default();
        match found {
            None => {
                self.because(Reason::new("client_new", [&number]));
                self.call.client = Client::New;
            }
            Some(client) => {
                self.because(Reason::new("client_known", [&client.name, client.contact.as_str()]));
                if client.duplicates > 0 {
                    self.because(Reason::new("client_duplicates", [&client.duplicates.to_string()]));
                }
                self.call.client = Client::Known(client.clone());
            }
        }
        true
    }

    fn take_records(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        let (RecordsState::Asked { effect: awaited, decided } | RecordsState::Failed { effect: awaited, decided, .. }) =
            &self.call.records
        else {
            return false;
        };
        if awaited != effect {
            return false;
        }
        let decided = decided.clone();
        match result {
            JobResult::RecordsMade(records) => {
                self.because(Reason::new("records_made", [&crate::plan::made_words(records)]));
                if records.task_needless {
                    self.because(Reason::new("task_needless", []));
                }
                self.call.records = RecordsState::Made { records: records.clone(), decided };
            }
            JobResult::Failed { why, made } => {
                self.because(Reason::new("records_failed", [why]));
                let made: Records = made.clone().unwrap_or_default();
                self.call.records = RecordsState::Failed { effect: effect.clone(), why: why.clone(), made, decided };
            }
            _ => {}
        }
        true
    }

    fn take_log(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        let (LogState::Asked { effect: awaited, snapshot } | LogState::Failed { effect: awaited, snapshot, .. }) =
            &self.call.log
        else {
            return false;
        };
        if awaited != effect {
            return false;
        }
        let snapshot = snapshot.clone();
        match result {
            JobResult::CallLogged(logged) => {
                let code = if logged.fallback { "logged_fallback" } else { "logged" };
                self.because(Reason::new(code, [logged.note.as_str()]));
                self.call.log = LogState::Logged { logged: logged.clone(), snapshot };
            }
            JobResult::CallNotPlaced => {
                self.because(Reason::new("not_placed", []));
                self.call.log = LogState::NotPlaced;
            }
            JobResult::Failed { why, .. } => {
                self.because(Reason::new("log_failed", [why]));
                self.call.log = LogState::Failed { effect: effect.clone(), why: why.clone(), snapshot };
            }
            _ => {}
        }
        true
    }

    fn take_amendment(&mut self, effect: &EffectId, kind: AmendKind, result: &JobResult) {
        self.call.amends.remove(effect);
        let reason = match (result, kind) {
            (JobResult::Failed { why, .. }, _) => Reason::new("amend_failed", [why]),
            (_, AmendKind::Recording) => Reason::new("amend_recording", []),
            (_, AmendKind::Link) => Reason::new("amend_link", []),
            (_, AmendKind::Task) => Reason::new("amend_task", []),
            // Said when it was decided, with who and what.
            (_, AmendKind::Result | AmendKind::Responsible) => return,
        };
        self.because(reason);
    }

    fn take_copy(&mut self, effect: &EffectId, result: &JobResult) {
        let awaits =
            |copy: &Copy| matches!(copy, Copy::Asked { effect: e } | Copy::Failed { effect: e, .. } if e == effect);
        let Some(recording) = self.call.recordings.values_mut().find(|recording| awaits(&recording.copy)) else {
            return;
        };
        let (copy, reason) = match result {
            JobResult::RecordingStored { blob, bytes, media_type } => (
                Copy::Stored { blob: blob.clone(), bytes: *bytes, media_type: media_type.clone() },
                Reason::new("recording_stored", []),
            ),
            JobResult::RecordingLinked { url } => {
                (Copy::Linked { url: url.clone() }, Reason::new("recording_stored", []))
            }
            JobResult::Failed { why, .. } => {
                (Copy::Failed { effect: effect.clone(), why: why.clone() }, Reason::new("recording_failed", [why]))
            }
            _ => return,
        };
        if recording.copy != copy {
            recording.copy = copy;
            self.because(reason);
        }
    }
}
