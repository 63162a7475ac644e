//! Durable queues on SQLite: all of them in one file, at least once, fair by group.
//!
//! A message is hidden while somebody works on it and seen again when that takes too long; one that
//! was received too often without success is dead: kept aside with its last error, to be sent again
//! or forgotten by a person. [`rows`] has the statements, [`writer`] the thread that runs them.

mod rows;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use perezvon_platform::{Clock, Message, PortError, Queue};
use rusqlite::Connection;
use tokio::sync::Notify;

/// The longest delay of a message, in milliseconds: as in the cloud.
const MAX_DELAY_MS: i64 = 900_000;

/// A message on loan: acknowledge it, put it back, or it is seen again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub id: i64,
    pub body: String,
    pub group: String,
    /// How often it was handed out, this time included.
    pub receive_count: u32,
}

/// A message that nobody could deal with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    pub id: i64,
    pub body: String,
    pub group: String,
    pub receive_count: u32,
    pub last_error: String,
    /// Milliseconds since the epoch.
    pub died_at_ms: i64,
}

/// What the process remembers of one queue.
#[derive(Default)]
struct Memory {
    arrivals: Arc<Notify>,
    /// The group that was served last.
    served: Option<String>,
}

/// All queues of this machine. Clones are the same queues.
#[derive(Clone)]
pub struct Queues {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    writer: writer::Writer,
    max_receives: u32,
    memory: Mutex<HashMap<String, Memory>>,
}

impl Queues {
    /// Opens the file, which is made if it is missing. A message received `max_receives` times
    /// without being acknowledged is dead.
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or was written by a newer version.
    pub fn open(path: &Path, max_receives: u32) -> Result<Self, PortError> {
        let failed = |why: &dyn std::fmt::Display| PortError::new("queues", format!("{}: {why}", path.display()));
        let connection = Connection::open(path).map_err(|why| failed(&why))?;
        if !rows::prepare(&connection).map_err(|why| failed(&why))? {
            return Err(failed(&"written by a newer version of perezvon; use that one"));
        }
        let writer = writer::Writer::start(connection)?;
        let memory = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { path: path.to_owned(), writer, max_receives, memory }) })
    }

    /// The port to one queue.
    pub fn queue(&self, name: &str, clock: Arc<dyn Clock>) -> DiskQueue {
        DiskQueue { queues: self.clone(), name: name.to_owned(), clock }
    }

    /// Woken when something may have become visible sooner than [`next_due`](Self::next_due) said:
    /// a message sent, put back or sent again. One waiting consumer is woken; if none waits, the
    /// next that does.
    pub fn arrivals(&self, queue: &str) -> Arc<Notify> {
        self.remember(queue, |memory| Arc::clone(&memory.arrivals))
    }

    /// At most `max` visible messages, in turn by group, hidden for `visibility_ms`.
    ///
    /// # Errors
    /// The disk failed; what was handed out is seen again in time.
    pub async fn receive(
        &self,
        queue: &str,
        max: usize,
        visibility_ms: i64,
        now_ms: i64,
    ) -> Result<Vec<Received>, PortError> {
        let want = rows::Want {
            queue: queue.to_owned(),
            after: self.remember(queue, |memory| memory.served.clone()),
            max,
            visible_at: now_ms + visibility_ms,
            now_ms,
            max_receives: self.inner.max_receives,
        };
        let received = self.inner.writer.run(move |connection| rows::receive(connection, &want)).await?;
        if let Some(last) = received.last() {
            self.remember(queue, |memory| memory.served = Some(last.group.clone()));
        }
        Ok(received)
    }

    /// These are done. An id that is gone already is fine.
    ///
    /// # Errors
    /// The disk failed: they are seen again.
    pub async fn ack(&self, ids: Vec<i64>) -> Result<(), PortError> {
        let work = move |connection: &Connection| ids.iter().try_for_each(|id| rows::remove(connection, *id));
        self.inner.writer.run(work).await
    }

    /// This one failed: to be seen again `after_ms` from now. The error is kept for the dead letter.
    ///
    /// # Errors
    /// The disk failed: it is seen again when its visibility time-out ends.
    pub async fn nack(&self, queue: &str, id: i64, after_ms: i64, error: &str, now_ms: i64) -> Result<(), PortError> {
        let (visible_at, error) = (now_ms + after_ms, error.to_owned());
        let work = move |connection: &Connection| rows::put_back(connection, id, visible_at, &error);
        self.inner.writer.run(work).await?;
        self.arrivals(queue).notify_one();
        Ok(())
    }

    /// When the next message is visible, in milliseconds since the epoch; in the past if one is.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn next_due(&self, queue: &str) -> Result<Option<i64>, PortError> {
        let queue = queue.to_owned();
        self.inner.writer.run(move |connection| rows::next_due(connection, &queue)).await
    }

    /// How many messages there are: visible, hidden and delayed, not the dead; for specs.
    ///
    /// # Errors
    /// The disk failed.
    #[cfg(test)]
    pub async fn depth(&self, queue: &str) -> Result<u64, PortError> {
        let queue = queue.to_owned();
        self.inner.writer.run(move |connection| rows::depth(connection, &queue)).await
    }

    /// The dead messages of a queue, oldest first.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn dead(&self, queue: &str) -> Result<Vec<Dead>, PortError> {
        let queue = queue.to_owned();
        self.inner.writer.run(move |connection| rows::dead(connection, &queue)).await
    }

    /// Puts a dead message back as if it had never been received; whether there was one.
    ///
    /// # Errors
    /// The disk failed.
    pub async fn redrive(&self, id: i64, now_ms: i64) -> Result<bool, PortError> {
        let queue = self.inner.writer.run(move |connection| rows::redrive(connection, id, now_ms)).await?;
        if let Some(queue) = &queue {
            self.arrivals(queue).notify_one();
        }
        Ok(queue.is_some())
    }

    /// Writes a copy as of now to a new file; work goes on meanwhile.
    ///
    /// # Errors
    /// The file exists already or cannot be written.
    pub async fn backup_to(&self, path: &Path) -> Result<(), PortError> {
        let (from, to) = (self.inner.path.clone(), path.to_owned());
        let copied = tokio::task::spawn_blocking(move || writer::copy(&from, &to)).await;
        copied.map_err(|why| PortError::new("queues", why))?
    }

    fn remember<T>(&self, queue: &str, change: impl FnOnce(&mut Memory) -> T) -> T {
        // Nothing can be half done in there.
        let mut memory = self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner);
        change(memory.entry(queue.to_owned()).or_default())
    }
}

/// One queue, as the functions see it.
#[derive(Clone)]
pub struct DiskQueue {
    queues: Queues,
    name: String,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Queue for DiskQueue {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        if messages.iter().any(|message| !(0..=MAX_DELAY_MS).contains(&message.delay_ms)) {
            let why = format!("a delay must be 0 to {MAX_DELAY_MS} ms");
            return Err(PortError::new(format!("queue {}", self.name), why));
        }
        let (name, now_ms) = (self.name.clone(), self.clock.now_ms());
        let work = move |connection: &Connection| rows::send(connection, &name, &messages, now_ms);
        self.queues.inner.writer.run(work).await?;
        self.queues.arrivals(&self.name).notify_one();
        Ok(())
    }
}
