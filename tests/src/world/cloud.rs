//! The driver for what is billed: functions run beside each other, calls of services take their time, and queues
//! are polled as event source mappings do it: full batches, those of the raw queue gathered for a while where that is
//! wanted.

use std::collections::VecDeque;
use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use perezvon_sandbox::avito::Push;
use perezvon_sandbox::mango;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ads::path_of;
use super::driver::{Target, invoke};
use super::{TICK, World};
use crate::bill::{self, Bill};
use crate::events::gateway_request;
use crate::queue::Waiting;
use crate::settings::{KEY, SALT};

/// How often the pollers look while anything runs.
const LOOK: Duration = Duration::from_millis(10);
/// As many messages does a batch of the raw queue or of the event queue hold.
pub const FULL: usize = 10;

/// A request that is posted at its time.
#[derive(Clone, Debug)]
pub struct Post {
    /// After the start of the run.
    pub after_ms: i64,
    pub path: String,
    pub body: Vec<u8>,
}

type Done = Option<(Target, Vec<Waiting>, SqsBatchResponse)>;

impl World {
    /// A signed webhook of an account's channel `main`.
    pub fn webhook(&self, account: &str, after_ms: i64, event: &str, json: &str) -> Post {
        let body = mango::form(KEY, SALT, json).into_bytes();
        Post { after_ms, path: self.hook_path(account, "main", 1, event), body }
    }

    /// Everything that was billed so far.
    pub fn bill(&self) -> Bill {
        let metered = self.meter.read();
        let queues = [&self.raw, &self.events, &self.crm_queue, &self.outbound_queue];
        let (table, quarantine) = (self.table.units(), self.quarantine.units());
        Bill {
            http: metered.http,
            functions: metered.functions,
            sends: queues.iter().map(|queue| queue.send_requests()).sum(),
            receives: metered.receives,
            deletes: metered.deletes,
            writes: table.calls + quarantine.calls,
            write_units: table.writes + quarantine.writes,
            reads: table.reads + quarantine.reads,
            half_read_units: table.half_reads + quarantine.half_reads,
            facts: self.bus.told.lock().map(|told| told.len() as u64).unwrap_or_default(),
            secrets: (self.faults.count("secrets.get") + self.faults.count("secrets.put")) as u64,
            blobs: self.faults.count("blobs.put") as u64,
            outside: (self.crm(|crm| crm.requests().len())
                + self.ads(|ads| ads.requests().len())
                + self.pbx(|pbx| pbx.requests().len())) as u64,
        }
    }

    /// Posts requests at their times and lets the functions run for this long, until none runs any more.
    pub async fn run_cloud(&mut self, posts: Vec<Post>, time: Duration, batch: usize) {
        let start = Instant::now();
        let end = start + time;
        let at = |post: &Post| start + Duration::from_millis(post.after_ms.unsigned_abs());
        let mut posts: Vec<Post> = posts;
        posts.sort_by_key(|post| post.after_ms);
        let mut posts = VecDeque::from(posts);
        let mut running: JoinSet<Done> = JoinSet::new();
        loop {
            let now = Instant::now();
            if now >= end && running.is_empty() {
                return;
            }
            while now < end && posts.front().is_some_and(|post| at(post) <= now) {
                let Some(post) = posts.pop_front() else { break };
                self.start_ingest(post, &mut running);
            }
            while let Some(push) = self.next_push() {
                self.start_push(push, &mut running);
            }
            if now < end && now >= self.next_tick {
                self.next_tick += TICK;
                self.start_sweeps(&mut running);
            }
            while now < end && self.start_batch(batch, &mut running) {}
            let mut next = posts.front().map_or(end, at).min(self.next_tick).min(end);
            next = self.next_delivery(now).map_or(next, |visible| visible.min(next)).max(now + LOOK);
            if !running.is_empty() {
                next = now + LOOK;
            }
            tokio::select! {
                biased;
                Some(done) = running.join_next() => {
                    if let Some((target, messages, response)) = done.expect("a handler does not panic") {
                        self.settle(&target, &messages, &response);
                    }
                }
                () = tokio::time::sleep_until(next) => {}
            }
        }
    }

    fn start_push(&mut self, push: Push, running: &mut JoinSet<Done>) {
        self.requests += 1;
        let (path, body, now_ms) = (path_of(&push), push.body.as_bytes(), self.clock.now_ms());
        let request = gateway_request(path, "application/json", body, self.requests, now_ms);
        let (functions, meter, clock, http) =
            (self.functions(), self.meter.clone(), self.clock.clone(), self.http.clone());
        running.spawn(async move {
            meter.http();
            let work = functions.ingest.handle(request);
            let status = meter.invocation("ingest", 1, clock.as_ref(), work).await.status_code;
            http.note_pushed(push, status, clock.now_ms());
            None
        });
    }

    fn start_ingest(&mut self, post: Post, running: &mut JoinSet<Done>) {
        self.requests += 1;
        let content_type = "application/x-www-form-urlencoded";
        let request = gateway_request(&post.path, content_type, &post.body, self.requests, self.clock.now_ms());
        let (functions, meter, clock) = (self.functions(), self.meter.clone(), self.clock.clone());
        running.spawn(async move {
            meter.http();
            meter.invocation("ingest", 1, clock.as_ref(), functions.ingest.handle(request)).await;
            None
        });
    }

    fn start_sweeps(&self, running: &mut JoinSet<Done>) {
        let (functions, meter, clock, has_chats) =
            (self.functions(), self.meter.clone(), self.clock.clone(), self.has_chats);
        running.spawn(async move {
            let swept = meter.invocation("wake", 1, clock.as_ref(), functions.wake.handle()).await;
            swept.expect("wake works");
            if has_chats {
                let pass = functions.auto_reply.handle();
                meter.invocation("auto-reply", 1, clock.as_ref(), pass).await.expect("auto-reply works");
                let pass = functions.auto_close.handle();
                meter.invocation("auto-close", 1, clock.as_ref(), pass).await.expect("auto-close works");
            }
            None
        });
    }

    /// Starts one batch, if a queue has one ready.
    fn start_batch(&mut self, batch: usize, running: &mut JoinSet<Done>) -> bool {
        let now = self.clock.now_ms();
        for target in [Target::Raw, Target::Events, Target::Crm, Target::Outbound] {
            let (full, window) = match target {
                Target::Raw => (batch, if batch > 1 { self.gather_ms } else { 0 }),
                Target::Events => (batch, 0),
                Target::Crm | Target::Outbound => (1, 0),
            };
            let queue = self.queue(&target);
            let mut ids = queue.visible();
            let ripe = ids.len() >= full || queue.next_visible().is_some_and(|since| since + window <= now);
            if ids.is_empty() || !ripe {
                continue;
            }
            ids.truncate(full);
            let messages = queue.receive(&ids);
            self.start(target, messages, running);
            return true;
        }
        false
    }

    fn start(&mut self, target: Target, messages: Vec<Waiting>, running: &mut JoinSet<Done>) {
        self.meter.batch(messages.iter().map(|message| message.body.len()).sum());
        let copy = format!("copy-{}", self.next_random(u64::MAX));
        let (functions, meter, clock) = (self.functions(), self.meter.clone(), self.clock.clone());
        running.spawn(async move {
            let work = invoke(functions, clock.clone(), copy, target, messages.clone());
            let response = meter.invocation(target.function(), messages.len(), clock.as_ref(), work).await;
            Some((target, messages, response))
        });
    }
}

/// Requests that sending these sizes takes, ten and 256 KiB each at most, by the chunk.
pub fn send_requests(sizes: &[usize]) -> u64 {
    let mut requests = 0;
    let (mut entries, mut bytes) = (0, 0);
    for size in sizes {
        if entries == FULL || (entries > 0 && bytes + size > 4 * bill::CHUNK) {
            requests += bill::chunks(bytes);
            (entries, bytes) = (0, 0);
        }
        entries += 1;
        bytes += size;
    }
    requests + if entries > 0 { bill::chunks(bytes) } else { 0 }
}
