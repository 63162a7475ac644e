//! What was found at the provider of a channel, and nobody told us: onto the event queue, as if it had come.

use perezvon_adapters::{CallNews, ChatNews};
use perezvon_domain::event::CallEvent;
use perezvon_domain::{ChannelId, ConversationEvent, ConversationEventKind, Envelope, Timestamp};
use perezvon_platform::Message;
use perezvon_store::items::call::CallItem;
use perezvon_store::keys;

use super::hold::Hold;
use crate::commit::event_message;
use crate::failure::Failure;
use crate::wakeup::WakeUp;

impl Hold<'_> {
    /// Sends the messages that have no row yet. What comes twice is known by its id.
    pub(super) async fn tell_chats(&self, found: Vec<ChatNews>) -> Result<(), Failure> {
        let Some((channel, since, received_at)) = self.heals() else { return Ok(()) };
        let account = &self.wake_up.account;
        let mut messages = Vec::new();
        for ChatNews { chat, occurred_at, kind } in found {
            if occurred_at < since {
                continue;
            }
            if let ConversationEventKind::MessageReceived(message) = &kind {
                let row = keys::message(account, &channel, &chat, &message.id);
                if self.worker.table.get(&row).await?.is_some() {
                    continue;
                }
            }
            let event = ConversationEvent { channel: channel.clone(), chat, occurred_at, received_at, kind };
            messages.push(event_message(&Envelope { account: account.clone(), received_at, event }, 0));
        }
        self.send_missed(messages).await
    }

    /// Sends what is told of calls that lack an account. What comes twice changes nothing.
    pub(super) async fn tell_calls(&self, found: Vec<CallNews>) -> Result<(), Failure> {
        let Some((channel, since, received_at)) = self.heals() else { return Ok(()) };
        let account = &self.wake_up.account;
        let (mut messages, mut last) = (Vec::new(), None);
        for CallNews { entry, occurred_at, kind } in found {
            if occurred_at < since {
                continue;
            }
            // News of one call stand together: its row is read once.
            if last.as_ref().is_none_or(|(known, _)| *known != entry) {
                let row = self.worker.table.get(&keys::call(account, &channel, &entry)).await?;
                let item = row.map(|row| CallItem::read(&row)).transpose()?;
                last = Some((entry.clone(), item.is_none_or(|item| item.call.lacks_account())));
            }
            if last.as_ref().is_some_and(|(_, lacking)| !lacking) {
                continue;
            }
            let event = CallEvent { channel: channel.clone(), entry, occurred_at, kind };
            messages.push(event_message(&Envelope { account: account.clone(), received_at, event }, 0));
        }
        self.send_missed(messages).await
    }

    /// The channel, since when what was missed is taken in, and when that is. The row was read before this job: should
    /// the channel be off by now, nothing of it is taken in.
    fn heals(&self) -> Option<(ChannelId, Timestamp, Timestamp)> {
        let channel = self.wake_up.connection.as_str().strip_prefix("channel:").map(ChannelId::from)?;
        let now = self.now();
        Some((channel, self.row.heals?.since(now), now))
    }

    async fn send_missed(&self, messages: Vec<Message>) -> Result<(), Failure> {
        let WakeUp { account, connection } = self.wake_up;
        if messages.is_empty() {
            return Ok(());
        }
        tracing::info!(%account, %connection, messages = messages.len(), "what was missed is taken in");
        Ok(self.worker.events.send(messages).await?)
    }
}
