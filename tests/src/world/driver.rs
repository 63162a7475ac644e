//! The driver: delivers messages by the seed, calls the schedule, lets time jump, survives crashes.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::sqs::SqsBatchResponse;
use perezvon_engine::Failure;
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::Clock;
use tokio::task::JoinHandle;

use super::{Functions, INVOCATION_MS, TICK, World};
use crate::events::sqs_event;
use crate::queue::{ModelQueue, Waiting};

/// When the platform ends an invocation.
const TIME_OUT: Duration = Duration::from_millis(INVOCATION_MS.unsigned_abs());

/// The function that a batch goes to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Raw,
    Events,
    Crm,
    Outbound,
}

impl World {
    /// Runs for this much virtual time: deliveries, schedules, time-outs.
    pub async fn run_for(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        loop {
            while self.push().await || self.post_due().await || self.deliver().await {}
            let now = tokio::time::Instant::now();
            if now >= end {
                return;
            }
            if now >= self.next_tick {
                self.next_tick = now + TICK;
                self.tick().await;
                continue;
            }
            let next = self.next_delivery(now).unwrap_or(end).min(self.next_tick).min(end);
            tokio::time::sleep_until(next.max(now + Duration::from_millis(1))).await;
        }
    }

    pub(super) fn next_delivery(&self, now: tokio::time::Instant) -> Option<tokio::time::Instant> {
        let queues = [&self.raw, &self.crm_queue, &self.outbound_queue];
        let events = Some(&self.events).filter(|_| !self.route_is_down);
        let visible = queues.into_iter().chain(events).filter_map(|queue| queue.next_visible());
        let posts = [self.vats(|vats| vats.next_due()), self.pbx(|pbx| pbx.next_due()), self.crm(|crm| crm.next_due())];
        let next = visible.chain(posts.into_iter().flatten()).min()?;
        let wait = (next - self.clock.now_ms()).max(0).unsigned_abs();
        Some(now + Duration::from_millis(wait))
    }

    async fn tick(&mut self) {
        let functions = self.functions();
        let has_chats = self.has_chats;
        let run = tokio::spawn(async move {
            if let Err(failure) = functions.wake.handle().await {
                panic!("wake failed: {failure}");
            }
            if has_chats {
                functions.auto_reply.handle().await.expect("auto-reply works");
                functions.auto_close.handle().await.expect("auto-close works");
            }
        });
        self.survive(run).await;
    }

    /// Waits for an invocation; should it crash, its process is gone. `None`: it crashed.
    pub(crate) async fn survive<T: Send + 'static>(&mut self, run: tokio::task::JoinHandle<T>) -> Option<T> {
        let abort = run.abort_handle();
        let faults = self.faults.clone();
        tokio::select! {
            biased;
            () = faults.crashed.notified() => {
                abort.abort();
                self.restart();
                None
            }
            done = run => Some(done.expect("a handler does not panic")),
        }
    }

    /// Delivers once, if anything can be received. Up to `parallel` invocations run at the same time.
    /// The platform ends one at its time-out, frozen or not; its messages come again.
    async fn deliver(&mut self) -> bool {
        let mut runs = Vec::new();
        while runs.len() < self.plan.parallel.max(1) {
            let Some((target, messages)) = self.receive() else { break };
            let run = tokio::spawn(tokio::time::timeout(
                TIME_OUT,
                invoke(
                    self.functions(),
                    self.clock.clone(),
                    format!("copy-{}", self.next_random(u64::MAX)),
                    target,
                    messages.clone(),
                ),
            ));
            runs.push((target, messages, run));
        }
        let any = !runs.is_empty();
        let mut alive = true;
        for (target, messages, run) in runs {
            if !alive {
                // All copies run in one process generation: a crash takes the others with it.
                run.abort();
                continue;
            }
            match self.survive(run).await {
                Some(Ok(response)) => self.settle(&target, &messages, &response),
                Some(Err(_)) => {}
                None => alive = false,
            }
        }
        any
    }

    /// Begins an invocation of `crm` beside the driver, on a host whose clock is wrong by `skew_ms`.
    /// `None`: the platform ended it at its time-out.
    pub fn begin_crm(&self, copy: &str, wake_up: WakeUp, skew_ms: i64) -> JoinHandle<Option<Result<(), Failure>>> {
        let worker = self.worker(&self.crm_queue, Arc::new(self.host.wrong_by(skew_ms)));
        let (copy, ends_ms) = (copy.to_owned(), worker.clock.monotonic_ms() + INVOCATION_MS);
        tokio::spawn(async move { tokio::time::timeout(TIME_OUT, worker.work(&wake_up, &copy, ends_ms)).await.ok() })
    }

    /// Takes a batch from a queue that has something, both by the seed.
    fn receive(&mut self) -> Option<(Target, Vec<Waiting>)> {
        let mut filled: Vec<Target> = [Target::Raw, Target::Events, Target::Crm, Target::Outbound]
            .into_iter()
            .filter(|target| !self.queue(target).visible().is_empty())
            .filter(|target| !(self.route_is_down && matches!(target, Target::Events)))
            .collect();
        if filled.is_empty() {
            return None;
        }
        let chosen = usize::try_from(self.next_random(filled.len() as u64)).unwrap_or(0);
        let target = filled.swap_remove(chosen);
        let mut ids = self.queue(&target).visible();
        let limit = if matches!(target, Target::Crm | Target::Outbound) { 1 } else { self.plan.batch };
        let mut batch = Vec::new();
        let size = 1 + self.next_random(limit as u64);
        while (batch.len() as u64) < size && !ids.is_empty() {
            let place = usize::try_from(self.next_random(ids.len() as u64)).unwrap_or(0);
            batch.push(ids.swap_remove(place));
        }
        for id in &batch {
            if self.next_random(100) < self.plan.duplicates {
                self.queue(&target).duplicate(*id);
            }
        }
        let messages = self.queue(&target).receive(&batch);
        Some((target, messages))
    }

    pub(super) fn queue(&self, target: &Target) -> Arc<ModelQueue> {
        match target {
            Target::Raw => self.raw.clone(),
            Target::Events => self.events.clone(),
            Target::Crm => self.crm_queue.clone(),
            Target::Outbound => self.outbound_queue.clone(),
        }
    }

    pub(super) fn settle(&self, target: &Target, messages: &[Waiting], response: &SqsBatchResponse) {
        let queue = self.queue(target);
        for message in messages {
            let id = message.id.to_string();
            if response.batch_item_failures.iter().any(|failed| failed.item_identifier == id) {
                queue.give_back(message.id, 5_000);
            } else {
                queue.acknowledge(message.id);
            }
        }
    }
}

impl Target {
    /// The function's name.
    pub(super) fn function(&self) -> &'static str {
        match self {
            Self::Raw => "verify",
            Self::Events => "route",
            Self::Crm => "crm",
            Self::Outbound => "outbound",
        }
    }
}

pub(super) async fn invoke(
    functions: Arc<Functions>,
    clock: Arc<dyn Clock>,
    copy: String,
    target: Target,
    messages: Vec<Waiting>,
) -> SqsBatchResponse {
    let event = sqs_event(&messages);
    let ends_ms = clock.monotonic_ms() + INVOCATION_MS;
    match target {
        Target::Raw => functions.verify.handle(event, ends_ms).await,
        Target::Events => functions.route.handle(event, ends_ms).await,
        Target::Crm => functions.crm.handle(event, &copy, ends_ms).await,
        Target::Outbound => functions.outbound.handle(event, &copy, ends_ms).await,
    }
}
