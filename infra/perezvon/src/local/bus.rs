//! The bus of one machine: facts are told in the log, and to whoever listens over HTTP. Bounded: a reader that does not
//! keep up is dropped, and nobody waits for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use perezvon_platform::{Bus, BusEvent, PortError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::line::HangUp;

/// Facts that one reader may be behind.
const BEHIND: usize = 64;
/// Facts that are kept for readers that come again.
const RECENT: usize = 256;
/// Readers at the same time.
const READERS: usize = 200;
/// A dropped reader has so long to read why, then its connection is cut.
const GRACE: Duration = Duration::from_secs(10);

/// Tells facts in the log, never what is in them, and to its readers.
pub(crate) struct LocalBus {
    inner: Mutex<Inner>,
    grace: Duration,
}

struct Inner {
    /// Tells the lives of this process apart.
    life: u128,
    last: u64,
    recent: VecDeque<Fact>,
    readers: Vec<Reader>,
    closed: bool,
}

struct Fact {
    number: u64,
    account: String,
    frame: Bytes,
}

struct Reader {
    account: String,
    facts: Sender<Bytes>,
    dropped: Arc<AtomicBool>,
    line: HangUp,
}

/// What a reader gets.
pub(super) struct Listening {
    /// What it missed, as far as that is known.
    pub missed: VecDeque<Bytes>,
    pub facts: Receiver<Bytes>,
    /// It did not keep up: nothing more comes.
    pub dropped: Arc<AtomicBool>,
}

impl Default for LocalBus {
    fn default() -> Self {
        Self::with_grace(GRACE)
    }
}

impl LocalBus {
    pub(super) fn with_grace(grace: Duration) -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let (life, recent) = (since.as_millis(), VecDeque::with_capacity(RECENT));
        let inner = Inner { life, last: 0, recent, readers: Vec::new(), closed: false };
        Self { inner: Mutex::new(inner), grace }
    }

    /// Facts of an account from now on, and those after `last`, the id of the last one that was read. `None`: there are
    /// too many readers.
    pub(super) fn listen(&self, account: &str, last: Option<&str>, line: HangUp) -> Option<Listening> {
        let mut inner = self.inner();
        inner.readers.retain(|reader| !reader.facts.is_closed());
        if inner.closed || inner.readers.len() >= READERS {
            return None;
        }
        let missed = last.map(|last| inner.after(account, last)).unwrap_or_default();
        let (sender, facts) = channel(BEHIND);
        let dropped = Arc::new(AtomicBool::new(false));
        let reader = Reader { account: account.to_owned(), facts: sender, dropped: dropped.clone(), line };
        inner.readers.push(reader);
        Some(Listening { missed, facts, dropped })
    }

    /// The process ends: nobody hears anything more.
    pub(super) fn close(&self) {
        let mut inner = self.inner();
        inner.closed = true;
        inner.readers.clear();
    }

    #[cfg(test)]
    pub(super) fn readers(&self) -> usize {
        self.inner().readers.len()
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, event: &BusEvent, grace: Duration) {
        self.last += 1;
        let fact = Fact { number: self.last, account: event.account.clone(), frame: self.frame(event) };
        self.readers.retain(|reader| reader.account != fact.account || reader.tell(&fact.frame, grace));
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(fact);
    }

    fn frame(&self, event: &BusEvent) -> Bytes {
        let (id, name) = (serde_json::json!(event.id), &event.name);
        let data = format!("{{\"id\":{id},\"name\":\"{name}\",\"detail\":{}}}", event.detail);
        Bytes::from(format!("id: {}-{}\nevent: {name}\ndata: {data}\n\n", self.life, self.last))
    }

    /// What came after this fact. What cannot be told is said to be missing: then a page reads everything anew.
    fn after(&self, account: &str, last: &str) -> VecDeque<Bytes> {
        let number = last.split_once('-').filter(|(life, _)| *life == self.life.to_string());
        let number = number.and_then(|(_, number)| number.parse::<u64>().ok());
        let oldest = self.recent.front().map_or(self.last + 1, |fact| fact.number);
        let mut missed = VecDeque::new();
        if number.is_none_or(|number| number + 1 < oldest) {
            missed.push_back(Bytes::from_static(b"event: gap\ndata: {}\n\n"));
        }
        let later = |fact: &&Fact| fact.account == account && number.is_some_and(|number| fact.number > number);
        missed.extend(self.recent.iter().filter(later).map(|fact| fact.frame.clone()));
        missed
    }
}

impl Reader {
    /// False: it is gone, or did not keep up.
    fn tell(&self, frame: &Bytes, grace: Duration) -> bool {
        match self.facts.try_send(frame.clone()) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(_)) => {
                tracing::warn!(account = self.account, "a reader of facts was {BEHIND} behind and is dropped");
                self.dropped.store(true, Ordering::Relaxed);
                let (line, unread) = (self.line.clone(), self.dropped.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(grace).await;
                    if unread.load(Ordering::Relaxed) {
                        line.now();
                    }
                });
                false
            }
        }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, events: Vec<BusEvent>) -> Result<(), PortError> {
        let mut inner = self.inner();
        for event in &events {
            tracing::info!(account = event.account, id = event.id, "{}", event.name);
            inner.tell(event, self.grace);
        }
        Ok(())
    }
}
