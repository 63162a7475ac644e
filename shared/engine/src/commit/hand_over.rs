//! Handing over: job rows, then wake-ups, then facts; then the receipt. Nothing here decides.

use std::collections::BTreeSet;

use perezvon_domain::effect::Wanted;
use perezvon_domain::{CallEvent, CallEventKind, Effect, Envelope, Fact, Lane, Timestamp};
use perezvon_platform::{BusEvent, Message};
use perezvon_store::TableError;
use perezvon_store::items::call::CallItem;
use perezvon_store::items::job::JobRow;
use perezvon_store::items::point::PointRow;
use perezvon_store::table::Update;

use super::Committer;
use crate::failure::Failure;
use crate::wakeup::WakeUp;

impl Committer {
    /// Step 7, the whole outbox, oldest first, whoever committed it (!14); then step 9.
    /// `soon`: when the call wants to be looked at, if that is within the look-ahead. `armed`: the due time that
    /// only this hand-over is waiting for.
    pub(super) async fn hand_over(
        &self,
        item: &CallItem,
        soon: Option<Timestamp>,
        armed: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut wake = BTreeSet::new();
        let mut facts = Vec::new();
        for effect in &item.outbox {
            match &effect.wanted {
                Wanted::Job(order) => {
                    let parked = now.since(effect.at).0 > self.times.parked_after_ms;
                    let put = JobRow::put(&item.call.account, effect.at, &effect.id, order, parked);
                    self.put_if_absent(put).await?;
                    let account = item.call.account.clone();
                    wake.insert((order.command.lane(), WakeUp { account, connection: order.connection.clone() }));
                }
                Wanted::Reached { number, at } => {
                    self.put_if_absent(PointRow::reached(&item.call.account, number, *at)).await?;
                }
                Wanted::Fact(fact) => facts.push(bus_event(item, effect, fact)),
            }
        }
        // Always the wake-up, also if the row was there already (!23), once a connection, after its last row (!20).
        for (lane, wake_up) in wake {
            let queue = match lane {
                Lane::Crm => &self.crm,
                Lane::Outbound => &self.outbound,
            };
            queue.send(vec![wake_up.message(0)]).await?;
        }
        if !facts.is_empty() {
            self.bus.publish(facts).await?;
        }
        if let Some(at) = soon {
            self.events.send(vec![self.look_again(item, at, now)]).await?;
        }
        self.receipt(item, armed).await
    }

    async fn put_if_absent(&self, update: Update) -> Result<(), TableError> {
        match self.table.update(update).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }

    /// Step 9: removes exactly what was handed over (!19). A refusal means that the item is gone (!5).
    async fn receipt(&self, item: &CallItem, armed: Option<Timestamp>) -> Result<(), Failure> {
        if item.outbox.is_empty() {
            return Ok(());
        }
        if let Some(armed) = armed {
            match self.table.update(item.receipt_disarming(&item.outbox, armed)).await {
                // Somebody committed, or the sweep was here: the plain receipt, and the time stays (!14).
                Err(error) if error.is_conflict() => {}
                done => return done.map(drop).map_err(Failure::from),
            }
        }
        match self.table.update(item.receipt(&item.outbox)).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A due time within the look-ahead is also a delayed message; the item stays the truth.
    fn look_again(&self, item: &CallItem, at: Timestamp, now: Timestamp) -> Message {
        wake_due(&item.call.account, &item.call.channel, &item.call.entry, now, at.since(now).0.max(0))
    }
}

/// A message that asks a call whether anything is due.
pub fn wake_due(
    account: &perezvon_domain::AccountId,
    channel: &perezvon_domain::ChannelId,
    entry: &str,
    now: Timestamp,
    delay_ms: i64,
) -> Message {
    let event =
        CallEvent { channel: channel.clone(), entry: entry.to_owned(), occurred_at: now, kind: CallEventKind::WakeDue };
    event_message(&Envelope { account: account.clone(), received_at: now, event }, delay_ms)
}

/// An event as a message for the event queue, fair by account.
pub fn event_message(envelope: &Envelope, delay_ms: i64) -> Message {
    Message { body: serde_json::to_string(envelope).unwrap_or_default(), group: envelope.account.0.clone(), delay_ms }
}

fn bus_event(item: &CallItem, effect: &Effect, fact: &Fact) -> BusEvent {
    BusEvent {
        id: effect.id.0.clone(),
        account: item.call.account.0.clone(),
        name: fact.name().to_owned(),
        detail: serde_json::to_string(&fact.detail()).unwrap_or_default(),
    }
}
