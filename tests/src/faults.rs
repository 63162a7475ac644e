//! Crash points: every port call has one before it and one after it; they are counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// More port calls than any story needs: something goes round in a circle.
const STORM: usize = 200_000;

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the n-th port call does anything.
    Before(u64),
    /// After the n-th port call has done it, before anybody learns of it.
    After(u64),
}

/// Counts port calls and crashes at the wanted one. Shared by all ports of a world.
#[derive(Default)]
pub struct Faults {
    calls: AtomicU64,
    crash: Mutex<Vec<Crash>>,
    /// Names of the port calls so far, for a failing test to print.
    log: Mutex<Vec<String>>,
    pub crashed: Notify,
    crashes: AtomicU64,
}

impl Faults {
    /// Faults that crash at these points.
    pub fn new(crash: Vec<Crash>) -> Arc<Self> {
        Arc::new(Self { crash: Mutex::new(crash), ..Self::default() })
    }

    /// Plans more crashes, counted from the first port call ever.
    pub fn plan(&self, crash: Vec<Crash>) {
        self.crash.lock().unwrap_or_else(PoisonError::into_inner).extend(crash);
    }

    /// Begins a port call.
    pub async fn before(&self, what: &str) -> u64 {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(what.to_owned());
            assert!(log.len() < STORM, "a storm of port calls, at the end: {:?}", &log[log.len() - 40..]);
        }
        self.die_at(Crash::Before(call)).await;
        call
    }

    /// Ends it.
    pub async fn after(&self, call: u64) {
        self.die_at(Crash::After(call)).await;
    }

    async fn die_at(&self, point: Crash) {
        let hit = {
            let mut crash = self.crash.lock().unwrap_or_else(PoisonError::into_inner);
            let place = crash.iter().position(|planned| *planned == point);
            place.map(|place| crash.remove(place)).is_some()
        };
        if hit {
            self.crashes.fetch_add(1, Ordering::SeqCst);
            self.crashed.notify_one();
            // The process is gone: nothing after this line happens.
            std::future::pending::<()>().await;
        }
    }

    /// How many port calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many planned crashes happened.
    pub fn crashes(&self) -> u64 {
        self.crashes.load(Ordering::SeqCst)
    }

    /// The last call that was no read of a sweep: after it nothing happens any more.
    pub fn last_of_interest(&self) -> u64 {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let last = log.iter().rposition(|name| name != "table.query" && name != "table.get");
        last.unwrap_or_default() as u64
    }

    /// The name of one port call.
    pub fn name(&self, call: u64) -> String {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.get(call as usize).cloned().unwrap_or_default()
    }

    /// How many port calls have this name.
    pub fn count(&self, name: &str) -> usize {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).iter().filter(|call| call.as_str() == name).count()
    }
}
