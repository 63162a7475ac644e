//! Rows of what was written; then handing over: job rows, then wake-ups, then facts; then the receipt. Nothing here
//! decides.

use std::collections::BTreeSet;

use perezvon_domain::effect::Wanted;
use perezvon_domain::{AccountId, Effect, Envelope, Fact, Lane, Timestamp};
use perezvon_platform::{BusEvent, Message};
use perezvon_store::TableError;
use perezvon_store::items::due::Timer;
use perezvon_store::items::job::JobRow;
use perezvon_store::items::point::PointRow;
use perezvon_store::table::Update;
use serde::Serialize;

use super::Committer;
use super::aggregate::{Aggregate, ItemId, News};
use crate::failure::Failure;
use crate::wakeup::WakeUp;

impl Committer {
    /// Step 6, rows of what was written, also when it was seen (!16); step 7, the whole outbox, oldest first, whoever
    /// committed it (!14); then step 9.
    /// `soon`: when the item wants to be asked, if that is within the look-ahead. `armed`: the due time that only
    /// this hand-over is waiting for.
    pub(super) async fn hand_over<A: Aggregate>(
        &self,
        item: &A,
        id: &ItemId,
        news: &[News<A::Event>],
        soon: &[(Timer, Timestamp)],
        armed: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        self.put_rows(item.rows(news)).await?;
        self.put_jobs(&item.base().outbox, &id.account, now).await?;
        if !soon.is_empty() {
            let ask = |(timer, at): &(Timer, Timestamp)| question::<A>(id, *timer, now, at.since(now).0.max(0));
            self.events.send(soon.iter().map(ask).collect()).await?;
        }
        self.receipt(item, id, armed).await
    }

    async fn put_jobs(&self, outbox: &[Effect], account: &AccountId, now: Timestamp) -> Result<(), Failure> {
        let mut wake = BTreeSet::new();
        let mut facts = Vec::new();
        for effect in outbox {
            match &effect.wanted {
                Wanted::Job(order) => {
                    let parked = now.since(effect.at).0 > self.times.parked_after_ms;
                    let put = JobRow::put(account, effect.at, &effect.id, order, parked);
                    self.put_if_absent(put).await?;
                    let wake_up = WakeUp { account: account.clone(), connection: order.connection.clone() };
                    wake.insert((order.command.lane(), wake_up));
                }
                Wanted::Reached { number, at } => {
                    self.put_if_absent(PointRow::reached(account, &number.clone().into(), *at)).await?;
                }
                Wanted::Fact(fact) => facts.push(bus_event(account, effect, fact)),
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
        Ok(())
    }

    async fn put_if_absent(&self, update: Update) -> Result<(), TableError> {
        match self.table.update(update).await {
            Err(error) if !error.is_conflict() => Err(error),
            _ => Ok(()),
        }
    }

    /// Step 9: removes exactly what was handed over (!19). A refusal means that the item is gone (!5).
    async fn receipt<A: Aggregate>(&self, item: &A, id: &ItemId, armed: Option<Timestamp>) -> Result<(), Failure> {
        let base = item.base();
        if base.outbox.is_empty() {
            return Ok(());
        }
        if let Some(armed) = armed {
            match self.table.update(base.receipt_disarming(A::key(id), armed)).await {
                // Somebody committed, or the sweep was here: the plain receipt, and the time stays (!14).
                Err(error) if error.is_conflict() => {}
                done => return done.map(drop).map_err(Failure::from),
            }
        }
        match self.table.update(base.receipt(A::key(id))).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// A message by which a timer asks an item whether anything is due. The item stays the truth.
pub fn question<A: Aggregate>(id: &ItemId, timer: Timer, now: Timestamp, delay_ms: i64) -> Message {
    let event = A::event(id, now, A::question(timer));
    event_message(&Envelope { account: id.account.clone(), received_at: now, event }, delay_ms)
}

/// An event as a message for the event queue, fair by account.
pub fn event_message<E: Serialize>(envelope: &Envelope<E>, delay_ms: i64) -> Message {
    Message { body: serde_json::to_string(envelope).unwrap_or_default(), group: envelope.account.0.clone(), delay_ms }
}

fn bus_event(account: &AccountId, effect: &Effect, fact: &Fact) -> BusEvent {
    BusEvent {
        id: effect.id.0.clone(),
        account: account.0.clone(),
        name: fact.name().to_owned(),
        detail: serde_json::to_string(&fact.detail()).unwrap_or_default(),
    }
}
