//! Wiring: the ports of this machine, and the functions over them.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_answer::Answer;
use perezvon_api::Api;
use perezvon_auto_close::AutoClose;
use perezvon_auto_reply::AutoReply;
use perezvon_client::Client;
use perezvon_crm::Crm;
use perezvon_engine::Failure;
use perezvon_engine::Times;
use perezvon_engine::answer::Answerer;
use perezvon_engine::commit::Committer;
use perezvon_engine::jobs::{self, Links, Remembered, Worker};
use perezvon_engine::policies::Policies;
use perezvon_engine::sweep::{Sweep, Swept, WakeUps};
use perezvon_ingest::Ingest;
use perezvon_outbound::Outbound;
use perezvon_platform::clock::SystemClock;
use perezvon_platform::guard::{Allow, Guard};
use perezvon_platform::hook::{self, CheckedTokens, Ring};
use perezvon_platform::{Blobs, Clock, Http, Queue, Secrets};
use perezvon_route::{LAST_RECEIVE, Route};
use perezvon_store::Table;
use perezvon_verify::Verify;
use perezvon_wake::Wake;

use super::bus::LocalBus;
use super::data::{Data, Keys};
use super::pump::{Function, Pump};
use super::ticks::Scheduled;
use crate::drivers::blobs::DiskBlobs;
use crate::drivers::queue::Queues;
use crate::drivers::secrets::DiskSecrets;
use crate::drivers::table::Embedded;

/// What `ingest`, `verify` and `route` may take.
const TIMEOUT_MS: i64 = 30_000;
const RAW: &str = "raw";
const EVENTS: &str = "events";
const CRM: &str = "crm";
const OUTBOUND: &str = "outbound";
/// Every queue there is.
pub(super) const QUEUES: [&str; 4] = [RAW, EVENTS, CRM, OUTBOUND];

/// The ports, carried out on this machine.
#[derive(Clone)]
pub(crate) struct Ports {
    pub embedded: Embedded,
    pub queues: Queues,
    pub table: Arc<dyn Table>,
    pub quarantine: Arc<dyn Table>,
    pub blobs: Arc<dyn Blobs>,
    pub secrets: Arc<dyn Secrets>,
    pub clock: Arc<dyn Clock>,
    pub bus: Arc<LocalBus>,
}

/// What the functions are told.
pub(super) struct Told {
    pub public_url: String,
    /// `host:port`, see [`Allow`].
    pub allow_hosts: Vec<String>,
    pub lease_ms: i64,
    pub times: Times,
}

/// The functions that answer at once.
pub(crate) struct Doors {
    pub ingest: Ingest,
    pub answer: Answer,
    pub api: Api,
}

impl Ports {
    /// Opens everything in the data folder.
    pub(super) async fn open(data: &Data) -> Result<Self, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let embedded = Embedded::open(&data.place("table.db")).await.map_err(|error| text(&error))?;
        let queues = Queues::open(&data.place("queue.db"), LAST_RECEIVE).map_err(|error| text(&error))?;
        let blobs = DiskBlobs::open(&data.place("blobs")).map_err(|error| text(&error))?;
        let secrets = DiskSecrets::open(&data.place("secrets")).map_err(|error| text(&error))?;
        Ok(Self {
            table: Arc::new(embedded.main()),
            quarantine: Arc::new(embedded.quarantine()),
            embedded,
            queues,
            blobs: Arc::new(blobs),
            secrets: Arc::new(secrets),
            clock: Arc::new(SystemClock::new()),
            bus: Arc::default(),
        })
    }

    fn queue(&self, name: &str) -> Arc<dyn Queue> {
        Arc::new(self.queues.queue(name, self.clock.clone()))
    }

    /// Where wake-ups for CRM connections go.
    pub(crate) fn crm(&self) -> Arc<dyn Queue> {
        self.queue(CRM)
    }

    /// Where wake-ups for provider connections go.
    pub(crate) fn outbound(&self) -> Arc<dyn Queue> {
        self.queue(OUTBOUND)
    }

    /// The functions with an HTTP door.
    pub(super) fn doors(&self, keys: &Keys, told: &Told) -> Result<Doors, String> {
        let ring = Ring::parse(&hook::public_text(&keys.hook.verifying_key())).map_err(|error| error.to_string())?;
        let answerer = Answerer::new(
            self.table.clone(),
            self.secrets.clone(),
            client(&told.allow_hosts)?,
            self.clock.clone(),
            jobs::codec,
            &told.times,
        );
        let answer = Answer { tokens: CheckedTokens::new(ring.clone()), answerer };
        let ingest = Ingest { tokens: CheckedTokens::new(ring), raw: self.queue(RAW) };
        let api = Api {
            table: self.table.clone(),
            quarantine: self.quarantine.clone(),
            blobs: self.blobs.clone(),
            secrets: self.secrets.clone(),
            raw: self.queue(RAW),
            events: self.queue(EVENTS),
            crm: self.crm(),
            outbound: self.outbound(),
            bus: self.bus.clone(),
            clock: self.clock.clone(),
            policies: Policies::default(),
            times: told.times,
            config: perezvon_api::Config {
                public_url: told.public_url.clone(),
                person_key: keys.person.clone(),
                link_key: keys.link.clone(),
                hook_key: Some(hook::private_text(&keys.hook)),
                allow_hosts: told.allow_hosts.clone(),
            },
        };
        Ok(Doors { ingest, answer, api })
    }

    /// The functions behind queues, each with its queue.
    pub(super) fn pumps(&self, keys: &Keys, told: &Told) -> Result<Vec<Pump>, String> {
        let verify = Verify::new(
            self.table.clone(),
            self.quarantine.clone(),
            (self.queue(EVENTS), self.crm()),
            self.secrets.clone(),
            self.clock.clone(),
            &told.times,
        );
        let route = Route::new(Committer {
            table: self.table.clone(),
            events: self.queue(EVENTS),
            crm: self.crm(),
            outbound: self.outbound(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            times: told.times,
        });
        let http = client(&told.allow_hosts)?;
        let links = Links { public_url: told.public_url.clone(), key: keys.link.clone() };
        let crm = Worker { links: Some(links), ..self.worker(CRM, http.clone(), told) };
        let outbound = Worker { blobs: Some(self.blobs.clone()), ..self.worker(OUTBOUND, http, told) };
        Ok(vec![
            self.pump(RAW, Arc::new(verify), 10, 4, TIMEOUT_MS),
            self.pump(EVENTS, Arc::new(route), 10, 8, TIMEOUT_MS),
            self.pump(CRM, Arc::new(Crm { worker: crm }), 1, 16, told.lease_ms),
            self.pump(OUTBOUND, Arc::new(Outbound { worker: outbound }), 1, 16, told.lease_ms),
        ])
    }

    fn worker(&self, queue: &str, http: Arc<dyn Http>, told: &Told) -> Worker {
        Worker {
            table: self.table.clone(),
            secrets: self.secrets.clone(),
            events: self.queue(EVENTS),
            wake_ups: self.queue(queue),
            http,
            blobs: None,
            links: None,
            clock: self.clock.clone(),
            times: told.times,
            codecs: jobs::codec,
            remembered: Remembered::default(),
        }
    }

    fn pump(
        &self,
        queue: &'static str,
        function: Arc<dyn Function>,
        batch: usize,
        parallel: u32,
        timeout_ms: i64,
    ) -> Pump {
        let (queues, clock) = (self.queues.clone(), self.clock.clone());
        Pump { queues, queue, function, clock, batch, parallel, timeout_ms }
    }

    /// The functions of the schedule, by name.
    pub(super) fn sweeps(&self, told: &Told) -> [(&'static str, Arc<dyn Scheduled>); 3] {
        let sweep = |wake_ups| Sweep {
            table: self.table.clone(),
            events: self.queue(EVENTS),
            wake_ups,
            clock: self.clock.clone(),
            times: told.times,
        };
        let wake_ups = WakeUps { crm: self.crm(), outbound: self.outbound() };
        [
            ("wake", Arc::new(Wake::new(sweep(Some(wake_ups))))),
            ("auto-reply", Arc::new(AutoReply { sweep: sweep(None) })),
            ("auto-close", Arc::new(AutoClose { sweep: sweep(None) })),
        ]
    }
}

/// The outgoing client that lets these hosts through besides the public ones.
pub(crate) fn client(allow_hosts: &[String]) -> Result<Arc<dyn Http>, String> {
    let allow = Allow::parse(&allow_hosts.join(",")).map_err(|why| format!("--allow-host: {why}"))?;
    let client = Client::new(Guard { allow }).map_err(|error| error.to_string())?;
    Ok(Arc::new(client))
}

#[async_trait]
impl Function for Verify {
    async fn invoke(&self, event: SqsEvent, _: &str, ends_ms: i64) -> SqsBatchResponse {
        self.handle(event, ends_ms).await
    }
}

#[async_trait]
impl Function for Route {
    async fn invoke(&self, event: SqsEvent, _: &str, ends_ms: i64) -> SqsBatchResponse {
        self.handle(event, ends_ms).await
    }
}

#[async_trait]
impl Function for Crm {
    async fn invoke(&self, event: SqsEvent, invocation: &str, ends_ms: i64) -> SqsBatchResponse {
        self.handle(event, invocation, ends_ms).await
    }
}

#[async_trait]
impl Function for Outbound {
    async fn invoke(&self, event: SqsEvent, invocation: &str, ends_ms: i64) -> SqsBatchResponse {
        self.handle(event, invocation, ends_ms).await
    }
}

#[async_trait]
impl Scheduled for Wake {
    async fn pass(&self) -> Result<Swept, Failure> {
        self.handle().await
    }
}

#[async_trait]
impl Scheduled for AutoReply {
    async fn pass(&self) -> Result<Swept, Failure> {
        self.handle().await
    }
}

#[async_trait]
impl Scheduled for AutoClose {
    async fn pass(&self) -> Result<Swept, Failure> {
        self.handle().await
    }
}
