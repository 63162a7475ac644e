//! The one thread that owns the database file. Whatever waits when it comes round goes into one
//! transaction: one flush to disk for many messages.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use perezvon_platform::PortError;
use rusqlite::Connection;
use tokio::sync::oneshot;

/// The most that goes into one transaction, so that the first of many is not kept waiting.
const MAX_TOGETHER: usize = 256;

/// Runs inside the transaction; what it returns runs when that is on disk, or is not.
type Work = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), PortError>) + Send>;

/// The thread, as its clients see it. It ends, and the file is closed, when this is dropped.
pub(super) struct Writer {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

fn failed(why: impl std::fmt::Display) -> PortError {
    PortError::new("queues", why)
}

impl Writer {
    /// Starts the thread over an open database.
    pub(super) fn start(connection: Connection) -> Result<Self, PortError> {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("queues".to_owned())
            .spawn(move || serve(&connection, &receiver))
            .map_err(failed)?;
        Ok(Self { work: Some(sender), thread: Some(thread) })
    }

    /// Carries the work out, whole or not at all; returns when it is on disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, PortError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let outcome = alone(connection, work).map_err(failed);
            // Nobody may be listening any more: a caller that was dropped.
            Box::new(move |committed| _ = answer.send(committed.and(outcome)))
        });
        let sent = self.work.as_ref().is_some_and(|queue| queue.send(work).is_ok());
        let lost = || failed("the thread of queue.db has stopped; its reason is in the log");
        if sent { answered.await.map_err(|_| lost())? } else { Err(lost()) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take() {
            // It has reported its own panic, if that is how it ended.
            _ = thread.join();
        }
    }
}

/// A savepoint of its own: one failure does not undo what others put into the same transaction.
fn alone<T>(connection: &Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    connection.execute_batch("SAVEPOINT work")?;
    let outcome = work(connection);
    let end = if outcome.is_ok() { "RELEASE work" } else { "ROLLBACK TO work; RELEASE work" };
    connection.execute_batch(end)?;
    outcome
}

fn serve(connection: &Connection, queue: &Receiver<Work>) {
    while let Ok(first) = queue.recv() {
        let together = std::iter::once(first).chain(queue.try_iter().take(MAX_TOGETHER - 1));
        let answers = match connection.unchecked_transaction() {
            Ok(transaction) => {
                let answers: Vec<_> = together.map(|work| work(connection)).collect();
                (transaction.commit().map_err(failed), answers)
            }
            Err(why) => {
                tracing::error!(%why, "no transaction on queue.db; is the disk full?");
                // Their callers see that the answer is lost, and try again.
                together.for_each(drop);
                continue;
            }
        };
        let (committed, answers) = answers;
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// Writes a copy as of now to a new file, beside the thread: readers do not block it.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), PortError> {
    let name = to.to_str().ok_or_else(|| failed(format!("the path {} must be UTF-8", to.display())))?;
    let connection = Connection::open(from).map_err(failed)?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(failed)
}
