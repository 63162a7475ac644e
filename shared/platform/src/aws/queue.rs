//! A standard queue of SQS.

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use super::batch::batches;
use super::explain;
use crate::ports::{Message, PortError, Queue};

/// One queue.
#[derive(Clone, Debug)]
pub struct SqsQueue {
    client: Client,
    /// Last part of the URL, for errors.
    name: String,
    url: String,
}

impl SqsQueue {
    /// What the role of a sender needs.
    pub const ACTIONS: &[&str] = &["sqs:SendMessage"];

    /// The queue at this URL.
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        let url = url.into();
        let name = url.rsplit('/').next().unwrap_or_default().to_owned();
        Self { client: Client::new(sdk), name, url }
    }

    fn error(&self, why: impl std::fmt::Display) -> PortError {
        PortError::new(format!("queue {}", self.name), why)
    }

    /// Sends one batch. Returns what was not taken, and why.
    async fn attempt(&self, batch: Vec<Message>) -> Result<(Vec<Message>, String), PortError> {
        let entries = batch.iter().enumerate().map(|(place, message)| entry(place, message));
        let entries = entries.collect::<Result<_, _>>().map_err(|why| self.error(why))?;
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = call.send().await.map_err(|error| self.error(explain(&error)))?;
        let failed = output.failed();
        let why = failed.first().map(|entry| match entry.message() {
            Some(message) => format!("{}: {message}", entry.code()),
            None => entry.code().to_owned(),
        });
        let is_failed = |place: usize| failed.iter().any(|entry| entry.id() == place.to_string());
        let left = batch.into_iter().enumerate().filter(|(place, _)| is_failed(*place));
        Ok((left.map(|(_, message)| message).collect(), why.unwrap_or_default()))
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        for batch in batches(messages, |message| message.body.len() + message.group.len()) {
            let (left, _) = self.attempt(batch).await?;
            if left.is_empty() {
                continue;
            }
            let (left, why) = self.attempt(left).await?;
            if !left.is_empty() {
                return Err(self.error(format!("{} messages were not taken twice, {why}", left.len())));
            }
        }
        Ok(())
    }
}

/// The group makes a standard queue fair; it orders nothing there.
fn entry(place: usize, message: &Message) -> Result<SendMessageBatchRequestEntry, String> {
    let delay = seconds(message.delay_ms);
    SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(&message.body)
        .set_message_group_id(Some(message.group.clone()).filter(|group| !group.is_empty()))
        .set_delay_seconds((delay > 0).then_some(delay))
        .build()
        .map_err(|error| error.to_string())
}

/// Whole seconds, never too early, at most the 15 minutes that SQS takes.
fn seconds(ms: i64) -> i32 {
    i32::try_from(ms.clamp(0, 900_000).unsigned_abs().div_ceil(1000)).unwrap_or(900)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_and_bounded() {
        let cases = [(-1, 0), (0, 0), (1, 1), (1_000, 1), (1_001, 2), (900_000, 900), (i64::MAX, 900)];
        for (ms, expected) in cases {
            assert_eq!(seconds(ms), expected, "{ms} ms");
        }
    }
}
