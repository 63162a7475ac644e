//! The other ports of the world: virtual time, secrets, blobs, the bus, and HTTP into the sandbox.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use perezvon_platform::{
    Blob, Blobs, Bus, BusEvent, Chunks, Clock, Http, HttpError, HttpRequest, HttpResponse, PortError, Secrets, Streamed,
};
use perezvon_sandbox::amocrm::AmoCrm;
use perezvon_sandbox::avito::{Avito, Push};
use perezvon_sandbox::mango::Mango;
use perezvon_sandbox::rostelecom::Rostelecom;
use perezvon_sandbox::{Request, Response};

use crate::chat::Chats;
use crate::faults::{Faults, Port};

/// When every world begins: 2025-10-09T08:53:20Z, the second the captured scenarios begin.
pub const EPOCH_MS: i64 = 1_760_000_000_000;
/// How long an outside system takes to answer.
const ANSWER_MS: u64 = 20;
/// And if it first posts a push: longer than all that follows from the push.
const PUSH_FIRST_MS: u64 = 2_000;

/// Virtual time: tokio's paused clock, which jumps when everybody waits.
#[derive(Clone, Copy)]
pub struct VirtualClock {
    start: tokio::time::Instant,
    /// Added to what this host thinks the time is.
    skew_ms: i64,
}

impl VirtualClock {
    /// A clock that begins at the epoch of the world.
    pub fn new() -> Self {
        Self { start: tokio::time::Instant::now(), skew_ms: 0 }
    }

    /// The clock of a host that is wrong by so much.
    pub fn wrong_by(self, skew_ms: i64) -> Self {
        Self { skew_ms, ..self }
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

fn ms(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Clock for VirtualClock {
    fn now_ms(&self) -> i64 {
        EPOCH_MS + ms(self.start.elapsed()) + self.skew_ms
    }

    fn monotonic_ms(&self) -> i64 {
        ms(self.start.elapsed())
    }

    async fn sleep_ms(&self, wait: i64) {
        tokio::time::sleep(std::time::Duration::from_millis(wait.max(0).unsigned_abs())).await;
    }
}

/// Secrets in memory.
pub struct ModelSecrets {
    pub faults: Arc<Faults>,
    pub records: Mutex<BTreeMap<String, String>>,
}

#[async_trait]
impl Secrets for ModelSecrets {
    async fn get(&self, name: &str) -> Result<Option<String>, PortError> {
        let call = self.faults.before("secrets.get").await?;
        let record = self.records.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        self.faults.after(call).await;
        Ok(record)
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), PortError> {
        let call = self.faults.before("secrets.put").await?;
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.to_owned());
        self.faults.after(call).await;
        Ok(())
    }
}

/// Blobs in memory.
pub struct ModelBlobs {
    pub faults: Arc<Faults>,
    pub stored: Mutex<BTreeMap<String, (String, Vec<u8>)>>,
}

#[async_trait]
impl Blobs for ModelBlobs {
    async fn put(&self, key: &str, media_type: &str, mut chunks: Chunks, limit: u64) -> Result<u64, PortError> {
        let call = self.faults.before("blobs.put").await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend(chunk?);
            if bytes.len() as u64 > limit {
                return Err(PortError::new("blobs", "too large"));
            }
        }
        let size = bytes.len() as u64;
        let blob = (media_type.to_owned(), bytes);
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), blob);
        self.faults.after(call).await;
        Ok(size)
    }

    async fn get(&self, key: &str, from: u64, to: Option<u64>) -> Result<Option<Blob>, PortError> {
        let call = self.faults.before("blobs.get").await?;
        let blob = self.stored.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        self.faults.after(call).await;
        Ok(blob.map(|(media_type, bytes)| {
            let total = bytes.len() as u64;
            let end = to.map_or(total, |to| (to + 1).min(total)).max(from.min(total));
            let part = bytes[usize::try_from(from.min(total)).unwrap_or(0)..usize::try_from(end).unwrap_or(0)].to_vec();
            Blob { media_type, total, from, bytes: part }
        }))
    }

    async fn remove(&self, key: &str) -> Result<(), PortError> {
        let call = self.faults.before("blobs.remove").await?;
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        self.faults.after(call).await;
        Ok(())
    }
}

/// The bus, as a list of what was told.
pub struct ModelBus {
    pub faults: Arc<Faults>,
    pub told: Mutex<Vec<BusEvent>>,
}

#[async_trait]
impl Bus for ModelBus {
    async fn publish(&self, events: Vec<BusEvent>) -> Result<(), PortError> {
        let call = self.faults.before("bus").await?;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(events);
        self.faults.after(call).await;
        Ok(())
    }
}

/// HTTP into the sandbox: `crm.test` is amoCRM, `ads.test` Avito, `chat.test` the World's own chats, `pbx.test` and
/// `files.test` are Mango, `vats.test` is Rostelecom.
pub struct SandboxHttp {
    pub faults: Arc<Faults>,
    pub clock: Arc<dyn Clock>,
    pub crm: Mutex<AmoCrm>,
    pub pbx: Mutex<Mango>,
    pub vats: Mutex<Rostelecom>,
    pub ads: Mutex<Avito>,
    /// What Avito has not posted yet: it is no process of ours, so a crash leaves it.
    pub pushes: Mutex<VecDeque<Push>>,
    pub chats: Mutex<Chats>,
}

impl SandboxHttp {
    async fn exchange(&self, request: &HttpRequest) -> Result<Response, HttpError> {
        let rest = request.url.strip_prefix("https://").unwrap_or(&request.url);
        let (host, target) = rest.split_once('/').unwrap_or((rest, ""));
        let name = match host.split('.').next() {
            Some(name) if name.starts_with("crm") => "http.crm",
            Some("ads") => "http.ads",
            Some("chat") => "http.chat",
            Some("vats") => "http.vats",
            _ => "http.pbx",
        };
        let call = self.faults.before_call(&format!("{name} {}", request.method), &Port::Http(request)).await;
        let call = call.map_err(|error| HttpError::Unknown(error.to_string()))?;
        let mut asked = Request::new(request.method, &format!("/{target}"), request.body.clone());
        for (name, value) in &request.headers {
            asked = asked.with_header(name, value);
        }
        let now = self.clock.now_ms();
        let mut answer_ms = ANSWER_MS;
        let answer = match name {
            "http.ads" => {
                let mut ads = self.ads.lock().unwrap_or_else(PoisonError::into_inner);
                let answer = ads.handle(&asked, now);
                let pushes = ads.take_pushes();
                if pushes.iter().any(|push| push.before_answer) {
                    answer_ms = PUSH_FIRST_MS;
                }
                self.pushes.lock().unwrap_or_else(PoisonError::into_inner).extend(pushes);
                answer
            }
            "http.crm" => self.crm.lock().unwrap_or_else(PoisonError::into_inner).handle(&asked, now),
            "http.vats" => self.vats.lock().unwrap_or_else(PoisonError::into_inner).handle(&asked, now),
            "http.chat" => self.chats.lock().unwrap_or_else(PoisonError::into_inner).handle(&asked, now),
            _ => self.pbx.lock().unwrap_or_else(PoisonError::into_inner).handle(&asked, now),
        };
        self.faults.after(call).await;
        if answer.status == 0 {
            self.clock.sleep_ms(request.timeout_ms).await;
            return Err(HttpError::Unknown("no answer within the time-out".to_owned()));
        }
        tokio::time::sleep(std::time::Duration::from_millis(answer_ms)).await;
        Ok(answer)
    }
}

fn headers(answer: &Response) -> BTreeMap<String, String> {
    answer.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}

#[async_trait]
impl Http for SandboxHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.exchange(&request).await?;
        Ok(HttpResponse { status: answer.status, headers: headers(&answer), body: answer.body })
    }

    async fn fetch(&self, request: HttpRequest) -> Result<Streamed, HttpError> {
        let answer = self.exchange(&request).await?;
        let headers = headers(&answer);
        let chunks: Chunks = Box::pin(futures_util::stream::iter([Ok(answer.body)]));
        Ok(Streamed { status: answer.status, headers, chunks })
    }
}
