//! The world itself: functions, queues and time, and the driver that delivers messages.

mod ads;
pub mod asking;
pub mod cloud;
mod driver;
mod vats;

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};

use perezvon_api::Api;
use perezvon_auto_close::AutoClose;
use perezvon_auto_reply::AutoReply;
use perezvon_crm::Crm;
use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_engine::Times;
use perezvon_engine::commit::Committer;
use perezvon_engine::jobs::{Links, Remembered, Worker};
use perezvon_engine::settings::{self, Applied, Applier, Context};
use perezvon_engine::sweep::{Sweep, WakeUps};
use perezvon_ingest::Ingest;
use perezvon_outbound::Outbound;
use perezvon_platform::hook::{self, CheckedTokens, Hook, Ring};
use perezvon_platform::{Clock, Message, Queue};
use perezvon_route::Route;
use perezvon_sandbox::amocrm::AmoCrm;
use perezvon_sandbox::mango::{self, Mango};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::{Table, keys};
use perezvon_verify::Verify;
use perezvon_wake::Wake;

use crate::bill::Meter;
use crate::document;
use crate::events::gateway_request;
use crate::faults::{Crash, Faults};
use crate::model::Model;
use crate::ports::{ModelBlobs, ModelBus, ModelSecrets, SandboxHttp, VirtualClock};
use crate::queue::ModelQueue;
use crate::settings::{KEY, SALT};

/// Time-out of an invocation.
const INVOCATION_MS: i64 = 60_000;
/// Key of recording links.
pub const LINK_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// Key of people's tokens.
pub const PERSON_KEY: &[u8] = b"person-key-person-key-person-key";
/// Whom settings may name.
const HOSTS: [&str; 5] = ["pbx.test:443", "crm.test:443", "crm2.test:443", "ads.test:443", "vats.test:443"];
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
    /// Waiting times of the installation.
    pub times: Times,
}

impl Default for Plan {
    fn default() -> Self {
        Self { seed: 1, crash: Vec::new(), duplicates: 0, parallel: 1, batch: 10, times: Times::default() }
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
    auto_reply: AutoReply,
    auto_close: AutoClose,
}

/// The world.
pub struct World {
    pub plan: Plan,
    pub faults: Arc<Faults>,
    pub meter: Arc<Meter>,
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
    /// Nothing of the event queue is delivered.
    pub route_is_down: bool,
    /// The schedule asks conversations too.
    pub has_chats: bool,
    host: VirtualClock,
    functions: Option<Arc<Functions>>,
    hook_key: String,
    requests: u64,
    random: u64,
    next_tick: tokio::time::Instant,
    /// How long the mapping of the raw queue gathers a batch.
    pub gather_ms: i64,
}

impl World {
    /// An empty world. Must be called inside a paused tokio runtime.
    pub fn new(plan: Plan) -> Self {
        let faults = Faults::new(plan.crash.clone());
        let host = VirtualClock::new();
        let clock: Arc<dyn Clock> = Arc::new(host);
        let queue =
            |name, receives, visibility| ModelQueue::new(name, clock.clone(), faults.clone(), receives, visibility);
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
            vats: std::sync::Mutex::new(vats::fake()),
            ads: Default::default(),
            pushes: Default::default(),
            chats: Default::default(),
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
            route_is_down: false,
            has_chats: false,
            host,
            clock,
            // A fixed key: worlds must be the same each time.
            hook_key: format!("private.{}", base64_of_seed()),
            requests: 0,
            functions: None,
            next_tick: tokio::time::Instant::now(),
            gather_ms: 0,
            faults,
            meter: Arc::default(),
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
        Functions {
            ingest: Ingest { tokens: CheckedTokens::new(ring), raw: self.raw.clone() },
            verify: Verify::new(
                self.table.clone(),
                self.quarantine.clone(),
                (self.events.clone(), self.crm_queue.clone()),
                self.secrets.clone(),
                self.clock.clone(),
                &self.plan.times,
            ),
            route: Route::new(self.committer()),
            crm: Crm { worker: self.worker(&self.crm_queue, self.clock.clone()) },
            outbound: Outbound {
                worker: Worker {
                    blobs: Some(self.blobs.clone()),
                    ..self.worker(&self.outbound_queue, self.clock.clone())
                },
            },
            wake: Wake::new(self.sweep()),
            auto_reply: AutoReply { sweep: self.sweep() },
            auto_close: AutoClose { sweep: self.sweep() },
        }
    }

    pub(crate) fn committer(&self) -> Committer {
        Committer {
            table: self.table.clone(),
            events: self.events.clone(),
            crm: self.crm_queue.clone(),
            outbound: self.outbound_queue.clone(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            times: self.plan.times,
        }
    }

    /// The sweep, in a new process.
    pub fn sweep(&self) -> Sweep {
        Sweep {
            table: self.table.clone(),
            events: self.events.clone(),
            wake_ups: Some(WakeUps { crm: self.crm_queue.clone(), outbound: self.outbound_queue.clone() }),
            clock: self.clock.clone(),
            times: self.plan.times,
        }
    }

    fn worker(&self, wake_ups: &Arc<ModelQueue>, clock: Arc<dyn Clock>) -> Worker {
        Worker {
            table: self.table.clone(),
            secrets: self.secrets.clone(),
            events: self.events.clone(),
            wake_ups: wake_ups.clone(),
            http: self.http.clone(),
            blobs: None,
            links: Some(Links { public_url: "https://calls.test".to_owned(), key: LINK_KEY.to_vec() }),
            clock,
            times: self.plan.times,
            codecs: crate::chat::codec,
            remembered: Remembered::default(),
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

    /// Applies a settings document as `perezvon apply` does; panics with the problems if there are any.
    pub async fn apply(&self, toml: &str) -> Applied {
        let document = settings::parse(toml).unwrap_or_else(|problems| panic!("{problems:?}"));
        let context = Context { allow_hosts: HOSTS.map(str::to_owned).into() };
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
        let hook = Hook { account: account.to_owned(), channel: channel.to_owned(), generation, body_limit: 65_536 };
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
        let path = self.hook_path(account, "main", 1, event);
        let body = mango::form(KEY, SALT, json);
        self.bytes_surviving(&path, "application/x-www-form-urlencoded", body.as_bytes()).await
    }

    /// Posts any bytes through a process that may crash; `None`: it did, and the sender got no answer.
    async fn bytes_surviving(&mut self, path: &str, content_type: &str, body: &[u8]) -> Option<i64> {
        self.requests += 1;
        let request = gateway_request(path, content_type, body, self.requests, self.clock.now_ms());
        self.request_surviving(request).await
    }

    async fn request_surviving(&mut self, request: ApiGatewayV2httpRequest) -> Option<i64> {
        let functions = self.functions();
        let run = tokio::spawn(async move { functions.ingest.handle(request).await.status_code });
        self.survive(run).await
    }

    /// `api`, in a new process.
    pub fn api(&self) -> Api {
        Api {
            table: self.table.clone(),
            quarantine: self.quarantine.clone(),
            blobs: self.blobs.clone(),
            secrets: self.secrets.clone(),
            raw: self.raw.clone(),
            events: self.events.clone(),
            crm: self.crm_queue.clone(),
            outbound: self.outbound_queue.clone(),
            bus: self.bus.clone(),
            clock: self.clock.clone(),
            policies: Default::default(),
            times: self.plan.times,
            config: perezvon_api::Config {
                public_url: "https://calls.test".to_owned(),
                person_key: PERSON_KEY.to_vec(),
                link_key: LINK_KEY.to_vec(),
                hook_key: None,
                allow_hosts: HOSTS.map(str::to_owned).into(),
            },
        }
    }

    /// Lets `api` answer through a process that may crash; `None`: it did, and the person got no answer.
    pub async fn ask_surviving(&mut self, request: ApiGatewayV2httpRequest) -> Option<ApiGatewayV2httpResponse> {
        let (api, ends_ms) = (self.api(), self.clock.monotonic_ms() + INVOCATION_MS);
        let run = tokio::spawn(async move { document::answer(&api, request, ends_ms).await });
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

    /// A call of the channel `main` as it stands in the table.
    pub async fn call(&self, account: &str, entry: &str) -> Option<CallItem> {
        self.call_of(account, "main", entry).await
    }

    /// A call of a channel as it stands in the table.
    pub async fn call_of(&self, account: &str, channel: &str, entry: &str) -> Option<CallItem> {
        let key = keys::call(&AccountId::from(account), &ChannelId::from(channel), entry);
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
}

fn base64_of_seed() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([7_u8; 32])
}
