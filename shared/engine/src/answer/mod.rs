//! The answer: a PBX asks who calls and whom to ring, and waits. Whatever is slow or broken, something goes back in time:
//! all that is waited for has an end that is counted from the arrival of the question, the start of this process included.
//!
//! On a Lambda nothing runs after the answer. So the rows that a question leaves behind are written before it, in the
//! time that is kept for them; what takes longer is given up, and the answer leaves without it.

mod live;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, join, join_all, select};
use perezvon_adapters::{Answer, Answering, RawRequest, Secret};
use perezvon_domain::answer::{Answered, Heard, Known, NotLive, Question, answer, asks};
use perezvon_domain::job::FoundClient;
use perezvon_domain::policy::normal_line;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ChannelId, ClientId, Number, Policy, Reason, Timestamp};
use perezvon_platform::raw::RawMessage;
use perezvon_platform::{Clock, Http, Secrets};
use perezvon_store::items::answer::Decision;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::contact;
use perezvon_store::items::point::{PointRow, Seen};
use perezvon_store::{Table, Update, keys};

use crate::failure::Failure;
use crate::intake::{Believed, ChannelSecrets, Counts, Refused, Tally, believe};
use crate::jobs::{Codecs, Remembered};
use crate::policies::Policies;
use crate::secrets::ANSWERED_WITHIN_MS;
use crate::times::Times;

/// The last part of the time: for the answer to leave.
const LEAVES_MS: i64 = 40;
/// The part before it: for the rows.
const ROWS_MS: i64 = 60;

/// What goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub status: i64,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// Answers questions.
pub struct Answerer {
    table: Arc<dyn Table>,
    secrets: Arc<dyn Secrets>,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
    codecs: Codecs,
    policies: Policies,
    channels: ChannelSecrets,
    remembered: Remembered,
    counts: Counts,
}

/// A question that is believed.
struct Asked {
    question: Question,
    adapter: &'static dyn Answer,
    /// The one its signature fits.
    secret: Secret,
    within_ms: i64,
}

/// One that is not.
struct Denied {
    refused: Refused,
    /// How its provider is told, where that is known.
    adapter: Option<&'static dyn Answer>,
}

/// Until when things are waited for, by the monotonic clock.
#[derive(Clone, Copy)]
struct Ends {
    came_ms: i64,
    crm_ms: i64,
    rows_ms: i64,
}

impl Ends {
    fn of(came_ms: i64, within_ms: i64) -> Self {
        let rows_ms = came_ms + within_ms - LEAVES_MS;
        Self { came_ms, crm_ms: rows_ms - ROWS_MS, rows_ms }
    }
}

impl Answerer {
    /// Over these ports.
    pub fn new(
        table: Arc<dyn Table>,
        secrets: Arc<dyn Secrets>,
        http: Arc<dyn Http>,
        clock: Arc<dyn Clock>,
        codecs: Codecs,
        times: &Times,
    ) -> Self {
        Self {
            channels: ChannelSecrets::new(table.clone(), secrets.clone(), clock.clone(), times.secret_remembered_ms),
            counts: Counts::new(times.counts_saved_ms),
            policies: Policies::default(),
            remembered: Remembered::default(),
            table,
            secrets,
            http,
            clock,
            codecs,
        }
    }

    /// Answers one question before its time is up.
    pub async fn answer(&self, raw: &RawMessage) -> Said {
        let late = (self.clock.now_ms() - raw.received_at).max(0);
        let came_ms = self.clock.monotonic_ms() - late;
        let ends = Ends::of(came_ms, ANSWERED_WITHIN_MS);
        match self.by(ends.crm_ms, self.judge(raw)).await {
            Some(Ok(Ok(asked))) => self.decided(raw, &asked, Ends::of(came_ms, asked.within_ms)).await,
            Some(Ok(Err(denied))) => self.refuse(raw, denied, ends).await,
            Some(Err(failure)) => {
                tracing::error!(%failure, request = raw.id, "a question could not be checked");
                Said::nobody(503)
            }
            None => {
                tracing::error!(request = raw.id, "a question was not checked in time");
                Said::nobody(503)
            }
        }
    }

    /// Whether the question is believed; settings that were changed a moment ago are read past the cache.
    async fn judge(&self, raw: &RawMessage) -> Result<Result<Asked, Denied>, Failure> {
        let request = RawRequest {
            path: raw.path.clone(),
            headers: raw.headers.clone(),
            body: raw.bytes().unwrap_or_default(),
            received_at: Timestamp(raw.received_at),
        };
        match self.judge_by(raw, &request, false).await? {
            Err(denied) if denied.refused.by_settings => self.judge_by(raw, &request, true).await,
            judged => Ok(judged),
        }
    }

    async fn judge_by(
        &self,
        raw: &RawMessage,
        request: &RawRequest,
        again: bool,
    ) -> Result<Result<Asked, Denied>, Failure> {
        let Some(known) = self.channels.get(&raw.account, &raw.channel, again).await? else {
            return Ok(Err(Denied { refused: Refused::no_channel(), adapter: None }));
        };
        let adapter = perezvon_adapters::codec(&known.secret.provider).and_then(|codec| codec.answer);
        let denied = |refused| Ok(Err(Denied { refused, adapter }));
        let Believed { intake, verified, .. } = match believe(&known, raw, request) {
            Ok(believed) => believed,
            Err(refused) => return denied(refused),
        };
        let Some(adapter) = adapter else { return denied(Refused::no_channel()) };
        let question = match adapter.question(&verified) {
            Ok(question) => question,
            Err(malformed) => return denied(Refused::malformed(&malformed)),
        };
        let fits = |secret: &&Secret| intake.verify(request, std::slice::from_ref(*secret)).is_ok();
        let secret = known.secret.secrets.iter().find(fits).cloned().unwrap_or_default();
        Ok(Ok(Asked { question, adapter, secret, within_ms: known.secret.answer_within_ms }))
    }

    /// Counted and shown; whoever asked learns nothing.
    async fn refuse(&self, raw: &RawMessage, denied: Denied, ends: Ends) -> Said {
        tracing::warn!(reason = denied.refused.reason, request = raw.id, "a question is refused");
        let mut tally = Tally::default();
        tally.refused(raw, &denied.refused);
        if self.by(ends.rows_ms, self.save_counts(raw, tally)).await.is_none() {
            tracing::warn!("counts of a channel not saved in time");
        }
        match denied.adapter {
            Some(adapter) => Said::of(403, adapter.refusal()),
            None => Said::nobody(403),
        }
    }

    async fn decided(&self, raw: &RawMessage, asked: &Asked, ends: Ends) -> Said {
        let account = AccountId(raw.account.clone());
        let mut tally = Tally::default();
        tally.accepted(raw);
        let policy = self.by(ends.crm_ms, self.policies.read(self.table.as_ref(), &account)).await;
        let (answered, rows) = match policy {
            Some(Ok(Some(policy))) => self.decide(raw, &account, asked, &policy, ends).await,
            _ => {
                tracing::error!(request = raw.id, "the settings for a question were not read in time");
                (Answered::nothing(Reason::new("answer_no_settings", [])), Vec::new())
            }
        };
        let rows = async { join(self.save(rows), self.save_counts(raw, tally)).await };
        if self.by(ends.rows_ms, rows).await.is_none() {
            tracing::warn!(request = raw.id, "what a question leaves behind was not written in time");
        }
        Said::of(200, asked.adapter.reply(&answered, &asked.secret))
    }

    /// What is said, and the rows to write.
    async fn decide(
        &self,
        raw: &RawMessage,
        account: &AccountId,
        asked: &Asked,
        policy: &Policy,
        ends: Ends,
    ) -> (Answered, Vec<Update>) {
        let question = &asked.question;
        let number = match asks(question, policy) {
            Ok((number, _)) => number,
            // Whoever does not use it pays for no row.
            Err(reason) => return (Answered::nothing(reason), Vec::new()),
        };
        let (heard, news) = self.hear(account, policy, &number, ends.crm_ms).await;
        let now = Timestamp(self.clock.now_ms());
        let answered = answer(question, policy, &heard, now);
        let decision = Decision {
            channel: ChannelId(raw.channel.clone()),
            line: normal_line(&question.line),
            at: Timestamp(raw.received_at),
            age: heard.known.as_ref().map(|known| now.since(known.read_at).max(Millis(0))),
            took: Millis(self.clock.monotonic_ms() - ends.came_ms),
            answered: answered.clone(),
        };
        let mut rows = vec![decision.put(account, &number, &raw.id)];
        rows.extend(news);
        (answered, rows)
    }

    /// The word of this moment, if the CRM says it in time, and what of it is worth keeping; else the last one that is
    /// known.
    async fn hear(&self, account: &AccountId, policy: &Policy, number: &Number, until_ms: i64) -> (Heard, Vec<Update>) {
        let (client, crm) = (ClientId::from(number.clone()), policy.crm.clone().unwrap_or_default());
        let (point, connection) = (keys::point(account, &client), keys::connection(account, &crm));
        let (point, connection) =
            join(self.by(until_ms, self.table.get(&point)), self.by(until_ms, self.table.get(&connection))).await;
        let point = point.and_then(Result::ok).flatten().map(|row| PointRow::read(&row)).unwrap_or_default();
        let connection = connection.and_then(Result::ok).flatten().and_then(|row| ConnectionRow::read(&row).ok());
        let call = live::Call { account, crm: &crm, client: &client, point: &point, until_ms };
        let hears = connection.as_ref().is_some_and(|row| row.hears);
        let live = match connection {
            Some(row) => self.by(until_ms, self.ask_crm(&call, &row)).await,
            None => None,
        };
        let not_live = match live {
            Some(Ok(Ok(seen))) => {
                let known = Known { client: seen.client.clone(), read_at: seen.at, stale: false };
                let heard = Heard { known: Some(known), not_live: None };
                let known = point.known().and_then(|known| known.client);
                return (heard, worth_keeping(account, &client, &seen, known.as_ref(), hears));
            }
            Some(Ok(Err(not_live))) => not_live,
            Some(Err(failure)) => NotLive::Failed { why: failure.to_string() },
            None => NotLive::Late,
        };
        (Heard { known: point.known(), not_live: Some(not_live) }, Vec::new())
    }

    async fn save(&self, rows: Vec<Update>) {
        for saved in join_all(rows.into_iter().map(|row| self.table.update(row))).await {
            // A conflict: somebody knows something newer.
            if let Err(error) = saved
                && !error.is_conflict()
            {
                tracing::warn!(%error, "a row of a question was not written");
            }
        }
    }

    async fn save_counts(&self, raw: &RawMessage, tally: Tally) {
        let channel = (AccountId(raw.account.clone()), ChannelId(raw.channel.clone()));
        for ((account, channel), seen) in
            self.counts.take(BTreeMap::from([(channel, tally)]), self.clock.monotonic_ms())
        {
            if let Err(error) = self.table.update(seen.save(&account, &channel)).await {
                tracing::warn!(%error, %channel, "counts of a channel not saved");
            }
        }
    }

    /// What is done by then; what is not is given up.
    async fn by<T>(&self, until_ms: i64, work: impl Future<Output = T>) -> Option<T> {
        let left = until_ms - self.clock.monotonic_ms();
        if left <= 0 {
            return None;
        }
        match select(pin!(work), self.clock.sleep_ms(left)).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }
}

/// The rows of what the CRM said, after what was `known` before. That nobody has a number is worth one only where
/// somebody had it.
fn worth_keeping(
    account: &AccountId,
    client: &ClientId,
    seen: &Seen,
    known: Option<&FoundClient>,
    hears: bool,
) -> Vec<Update> {
    if known.is_none() && seen.client.is_none() {
        return Vec::new();
    }
    let contact = seen.client.as_ref().map(|found| &found.contact).filter(|_| hears);
    let contact = contact.filter(|contact| known.is_none_or(|known| known.contact != **contact));
    let mut rows = vec![PointRow::seen(account, client, seen)];
    rows.extend(contact.map(|contact| contact::add(account, contact, client)));
    rows
}

impl Said {
    fn of(status: i64, answering: Answering) -> Self {
        Self { status, headers: answering.headers, body: answering.body }
    }

    /// To somebody whose provider is not known.
    fn nobody(status: i64) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: b"{}".to_vec() }
    }
}
