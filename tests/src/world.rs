//! The world itself: functions, queues and time, and the driver that delivers messages.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_crm::Crm;
use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_engine::commit::Committer;
use perezvon_engine::jobs::{Links, Worker};
use perezvon_engine::settings::{self, Applied, Applier, Context};
use perezvon_engine::sweep::Sweep;
use perezvon_ingest::Ingest;
use perezvon_outbound::Outbound;
use perezvon_platform::{Clock, Message, Queue};
use perezvon_platform::hook::{self, CheckedTokens, Hook, Ring};
use perezvon_route::Route;
use perezvon_sandbox::amocrm::AmoCrm;
use perezvon_sandbox::mango::{self, Mango};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::{Table, keys};
use perezvon_verify::Verify;
use perezvon_wake::Wake;
use serde_json::json;

use crate::faults::{Crash, Faults};
use crate::model::Model;
use crate::ports::{ModelBlobs, ModelBus, ModelSecrets, SandboxHttp, VirtualClock};
use crate::queue::{ModelQueue, Waiting};
use crate::settings::{KEY, SALT};

/// Time-out of an invocation.
const INVOCATION_MS: i64 = 60_000;
/// Key of recording links.
pub const LINK_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// How often the schedule calls `wake`.
const TICK: Duration = Duration::from_secs(60);

/// How a world behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides the order of deliveries.
    pub seed: u64,
    pub crash: Vec<Crash>,
    /// Of 100 deliveries, how many come twice.
    pub duplicates: u64,
    /// Invocations at the same time.
    pub parallel: usize,
    /// Messages in one batch at most.
    pub batch: usize,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 1, crash: Vec::new(), duplicates: 0, parallel: 1, batch: 10 }
    }
}

/// The functions of one process generation; a crash makes new ones.
struct Functions {
    ingest: Ingest,
    verify: Verify,
    route: Route,
    crm: Crm,
    outbound: Outbound,
    wake: Wake,
}

/// The world.
pub struct World {
    pub plan: Plan,
    pub faults: Arc<Faults>,
    pub clock: Arc<dyn Clock>,
    pub table: Arc<Model>,
    pub quarantine: Arc<Model>,
    pub raw: Arc<ModelQueue>,
    pub events: Arc<ModelQueue>,
    pub crm_queue: Arc<ModelQueue>,
    pub outbound_queue: Arc<ModelQueue>,
    pub secrets: Arc<ModelSecrets>,
    pub blobs: Arc<ModelBlobs>,
    pub bus: Arc<ModelBus>,
    pub http: Arc<SandboxHttp>,
    functions: Option<Arc<Functions>>,
    hook_key: String,
    requests: u64,
    random: u64,
    next_tick: tokio::time::Instant,
}

/// One message handed to a function.
enum Target {
    Raw,
    Events,
    Crm,
    Outbound,
}

impl World {
    /// An empty world. Must be called inside a paused tokio runtime.
    pub fn new(plan: Plan) -> Self {
        let faults = Faults::new(plan.crash.clone());
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new());
        let queue = |name, receives, visibility| {
            ModelQueue::new(name, clock.clone(), faults.clone(), receives, visibility)
        };
        let table = Arc::new(Model::with_faults("table", faults.clone()));
        let quarantine = Arc::new(Model::with_faults("quarantine", faults.clone()));
        let (raw, events) = (queue("raw", 5, 180_000), queue("events", 5, 180_000));
        let (crm_queue, outbound_queue) = (queue("crm", 10, 360_000), queue("outbound", 10, 360_000));
        let secrets = Arc::new(ModelSecrets { faults: faults.clone(), records: Default::default() });
        let blobs = Arc::new(ModelBlobs { faults: faults.clone(), stored: Default::default() });
        let bus = Arc::new(ModelBus { faults: faults.clone(), told: Default::default() });
        let http = Arc::new(SandboxHttp {
            faults: faults.clone(),
            clock: clock.clone(),
            crm: std::sync::Mutex::new(AmoCrm::new(perezvon_sandbox::amocrm::Config::default())),
            pbx: std::sync::Mutex::new(Mango::new(mango::Config {
                public_base: "https://pbx.test".to_owned(),
                ..mango::Config::default()
            })),
        });
        let mut world = Self {
            random: plan.seed.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(3_037_000_493) | 1,
            plan,
            table,
            quarantine,
            raw,
            events,
            crm_queue,
            outbound_queue,
            secrets,
            blobs,
            bus,
            http,
            clock,
            // A fixed key: worlds must be the same each time.
            hook_key: format!("private.{}", base64_of_seed()),
            requests: 0,
            functions: None,
            next_tick: tokio::time::Instant::now(),
            faults,
        };
        world.restart();
        world
    }

    /// New processes: whatever the old ones remembered is gone.
    pub fn restart(&mut self) {
        self.functions = Some(Arc::new(self.wire()));
    }

    fn functions(&self) -> Arc<Functions> {
        self.functions.clone().expect("a world is wired when it is made")
    }

    fn wire(&self) -> Functions {
        let key = hook::parse_private(&self.hook_key).expect("the world's hook key");
        let ring = Ring::parse(&hook::public_text(&key.verifying_key())).expect("its public half");
        let worker = |wake_ups: &Arc<ModelQueue>, blobs: bool| Worker {
            table: self.table.clone(),
            secrets: self.secrets.clone(),
            events: self.events.clone(),
            wake_ups: wake_ups.clone(),
            http: self.http.clone(),
            blobs: if blobs { Some(self.blobs.clone()) } else { None },
            links: Some(Links { public_url: "https://calls.test".to_owned(), key: LINK_KEY.to_vec() }),
            clock: self.clock.clone(),
            skew_ms: 5_000,
        };
        Functions {
            ingest: Ingest { tokens: CheckedTokens::new(ring), raw: self.raw.clone() },
            verify: Verify::new(
                self.table.clone(),
                self.quarantine.clone(),
                self.events.clone(),
                self.secrets.clone(),
                self.clock.clone(),
            ),
            route: Route::new(Committer {
                table: self.table.clone(),
                events: self.events.clone(),
                crm: self.crm_queue.clone(),
                outbound: self.outbound_queue.clone(),
                bus: self.bus.clone(),
                clock: self.clock.clone(),
            }),
            crm: Crm { worker: worker(&self.crm_queue, false) },
            outbound: Outbound { worker: worker(&self.outbound_queue, true) },
            wake: Wake::new(Sweep {
                table: self.table.clone(),
                events: self.events.clone(),
                crm: self.crm_queue.clone(),
                outbound: self.outbound_queue.clone(),
                clock: self.clock.clone(),
            }),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_ms())
    }

    /// The sandbox CRM.
    pub fn crm<T>(&self, look: impl FnOnce(&mut AmoCrm) -> T) -> T {
        look(&mut self.http.crm.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sandbox PBX.
    pub fn pbx<T>(&self, look: impl FnOnce(&mut Mango) -> T) -> T {
        look(&mut self.http.pbx.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a settings document as `perezvon apply` does; panics with the problems if there are any.
    pub async fn apply(&self, toml: &str) -> Applied {
        let document = settings::parse(toml).unwrap_or_else(|problems| panic!("{problems:?}"));
        let context = Context {
            allow_hosts: ["pbx.test:443", "crm.test:443", "crm2.test:443"].map(str::to_owned).into(),
        };
        let checked = settings::check(&document, &context).unwrap_or_else(|problems| panic!("{problems:?}"));
        let applier = Applier {
            table: self.table.as_ref(),
            secrets: self.secrets.as_ref(),
            crm: self.crm_queue.as_ref(),
            outbound: self.outbound_queue.as_ref(),
            now: self.now(),
        };
        applier.apply(checked, "world.toml", "test").await.expect("the settings can be applied")
    }

    /// The hook URL's path of a channel, and what follows it.
    pub fn hook_path(&self, account: &str, channel: &str, generation: u32, suffix: &str) -> String {
        let key = hook::parse_private(&self.hook_key).expect("the world's hook key");
        let hook =
            Hook { account: account.to_owned(), channel: channel.to_owned(), generation, body_limit: 65_536 };
        format!("/h/{}/{suffix}", hook::sign(&hook, &key))
    }

    /// Posts any bytes to any path, as the gateway would hand them over.
    pub async fn post_bytes(&mut self, path: &str, content_type: &str, body: &[u8]) -> ApiGatewayV2httpResponse {
        self.requests += 1;
        let request = gateway_request(path, content_type, body, self.requests, self.clock.now_ms());
        self.functions().ingest.handle(request).await
    }

    /// Posts a signed webhook of the account's channel `main`.
    pub async fn post(&mut self, account: &str, event: &str, json: &str) -> i64 {
        let path = self.hook_path(account, "main", 1, event);
        let body = mango::form(KEY, SALT, json);
        self.post_bytes(&path, "application/x-www-form-urlencoded", body.as_bytes()).await.status_code
    }

    /// Posts a webhook through a process that may crash; `None`: it did, and the sender got no answer.
    pub async fn post_surviving(&mut self, account: &str, event: &str, json: &str) -> Option<i64> {
        self.requests += 1;
        let path = self.hook_path(account, "main", 1, event);
        let body = mango::form(KEY, SALT, json);
        let content_type = "application/x-www-form-urlencoded";
        let request = gateway_request(&path, content_type, body.as_bytes(), self.requests, self.clock.now_ms());
        let functions = self.functions();
        let run = tokio::spawn(async move { functions.ingest.handle(request).await.status_code });
        self.survive(run).await
    }

    /// Port calls up to the moment the work was done: later ones are idle ticks, all alike.
    pub fn calls_of_interest(&self) -> u64 {
        self.faults.last_of_interest() + 1
    }

    /// Puts everything a channel has in quarantine back on the raw queue, as `api` does. Returns how many.
    pub async fn release_all(&self, account: &str, channel: &str) -> usize {
        let mut messages = Vec::new();
        for row in self.quarantine.all() {
            let Ok(request) = Quarantined::read(&row) else { continue };
            if request.channel.as_str() == channel && row.key.pk() == keys::quarantine(&AccountId::from(account)) {
                let body = request.message.expect("a whole body");
                messages.push(Message { body, group: channel.to_owned(), delay_ms: 0 });
            }
        }
        let count = messages.len();
        self.raw.send(messages).await.expect("sent");
        count
    }

    /// A call as it stands in the table.
    pub async fn call(&self, account: &str, entry: &str) -> Option<CallItem> {
        let key = keys::call(&AccountId::from(account), &ChannelId::from("main"), entry);
        let row = Table::get(self.table.as_ref(), &key).await.expect("the model answers")?;
        Some(CallItem::read(&row).expect("a call can be read"))
    }

    fn next_random(&mut self, below: u64) -> u64 {
        // xorshift64*: small, seeded, the same everywhere.
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below.max(1)
    }

    /// Runs for this much virtual time: deliveries, schedules, time-outs.
    pub async fn run_for(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        loop {
            while self.deliver().await {}
            let now = tokio::time::Instant::now();
            if now >= end {
                return;
            }
            if now >= self.next_tick {
                self.next_tick = now + TICK;
                self.tick().await;
                continue;
            }
            let next = self.next_delivery(now).unwrap_or(end).min(self.next_tick).min(end);
            tokio::time::sleep_until(next.max(now + Duration::from_millis(1))).await;
        }
    }

    fn next_delivery(&self, now: tokio::time::Instant) -> Option<tokio::time::Instant> {
        let queues = [&self.raw, &self.events, &self.crm_queue, &self.outbound_queue];
        let next = queues.iter().filter_map(|queue| queue.next_visible()).min()?;
        let wait = (next - self.clock.now_ms()).max(0).unsigned_abs();
        Some(now + Duration::from_millis(wait))
    }

    async fn tick(&mut self) {
        let functions = self.functions();
        let run = tokio::spawn(async move {
            if let Err(failure) = functions.wake.handle().await {
                panic!("wake failed: {failure}");
            }
        });
        self.survive(run).await;
    }

    /// Waits for an invocation; should it crash, its process is gone. `None`: it crashed.
    async fn survive<T: Send + 'static>(&mut self, run: tokio::task::JoinHandle<T>) -> Option<T> {
        let abort = run.abort_handle();
        let faults = self.faults.clone();
        tokio::select! {
            biased;
            () = faults.crashed.notified() => {
                abort.abort();
                self.restart();
                None
            }
            done = run => Some(done.expect("a handler does not panic")),
        }
    }

    /// Delivers once, if anything can be received. Up to `parallel` invocations run at the same time.
    async fn deliver(&mut self) -> bool {
        let mut runs = Vec::new();
        while runs.len() < self.plan.parallel.max(1) {
            let Some((target, messages)) = self.receive() else { break };
            let run = tokio::spawn(invoke(
                self.functions(),
                self.clock.clone(),
                format!("copy-{}", self.next_random(u64::MAX)),
                target_index(&target),
                messages.clone(),
            ));
            runs.push((target, messages, run));
        }
        let any = !runs.is_empty();
        let mut alive = true;
        for (target, messages, run) in runs {
            if !alive {
                // All copies run in one process generation: a crash takes the others with it.
                run.abort();
                continue;
            }
            match self.survive(run).await {
                Some(response) => self.settle(&target, &messages, &response),
                None => alive = false,
            }
        }
        any
    }

    /// Takes a batch from a queue that has something, both by the seed.
    fn receive(&mut self) -> Option<(Target, Vec<Waiting>)> {
        let mut filled: Vec<Target> = [Target::Raw, Target::Events, Target::Crm, Target::Outbound]
            .into_iter()
            .filter(|target| !self.queue(target).visible().is_empty())
            .collect();
        if filled.is_empty() {
            return None;
        }
        let chosen = usize::try_from(self.next_random(filled.len() as u64)).unwrap_or(0);
        let target = filled.swap_remove(chosen);
        let mut ids = self.queue(&target).visible();
        let limit = if matches!(target, Target::Crm | Target::Outbound) { 1 } else { self.plan.batch };
        let mut batch = Vec::new();
        let size = 1 + self.next_random(limit as u64);
        while (batch.len() as u64) < size && !ids.is_empty() {
            let place = usize::try_from(self.next_random(ids.len() as u64)).unwrap_or(0);
            batch.push(ids.swap_remove(place));
        }
        for id in &batch {
            if self.next_random(100) < self.plan.duplicates {
                self.queue(&target).duplicate(*id);
            }
        }
        let messages = self.queue(&target).receive(&batch);
        Some((target, messages))
    }

    fn queue(&self, target: &Target) -> Arc<ModelQueue> {
        match target {
            Target::Raw => self.raw.clone(),
            Target::Events => self.events.clone(),
            Target::Crm => self.crm_queue.clone(),
            Target::Outbound => self.outbound_queue.clone(),
        }
    }

    fn settle(&self, target: &Target, messages: &[Waiting], response: &SqsBatchResponse) {
        let queue = self.queue(target);
        for message in messages {
            let id = message.id.to_string();
            if response.batch_item_failures.iter().any(|failed| failed.item_identifier == id) {
                queue.give_back(message.id, 5_000);
            } else {
                queue.acknowledge(message.id);
            }
        }
    }
}

fn target_index(target: &Target) -> u8 {
    match target {
        Target::Raw => 0,
        Target::Events => 1,
        Target::Crm => 2,
        Target::Outbound => 3,
    }
}

async fn invoke(
    functions: Arc<Functions>,
    clock: Arc<dyn Clock>,
    copy: String,
    target: u8,
    messages: Vec<Waiting>,
) -> SqsBatchResponse {
    let event = sqs_event(&messages);
    let ends_ms = clock.monotonic_ms() + INVOCATION_MS;
    match target {
        0 => functions.verify.handle(event).await,
        1 => functions.route.handle(event, ends_ms).await,
        2 => functions.crm.handle(event, &copy, ends_ms).await,
        _ => functions.outbound.handle(event, &copy, ends_ms).await,
    }
}

/// The event as Lambda gets it from SQS.
fn sqs_event(messages: &[Waiting]) -> SqsEvent {
    let records: Vec<_> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id.to_string(),
                "body": message.body,
                "attributes": {"ApproximateReceiveCount": message.receives.to_string()},
            })
        })
        .collect();
    serde_json::from_value(json!({ "Records": records })).expect("the shape of an SQS event")
}

/// The event as Lambda gets it from the HTTP API: a form comes base64-encoded.
pub fn gateway_request(
    path: &str,
    content_type: &str,
    body: &[u8],
    number: u64,
    now_ms: i64,
) -> ApiGatewayV2httpRequest {
    let event = json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": content_type, "host": "calls.test"},
        "requestContext": {
            "requestId": format!("request-{number:06}"),
            "timeEpoch": now_ms,
            "http": {"method": "POST", "path": path, "sourceIp": "81.88.80.132"},
        },
        "body": perezvon_platform::raw::RawMessage::encode(body),
        "isBase64Encoded": true,
    });
    serde_json::from_value(event).expect("the shape of an HTTP API event")
}

fn base64_of_seed() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([7_u8; 32])
}
