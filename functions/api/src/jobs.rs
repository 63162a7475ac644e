//! Jobs: on their way to a CRM or a provider, failed, or parked for a person.

use perezvon_domain::effect::JobOrder;
use perezvon_domain::{AccountId, Command, ConnectionId, CrmId, Effect, JobResult, Lane, Timestamp};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::table::Query;
use perezvon_store::{Index, Row, TableError, keys};
use serde::Serialize;
use serde_json::json;

use crate::web::{Problem, Reply, Request};
use crate::{Api, opaque, texts, words};

/// Most open jobs, and most stopped ones, listed of a connection.
const MOST: usize = 100;

/// Jobs of a connection.
#[derive(Default)]
pub(crate) struct Listed {
    pub jobs: Vec<JobRow>,
    /// There are more than are listed.
    pub more: bool,
}

/// A job as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobView {
    /// Names it in a URL.
    pub id: String,
    pub effect: String,
    pub connection: ConnectionId,
    pub at: Timestamp,
    /// What it is asked to do, in words.
    pub what: String,
    pub state: &'static str,
    pub state_words: &'static str,
    pub why: Option<String>,
    pub tries: i64,
    pub retry_at: Option<Timestamp>,
    /// What it came to, in words.
    pub result: Option<String>,
    /// Ids of the CRM that it brought.
    pub crm_ids: Vec<CrmId>,
    /// A person may put it back.
    pub can_retry: bool,
    /// A request of it is out, or was, and has no answer.
    #[serde(skip)]
    pub in_doubt: bool,
}

impl JobView {
    /// A job in the table.
    pub fn of_row(job: &JobRow) -> Self {
        Self {
            id: opaque::encode_place(job.at, job.id.as_str()),
            effect: job.id.0.clone(),
            connection: job.connection.clone(),
            at: job.at,
            what: words::command(&job.command),
            state: state_code(job.state),
            state_words: words::job_state(job.state),
            why: job.why.clone(),
            tries: job.tries,
            retry_at: job.retry_at,
            result: job.result.as_ref().map(words::result),
            crm_ids: job.result.as_ref().map(crm_ids).unwrap_or_default(),
            can_retry: can_retry(job.state).is_ok(),
            in_doubt: job.intent.is_some(),
        }
    }

    /// A job that still stands in the outbox of its call.
    pub fn of_effect(effect: &Effect, order: &JobOrder) -> Self {
        Self {
            id: opaque::encode_place(effect.at, effect.id.as_str()),
            effect: effect.id.0.clone(),
            connection: order.connection.clone(),
            at: effect.at,
            what: words::command(&order.command),
            state: "not_handed_over",
            state_words: "ещё не передано",
            why: None,
            tries: 0,
            retry_at: None,
            result: None,
            crm_ids: Vec::new(),
            can_retry: false,
            in_doubt: false,
        }
    }
}

fn state_code(state: JobState) -> &'static str {
    match state {
        JobState::Ready => "ready",
        JobState::Waiting => "waiting",
        JobState::Done => "done",
        JobState::Failed => "failed",
        JobState::Parked => "parked",
    }
}

fn crm_ids(result: &JobResult) -> Vec<CrmId> {
    match result {
        JobResult::ClientFound(Some(client)) => vec![client.contact.clone()],
        JobResult::CallLogged(logged) => vec![logged.note.clone()],
        JobResult::RecordsMade(made) | JobResult::Failed { made: Some(made), .. } => {
            [&made.contact, &made.deal, &made.task].into_iter().flatten().cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a person may put a job in this state back.
fn can_retry(state: JobState) -> Result<(), texts::Text> {
    match state {
        JobState::Failed | JobState::Parked => Ok(()),
        JobState::Ready | JobState::Waiting => Err(texts::JOB_IS_OPEN),
        JobState::Done => Err(texts::JOB_IS_DONE),
    }
}

/// Ready again, under the next `rev`. What it came to so far stays, the doubt about a request does not.
fn put_back(job: &mut JobRow) {
    job.state = JobState::Ready;
    job.intent = None;
    job.retry_at = None;
    job.why = None;
    job.tries = 0;
}

impl Api {
    /// Open jobs of a connection, oldest first.
    pub(crate) async fn open_jobs(&self, account: &AccountId, connection: &ConnectionId) -> Result<Listed, TableError> {
        let query = Query::index(Index::Open, keys::jobs(account, connection)).between(keys::open_places());
        self.listed(account, connection, query, |_| true).await
    }

    /// Failed and parked jobs that `keep` lets through, newest first; their rows stay 30 days.
    pub(crate) async fn stopped_jobs(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
        keep: impl Fn(JobState) -> bool,
    ) -> Result<Listed, TableError> {
        let query = Query::index(Index::Open, keys::jobs(account, connection)).between(keys::stopped_places());
        self.listed(account, connection, Query { backward: true, ..query }, keep).await
    }

    async fn listed(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
        mut query: Query,
        keep: impl Fn(JobState) -> bool,
    ) -> Result<Listed, TableError> {
        let mut listed = Listed::default();
        loop {
            let page = self.table.query(query.clone()).await?;
            for Row { key, .. } in page.rows {
                let Some(row) = self.table.get(&key).await? else { continue };
                let job = JobRow::read(account, connection, &row)?;
                if !keep(job.state) {
                    continue;
                }
                if listed.jobs.len() == MOST {
                    return Ok(Listed { more: true, ..listed });
                }
                listed.jobs.push(job);
            }
            if page.next.is_none() {
                return Ok(listed);
            }
            query.start = page.next;
        }
    }

    /// `GET jobs?state=`: `open`, `failed`, `parked`, or all that wait for a person.
    pub(crate) async fn jobs(&self, account: &AccountId, request: &Request) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let state = request.param("state");
        let (mut jobs, mut more) = (Vec::new(), false);
        for known in settings.connections() {
            let of_state = |it| state.is_none_or(|state| state_code(it) == state);
            let listed = match state {
                Some("open") => self.open_jobs(account, &known.connection).await?,
                _ => self.stopped_jobs(account, &known.connection, of_state).await?,
            };
            jobs.extend(listed.jobs);
            more |= listed.more;
        }
        jobs.sort_by_key(|job| std::cmp::Reverse(job.at));
        let jobs: Vec<JobView> = jobs.iter().map(JobView::of_row).collect();
        Ok(Reply::json(200, &json!({ "jobs": jobs, "more": more })))
    }

    /// `POST connections/{id}/jobs/{job}/retry`.
    pub(crate) async fn retry_job(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
        job: &str,
    ) -> Result<Reply, Problem> {
        let lane = self.lane(account, connection).await?;
        self.check_connected(account, connection).await?;
        let (at, id) = opaque::decode_job(job).ok_or_else(Problem::not_found)?;
        let row = self.table.get(&keys::job(account, connection, at, &id)).await?;
        let mut job = JobRow::read(account, connection, &row.ok_or_else(Problem::not_found)?)?;
        can_retry(job.state).map_err(|text| Problem::new(409, text))?;
        match &job.command {
            Command::Unsubscribe { url } if self.is_in_use(account, url).await? => {
                return Err(Problem::new(409, texts::ADDRESS_IN_USE));
            }
            _ => {}
        }
        put_back(&mut job);
        match self.table.update(job.save(self.now())).await {
            Err(error) if error.is_conflict() => return Err(Problem::new(409, texts::JOB_CHANGED)),
            other => other?,
        };
        self.wake(account, connection, lane).await?;
        Ok(Reply::json(200, &JobView::of_row(&job)))
    }

    async fn check_connected(&self, account: &AccountId, connection: &ConnectionId) -> Result<(), Problem> {
        let row = self.table.get(&keys::connection(account, connection)).await?.ok_or_else(Problem::not_found)?;
        if ConnectionRow::read(&row)?.off { Err(Problem::new(409, texts::CONNECTION_OFF)) } else { Ok(()) }
    }

    /// Who works on a connection of the settings; another connection is not found.
    pub(crate) async fn lane(&self, account: &AccountId, connection: &ConnectionId) -> Result<Lane, Problem> {
        let settings = self.needed_settings(account).await?;
        let known = settings.connections().into_iter().find(|known| known.connection == *connection);
        known.map(|known| known.lane).ok_or_else(Problem::not_found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use perezvon_domain::Number;
    use perezvon_domain::job::Records;
    use perezvon_store::items::job::Intent;

    use super::*;

    fn failed() -> JobRow {
        let made = Records { contact: Some("11".into()), deal: Some("12".into()), ..Records::default() };
        JobRow {
            account: "acme".into(),
            connection: "crm:main".into(),
            at: Timestamp(5),
            id: "call/main/1/2/0".into(),
            command: Command::FindClient { client: Number::parse("+79990001122").expect("a number").into() },
            points: Vec::new(),
            prev: None,
            state: JobState::Failed,
            rev: 3,
            progress: BTreeMap::from([("deal".to_owned(), "12".to_owned())]),
            intent: Some(Intent { lease: 1, sent_at: Timestamp(7), ask_at: Timestamp(9), marker: 0 }),
            retry_at: Some(Timestamp(8)),
            why: Some("нет прав".to_owned()),
            tries: 4,
            result: Some(JobResult::Failed { why: "нет прав".to_owned(), made: Some(made) }),
        }
    }

    #[test]
    fn a_failed_job_is_put_back_with_what_it_made_so_far() {
        let mut job = failed();
        let before = job.clone();
        put_back(&mut job);
        assert_eq!((job.state, job.tries, job.due()), (JobState::Ready, 0, Timestamp::default()));
        assert_eq!((&job.progress, &job.result), (&before.progress, &before.result));
        assert_eq!(JobView::of_row(&job).crm_ids, [CrmId::from("11"), CrmId::from("12")]);
    }

    #[test]
    fn only_failed_and_parked_jobs_can_be_put_back() {
        assert!(can_retry(JobState::Failed).is_ok() && can_retry(JobState::Parked).is_ok());
        for state in [JobState::Ready, JobState::Waiting, JobState::Done] {
            assert!(can_retry(state).is_err(), "{state:?}");
        }
    }

    #[test]
    fn a_job_is_found_again_by_its_id_in_the_url() {
        let view = JobView::of_row(&failed());
        assert_eq!(opaque::decode_job(&view.id), Some((Timestamp(5), "call/main/1/2/0".into())));
    }
}
