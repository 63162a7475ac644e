//! Crash points: every port call has one before it and one after it; they are counted. A spec can also
//! wait for a port call and do something just before it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perezvon_platform::{HttpRequest, PortError};
use perezvon_store::{Key, Query, Update};
use tokio::sync::Notify;

use crate::bill;

/// More port calls than any story needs: something goes round in a circle.
const STORM: usize = 200_000;

/// More port calls than two rounds of all sweeps.
const QUIET: usize = 30;

fn is_read(name: &str) -> bool {
    name == "table.query" || name == "table.get"
}

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the n-th port call does anything.
    Before(u64),
    /// After the n-th port call has done it, before anybody learns of it.
    After(u64),
}

/// A port call that is about to happen.
#[derive(Clone, Copy, Debug)]
pub enum Port<'a> {
    Get(&'a Key),
    Query(&'a Query),
    Update(&'a Update),
    Http(&'a HttpRequest),
    /// Any other, by its name: `queue.crm`.
    Other(&'a str),
}

impl Port<'_> {
    /// A write that sets this attribute, or an entry of it.
    pub fn sets(&self, name: &str) -> bool {
        matches!(self, Self::Update(update) if update.set.iter().any(|(path, _)| path[0] == name))
    }

    /// A write that removes this attribute, or an entry of it.
    pub fn removes(&self, name: &str) -> bool {
        matches!(self, Self::Update(update) if update.remove.iter().any(|path| path[0] == name))
    }

    /// A write that adds to this number.
    pub fn adds(&self, name: &str) -> bool {
        matches!(self, Self::Update(update) if update.add.iter().any(|(added, _)| added == name))
    }

    /// A write of this row.
    pub fn writes(&self, key: &Key) -> bool {
        matches!(self, Self::Update(update) if update.key == *key)
    }

    /// A request with this method.
    pub fn is_http(&self, method: &str) -> bool {
        matches!(self, Self::Http(request) if request.method == method)
    }
}

/// What becomes of a port call that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    GoOn,
    /// The process dies before the call does anything.
    Die,
    /// The process is frozen for so long.
    Freeze(Duration),
    /// The port does not answer, and nothing was done.
    Fail,
}

/// Asked before every port call until it answers.
type Watch = Box<dyn FnMut(&Port<'_>) -> Option<Then> + Send>;

/// Counts port calls and crashes at the wanted one. Shared by all ports of a world.
#[derive(Default)]
pub struct Faults {
    calls: AtomicU64,
    crash: Mutex<Vec<Crash>>,
    /// Names of the port calls so far, for a failing test to print.
    log: Mutex<Vec<String>>,
    watches: Mutex<Vec<Watch>>,
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

    /// Looks at every port call until it answers what is to become of one.
    pub fn watch(&self, watch: impl FnMut(&Port<'_>) -> Option<Then> + Send + 'static) {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(watch));
    }

    /// Just before the first port call like this one: what others do meanwhile, and what becomes of the call.
    pub fn before_first(
        &self,
        like: impl Fn(&Port<'_>) -> bool + Send + 'static,
        meanwhile: impl FnOnce() -> Then + Send + 'static,
    ) {
        let mut meanwhile = Some(meanwhile);
        self.watch(move |port| if like(port) { meanwhile.take().map(|act| act()) } else { None });
    }

    fn seen(&self, port: &Port<'_>) -> Then {
        let mut watches = std::mem::take(&mut *self.watches.lock().unwrap_or_else(PoisonError::into_inner));
        let mut then = Then::GoOn;
        watches.retain_mut(|watch| match watch(port) {
            Some(answer) => {
                then = answer;
                false
            }
            None => true,
        });
        self.watches.lock().unwrap_or_else(PoisonError::into_inner).extend(watches);
        then
    }

    /// Begins a port call that has no more to it than its name.
    pub async fn before(&self, name: &str) -> Result<u64, PortError> {
        self.before_call(name, &Port::Other(name)).await
    }

    /// Begins a port call.
    pub async fn before_call(&self, name: &str, port: &Port<'_>) -> Result<u64, PortError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        {
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(name.to_owned());
            assert!(log.len() < STORM, "a storm of port calls, at the end: {:?}", &log[log.len() - 40..]);
        }
        self.die_at(Crash::Before(call)).await;
        match self.seen(port) {
            Then::GoOn => {}
            Then::Die => self.die().await,
            Then::Freeze(time) => tokio::time::sleep(time).await,
            Then::Fail => return Err(PortError::new(name, "no answer")),
        }
        bill::call_takes_its_time().await;
        Ok(call)
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
            self.die().await;
        }
    }

    async fn die(&self) {
        self.crashes.fetch_add(1, Ordering::SeqCst);
        self.crashed.notify_one();
        // The process is gone: nothing after this line happens.
        std::future::pending::<()>().await;
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
        let last = log.iter().rposition(|name| !is_read(name));
        last.unwrap_or_default() as u64
    }

    /// A read with nothing but reads long before and after it: of sweeps that find nothing to do, all alike.
    pub fn is_idle(&self, call: u64) -> bool {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, end) = ((call as usize).saturating_sub(QUIET), (call as usize + QUIET).min(log.len()));
        log[first..end].iter().all(|name| is_read(name))
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
