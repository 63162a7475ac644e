//! The CRM is asked beside its jobs: nobody's lease is taken, so only the slot of the half second is.

use perezvon_adapters::{Known, Outcome, Outgoing, PointKnown, Reply, Step, Work};
use perezvon_domain::answer::NotLive;
use perezvon_domain::effect::Command;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, ClientId, ConnectionId, EffectId, JobResult, Timestamp};
use perezvon_platform::HttpRequest;
use perezvon_store::items::answer::{half_second, take_slot};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::point::{PointRow, Seen};

use super::Answerer;
use crate::failure::Failure;

/// A slot that went by while it was taken is worth nothing; the next one is tried, once.
const TRIES: u32 = 2;

/// A request ends by itself so long after nobody waits for it.
const GIVEN_UP_MS: i64 = 50;

/// Whom to ask about whom, and until when.
pub(super) struct Call<'a> {
    pub account: &'a AccountId,
    pub crm: &'a ConnectionId,
    pub client: &'a ClientId,
    pub point: &'a PointRow,
    /// By the monotonic clock.
    pub until_ms: i64,
}

impl Answerer {
    /// Asks by the very requests of the job that finds a client.
    pub(super) async fn ask_crm(&self, call: &Call<'_>, row: &ConnectionRow) -> Result<Result<Seen, NotLive>, Failure> {
        let at = Timestamp(self.clock.now_ms());
        if let Some(why) = waits(row, at) {
            return Ok(Err(NotLive::Waits { why }));
        }
        let secrets = self.secrets.as_ref();
        let secret = self.remembered.secret(secrets, self.codecs, call.account, call.crm, row.code).await?;
        let codec = secret.as_ref().and_then(|secret| (self.codecs)(&secret.provider)?.jobs);
        let (Some(secret), Some(jobs)) = (&secret, codec) else {
            return Ok(Err(NotLive::Waits { why: "у подключения нет секрета".to_owned() }));
        };
        let point = PointKnown { contact: call.point.contact.clone(), ..PointKnown::default() };
        let known = Known {
            now: at,
            base: &secret.base,
            secret: &secret.secret,
            facts: &row.facts,
            point: Some(&point),
            recording_link: None,
            lag: secret.times.lag_ms.map(Millis),
        };
        let mut work = question(call.client);
        loop {
            let request = match jobs.next(&work, &known) {
                Step::Read(request) => request,
                Step::Done(JobResult::ClientFound(client)) => return Ok(Ok(Seen { at, client })),
                _ => return Ok(failed("так спросить нельзя")),
            };
            if !self.has_slot(call).await? {
                return Ok(Err(NotLive::NoSlot));
            }
            let reply = match self.send(request, call.until_ms).await {
                Ok(reply) => reply,
                Err(why) => return Ok(failed(&why)),
            };
            match jobs.absorb(&mut work, &known, &reply) {
                Outcome::Next => {}
                outcome => return Ok(failed(&words(outcome))),
            }
        }
    }

    /// Whether this half second is ours, now.
    async fn has_slot(&self, call: &Call<'_>) -> Result<bool, Failure> {
        let now = || half_second(Timestamp(self.clock.now_ms()));
        for _ in 0..TRIES {
            let wanted = now();
            match self.table.update(take_slot(call.account, call.crm, wanted)).await {
                Ok(_) if now() == wanted => return Ok(true),
                Ok(_) => {}
                Err(error) if error.is_conflict() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    async fn send(&self, request: Outgoing, until_ms: i64) -> Result<Reply, String> {
        let request = HttpRequest {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            // Whoever waits for it gives up first, and knows why.
            timeout_ms: (until_ms - self.clock.monotonic_ms()).max(0) + GIVEN_UP_MS,
        };
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        Ok(Reply { status: answer.status, headers: answer.headers, body: answer.body, stored: None })
    }
}

fn question(client: &ClientId) -> Work {
    Work {
        id: EffectId::from("answer"),
        command: Command::FindClient { client: client.clone() },
        progress: Default::default(),
        unknown: false,
        sent_at: None,
        learned: Default::default(),
    }
}

/// Why a connection is not to be asked anything.
fn waits(row: &ConnectionRow, now: Timestamp) -> Option<String> {
    if row.off || row.leave_by.is_some() || row.superseded.is_some() {
        return Some("подключение выключено".to_owned());
    }
    let why = || row.why.clone().unwrap_or_else(|| "подключение ждёт".to_owned());
    row.is_paused(now, 0).then(why)
}

fn failed(why: &str) -> Result<Seen, NotLive> {
    Err(NotLive::Failed { why: why.to_owned() })
}

fn words(outcome: Outcome) -> String {
    match outcome {
        Outcome::Again { why, .. } | Outcome::Unknown { why } | Outcome::Pause { why, .. } => why,
        Outcome::TokenRefused => "токен не принят".to_owned(),
        Outcome::Failed(JobResult::Failed { why, .. }) => why,
        Outcome::Next | Outcome::NotThere | Outcome::Failed(_) => "ответ непонятен".to_owned(),
    }
}
