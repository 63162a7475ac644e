//! A queue as an event source: messages become the batches of the cloud, answers become
//! acknowledgements, and what takes too long is dropped like a function that ran out of time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use perezvon_platform::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::data::random_hex;
use crate::drivers::queue::{Queues, Received};

/// What a message is hidden for beyond its invocation: time to answer.
const GRACE_MS: i64 = 5_000;
/// Nobody is told of messages that a redrive on the disk made visible: look now and then.
const LOOK_MS: i64 = 60_000;
/// The longest wait before a failed message is tried again.
const LONGEST_BACK_OFF_MS: i64 = 60_000;

/// A function behind a queue.
#[async_trait]
pub(super) trait Function: Send + Sync {
    /// Works on one batch. `ends_ms`: when this invocation must be over, by the monotonic clock.
    async fn invoke(&self, event: SqsEvent, invocation: &str, ends_ms: i64) -> SqsBatchResponse;
}

/// A queue and the function it feeds.
pub(super) struct Pump {
    pub queues: Queues,
    pub queue: &'static str,
    pub function: Arc<dyn Function>,
    pub clock: Arc<dyn Clock>,
    /// Most messages of one invocation.
    pub batch: usize,
    /// Most invocations at the same time.
    pub parallel: u32,
    /// Longest invocation.
    pub timeout_ms: i64,
}

impl Pump {
    /// Feeds the function until `stop` says true, then waits for the invocations that still run.
    pub(super) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.parallel as usize));
        while !*stop.borrow() {
            let slot = tokio::select! {
                slot = Arc::clone(&slots).acquire_owned() => slot,
                _ = stop.changed() => continue,
            };
            let Ok(slot) = slot else { break };
            if let Some(wait_ms) = self.feed(&slots, slot).await {
                let arrivals = self.queues.arrivals(self.queue);
                tokio::select! {
                    () = arrivals.notified() => {}
                    () = self.clock.sleep_ms(wait_ms) => {}
                    _ = stop.changed() => {}
                }
            }
        }
        _ = slots.acquire_many(self.parallel).await;
    }

    /// Starts as many invocations as there are slots and messages, or says how long there is nothing
    /// to do unless something arrives.
    async fn feed(self: &Arc<Self>, slots: &Arc<Semaphore>, slot: OwnedSemaphorePermit) -> Option<i64> {
        let mut held = vec![slot];
        held.extend(std::iter::from_fn(|| Arc::clone(slots).try_acquire_owned().ok()));
        let hidden_ms = self.timeout_ms + GRACE_MS;
        let (most, now_ms) = (held.len() * self.batch, self.clock.now_ms());
        match self.queues.receive(self.queue, most, hidden_ms, now_ms).await {
            Ok(messages) if messages.is_empty() => Some(self.rest().await),
            Ok(messages) => {
                for (batch, slot) in messages.chunks(self.batch).zip(held) {
                    let (this, batch) = (Arc::clone(self), batch.to_vec());
                    tokio::spawn(async move {
                        this.invoke(batch).await;
                        drop(slot);
                    });
                }
                None
            }
            Err(error) => {
                tracing::error!(queue = self.queue, %error, "no messages could be received");
                Some(1_000)
            }
        }
    }

    async fn rest(&self) -> i64 {
        match self.queues.next_due(self.queue).await {
            Ok(Some(due_ms)) => (due_ms - self.clock.now_ms()).clamp(1, LOOK_MS),
            Ok(None) => LOOK_MS,
            Err(_) => 1_000,
        }
    }

    async fn invoke(&self, batch: Vec<Received>) {
        let invocation = match random_hex::<16>() {
            Ok(id) => id,
            Err(error) => return self.give_back(&batch, &error).await,
        };
        let ends_ms = self.clock.monotonic_ms() + self.timeout_ms;
        let work = self.function.invoke(event(self.queue, &batch), &invocation, ends_ms);
        let limit = Duration::from_millis(u64::try_from(self.timeout_ms).unwrap_or_default());
        match tokio::time::timeout(limit, work).await {
            Ok(answer) => self.settle(&batch, &answer).await,
            Err(_) => {
                tracing::error!(queue = self.queue, invocation, "an invocation ran out of time");
                self.give_back(&batch, "the invocation ran out of time").await;
            }
        }
    }

    async fn settle(&self, batch: &[Received], answer: &SqsBatchResponse) {
        let failed: BTreeSet<&str> =
            answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        let (again, done): (Vec<_>, Vec<_>) =
            batch.iter().partition(|message| failed.contains(message.id.to_string().as_str()));
        let done: Vec<i64> = done.into_iter().map(|message| message.id).collect();
        if !done.is_empty()
            && let Err(error) = self.queues.ack(done).await
        {
            tracing::warn!(queue = self.queue, %error, "done, but not acknowledged: it comes again");
        }
        for message in again {
            self.put_back(message, "it failed; the reason is in the log").await;
        }
    }

    async fn give_back(&self, batch: &[Received], why: &str) {
        for message in batch {
            self.put_back(message, why).await;
        }
    }

    async fn put_back(&self, message: &Received, why: &str) {
        let after_ms = back_off_ms(message.receive_count);
        let now_ms = self.clock.now_ms();
        if let Err(error) = self.queues.nack(self.queue, message.id, after_ms, why, now_ms).await {
            tracing::warn!(queue = self.queue, %error, "not put back: it comes again when it is seen again");
        }
    }
}

/// 1 s, then twice as long each time.
fn back_off_ms(receives: u32) -> i64 {
    let doublings = receives.saturating_sub(1).min(16);
    (1_000 << doublings).min(LONGEST_BACK_OFF_MS)
}

fn event(queue: &str, batch: &[Received]) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = batch.iter().map(|message| record(queue, message)).collect();
    event
}

fn record(queue: &str, received: &Received) -> SqsMessage {
    let mut message = SqsMessage::default();
    message.message_id = Some(received.id.to_string());
    message.body = Some(received.body.clone());
    message.event_source = Some("aws:sqs".to_owned());
    message.event_source_arn = Some(format!("arn:aws:sqs:local:000000000000:{queue}"));
    let attributes =
        [("ApproximateReceiveCount", received.receive_count.to_string()), ("MessageGroupId", received.group.clone())];
    message.attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    message
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use perezvon_platform::clock::SystemClock;
    use perezvon_platform::{Message, Queue as _};
    use tokio::sync::Notify;

    use super::*;

    /// Fails what is called `bad`, never ends with `slow`.
    #[derive(Default)]
    struct Fake {
        seen: Mutex<Vec<(String, String)>>,
        worked: Notify,
    }

    #[async_trait]
    impl Function for Fake {
        async fn invoke(&self, event: SqsEvent, _: &str, _: i64) -> SqsBatchResponse {
            let mut answer = SqsBatchResponse::default();
            for record in event.records {
                let body = record.body.unwrap_or_default();
                let receives = record.attributes.get("ApproximateReceiveCount").cloned().unwrap_or_default();
                self.seen.lock().expect("no panic").push((body.clone(), receives));
                self.worked.notify_one();
                match body.as_str() {
                    "bad" => answer.add_failure(record.message_id.unwrap_or_default()),
                    "slow" => std::future::pending().await,
                    _ => {}
                }
            }
            answer
        }
    }

    struct World {
        _folder: tempfile::TempDir,
        queues: Queues,
        fake: Arc<Fake>,
        pump: Arc<Pump>,
        clock: Arc<dyn Clock>,
    }

    fn world(timeout_ms: i64) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let queues = Queues::open(&folder.path().join("queue.db"), 5).expect("open");
        let fake = Arc::new(Fake::default());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let pump = Pump {
            queues: queues.clone(),
            queue: "raw",
            function: fake.clone(),
            clock: clock.clone(),
            batch: 10,
            parallel: 2,
            timeout_ms,
        };
        World { _folder: folder, queues, fake, pump: Arc::new(pump), clock }
    }

    impl World {
        async fn send(&self, bodies: &[&str]) {
            let message = |body: &&str| Message { body: (*body).to_owned(), group: "a".to_owned(), delay_ms: 0 };
            let queue = self.queues.queue("raw", self.clock.clone());
            queue.send(bodies.iter().map(message).collect()).await.expect("sent");
        }

        /// Runs the pump until the function has seen so many messages.
        async fn run_until(&self, seen: usize) {
            let (stop, stopped) = watch::channel(false);
            let pump = tokio::spawn(self.pump.clone().run(stopped));
            while self.fake.seen.lock().expect("no panic").len() < seen {
                self.fake.worked.notified().await;
            }
            stop.send(true).expect("it listens");
            pump.await.expect("no panic");
        }
    }

    #[tokio::test]
    async fn what_fails_alone_comes_again_alone() {
        let world = world(30_000);
        world.send(&["good", "bad", "fine"]).await;
        world.run_until(3).await;
        assert_eq!(world.queues.depth("raw").await, Ok(1));
        let due_ms = world.queues.next_due("raw").await.expect("an answer").expect("one");
        let wait_ms = due_ms - world.clock.now_ms();
        assert!((1..=1_000).contains(&wait_ms), "{wait_ms}");
    }

    #[tokio::test]
    async fn an_invocation_without_an_end_is_dropped_and_its_messages_come_again() {
        let world = world(20);
        world.send(&["slow"]).await;
        world.run_until(1).await;
        assert_eq!(world.queues.depth("raw").await, Ok(1));
        let due_ms = world.queues.next_due("raw").await.expect("an answer").expect("one");
        assert!(due_ms - world.clock.now_ms() <= 1_000, "put back, not only hidden");
    }

    #[test]
    fn a_failing_message_waits_longer_each_time_up_to_a_minute() {
        let waits: Vec<i64> = (1..=8).map(back_off_ms).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    }
}
