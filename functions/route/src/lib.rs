//! Event queue in: load, decide, commit, hand over. Events of one call or conversation in a batch are one write.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use perezvon_domain::{AccountId, ChannelId, Envelope, Event, Policy};
use perezvon_engine::Failure;
use perezvon_engine::batch::{self, Delivered, Failed};
use perezvon_engine::commit::{Aggregate, Committer, ItemId};
use perezvon_engine::policies::Policies;
use perezvon_store::items::call::CallItem;
use perezvon_store::items::conversation::ConversationItem;

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &[
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:SendMessage",
    "events:PutEvents",
    "s3:PutObject",
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
        let (mut calls, mut conversations) = (Groups::new(), Groups::new());
        for message in batch::read::<Envelope<Event>>(event, &mut failed) {
            match message.body.event.clone() {
                Event::Call(event) => {
                    let entry = event.entry.clone();
                    add(&mut calls, message, event.channel.clone(), entry, event);
                }
                Event::Conversation(event) => {
                    let chat = event.chat.clone();
                    add(&mut conversations, message, event.channel.clone(), chat, event);
                }
            }
        }
        let mut policies = BTreeMap::new();
        self.all::<CallItem>(calls, &mut policies, &mut failed, ends_ms).await;
        self.all::<ConversationItem>(conversations, &mut policies, &mut failed, ends_ms).await;
        failed.response()
    }

    /// `policies`: as they were when this batch first needed them.
    async fn all<A: Aggregate>(
        &self,
        groups: Groups<A::Event>,
        policies: &mut BTreeMap<AccountId, Arc<Policy>>,
        failed: &mut Failed,
        ends_ms: i64,
    ) {
        for (id, messages) in groups {
            let events: Vec<_> = messages.iter().map(|message| message.body.clone()).collect();
            let work = self.one::<A>(&id, &events, policies, ends_ms);
            let Err(failure) = batch::in_time(self.committer.clock.as_ref(), ends_ms, work).await else { continue };
            if messages.iter().any(|message| message.receives >= LAST_RECEIVE)
                && let Err(error) = self.committer.arm::<A>(&id).await
            {
                tracing::error!(%error, "an item could not be armed before its event is dead-lettered");
            }
            for message in &messages {
                failed.add(&message.id, &failure);
            }
        }
    }

    async fn one<A: Aggregate>(
        &self,
        id: &ItemId,
        events: &[Envelope<A::Event>],
        policies: &mut BTreeMap<AccountId, Arc<Policy>>,
        ends_ms: i64,
    ) -> Result<(), Failure> {
        if let Some(policy) = policies.get(&id.account) {
            return self.committer.commit::<A>(policy, id, events, ends_ms).await;
        }
        let policy = self.policies.read(self.committer.table.as_ref(), &id.account).await?;
        let Some(policy) = policy else {
            return Err(Failure::Reject(format!("account {} has no settings", id.account)));
        };
        let policy = policies.entry(id.account.clone()).or_insert(policy);
        self.committer.commit::<A>(policy, id, events, ends_ms).await
    }
}

/// Messages of a batch by what they belong to.
type Groups<E> = BTreeMap<ItemId, Vec<Delivered<Envelope<E>>>>;

fn add<E>(groups: &mut Groups<E>, message: Delivered<Envelope<Event>>, channel: ChannelId, entry: String, event: E) {
    let Delivered { id, receives, body: Envelope { account, received_at, .. } } = message;
    let item = ItemId { account: account.clone(), channel, entry };
    let body = Envelope { account, received_at, event };
    groups.entry(item).or_default().push(Delivered { id, receives, body });
}
