//! Wake-ups in: carries out the provider jobs of one connection under its lease:
//! recordings, and what happens in chats.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_engine::jobs::{Worker, work_on};

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &[
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:CreateSecret",
    "s3:PutObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "dynamodb:Query",
];

/// The function.
pub struct Outbound {
    pub worker: Worker,
}

impl Outbound {
    /// Works on one batch. `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn handle(&self, event: SqsEvent, invocation: &str, ends_ms: i64) -> SqsBatchResponse {
        work_on(&self.worker, event, invocation, ends_ms).await
    }
}
