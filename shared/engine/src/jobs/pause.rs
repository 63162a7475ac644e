//! Pauses of a whole connection, and tokens: only the lease holder refreshes them, for they are single-use.

use perezvon_adapters::{Jobs, Known, Reply};
use perezvon_domain::Timestamp;
use perezvon_store::items::connection::{ConnectionRow, UNTIL_A_PERSON_ACTS};
use perezvon_store::items::job::JobRow;
use perezvon_store::keys;
use perezvon_store::table::{Condition, Update, Value};

use super::hold::Hold;
use super::send::Sent;
use super::step::Go;
use crate::failure::Failure;

impl Hold<'_> {
    /// An answer that concerns the whole connection; the request itself was not carried out.
    pub(super) async fn pause(
        &mut self,
        job: &mut JobRow,
        was_write: bool,
        until: Option<Timestamp>,
        why: &str,
    ) -> Result<Go, Failure> {
        if was_write {
            job.intent = None;
            if !self.save(job).await? {
                return Ok(Go::Look);
            }
        }
        self.pause_connection(until.unwrap_or(UNTIL_A_PERSON_ACTS), why).await?;
        Ok(Go::Look)
    }

    /// A server that fails again and again is left alone for a while.
    pub(super) async fn pause_after_faults(&mut self, job: &JobRow) -> Result<Go, Failure> {
        if self.fives >= 3 {
            let until = self.backoff(job);
            self.pause_connection(until, "три ошибки сервера подряд").await?;
        }
        Ok(Go::Look)
    }

    /// Written under the code that was used (!28): a new token that came meanwhile is not paused by the old one.
    pub(super) async fn pause_connection(&mut self, until: Timestamp, why: &str) -> Result<(), Failure> {
        tracing::warn!(account = %self.wake_up.account, connection = %self.wake_up.connection, until = until.0, why, "connection paused");
        let key = keys::connection(&self.wake_up.account, &self.wake_up.connection);
        let used = Condition::Eq("code".to_owned(), Value::N(self.row.code));
        let update = Update::new(key).set("retry_at", until.0).set("why", why).when(used);
        match self.worker.table.update(update).await {
            Ok(row) => {
                self.row = ConnectionRow::read(&row)?;
                self.fives = 0;
                Ok(())
            }
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// 401: the stored pair first (somebody may have brought a new one), then one refresh, then a person.
    pub(super) async fn refresh_token(
        &mut self,
        adapter: &'static dyn Jobs,
        job: &mut JobRow,
        known: &Known<'_>,
        was_write: bool,
    ) -> Result<Go, Failure> {
        if was_write {
            job.intent = None;
            if !self.save(job).await? {
                return Ok(Go::Look);
            }
        }
        if self.take_stored().await? {
            return Ok(Go::Look);
        }
        self.exchange(adapter, known).await
    }

    /// Looks past what is remembered: a refresh token is single-use. False: what is stored is what we have.
    pub(super) async fn take_stored(&mut self) -> Result<bool, Failure> {
        let stored = self.worker.secret(&self.wake_up.account, &self.wake_up.connection).await?;
        let Some(stored) = stored.filter(|stored| stored.secret != self.secret.secret) else { return Ok(false) };
        self.worker.remembered.put(self.row.code, &stored);
        self.secret = stored;
        Ok(true)
    }

    /// Exchanges the refresh token ahead of time.
    pub(super) async fn refresh_ahead(&mut self, adapter: &'static dyn Jobs) -> Result<(), Failure> {
        let now = self.now();
        let due = adapter.refresh_due(&self.secret.secret).is_some_and(|due| due <= now);
        if !due || self.refreshed || self.take_stored().await? {
            return Ok(());
        }
        let (base, secret, facts) = (self.secret.base.clone(), self.secret.secret.clone(), self.row.facts.clone());
        let known =
            Known { now, base: &base, secret: &secret, facts: &facts, point: None, recording_link: None, lag: None };
        self.exchange(adapter, &known).await.map(|_| ())
    }

    async fn exchange(&mut self, adapter: &'static dyn Jobs, known: &Known<'_>) -> Result<Go, Failure> {
        let request = adapter.refresh(known).filter(|_| !self.refreshed);
        let Some(request) = request else {
            let why = match self.worker.authorise(&self.secret) {
                Some(_) => format!("провайдер не принимает токен. {}", self.where_to_authorise()),
                None => "CRM или АТС не принимает токен: нужен новый токен, примените настройки с ним".to_owned(),
            };
            self.pause_connection(UNTIL_A_PERSON_ACTS, &why).await?;
            return Ok(Go::Look);
        };
        let reply = match self.send(request).await? {
            Sent::Answer(reply) => reply,
            Sent::Not(why) | Sent::Unknown(why) => {
                self.pause_connection(Timestamp(self.now().0 + 60_000), &format!("токен не обновлён: {why}")).await?;
                return Ok(Go::Look);
            }
        };
        self.store_tokens(adapter, known, &reply).await
    }

    /// Both tokens are stored before the new access token is used.
    async fn store_tokens(
        &mut self,
        adapter: &'static dyn Jobs,
        known: &Known<'_>,
        reply: &Reply,
    ) -> Result<Go, Failure> {
        if reply.status >= 500 || reply.status == 429 {
            let why = format!("токен не обновлён: ответ {}", reply.status);
            self.pause_connection(Timestamp(self.now().0 + 60_000), &why).await?;
            return Ok(Go::Look);
        }
        match adapter.refreshed(known, reply) {
            Ok(pair) => {
                self.secret.secret = pair.secret;
                self.refreshed = true;
                self.worker.keep_tokens(&self.secret).await?;
                self.raise_code().await?;
                Ok(Go::Look)
            }
            Err(why) => {
                let why = match self.worker.authorise(&self.secret) {
                    Some(_) => format!("{why}. {}", self.where_to_authorise()),
                    None => why,
                };
                self.pause_connection(UNTIL_A_PERSON_ACTS, &why).await?;
                Ok(Go::Look)
            }
        }
    }

    /// A new token raises the code, so that nobody pauses the connection for the old one.
    async fn raise_code(&mut self) -> Result<(), Failure> {
        let key = keys::connection(&self.wake_up.account, &self.wake_up.connection);
        let mine = Condition::Eq("lease".to_owned(), Value::N(self.lease));
        match self.worker.table.update(Update::new(key).add("code", 1).when(mine)).await {
            Ok(row) => {
                self.row = ConnectionRow::read(&row)?;
                self.worker.remembered.put(self.row.code, &self.secret);
                Ok(())
            }
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
