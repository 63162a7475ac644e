//! A standard queue of SQS.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;

use super::batch::batches;
use super::explain::{explain, told};
use crate::ports::{Message, PortError, Queue};

/// Codes of a request that is refused for what stands in it.
const REFUSALS: &[&str] = &[
    "InvalidMessageContents",
    "BatchRequestTooLong",
    "AWS.SimpleQueueService.BatchRequestTooLong",
    "InvalidParameterValue",
];

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

    /// Sends one batch. Returns what was not taken, each with its reason.
    async fn attempt(&self, batch: Vec<Message>) -> Result<Vec<(Message, BatchResultErrorEntry)>, PortError> {
        let entries = batch.iter().enumerate().map(|(place, message)| entry(place, message));
        let entries = entries.collect::<Result<_, _>>().map_err(|why| self.error(why))?;
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let output = call.send().await.map_err(|error| {
            let told = self.error(explain(&error));
            if error.code().is_some_and(|code| REFUSALS.contains(&code)) { told.for_good() } else { told }
        })?;
        let failed = output.failed;
        let reason = |place: usize| failed.iter().find(|entry| entry.id() == place.to_string()).cloned();
        let left = batch.into_iter().enumerate();
        Ok(left.filter_map(|(place, message)| reason(place).map(|why| (message, why))).collect())
    }

    fn not_taken(&self, left: &[(Message, BatchResultErrorEntry)]) -> PortError {
        let reasons: BTreeSet<String> = left.iter().map(|(_, why)| told(why.code(), why.message())).collect();
        let reasons = Vec::from_iter(reasons).join(", ");
        let error = self.error(format!("{} messages were not taken twice, {reasons}", left.len()));
        if left.iter().all(|(_, why)| why.sender_fault()) { error.for_good() } else { error }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        let messages = messages.into_iter().map(escaped).collect();
        for batch in batches(messages, |message: &Message| message.body.len() + message.group.len()) {
            let left = self.attempt(batch).await?;
            if left.is_empty() {
                continue;
            }
            let left = self.attempt(left.into_iter().map(|(message, _)| message).collect()).await?;
            if !left.is_empty() {
                return Err(self.not_taken(&left));
            }
        }
        Ok(())
    }
}

/// SQS takes neither U+FFFE nor U+FFFF. All bodies are JSON, where both may be escaped; what else it does not take,
/// the control characters, is always escaped there.
fn escaped(message: Message) -> Message {
    let body = message.body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
    Message { body, ..message }
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

    /// What SQS documents: `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
    fn is_taken(letter: char) -> bool {
        matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn every_character_there_is_goes_over_the_queue_and_comes_back() {
        let all: Vec<char> = ('\0'..=char::MAX).collect();
        for part in all.chunks(0x8000) {
            let text: String = part.iter().collect();
            let body = serde_json::to_string(&text).expect("JSON");
            let sent = escaped(Message { body, group: String::new(), delay_ms: 0 }).body;
            assert_eq!(sent.chars().find(|letter| !is_taken(*letter)), None);
            assert_eq!(serde_json::from_str::<String>(&sent).expect("JSON"), text);
        }
    }
}
