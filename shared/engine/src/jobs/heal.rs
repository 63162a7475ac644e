//! What was found in the chats of a channel, and nobody told us: onto the event queue, as if it had come.

use perezvon_adapters::ChatNews;
use perezvon_domain::{ChannelId, ConversationEvent, ConversationEventKind, Envelope};
use perezvon_store::keys;

use super::hold::Hold;
use crate::commit::event_message;
use crate::failure::Failure;
use crate::wakeup::WakeUp;

impl Hold<'_> {
    /// Sends what has no row yet, of the time that the connection may fetch. What comes twice is known by its id.
    pub(super) async fn tell_news(&self, found: Vec<ChatNews>) -> Result<(), Failure> {
        let WakeUp { account, connection } = self.wake_up;
        let channel = connection.as_str().strip_prefix("channel:").map(ChannelId::from);
        // The row was read before this job: should the channel be off by now, nothing of it is taken in.
        let (Some(channel), Some(heals)) = (channel, self.row.heals) else { return Ok(()) };
        let received_at = self.now();
        let since = heals.since(received_at);
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
        if messages.is_empty() {
            return Ok(());
        }
        tracing::info!(%account, %connection, messages = messages.len(), "what was missed is taken in");
        Ok(self.worker.events.send(messages).await?)
    }
}
