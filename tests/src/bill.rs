//! What AWS would bill for what a world did: requests, units and time, counted; and at which prices.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use perezvon_platform::Clock;

/// Time that one call of a service takes in a function. Measured: an event of `ingest` needs 244 us of a core, its
/// one SDK call 167 us of them; 128 MB are given 7 % of a core, so 2.4 ms. Assumed: 5 ms until the service answers.
const CALL: Duration = Duration::from_millis(7);
/// Time for one message besides its calls: the other 77 us at 7 % of a core.
const MESSAGE_MS: i64 = 1;
/// Memory of every function, in GB.
const MEMORY_GB: f64 = 0.125;
/// Payload that counts as one request of a queue, or as one event of the bus.
pub const CHUNK: usize = 64 * 1024;
/// Long polls of an idle queue in a month of 30 days: five pollers, 20 s each.
const IDLE_POLLS_A_MONTH: u64 = 5 * 3 * 60 * 24 * 30;

tokio::task_local! {
    static METERED: ();
}

/// A call of a port: in a metered invocation it takes its time.
pub async fn call_takes_its_time() {
    if METERED.try_with(|()| ()).is_ok() {
        tokio::time::sleep(CALL).await;
    }
}

/// How often a function ran, and for how long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    pub invocations: u64,
    /// From start to end, waiting included: that is what is billed.
    pub ms: u64,
}

/// Counts what only the driver of a world knows.
#[derive(Debug, Default)]
pub struct Meter(Mutex<Metered>);

/// What a [`Meter`] counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    pub http: u64,
    pub functions: BTreeMap<&'static str, Ran>,
    pub receives: u64,
    pub deletes: u64,
}

impl Meter {
    fn lock(&self) -> MutexGuard<'_, Metered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sums so far.
    pub fn read(&self) -> Metered {
        self.lock().clone()
    }

    /// A request came to the HTTP API.
    pub fn http(&self) {
        self.lock().http += 1;
    }

    /// A batch of this many bytes was taken from a queue; what was done is deleted by one request.
    pub fn batch(&self, bytes: usize) {
        let mut metered = self.lock();
        metered.receives += chunks(bytes);
        metered.deletes += 1;
    }

    /// Runs an invocation in which calls take their time, and counts it.
    pub async fn invocation<T>(
        &self,
        function: &'static str,
        messages: usize,
        clock: &dyn Clock,
        work: impl Future<Output = T>,
    ) -> T {
        let start = clock.monotonic_ms();
        let own = i64::try_from(messages).unwrap_or(1) * MESSAGE_MS;
        clock.sleep_ms(own).await;
        let done = METERED.scope((), work).await;
        let ms = (clock.monotonic_ms() - start).max(1).unsigned_abs();
        let mut metered = self.lock();
        let ran = metered.functions.entry(function).or_default();
        ran.invocations += 1;
        ran.ms += ms;
        done
    }
}

/// Requests that a payload counts as.
pub fn chunks(bytes: usize) -> u64 {
    bytes.div_ceil(CHUNK).max(1) as u64
}

/// All that is billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    pub http: u64,
    pub functions: BTreeMap<&'static str, Ran>,
    /// Requests to queues; those that send name a group.
    pub sends: u64,
    pub receives: u64,
    pub deletes: u64,
    /// Requests to the tables, and what they cost.
    pub writes: u64,
    pub write_units: u64,
    pub reads: u64,
    /// An eventually consistent read costs half a unit.
    pub half_read_units: u64,
    pub facts: u64,
    pub secrets: u64,
    pub blobs: u64,
    /// Requests to the outside: no bill, but time.
    pub outside: u64,
}

impl Bill {
    /// What came on top of an earlier bill.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut functions = self.functions.clone();
        for (name, ran) in &mut functions {
            let before = earlier.functions.get(name).copied().unwrap_or_default();
            ran.invocations -= before.invocations;
            ran.ms -= before.ms;
        }
        functions.retain(|_, ran| *ran != Ran::default());
        Self {
            http: self.http - earlier.http,
            functions,
            sends: self.sends - earlier.sends,
            receives: self.receives - earlier.receives,
            deletes: self.deletes - earlier.deletes,
            writes: self.writes - earlier.writes,
            write_units: self.write_units - earlier.write_units,
            reads: self.reads - earlier.reads,
            half_read_units: self.half_read_units - earlier.half_read_units,
            facts: self.facts - earlier.facts,
            secrets: self.secrets - earlier.secrets,
            blobs: self.blobs - earlier.blobs,
            outside: self.outside - earlier.outside,
        }
    }

    /// Invocations of all functions.
    pub fn invocations(&self) -> u64 {
        self.functions.values().map(|ran| ran.invocations).sum()
    }

    /// Milliseconds of all functions.
    pub fn ms(&self) -> u64 {
        self.functions.values().map(|ran| ran.ms).sum()
    }

    /// Requests to queues.
    pub fn queue_requests(&self) -> u64 {
        self.sends + self.receives + self.deletes
    }

    /// Requests to AWS, invocations aside.
    pub fn requests(&self) -> u64 {
        self.http + self.queue_requests() + self.writes + self.reads + self.facts + self.secrets + self.blobs
    }

    /// The bill in USD, a line for each price.
    pub fn lines(&self) -> Vec<Line> {
        let gb_seconds = self.ms() as f64 / 1000.0 * MEMORY_GB;
        [
            ("HTTP API requests", self.http as f64, 1.00),
            ("Lambda requests", self.invocations() as f64, 0.20),
            ("Lambda GB-seconds, arm64", gb_seconds, 13.3334),
            ("SQS requests", self.queue_requests() as f64, 0.40),
            ("SQS requests with a group, on top", self.sends as f64, 0.10),
            ("DynamoDB write units", self.write_units as f64, 0.625),
            ("DynamoDB read units", self.half_read_units as f64 / 2.0, 0.125),
            ("EventBridge events", self.facts as f64, 1.00),
            ("Secrets Manager calls", self.secrets as f64, 5.00),
            ("S3 PUT requests", self.blobs as f64, 5.00),
        ]
        .map(|(what, count, per_million)| Line { what, count, per_million })
        .into()
    }

    /// The bill in USD.
    pub fn usd(&self) -> f64 {
        self.lines().iter().map(Line::usd).sum()
    }
}

/// One line of a bill.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub what: &'static str,
    pub count: f64,
    /// USD for a million. List prices of us-east-1, 2026-11; no free tier, no volume discount.
    pub per_million: f64,
}

impl Line {
    /// What it comes to.
    pub fn usd(&self) -> f64 {
        self.count * self.per_million / 1e6
    }
}

/// Empty receives of a month, if nothing ever came to this many queues.
pub fn idle_polls(queues: u64) -> Bill {
    Bill { receives: queues * IDLE_POLLS_A_MONTH, ..Bill::default() }
}
