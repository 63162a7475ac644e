//! Calls in the commit loop: every event is idempotent by state, one timer.

use perezvon_domain::call::{Call, decide};
use perezvon_domain::{CallEvent, CallEventKind, Policy, Timestamp};
use perezvon_store::items::base::Base;
use perezvon_store::items::call::CallItem;
use perezvon_store::items::due::Timer;
use perezvon_store::items::point::PointRow;
use perezvon_store::items::window::Window;
use perezvon_store::table::Update;
use perezvon_store::{Key, Row, TableError, keys};

use super::aggregate::{Aggregate, Decided, ItemId};

impl Aggregate for CallItem {
    type State = Call;
    type Kind = CallEventKind;
    type Event = CallEvent;

    fn key(id: &ItemId) -> Key {
        keys::call(&id.account, &id.channel, &id.entry)
    }

    fn absent(id: &ItemId, received_at: Timestamp) -> Self {
        Self::absent(&id.account, &id.channel, &id.entry, received_at)
    }

    fn read(row: &Row) -> Result<Self, TableError> {
        Self::read(row)
    }

    fn beside(&self) -> Option<Key> {
        let number = self.call.awaits_word()?.clone();
        Some(keys::point(&self.call.account, &number.into()))
    }

    fn look(&mut self, row: &Row) {
        self.call.remembered = PointRow::read(row).known();
    }

    fn base(&self) -> &Base {
        &self.base
    }

    fn state(&self) -> &Call {
        &self.call
    }

    fn at(call: &Call) -> Timestamp {
        call.at
    }

    fn event(id: &ItemId, now: Timestamp, kind: CallEventKind) -> CallEvent {
        CallEvent { channel: id.channel.clone(), entry: id.entry.clone(), occurred_at: now, kind }
    }

    fn question(_: Timer) -> CallEventKind {
        CallEventKind::WakeDue
    }

    fn begins(kind: &CallEventKind) -> bool {
        matches!(kind, CallEventKind::CallOrdered { .. })
    }

    fn timer(event: &CallEvent) -> Option<Timer> {
        (event.kind == CallEventKind::WakeDue).then_some(Timer::Wake)
    }

    fn decide(&self, events: &[CallEvent], policy: &Policy, now: Timestamp) -> Decided<Call> {
        let decision = decide(&self.call, events, policy, now);
        let wanted = vec![(Timer::Wake, decision.wake_due)];
        Decided { next: decision.next, effects: decision.effects, changed: decision.changed, wanted }
    }

    fn commit(&self, decided: &Decided<Call>, _: &Window, policy: &Policy) -> Update {
        Self::commit(self, &decided.next, &decided.effects, &decided.next.row(policy))
    }
}
