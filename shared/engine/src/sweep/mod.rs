//! The sweep: due -> event, never a decision. Section 3 of the protocol in docs/protocol.md.

use std::sync::Arc;

use perezvon_domain::effect::JobOrder;
use perezvon_domain::{AccountId, Command, ConnectionId, Lane, Timestamp};
use perezvon_platform::{Clock, Queue};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::due::Timer;
use perezvon_store::items::job::JobRow;
use perezvon_store::table::{Condition, Row, Update, Value};
use perezvon_store::{Index, Key, Query, Table, keys};

use crate::commit::{ItemId, question};
use crate::failure::Failure;
use crate::times::Times;
use crate::wakeup::WakeUp;

/// Entries read from one shard in one pass; the rest is found by the next one. As many as a pass can carry out in its
/// time.
const PAGE: usize = 500;
/// Open jobs that are looked at. A connection with as many has no time to heal.
const OPEN: usize = 100;

/// The ports of a sweep.
#[derive(Clone)]
pub struct Sweep {
    pub table: Arc<dyn Table>,
    pub events: Arc<dyn Queue>,
    /// Connections have the timer `Wake` alone; the sweeps of the others need none.
    pub wake_ups: Option<WakeUps>,
    pub clock: Arc<dyn Clock>,
    pub times: Times,
}

/// Where wake-ups for connections go.
#[derive(Clone)]
pub struct WakeUps {
    pub crm: Arc<dyn Queue>,
    pub outbound: Arc<dyn Queue>,
}

/// What a pass did, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub calls: usize,
    pub conversations: usize,
    pub connections: usize,
}

impl Sweep {
    /// One pass over the due index of a timer.
    pub async fn run(&self, timer: Timer) -> Result<Swept, Failure> {
        let mut swept = Swept::default();
        for shard in 0..keys::DUE_SHARDS {
            let mut query = Query::index(timer.index(), keys::due_shard_name(shard));
            query.to = Some(Value::N(self.clock.now_ms() + self.times.look_ahead_ms));
            query.limit = PAGE;
            for row in self.table.query(query).await?.rows {
                self.entry(timer, &row, &mut swept).await?;
            }
        }
        Ok(swept)
    }

    async fn entry(&self, timer: Timer, entry: &Row, swept: &mut Swept) -> Result<(), Failure> {
        let Some(due) = timer.due(&entry.attributes) else { return Ok(()) };
        let now = Timestamp(self.clock.now_ms());
        if due > now && self.is_told(timer, &entry.key, due).await? {
            return Ok(());
        }
        let Some(row) = self.move_due(timer, &entry.key, due, now).await? else { return Ok(()) };
        let rest_ms = due.since(now).0.max(0);
        let id = |(account, channel, entry)| ItemId { account, channel, entry };
        if let Some(id) = keys::parse_call(&entry.key).map(id) {
            swept.calls += 1;
            self.events.send(vec![question::<CallItem>(&id, timer, now, rest_ms)]).await?;
        } else if let Some(id) = keys::parse_chat(&entry.key).map(id) {
            swept.conversations += 1;
            self.events.send(vec![question::<ConversationItem>(&id, timer, now, rest_ms)]).await?;
        } else if let Some((account, connection)) = keys::parse_connection(&entry.key) {
            swept.connections += 1;
            let lane = ConnectionRow::read(&row)?.lane;
            self.wake(account, connection, lane, rest_ms).await?;
        }
        Ok(())
    }

    /// A delayed message waits for this very time: no pass has to, until the time has come. Was the message lost,
    /// the next pass finds the entry still there.
    async fn is_told(&self, timer: Timer, key: &Key, due: Timestamp) -> Result<bool, Failure> {
        let row = self.table.get(key).await?;
        Ok(row.is_some_and(|row| row.n(timer.told()) == Some(due.0)))
    }

    /// First the move, then the event (!21 the other way round). Never makes an item, never removes a time (!10).
    /// `None`: somebody changed it meanwhile (!6).
    async fn move_due(&self, timer: Timer, key: &Key, due: Timestamp, now: Timestamp) -> Result<Option<Row>, Failure> {
        let moved = due.max(now).0 + self.times.moved_by_ms;
        let as_read = Condition::Eq(timer.attribute().to_owned(), Value::N(due.0));
        let update = Update::new(key.clone()).set(timer.attribute(), moved).when(as_read);
        match self.table.update(update).await {
            Ok(row) => Ok(Some(row)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Looks at every connection: an open job that nobody holds gets a wake-up, unless the connection
    /// is paused (step 2.9). Heals a wake-up that was lost or dead-lettered.
    pub async fn look_at_connections(&self) -> Result<usize, Failure> {
        let mut woken = 0;
        let mut query = Query::table(keys::all_connections());
        loop {
            let page = self.table.query(query.clone()).await?;
            for entry in &page.rows {
                if let Some((account, connection)) = keys::parse_connection_entry(&entry.key) {
                    woken += usize::from(self.look_at(account, connection).await?);
                }
            }
            match page.next {
                Some(next) => query.start = Some(next),
                None => return Ok(woken),
            }
        }
    }

    async fn look_at(&self, account: AccountId, connection: ConnectionId) -> Result<bool, Failure> {
        let Some(row) = self.table.get(&keys::connection(&account, &connection)).await? else { return Ok(false) };
        let row = ConnectionRow::read(&row)?;
        let now = Timestamp(self.clock.now_ms());
        if row.off || row.is_paused(now, 0) || (row.holder.is_some() && row.until > now) {
            return Ok(false);
        }
        let mut query = Query::index(Index::Open, keys::jobs(&account, &connection)).between(keys::open_places());
        query.limit = OPEN;
        let open = self.table.query(query).await?.rows;
        if !self.heal(&account, &connection, &row, &open, now).await? && open.is_empty() {
            return Ok(false);
        }
        self.wake(account, connection, row.lane, 0).await?;
        Ok(true)
    }

    /// Puts the job that fetches what was missed, unless one is open; once for each look, whoever looks.
    async fn heal(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
        row: &ConnectionRow,
        open: &[Row],
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let Some(heals) = row.heals else { return Ok(false) };
        if open.len() >= OPEN || open.iter().any(|job| keys::is_healing(&job.key)) {
            return Ok(false);
        }
        let every = self.times.look_at_connections_ms.max(heals.every.0).max(1);
        let place = now.0.div_euclid(every);
        let command = match row.lane {
            Some(Lane::Crm) => Command::ReadDismissed,
            _ => Command::Heal { since: heals.since(now) },
        };
        let order = JobOrder { connection: connection.clone(), command, points: Vec::new(), prev: None };
        let put = JobRow::put(account, Timestamp(place * every), &keys::healing(place), &order, false);
        match self.table.update(put).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_conflict() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn wake(
        &self,
        account: AccountId,
        connection: ConnectionId,
        lane: Option<Lane>,
        rest_ms: i64,
    ) -> Result<(), Failure> {
        let Some(wake_ups) = &self.wake_ups else { return Ok(()) };
        let queue = match lane {
            Some(Lane::Outbound) => &wake_ups.outbound,
            _ => &wake_ups.crm,
        };
        Ok(queue.send(vec![WakeUp { account, connection }.message(rest_ms)]).await?)
    }
}
