//! Raw queue in: signature, age, normalise -> event queue; the rest to quarantine with a reason.
//!
//! A wrong or freshly changed key loses nothing: the request waits in quarantine and is released
//! when the key is right. Before the signature exactly one thing is read: the channel's secret.

mod quarantine;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_adapters::{CallNews, ChatNews, ClientChange, Guess, Inbound, Intake, RawRequest, Refusal};
use perezvon_domain::conversation::event::ConversationEvent;
use perezvon_domain::event::Event;
use perezvon_domain::time::Millis;
use perezvon_domain::{AccountId, CallEvent, ChannelId, ConnectionId, Envelope, Timestamp};
use perezvon_engine::addresses::users_changed;
use perezvon_engine::batch::{self, Delivered, Failed};
use perezvon_engine::changes::Changes;
use perezvon_engine::commit::event_message;
use perezvon_engine::intake::{Believed, ChannelSecrets, Counts, Known, Refused, Tally, believe};
use perezvon_engine::secrets::{ChannelSecret, SignatureMode};
use perezvon_engine::settings::channel_connection;
use perezvon_engine::{Failure, Times};
use perezvon_platform::raw::RawMessage;
use perezvon_platform::{Clock, Queue, Secrets};
use perezvon_store::{Table, keys};

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &[
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "secretsmanager:GetSecretValue",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
];

/// Kept back of an invocation for passing on what is verified: one call to the queue may take 8 s.
const PASS_ON_MS: i64 = 10_000;

/// The function.
pub struct Verify {
    pub table: Arc<dyn Table>,
    pub quarantine: Arc<dyn Table>,
    pub events: Arc<dyn Queue>,
    /// Wake-ups of CRM connections, for changes that a CRM tells of.
    pub crm: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    skew_ms: i64,
    secrets: ChannelSecrets,
    counts: Counts,
}

/// What a request came to.
enum Verdict {
    Events(Vec<Envelope<Event>>),
    Counted,
    UsersChanged,
    ClientsChanged(Vec<ClientChange>),
    Ping,
    Refused(Refused),
}

/// With what its signature fits, if that is to be counted.
type Judged = (Verdict, Option<Guess>);

impl Verify {
    /// The function over these ports: `events` is the event queue, `crm` that of wake-ups for CRMs.
    pub fn new(
        table: Arc<dyn Table>,
        quarantine: Arc<dyn Table>,
        (events, crm): (Arc<dyn Queue>, Arc<dyn Queue>),
        secrets: Arc<dyn Secrets>,
        clock: Arc<dyn Clock>,
        times: &Times,
    ) -> Self {
        let secrets = ChannelSecrets::new(table.clone(), secrets, clock.clone(), times.secret_remembered_ms);
        let counts = Counts::new(times.counts_saved_ms);
        Self { table, quarantine, events, crm, clock, skew_ms: times.skew_ms, secrets, counts }
    }

    /// Works on one batch of the raw queue. `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn handle(&self, event: SqsEvent, ends_ms: i64) -> SqsBatchResponse {
        let mut failed = Failed::default();
        let mut tallies: BTreeMap<(AccountId, ChannelId), Tally> = BTreeMap::new();
        let mut verified = Vec::new();
        for message in batch::read::<RawMessage>(event, &mut failed) {
            let tally = tallies.entry(channel(&message.body)).or_default();
            let work = self.one(&message.body, tally);
            match batch::in_time(self.clock.as_ref(), ends_ms - PASS_ON_MS, work).await {
                Ok(events) if events.is_empty() => {}
                Ok(events) => verified.push((message, events)),
                Err(failure) => failed.add(&message.id, &failure),
            }
        }
        self.pass_on(verified, ends_ms, &mut tallies, &mut failed).await;
        // Counts are for people: losing some to a crash costs nothing, so they come last and never fail a message.
        for ((account, channel), seen) in self.counts.take(tallies, self.clock.monotonic_ms()) {
            let save = async { Ok(self.table.update(seen.save(&account, &channel)).await?) };
            if let Err(failure) = batch::in_time(self.clock.as_ref(), ends_ms, save).await {
                tracing::warn!(%failure, %channel, "counts of a channel not saved");
            }
        }
        failed.response()
    }

    /// One request; the events in it, if any.
    async fn one(&self, raw: &RawMessage, tally: &mut Tally) -> Result<Vec<Envelope<Event>>, Failure> {
        let (verdict, guess) = self.judge(raw).await?;
        if let Some(guess) = guess {
            tally.guessed(guess);
        }
        match verdict {
            Verdict::Events(events) => return Ok(events),
            Verdict::Counted => tally.counted(raw),
            Verdict::UsersChanged => {
                let (account, channel) = channel(raw);
                let now = Timestamp(self.clock.now_ms());
                users_changed(self.table.as_ref(), &account, &channel_connection(&channel), now).await?;
                tally.counted(raw);
            }
            Verdict::ClientsChanged(told) => {
                self.clients_changed(raw, &told).await?;
                tally.accepted(raw);
            }
            Verdict::Ping => tally.ping(raw),
            Verdict::Refused(refused) if refused.is_dropped => tally.counted(raw),
            Verdict::Refused(refused) => {
                self.put_aside(raw, &refused).await?;
                tally.refused(raw, &refused);
            }
        }
        Ok(Vec::new())
    }

    /// What a CRM tells comes by the address of its connection, whose id stands where others have their channel.
    async fn clients_changed(&self, raw: &RawMessage, told: &[ClientChange]) -> Result<(), Failure> {
        let (account, connection) = (AccountId(raw.account.clone()), ConnectionId(raw.channel.clone()));
        let changes = Changes {
            table: self.table.as_ref(),
            wake_ups: self.crm.as_ref(),
            account: &account,
            connection: &connection,
            skew_ms: self.skew_ms,
            now: Timestamp(self.clock.now_ms()),
        };
        changes.take_in(told).await
    }

    /// All events of a batch go on together: ten webhooks are one request to the queue, and one batch for `route`.
    /// If the queue does not take them so, each webhook goes alone: one that can never be sent takes no neighbour along.
    async fn pass_on(
        &self,
        verified: Vec<(Delivered<RawMessage>, Vec<Envelope<Event>>)>,
        ends_ms: i64,
        tallies: &mut BTreeMap<(AccountId, ChannelId), Tally>,
        failed: &mut Failed,
    ) {
        if verified.is_empty() {
            return;
        }
        let together = self.send(verified.iter().flat_map(|(_, events)| events), ends_ms).await;
        let is_one = verified.len() == 1;
        if let (Err(failure), false) = (&together, is_one) {
            tracing::warn!(%failure, "the events of a batch were not taken together: each webhook goes alone");
        }
        for (message, events) in verified {
            let sent = match &together {
                // Those that the queue took come twice then: a repeated event changes nothing.
                Err(_) if !is_one => self.send(events.iter(), ends_ms).await,
                sent => sent.clone(),
            };
            match sent {
                Ok(()) => tallies.entry(channel(&message.body)).or_default().accepted(&message.body),
                Err(failure) => failed.add(&message.id, &failure),
            }
        }
    }

    async fn send(&self, events: impl Iterator<Item = &Envelope<Event>>, ends_ms: i64) -> Result<(), Failure> {
        let messages = events.map(|event| event_message(event, 0)).collect();
        let send = async { Ok(self.events.send(messages).await?) };
        batch::in_time(self.clock.as_ref(), ends_ms, send).await
    }

    async fn judge(&self, raw: &RawMessage) -> Result<Judged, Failure> {
        let Some(body) = raw.bytes() else {
            return Err(Failure::Reject("the body is no base64: it was not `ingest` that sent it".to_owned()));
        };
        let request = RawRequest {
            path: raw.path.clone(),
            headers: raw.headers.clone(),
            body,
            received_at: Timestamp(raw.received_at),
        };
        let judged = self.judge_by(raw, &request, false).await?;
        // Settings that were changed a moment ago: look past the cache before anything is refused.
        match &judged.0 {
            Verdict::Refused(refused) if refused.by_settings => self.judge_by(raw, &request, true).await,
            _ => Ok(judged),
        }
    }

    async fn judge_by(&self, raw: &RawMessage, request: &RawRequest, again: bool) -> Result<Judged, Failure> {
        let Some(known) = self.secrets.get(&raw.account, &raw.channel, again).await? else {
            return Ok((Verdict::Refused(Refused::no_channel()), None));
        };
        let oldest = Millis::seconds(i64::from(known.secret.oldest_event_days) * 86_400);
        let (verdict, guess) = self.check(raw, request, &known);
        Ok((self.refuse_old_replays(verdict, oldest).await?, guess))
    }

    /// Signature first, meaning second; the adapter decides on both.
    fn check(&self, raw: &RawMessage, request: &RawRequest, known: &Known) -> Judged {
        let Believed { intake, verified, .. } = match believe(known, raw, request) {
            Ok(believed) => believed,
            Err(refused) => return (Verdict::Refused(refused), None),
        };
        let (guess, refusal) = guessed(intake, request, &known.secret);
        let verdict = match (refusal, intake.normalise(verified)) {
            (Some(refusal), _) => Verdict::Refused(Refused::unbelieved(&refusal)),
            (None, Ok(inbound)) => understood(raw, inbound),
            (None, Err(malformed)) => Verdict::Refused(Refused::malformed(&malformed)),
        };
        (verdict, guess)
    }

    /// A replay of an old signed event must never make a new deal; a known call may still hear of it.
    async fn refuse_old_replays(&self, verdict: Verdict, oldest: Millis) -> Result<Verdict, Failure> {
        let Verdict::Events(events) = verdict else { return Ok(verdict) };
        for event in &events {
            // A chat makes nothing in the CRM, and its messages are remembered one by one.
            let Event::Call(call) = &event.event else { continue };
            if event.received_at.since(call.occurred_at) <= oldest {
                continue;
            }
            let key = keys::call(&event.account, &call.channel, &call.entry);
            if self.table.get(&key).await?.is_none() {
                return Ok(Verdict::Refused(Refused::too_old()));
            }
        }
        Ok(Verdict::Events(events))
    }
}

/// What a signature fits whose formula is not published, and whether the channel refuses the request for it.
fn guessed(intake: &dyn Intake, request: &RawRequest, secret: &ChannelSecret) -> (Option<Guess>, Option<Refusal>) {
    if secret.signature == SignatureMode::Off {
        return (None, None);
    }
    let guess = intake.guess(request, &secret.secrets);
    let refusal = match guess {
        Some(Guess::Absent) => Some(Refusal::NoSignature),
        Some(Guess::Misses) => Some(Refusal::WrongSignature),
        Some(Guess::Fits(_)) | None => None,
    };
    (guess, refusal.filter(|_| secret.signature == SignatureMode::Enforce))
}

fn channel(raw: &RawMessage) -> (AccountId, ChannelId) {
    (AccountId(raw.account.clone()), ChannelId(raw.channel.clone()))
}

fn understood(raw: &RawMessage, inbound: Vec<Inbound>) -> Verdict {
    let (account, channel) = channel(raw);
    let received_at = Timestamp(raw.received_at);
    let (mut events, mut changes) = (Vec::new(), Vec::new());
    let (mut ping, mut users) = (false, false);
    for one in inbound {
        let event = match one {
            Inbound::Call(CallNews { entry, occurred_at, kind }) => {
                Event::Call(CallEvent { channel: channel.clone(), entry, occurred_at, kind })
            }
            Inbound::Chat(ChatNews { chat, occurred_at, kind }) => {
                let channel = channel.clone();
                Event::Conversation(ConversationEvent { channel, chat, occurred_at, received_at, kind })
            }
            Inbound::Ping => {
                ping = true;
                continue;
            }
            Inbound::UsersChanged(_) => {
                users = true;
                continue;
            }
            Inbound::ClientChanged(change) => {
                changes.push(change);
                continue;
            }
            Inbound::Counted(_) => continue,
        };
        events.push(Envelope { account: account.clone(), received_at, event });
    }
    match (events.is_empty(), ping) {
        (false, _) => Verdict::Events(events),
        _ if !changes.is_empty() => Verdict::ClientsChanged(changes),
        (true, true) => Verdict::Ping,
        (true, false) if users => Verdict::UsersChanged,
        (true, false) => Verdict::Counted,
    }
}
