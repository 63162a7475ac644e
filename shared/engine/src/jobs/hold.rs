//! While the lease is held: look, pick, work, and release without leaving anything behind.

use perezvon_adapters::{Jobs, PointKnown, Provider};
use perezvon_domain::Timestamp;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::due::Due;
use perezvon_store::items::job::JobRow;
use perezvon_store::table::{Condition, Update, Value};
use perezvon_store::{TableError, keys};

use super::Worker;
use super::authorise::Access;
use super::leave::is_farewell;
use super::open::{self, Open, Pick};
use super::superseded::is_about_address;
use crate::failure::Failure;
use crate::secrets::ConnectionSecret;
use crate::wakeup::WakeUp;

/// How often a job's missing predecessor is looked for before the connection is left to `wake`.
const LOOKS: u32 = 3;

/// A held lease.
pub(super) struct Hold<'a> {
    pub worker: &'a Worker,
    pub wake_up: &'a WakeUp,
    pub lease: i64,
    /// `pokes` as of the last look at the jobs.
    pokes: i64,
    pub row: ConnectionRow,
    pub secret: ConnectionSecret,
    open: Option<Open>,
    /// Jobs that need not be read again when the list is.
    known: Vec<JobRow>,
    /// The contact point of the job, as a write of the last step showed it.
    pub point: Option<PointKnown>,
    /// When the next request may be sent, by the monotonic clock.
    pub next_send_ms: i64,
    pub last_sent: Timestamp,
    /// 5xx answers in a row.
    pub fives: u32,
    /// The code whose token was refreshed in this hold: once is enough.
    pub refreshed: bool,
    /// What a superseded channel had open was closed in this hold.
    pub stood_down: bool,
    ends_ms: i64,
}

/// Why the loop ended.
enum End {
    Release,
    TimeUp,
    /// The lease is somebody else's.
    Lost,
}

/// What became of an attempt to release.
enum Released {
    Yes,
    /// Somebody poked meanwhile: go on.
    Poked,
}

impl<'a> Hold<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        wake_up: &'a WakeUp,
        row: ConnectionRow,
        after_dead: bool,
        secret: ConnectionSecret,
        ends_ms: i64,
    ) -> Self {
        let since = worker.clock.now_ms() - row.last_sent.0;
        let wait = if after_dead { secret.times.after_dead_ms } else { 0 };
        let mut hold = Self {
            worker,
            wake_up,
            lease: row.lease,
            pokes: row.pokes,
            last_sent: row.last_sent,
            row,
            secret,
            open: None,
            known: Vec::new(),
            point: None,
            next_send_ms: 0,
            fives: 0,
            refreshed: false,
            stood_down: false,
            ends_ms,
        };
        // The pace holds across holders: `last_sent` stands on the row.
        let gap = (hold.pace_ms() - since.max(0)).max(0).max(wait);
        hold.next_send_ms = worker.clock.monotonic_ms() + gap;
        hold
    }

    /// Steps 3 to 8.
    pub(super) async fn run(mut self) -> Result<(), Failure> {
        let Some((_, adapter)) = self.adapter() else {
            return self.worker.give_back_unusable(&self.wake_up.account, &self.wake_up.connection, &self.row).await;
        };
        loop {
            let end = self.work(adapter).await?;
            match end {
                End::Lost => return Ok(()),
                End::TimeUp => return self.stop_for_lack_of_time().await,
                End::Release => {
                    if let Released::Yes = self.release().await? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn adapter(&self) -> Option<(&'static Provider, &'static dyn Jobs)> {
        let codec = (self.worker.codecs)(&self.secret.provider)?;
        codec.jobs.map(|jobs| (codec.provider, jobs))
    }

    /// Smallest gap between two requests.
    pub(super) fn pace_ms(&self) -> i64 {
        let own = || self.adapter().map_or(0, |(provider, _)| provider.capabilities.pace_ms);
        self.secret.times.pace_ms.unwrap_or_else(own)
    }

    /// A request with its time-out and the doubt of the clocks must fit into what is left.
    pub(super) fn margin_ms(&self) -> i64 {
        self.worker.times.margin_ms(&self.secret.times)
    }

    pub(super) fn ends_ms(&self) -> i64 {
        self.ends_ms
    }

    pub(super) fn left_ms(&self) -> i64 {
        self.ends_ms - self.worker.clock.monotonic_ms()
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp(self.worker.clock.now_ms())
    }

    async fn work(&mut self, adapter: &'static dyn Jobs) -> Result<End, Failure> {
        let mut looks = 0;
        loop {
            // Step 3: look, each time.
            if self.left_ms() < self.margin_ms() {
                return Ok(End::TimeUp);
            }
            if !self.look().await? {
                return Ok(End::Lost);
            }
            if self.must_leave() {
                self.leave().await?;
            }
            if self.row.superseded.is_some() && (self.open.is_none() || self.row.pokes != self.pokes) {
                self.stand_down().await?;
            }
            if self.row.off || self.row.is_paused(self.now(), self.worker.times.skew_ms) {
                return Ok(End::Release);
            }
            if self.open.is_none() || self.row.pokes != self.pokes {
                self.pokes = self.row.pokes;
                self.read_jobs().await?;
            }
            match self.access().await? {
                Access::Given => {}
                Access::Look => continue,
                Access::NoTime => return Ok(End::TimeUp),
            }
            self.refresh_ahead(adapter).await?;
            let jobs = self.open.as_ref().map_or(&[][..], |open| &open.jobs);
            let pick = open::pick(self.worker.table.as_ref(), jobs, self.now(), &self.worker.times).await?;
            match pick {
                Pick::Job(job) => {
                    looks = 0;
                    self.carry_out(adapter, *job).await?;
                }
                Pick::LookAgain if looks < LOOKS => {
                    looks += 1;
                    self.open = None;
                }
                // None of these can go: there may be younger ones that can.
                Pick::None if self.read_more().await? => {}
                // Of one that leaves these were the farewells, and all of them were said.
                Pick::None
                    if self.row.leave_by.is_some() && self.open.as_ref().is_some_and(|it| it.jobs.is_empty()) =>
                {
                    self.leave().await?;
                    return Ok(End::Release);
                }
                Pick::LookAgain | Pick::None => return Ok(End::Release),
            }
        }
    }

    /// Reads the connection row, strongly consistent (!16). False: the lease is not ours any more.
    async fn look(&mut self) -> Result<bool, Failure> {
        let key = keys::connection(&self.wake_up.account, &self.wake_up.connection);
        let Some(row) = self.worker.table.get(&key).await? else { return Ok(false) };
        let code = self.row.code;
        self.row = ConnectionRow::read(&row)?;
        if self.row.code != code {
            // A new token came: take it before anything is sent with the old one.
            let (account, connection) = (&self.wake_up.account, &self.wake_up.connection);
            if let Some(secret) = self.worker.secret_under(account, connection, self.row.code).await? {
                self.secret = secret;
                self.refreshed = false;
            }
        }
        Ok(self.row.lease == self.lease && self.row.holder.is_some())
    }

    async fn read_jobs(&mut self) -> Result<(), Failure> {
        let table = self.worker.table.as_ref();
        let known = match self.open.take() {
            Some(open) => open.jobs,
            None => std::mem::take(&mut self.known),
        };
        let open = open::read(table, &self.wake_up.account, &self.wake_up.connection, None, &known).await?;
        self.open = Some(self.of_those_that_go(open));
        Ok(())
    }

    /// Of a connection that leaves only the farewells, of one that is superseded only what is about addresses.
    fn of_those_that_go(&self, mut open: Open) -> Open {
        if self.row.leave_by.is_some() {
            open.jobs.retain(is_farewell);
        } else if self.row.superseded.is_some() {
            open.jobs.retain(is_about_address);
        }
        open
    }

    /// Reads the next page too. False: there is none.
    async fn read_more(&mut self) -> Result<bool, Failure> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let Some(start) = open.more.take() else { return Ok(false) };
        let table = self.worker.table.as_ref();
        let next = open::read(table, &self.wake_up.account, &self.wake_up.connection, Some(start), &[]).await?;
        let next = self.of_those_that_go(next);
        let Some(open) = &mut self.open else { return Ok(false) };
        open.jobs.extend(next.jobs);
        open.more = next.more;
        Ok(true)
    }

    /// Works with the jobs as they are now in the table: one was changed under our hands.
    pub(super) fn forget_jobs(&mut self) {
        self.open = None;
        self.known.clear();
    }

    /// A job of ours is over: looks for new ones, and knows the others.
    pub(super) fn next_jobs(&mut self) {
        self.known = self.open.take().map(|open| open.jobs).unwrap_or_default();
    }

    /// Takes a changed job back into the list without reading them all again.
    pub(super) fn keep(&mut self, job: &JobRow) {
        if let Some(known) = self.open.iter_mut().flat_map(|open| &mut open.jobs).find(|known| known.id == job.id) {
            *known = job.clone();
        }
    }

    /// Step 8, in ONE update: under our lease and the pokes we have seen (!21).
    async fn release(&mut self) -> Result<Released, Failure> {
        let now = self.now();
        let due = self.next_due(now).await?;
        // Due soon: a delayed wake-up besides the sweep, one for each due time.
        let soon = due.filter(|due| *due > now && due.since(now).0 <= self.worker.times.look_ahead_ms);
        let untold = soon.filter(|due| self.row.told != Some(*due));
        let update = self
            .releasing()
            .when(Condition::And(vec![Condition::Eq("lease".to_owned(), Value::N(self.lease)), self.same_pokes()]));
        let update = match (self.row.off, due) {
            (true, _) => update, // Left as it is: disconnecting goes on by it.
            (false, Some(due)) => Due::Set(due).apply(update),
            (false, None) => Due::Remove.apply(update),
        };
        let update = if let Some(due) = untold { update.set("told", due.0) } else { update };
        match self.worker.table.update(update).await {
            Ok(_) => {
                if let Some(due) = untold {
                    self.worker.wake_ups.send(vec![self.wake_up.message(due.since(now).0)]).await?;
                }
                Ok(Released::Yes)
            }
            Err(TableError::Conflict(Some(row))) => {
                let row = ConnectionRow::read(&row)?;
                if row.lease != self.lease {
                    return Ok(Released::Yes);
                }
                // Keep the new value, and look at the jobs again: somebody put one there.
                self.pokes = row.pokes;
                self.row = row;
                self.next_jobs();
                Ok(Released::Poked)
            }
            Err(TableError::Conflict(None)) => Ok(Released::Yes),
            Err(error) => Err(error.into()),
        }
    }

    /// When the connection must be looked at again; `None`: when somebody wakes it up.
    async fn next_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        let due = self.due_of_jobs(now).await?;
        let leaves = self.row.leave_by.filter(|_| !self.row.off);
        Ok([due, leaves, self.stands_down_at()].into_iter().flatten().min())
    }

    async fn due_of_jobs(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
        let skew = self.worker.times.skew_ms;
        let pause = self.row.retry_at.filter(|_| self.row.is_paused(now, skew));
        let pause = pause.map(|until| Timestamp(until.0 + 2 * skew));
        if let (Some(until), None) = (pause, &self.open) {
            // A paused connection costs one read, whatever waits: its end is when we look at the jobs.
            return Ok(Some(until));
        }
        if self.open.is_none() {
            self.read_jobs().await?;
        }
        let jobs = self.open.as_ref().map_or(&[][..], |open| &open.jobs);
        let due = open::smallest_due(jobs, now, skew);
        Ok(due.map(|due| due.max(pause.unwrap_or_default())))
    }

    fn releasing(&self) -> Update {
        Update::new(keys::connection(&self.wake_up.account, &self.wake_up.connection))
            .remove("holder")
            .remove("until")
            .set("last_sent", self.last_sent.0)
    }

    /// `pokes` is missing until somebody pokes: a missing one counts as 0.
    fn same_pokes(&self) -> Condition {
        let name = "pokes".to_owned();
        let same = Condition::Eq(name.clone(), Value::N(self.pokes));
        if self.pokes == 0 { Condition::Or(vec![Condition::NotExists(name), same]) } else { same }
    }

    /// No time is left: due at once, whatever the pokes, and a wake-up to ourselves.
    async fn stop_for_lack_of_time(&mut self) -> Result<(), Failure> {
        let update = self.releasing().when(Condition::Eq("lease".to_owned(), Value::N(self.lease)));
        match self.worker.table.update(Due::Set(self.now()).apply(update)).await {
            Ok(_) => Ok(self.worker.wake_ups.send(vec![self.wake_up.message(0)]).await?),
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
