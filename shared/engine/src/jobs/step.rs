//! One job, step by step: ask the adapter, record the intent, send, take the answer in, save.

use perezvon_adapters::{Jobs, Known, Level, Outcome, Outgoing, PointKnown, Reply, Step, Work};
use perezvon_domain::time::Millis;
use perezvon_domain::{ClientId, Command, JobResult, Reason, Timestamp};
use perezvon_store::items::job::{Intent, JobRow, JobState};
use perezvon_store::items::point::PointRow;
use perezvon_store::{TableError, keys};

use super::hold::Hold;
use super::send::Sent;
use super::wanted::Wanted;
use crate::failure::Failure;

/// What waited in the blob store is not there.
const NOT_KEPT: &str = "картинка не сохранилась у нас: отправьте её ещё раз";

/// Whether to go on with this job.
pub(super) enum Go {
    On,
    /// Leave it; look at the connection again (step 3).
    Look,
}

impl Hold<'_> {
    /// Works on one job until it is done, has to wait, or the connection must be looked at again.
    pub(super) async fn carry_out(&mut self, adapter: &'static dyn Jobs, mut job: JobRow) -> Result<(), Failure> {
        let mut work = Work {
            id: job.id.clone(),
            command: job.command.clone(),
            progress: job.progress.clone(),
            unknown: job.intent.is_some(),
            sent_at: job.intent.as_ref().map(|intent| intent.sent_at),
            learned: Default::default(),
        };
        if let Some(intent) = &job.intent {
            let marker = adapter.markers().get(intent.marker);
            if marker.is_none_or(|marker| marker.level == Level::E0) {
                if job.command.is_of_the_moment() {
                    return self.let_go(&mut job, &work, "moment_unknown").await.map(drop);
                }
                // Nobody can find out whether it was carried out: a person decides, never a blind repetition.
                return self.park(job).await;
            }
        }
        self.point = None;
        loop {
            match self.step(adapter, &mut job, &mut work).await? {
                Go::On if self.left_ms() >= self.margin_ms() => {}
                Go::On | Go::Look => return Ok(()),
            }
        }
    }

    async fn step(&mut self, adapter: &'static dyn Jobs, job: &mut JobRow, work: &mut Work) -> Result<Go, Failure> {
        let point = self.point(job).await?;
        let link = self.link(&job.command, job);
        let facts = self.row.facts.clone();
        let base = self.secret.base.clone();
        let secret = self.secret.secret.clone();
        let known = Known {
            now: self.now(),
            base: &base,
            secret: &secret,
            facts: &facts,
            point: point.as_ref(),
            recording_link: link.as_deref(),
            lag: self.secret.times.lag_ms.map(Millis),
        };
        match adapter.next(work, &known) {
            Step::Read(request) => {
                if job.command.is_of_the_moment()
                    && let Some(go) = self.unless_wanted(job, work).await?
                {
                    return Ok(go);
                }
                if !self.save_receipt(job, work).await? {
                    return Ok(Go::Look);
                }
                let sent = self.send(request).await?;
                self.take_answer(adapter, job, work, &known, sent, None).await
            }
            Step::Upload { request, blob, at } => {
                if let Some(go) = self.unless_wanted(job, work).await? {
                    return Ok(go);
                }
                if !self.save_receipt(job, work).await? {
                    return Ok(Go::Look);
                }
                match self.upload(request, &blob, at).await? {
                    Some(sent) => self.take_answer(adapter, job, work, &known, sent, None).await,
                    None => {
                        let result = JobResult::Failed { why: NOT_KEPT.to_owned(), made: None };
                        self.end(job, work, JobState::Failed, result).await
                    }
                }
            }
            Step::Write { request, marker } => self.write(adapter, job, work, &known, request, marker).await,
            Step::Claim => self.claim(job, work).await,
            Step::Wait { until, .. } if self.is_near(job, until) => {
                self.wait_until(until).await;
                Ok(Go::On)
            }
            Step::Wait { until, why } => self.put_off(job, work, until, &why).await,
            Step::Done(result) => self.end(job, work, JobState::Done, result).await,
            Step::Failed(result) => self.end(job, work, JobState::Failed, result).await,
        }
    }

    /// Step 6: the intent goes into the table before the request goes out (!21), under the job's `rev` (!41);
    /// the receipt of the last request goes into the same write.
    async fn write(
        &mut self,
        adapter: &'static dyn Jobs,
        job: &mut JobRow,
        work: &mut Work,
        known: &Known<'_>,
        request: Outgoing,
        marker: usize,
    ) -> Result<Go, Failure> {
        self.wait_for_pace().await;
        if self.left_ms() < self.margin_ms() {
            return Ok(Go::Look);
        }
        if let Some(go) = self.unless_wanted(job, work).await? {
            return Ok(go);
        }
        let sent_at = self.now();
        let ask_at = Timestamp(sent_at.0 + self.left_ms().max(0) + 2 * self.worker.times.skew_ms)
            .after(self.doubt(adapter, marker));
        job.intent = Some(Intent { lease: self.lease, sent_at, ask_at, marker });
        job.progress = work.progress.clone();
        job.state = JobState::Ready;
        job.retry_at = None;
        if !self.save(job).await? {
            return Ok(Go::Look);
        }
        let sent = self.send(request).await?;
        self.take_answer(adapter, job, work, known, sent, Some(marker)).await
    }

    /// Before a request of which it is certain that it was not carried out: what becomes of a job that is not wanted
    /// any more, or not yet. Also if it was tried before: in a pause much may happen.
    async fn unless_wanted(&mut self, job: &mut JobRow, work: &mut Work) -> Result<Option<Go>, Failure> {
        if job.intent.is_some() {
            return Ok(None);
        }
        Ok(match self.still_wanted(job).await? {
            Wanted::Yes => None,
            // Nobody need look at it.
            Wanted::No(result) if job.command.is_of_the_moment() => {
                Some(self.end(job, work, JobState::Done, result).await?)
            }
            Wanted::No(result) => Some(self.end(job, work, JobState::Failed, result).await?),
            Wanted::Later => {
                let until = self.backoff(job);
                Some(self.put_off(job, work, until, "ждёт результата прежнего сообщения").await?)
            }
        })
    }

    /// How long after its sending a request may still be carried out and stay invisible: D + lag + 2 skew.
    fn doubt(&self, adapter: &'static dyn Jobs, marker: usize) -> Millis {
        let times = &self.secret.times;
        let declared = adapter.markers().get(marker).map_or(0, |marker| marker.lag.0);
        let lag = times.lag_ms.unwrap_or(declared);
        Millis(times.carried_out_within_ms + lag + 2 * self.worker.times.skew_ms)
    }

    /// Step 7. `marker`: the answer is to a write.
    async fn take_answer(
        &mut self,
        adapter: &'static dyn Jobs,
        job: &mut JobRow,
        work: &mut Work,
        known: &Known<'_>,
        sent: Sent,
        marker: Option<usize>,
    ) -> Result<Go, Failure> {
        let sent_at = self.last_sent;
        let outcome = match sent {
            Sent::Answer(reply) => self.understand(adapter, work, known, &reply),
            // Nothing left this machine: as if it had never been tried.
            Sent::Not(why) => Outcome::Again { until: self.backoff(job), why },
            Sent::Unknown(why) => Outcome::Unknown { why },
        };
        match outcome {
            Outcome::Next => {
                self.learn(job, work, known).await?;
                work.unknown = false;
                job.tries = 0;
                Ok(Go::On)
            }
            Outcome::NotThere => {
                work.unknown = false;
                Ok(Go::On)
            }
            Outcome::Again { until, why } => self.not_carried_out(job, work, marker.is_some(), until, &why).await,
            Outcome::Unknown { why } => match marker {
                Some(_) if job.command.is_of_the_moment() => {
                    self.let_go(job, work, "moment_unknown").await?;
                    self.pause_after_faults(job).await
                }
                Some(marker) => {
                    let ask_at = sent_at.after(self.doubt(adapter, marker));
                    self.in_doubt(job, ask_at, &why).await
                }
                None => {
                    let until = self.backoff(job);
                    self.put_off(job, work, until, &why).await
                }
            },
            Outcome::Pause { until, why } => self.pause(job, marker.is_some(), until, &why).await,
            Outcome::TokenRefused => self.refresh_token(adapter, job, known, marker.is_some()).await,
            Outcome::Failed(result) => {
                self.learn(job, work, known).await?;
                self.end(job, work, JobState::Failed, result).await
            }
        }
    }

    fn understand(&mut self, adapter: &'static dyn Jobs, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        if let (503, Some(seconds)) = (reply.status, retry_after(reply)) {
            // The protocol's own rule: with Retry-After it was not executed.
            let until = Timestamp(known.now.0 + seconds * 1000);
            return Outcome::Again { until, why: "сервер просит подождать (503)".to_owned() };
        }
        self.fives = if reply.status >= 500 { self.fives + 1 } else { 0 };
        adapter.absorb(work, known, reply)
    }

    /// The receipt of a write whose next step is a read: into the table before anything else happens.
    async fn save_receipt(&mut self, job: &mut JobRow, work: &Work) -> Result<bool, Failure> {
        let receipt = job.intent.is_some() && !work.unknown;
        if !receipt && job.progress == work.progress {
            return Ok(true);
        }
        if receipt {
            job.intent = None;
        } else if job.intent.is_none() {
            // What only reads brought can be read again: no write for it.
            return Ok(true);
        }
        job.progress = work.progress.clone();
        self.save(job).await
    }

    /// An intent without a receipt stays: after `ask_at` its marker is looked up (!25).
    async fn in_doubt(&mut self, job: &mut JobRow, ask_at: Timestamp, why: &str) -> Result<Go, Failure> {
        if let Some(intent) = &mut job.intent {
            intent.ask_at = ask_at;
        }
        job.why = Some(why.to_owned());
        job.state = JobState::Waiting;
        job.tries += 1;
        if !self.save(job).await? {
            return Ok(Go::Look);
        }
        self.pause_after_faults(job).await
    }

    /// Not executed: the intent comes off, the job waits.
    pub(super) async fn not_carried_out(
        &mut self,
        job: &mut JobRow,
        work: &Work,
        was_write: bool,
        until: Timestamp,
        why: &str,
    ) -> Result<Go, Failure> {
        if was_write {
            job.intent = None;
        }
        self.put_off(job, work, until, why).await
    }

    async fn put_off(&mut self, job: &mut JobRow, work: &Work, until: Timestamp, why: &str) -> Result<Go, Failure> {
        job.progress = work.progress.clone();
        if job.intent.is_some() && !work.unknown {
            job.intent = None; // The write before was answered.
        }
        job.retry_at = Some(until);
        job.why = Some(why.to_owned());
        job.state = JobState::Waiting;
        job.tries += 1;
        if !self.save(job).await? {
            return Ok(Go::Look);
        }
        self.pause_after_faults(job).await
    }

    /// Doubles with every try of the job, up to the longest wait.
    pub(super) fn backoff(&self, job: &JobRow) -> Timestamp {
        let first = self.secret.times.backoff_ms.max(1);
        let wait = first.saturating_mul(1_i64 << job.tries.clamp(0, 20)).min(self.secret.times.longest_backoff_ms);
        Timestamp(self.now().0 + wait)
    }

    async fn claim(&mut self, job: &mut JobRow, work: &Work) -> Result<Go, Failure> {
        let Some(client) = client_of(job) else {
            let result = JobResult::Failed { why: "у задания нет клиента".to_owned(), made: None };
            return self.end(job, work, JobState::Failed, result).await;
        };
        let update = PointRow::claim(&job.account, &client, &job.id);
        let row = match self.worker.table.update(update).await {
            Ok(row) => Some(row),
            // A conflict: somebody made the contact. The row shows it.
            Err(TableError::Conflict(row)) => row.map(|row| *row),
            Err(error) => return Err(error.into()),
        };
        self.point = row.map(|row| known_point(job, &PointRow::read(&row)));
        Ok(Go::On)
    }

    /// Step 7: first the result as an event, then the receipt.
    async fn end(&mut self, job: &mut JobRow, work: &Work, state: JobState, result: JobResult) -> Result<Go, Failure> {
        self.tell_result(job, &result).await?;
        job.progress = work.progress.clone();
        job.intent = None;
        job.retry_at = None;
        job.state = state;
        job.why = match &result {
            JobResult::Failed { why, .. } => Some(why.clone()),
            JobResult::Dropped { because } => Some(because.words()),
            _ => None,
        };
        job.result = Some(result);
        if self.save(job).await? {
            self.tidy_up(job).await;
        }
        self.next_jobs();
        Ok(Go::Look)
    }

    /// What was of the moment, and nobody can find out whether it was done: over.
    async fn let_go(&mut self, job: &mut JobRow, work: &Work, why: &str) -> Result<Go, Failure> {
        let because = Reason::new(why, []);
        self.end(job, work, JobState::Done, JobResult::Dropped { because }).await
    }

    async fn park(&mut self, mut job: JobRow) -> Result<(), Failure> {
        job.state = JobState::Parked;
        job.why = Some("неизвестно, выполнен ли запрос, и проверить это нельзя: решите сами".to_owned());
        self.save(&mut job).await?;
        self.next_jobs();
        Ok(())
    }

    /// Saves under `rev`. False: somebody else changed the job.
    pub(super) async fn save(&mut self, job: &mut JobRow) -> Result<bool, Failure> {
        match self.worker.table.update(job.save(self.now())).await {
            Ok(_) => {
                self.keep(job);
                Ok(true)
            }
            Err(TableError::Conflict(_)) => {
                self.forget_jobs();
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The row as the write just before this step showed it; else as it is now.
    async fn point(&mut self, job: &JobRow) -> Result<Option<PointKnown>, Failure> {
        if let Some(known) = self.point.take() {
            return Ok(Some(known));
        }
        let Some(client) = client_of(job) else { return Ok(None) };
        let row = self.worker.table.get(&keys::point(&job.account, &client)).await?;
        Ok(Some(known_point(job, &row.as_ref().map(PointRow::read).unwrap_or_default())))
    }

    fn link(&self, command: &Command, job: &JobRow) -> Option<String> {
        super::send::recording_link(self.worker.links.as_ref()?, command, job)
    }
}

fn retry_after(reply: &Reply) -> Option<i64> {
    reply.headers.get("retry-after")?.trim().parse().ok().filter(|seconds| (0..=86_400).contains(seconds))
}

/// What a job knows of its contact point.
pub(super) fn known_point(job: &JobRow, row: &PointRow) -> PointKnown {
    PointKnown {
        claimed: row.claimed_by.as_ref() == Some(&job.id),
        made: row.made_by.as_ref() == Some(&job.id),
        contact: row.contact.clone(),
        reached_at: row.reached_at,
    }
}

/// The client a job is about.
pub(super) fn client_of(job: &JobRow) -> Option<ClientId> {
    job.points.iter().find_map(ClientId::of)
}
