//! A batch from a queue: bodies are read one message at a time, so that one bad body poisons nobody
//! else, and what failed is named one by one.

use std::pin::pin;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::future::{Either, select};
use perezvon_platform::Clock;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Kept back of an invocation for the answer to the queue, in milliseconds.
const ANSWER_MS: i64 = 1_000;

/// A message of a batch.
#[derive(Clone, Debug)]
pub struct Delivered<T> {
    /// The queue's id of the message, named again if it fails.
    pub id: String,
    /// How often it was received, this time included.
    pub receives: u32,
    pub body: T,
}

/// The messages that failed, for the answer to the queue.
#[derive(Debug, Default)]
pub struct Failed(Vec<String>);

impl Failed {
    /// A message failed. A failure is logged once, here; never the body.
    pub fn add(&mut self, id: &str, failure: &Failure) {
        tracing::error!(message_id = id, %failure, "message not processed");
        self.0.push(id.to_owned());
    }

    /// The partial-batch answer.
    pub fn response(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        response.set_failures(self.0);
        response
    }
}

/// Reads the bodies of a batch. One that cannot be read fails alone and ends in the dead-letter queue.
pub fn read<T: DeserializeOwned>(event: SqsEvent, failed: &mut Failed) -> Vec<Delivered<T>> {
    let mut messages = Vec::with_capacity(event.records.len());
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let receives = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        match serde_json::from_str(record.body.as_deref().unwrap_or_default()) {
            Ok(body) => messages.push(Delivered { id, receives: receives.unwrap_or(1), body }),
            Err(error) => failed.add(&id, &Failure::Reject(format!("the body cannot be read: {error}"))),
        }
    }
    messages
}

/// Works as long as there is time. What is cut off comes again, as after a crash, but those of its batch that are
/// done stay done. `ends_ms`: when it must be over, by the monotonic clock.
pub async fn in_time<T>(
    clock: &dyn Clock,
    ends_ms: i64,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let left = ends_ms.saturating_sub(clock.monotonic_ms()).saturating_sub(ANSWER_MS);
    if left <= 0 {
        return Err(Failure::Retry("no time was left to begin with it; the next copy has more".to_owned()));
    }
    match select(pin!(work), clock.sleep_ms(left)).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Err(Failure::Retry("it was not done in time; the next copy begins with more".to_owned())),
    }
}
