//! The open jobs of a connection, and which of them is next.

use std::collections::{BTreeMap, HashSet};

use perezvon_domain::{AccountId, ConnectionId, Point, Timestamp};
use perezvon_store::items::job::JobRow;
use perezvon_store::{Index, Query, Table, TableError, keys};

use crate::times::Times;

/// Open jobs that are read at a time.
const PAGE: usize = 100;

/// What to do about the open jobs.
pub(super) enum Pick {
    Job(Box<JobRow>),
    /// A job's predecessor is not where it should be: look again with a new query.
    LookAgain,
    None,
}

/// The open jobs, oldest first, as far as they were read.
#[derive(Default)]
pub(crate) struct Open {
    pub jobs: Vec<JobRow>,
    /// Where the next page starts; `None`: these are all.
    pub more: Option<String>,
}

/// Reads a page of open jobs by the index that is strongly consistent: a stale one loses jobs (!18). Rows that are
/// `known` are not read again: under our lease nobody else changes an open job, and a write is under its `rev`.
pub(crate) async fn read(
    table: &dyn Table,
    account: &AccountId,
    connection: &ConnectionId,
    start: Option<String>,
    known: &[JobRow],
) -> Result<Open, TableError> {
    let query = Query::index(Index::Open, keys::jobs(account, connection)).between(keys::open_places());
    let query = Query { limit: PAGE, start, ..query };
    let page = table.query(query).await?;
    let known: BTreeMap<_, _> = known.iter().filter(|job| job.state.is_open()).map(|job| (job.key(), job)).collect();
    let mut jobs = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        if let Some(job) = known.get(&row.key) {
            jobs.push(JobRow::clone(job));
        } else if let Some(row) = table.get(&row.key).await? {
            let job = JobRow::read(account, connection, &row)?;
            if job.state.is_open() {
                jobs.push(job);
            }
        }
    }
    Ok(Open { jobs, more: page.next })
}

/// Step 4: the oldest job that may go and with whose points no older job is open (!16).
pub(super) async fn pick(
    table: &dyn Table,
    jobs: &[JobRow],
    now: Timestamp,
    times: &Times,
) -> Result<Pick, TableError> {
    let mut taken: HashSet<&Point> = HashSet::new();
    for job in jobs {
        let blocked = job.points.iter().any(|point| taken.contains(point));
        taken.extend(&job.points);
        let due = job.due();
        if blocked || (due > Timestamp(0) && due.0 + 2 * times.skew_ms > now.0) {
            continue;
        }
        match prev_ended(table, jobs, job, times).await? {
            Prev::Ended => return Ok(Pick::Job(Box::new(job.clone()))),
            Prev::Open => {}
            Prev::Missing => return Ok(Pick::LookAgain),
        }
    }
    Ok(Pick::None)
}

enum Prev {
    Ended,
    Open,
    Missing,
}

/// A Query is no snapshot: the job before this one may be open although it was not seen (!10).
async fn prev_ended(table: &dyn Table, jobs: &[JobRow], job: &JobRow, times: &Times) -> Result<Prev, TableError> {
    let Some(prev) = &job.prev else { return Ok(Prev::Ended) };
    if jobs.iter().any(|other| other.id == prev.id) {
        return Ok(Prev::Open);
    }
    let key = keys::job(&job.account, &job.connection, prev.at, &prev.id);
    Ok(match table.get(&key).await? {
        Some(row) if JobRow::read(&job.account, &job.connection, &row)?.state.is_open() => Prev::Missing,
        Some(_) => Prev::Ended,
        None if job.at.since(prev.at).0 > times.parked_after_ms => Prev::Ended,
        None => Prev::Missing,
    })
}

/// The smallest time at which one of the jobs can go; ready counts as now. Whatever has to wait for an older one of
/// them counts for nothing: that one's time is there.
pub(super) fn smallest_due(jobs: &[JobRow], now: Timestamp, skew_ms: i64) -> Option<Timestamp> {
    let (mut taken, mut open) = (HashSet::new(), HashSet::new());
    let mut smallest = None;
    for job in jobs {
        let is_behind = job.points.iter().any(|point| taken.contains(point))
            || job.prev.as_ref().is_some_and(|prev| open.contains(&prev.id));
        taken.extend(&job.points);
        open.insert(&job.id);
        let due = Timestamp(job.due().0 + 2 * skew_ms).max(now);
        if !is_behind {
            smallest = Some(smallest.map_or(due, |smallest: Timestamp| smallest.min(due)));
        }
    }
    smallest
}
