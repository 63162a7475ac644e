//! Jobs: one worker holds a connection's lease, keeps its order and its pace, and carries its jobs
//! out step by step. The numbered steps are those of the protocol in docs/protocol.md, section 2.

mod authorise;
mod heal;
mod hold;
mod leave;
mod off;
pub(crate) mod open;
mod pause;
mod remembered;
mod send;
mod step;
mod superseded;
mod wanted;

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_adapters::Codec;
use perezvon_domain::{AccountId, ConnectionId, Timestamp};
use perezvon_platform::{Blobs, Clock, Http, Queue, Secrets};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::due::Due;
use perezvon_store::table::{Condition, Update, Value};
use perezvon_store::{Table, TableError, keys};

use crate::batch::{self, Failed};
use crate::failure::Failure;
use crate::secrets::ConnectionSecret;
use crate::times::Times;
use crate::wakeup::WakeUp;
use hold::Hold;

pub use perezvon_adapters::codec;
pub use remembered::Remembered;

/// What speaks with the provider of a name.
pub type Codecs = fn(&str) -> Option<&'static Codec>;

/// How recordings get their link in a CRM.
#[derive(Clone)]
pub struct Links {
    /// Where we are reached: `https://calls.example.ru`.
    pub public_url: String,
    /// Signs `/r/{token}`.
    pub key: Vec<u8>,
}

/// The ports of the job loop. `crm` and `outbound` are this, with two queues and two policies.
#[derive(Clone)]
pub struct Worker {
    pub table: Arc<dyn Table>,
    pub secrets: Arc<dyn Secrets>,
    /// Where results go, as events.
    pub events: Arc<dyn Queue>,
    /// This function's own queue: it may have to wake itself up.
    pub wake_ups: Arc<dyn Queue>,
    pub http: Arc<dyn Http>,
    /// Where recordings go; absent in a worker that fetches none.
    pub blobs: Option<Arc<dyn Blobs>>,
    /// How recordings are linked; absent in a worker that logs no calls.
    pub links: Option<Links>,
    pub clock: Arc<dyn Clock>,
    pub times: Times,
    /// What speaks with the provider of a name.
    pub codecs: Codecs,
    /// Secrets of connections that this process has read.
    pub remembered: Remembered,
}

/// Works on a batch of wake-ups: what `crm` and `outbound` do.
pub async fn work_on(worker: &Worker, event: SqsEvent, invocation: &str, ends_ms: i64) -> SqsBatchResponse {
    let mut failed = Failed::default();
    for message in batch::read::<WakeUp>(event, &mut failed) {
        if let Err(failure) = worker.work(&message.body, invocation, ends_ms).await {
            failed.add(&message.id, &failure);
        }
    }
    failed.response()
}

/// What became of an attempt to take the lease.
enum Taken {
    /// Ours now. `after_dead`: from a holder that did not come back.
    Mine {
        row: ConnectionRow,
        after_dead: bool,
    },
    /// Somebody works on it, under this lease.
    Held {
        lease: i64,
    },
    Off(ConnectionRow),
    /// Never connected, or erased.
    Gone,
}

impl Worker {
    /// Works on one connection as long as there is something to do and time to do it.
    /// `invocation` names this copy; `ends_ms`: when it must be over, by the monotonic clock.
    pub async fn work(&self, wake_up: &WakeUp, invocation: &str, ends_ms: i64) -> Result<(), Failure> {
        let (account, connection) = (&wake_up.account, &wake_up.connection);
        loop {
            match self.take(account, connection, invocation, ends_ms).await? {
                Taken::Mine { row, after_dead } => {
                    let Some(secret) = self.secret_under(account, connection, row.code).await? else {
                        return self.give_back_unusable(account, connection, &row).await;
                    };
                    return Hold::new(self, wake_up, row, after_dead, secret, ends_ms).run().await;
                }
                Taken::Held { lease } => {
                    if self.poke(account, connection, lease).await? {
                        return Ok(());
                    }
                }
                Taken::Off(row) => return self.disconnect(account, connection, &row).await,
                Taken::Gone => return Ok(()),
            }
        }
    }

    /// Step 1: take the lease, if nobody has it or its holder is certainly gone.
    async fn take(&self, account: &AccountId, id: &ConnectionId, me: &str, ends_ms: i64) -> Result<Taken, Failure> {
        let key = keys::connection(account, id);
        let free = Condition::And(vec![
            Condition::Present,
            Condition::NotExists("off".to_owned()),
            Condition::NotExists("holder".to_owned()),
        ]);
        let old = match self.table.update(self.taking(account, id, me, ends_ms).when(free)).await {
            Ok(row) => return Ok(Taken::Mine { row: ConnectionRow::read(&row)?, after_dead: false }),
            Err(TableError::Conflict(Some(row))) if row.key == key => ConnectionRow::read(&row)?,
            Err(TableError::Conflict(_)) => return Ok(Taken::Gone),
            Err(error) => return Err(error.into()),
        };
        if old.off {
            return Ok(Taken::Off(old));
        }
        if !self.is_dead(&old) {
            return Ok(Taken::Held { lease: old.lease });
        }
        // The lease outlives the process that held it (!28), so nobody can still send under it.
        let dead = Condition::And(vec![
            Condition::NotExists("off".to_owned()),
            Condition::Eq("lease".to_owned(), Value::N(old.lease)),
            Condition::Exists("holder".to_owned()),
        ]);
        match self.table.update(self.taking(account, id, me, ends_ms).when(dead)).await {
            Ok(row) => Ok(Taken::Mine { row: ConnectionRow::read(&row)?, after_dead: true }),
            Err(TableError::Conflict(Some(row))) => Ok(Taken::Held { lease: ConnectionRow::read(&row)?.lease }),
            Err(TableError::Conflict(None)) => Ok(Taken::Gone),
            Err(error) => Err(error.into()),
        }
    }

    fn is_dead(&self, row: &ConnectionRow) -> bool {
        row.holder.is_some() && row.until.0 < self.clock.now_ms() - 2 * self.times.skew_ms
    }

    /// The clock starts before the lease is taken: `until` is never earlier than our real end.
    fn taking(&self, account: &AccountId, id: &ConnectionId, me: &str, ends_ms: i64) -> Update {
        let left = (ends_ms - self.clock.monotonic_ms()).max(0);
        let until = Timestamp(self.clock.now_ms() + left + 2 * self.times.skew_ms);
        let update = Update::new(keys::connection(account, id)).set("holder", me).add("lease", 1).set("until", until.0);
        // Should we die, `wake` looks at the connection after the lease (!19): a moment later, for at the very
        // end of the lease its holder still counts as alive.
        Due::Set(Timestamp(until.0 + 2 * self.times.skew_ms + 1)).apply(update)
    }

    /// Step 2: tells the holder to look again. False: the holder released meanwhile, take it yourself.
    async fn poke(&self, account: &AccountId, id: &ConnectionId, lease: i64) -> Result<bool, Failure> {
        let held = Condition::And(vec![
            Condition::Exists("holder".to_owned()),
            Condition::Eq("lease".to_owned(), Value::N(lease)),
        ]);
        let update = Update::new(keys::connection(account, id)).add("pokes", 1).when(held);
        match self.table.update(update).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn secret_under(
        &self,
        account: &AccountId,
        id: &ConnectionId,
        code: i64,
    ) -> Result<Option<ConnectionSecret>, Failure> {
        self.remembered.secret(self.secrets.as_ref(), self.codecs, account, id, code).await
    }

    async fn secret(&self, account: &AccountId, id: &ConnectionId) -> Result<Option<ConnectionSecret>, Failure> {
        remembered::read(self.secrets.as_ref(), self.codecs, account, id).await
    }

    /// A connection without its secret, or of a provider nobody knows: paused with a reason, lease given back;
    /// under the code that was read (!28), for the secret may have come meanwhile.
    async fn give_back_unusable(
        &self,
        account: &AccountId,
        id: &ConnectionId,
        row: &ConnectionRow,
    ) -> Result<(), Failure> {
        let same = |name: &str, value| Condition::Eq(name.to_owned(), Value::N(value));
        let mine = Condition::And(vec![same("lease", row.lease), same("code", row.code)]);
        let update = Update::new(keys::connection(account, id))
            .remove("holder")
            .set("retry_at", perezvon_store::items::connection::UNTIL_A_PERSON_ACTS.0)
            .set("why", "у подключения нет секрета в хранилище: примените настройки ещё раз")
            .when(mine);
        // One that leaves cannot say so any more.
        let update = match row.leave_by {
            Some(_) => Due::Set(Timestamp(self.clock.now_ms())).apply(update.set("off", 1)),
            None => Due::Remove.apply(update),
        };
        match self.table.update(update).await {
            Err(error) if !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }
}
