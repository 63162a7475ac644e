//! Event queue in: load, decide, commit, hand over. Events of one call in a batch are one write.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_domain::{AccountId, Envelope, Policy};
use perezvon_engine::Failure;
use perezvon_engine::batch::{self, Delivered, Failed};
use perezvon_engine::commit::{CallKey, Committer};
use perezvon_engine::policies::Policies;

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &[
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "events:PutEvents",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
];

/// At this receive a message that fails again goes to the dead letters: the item must ask to be looked at.
pub const LAST_RECEIVE: u32 = 5;

/// The function.
pub struct Route {
    pub committer: Committer,
    pub policies: Policies,
}

impl Route {
    /// The function over these ports.
    pub fn new(committer: Committer) -> Self {
        Self { committer, policies: Policies::default() }
    }

    /// Works on one batch. `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn handle(&self, event: SqsEvent, ends_ms: i64) -> SqsBatchResponse {
        let mut failed = Failed::default();
        let mut calls: BTreeMap<CallKey, Vec<Delivered<Envelope>>> = BTreeMap::new();
        for message in batch::read::<Envelope>(event, &mut failed) {
            calls.entry(key(&message.body)).or_default().push(message);
        }
        let mut policies = BTreeMap::new();
        for (key, messages) in calls {
            let events: Vec<Envelope> = messages.iter().map(|message| message.body.clone()).collect();
            let work = self.one(&key, &events, &mut policies, ends_ms);
            let Err(failure) = batch::in_time(self.committer.clock.as_ref(), ends_ms, work).await else { continue };
            if messages.iter().any(|message| message.receives >= LAST_RECEIVE)
                && let Err(error) = self.committer.arm(&key).await
            {
                tracing::error!(%error, "a call could not be armed before its event is dead-lettered");
            }
            for message in &messages {
                failed.add(&message.id, &failure);
            }
        }
        failed.response()
    }

    /// `policies`: as they were when this batch first needed them.
    async fn one(
        &self,
        key: &CallKey,
        events: &[Envelope],
        policies: &mut BTreeMap<AccountId, Arc<Policy>>,
        ends_ms: i64,
    ) -> Result<(), Failure> {
        if let Some(policy) = policies.get(&key.account) {
            return self.committer.commit(policy, key, events, ends_ms).await;
        }
        let policy = self.policies.read(self.committer.table.as_ref(), &key.account).await?;
        let Some(policy) = policy else {
            return Err(Failure::Reject(format!("account {} has no settings", key.account)));
        };
        let policy = policies.entry(key.account.clone()).or_insert(policy);
        self.committer.commit(policy, key, events, ends_ms).await
    }
}

fn key(envelope: &Envelope) -> CallKey {
    CallKey {
        account: envelope.account.clone(),
        channel: envelope.event.channel.clone(),
        entry: envelope.event.entry.clone(),
    }
}
