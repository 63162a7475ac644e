//! Looking at the state: what is due, and what closing means.

use super::decide::Turn;
use super::{Cause, Closed, Conversation, State, guards};
use crate::chat::Origin;
use crate::effect::Fact;
use crate::inbox::{AutoReply, Inbox};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::time::Timestamp;

use super::words;

/// When `ReplyDue` must ask: the next autoreply, if one is still to be sent.
pub fn reply_due(conversation: &Conversation, policy: &Policy) -> Option<Timestamp> {
    let inbox = inbox(conversation, policy)?;
    steps_left(conversation, inbox).into_iter().map(|(due, ..)| due).min()
}

/// When `CloseDue` must ask.
pub fn close_due(conversation: &Conversation, policy: &Policy) -> Option<Timestamp> {
    let after = inbox(conversation, policy)?.close_after?;
    guards::is_open(conversation).then(|| guards::quiet_since(conversation).after(after))
}

/// The rules of its channel; `None`: the channel is off.
pub(super) fn inbox<'a>(conversation: &Conversation, policy: &'a Policy) -> Option<&'a Inbox> {
    policy.channels.get(&conversation.channel)?.inbox()
}

/// The autoreplies that this round still has, each with its time, the earliest first.
fn steps_left<'a>(conversation: &Conversation, inbox: &'a Inbox) -> Vec<(Timestamp, u16, &'a AutoReply)> {
    let allowed = guards::is_open(conversation)
        && guards::nobody_replied(conversation)
        && guards::nothing_is_undecided(conversation);
    let Some(from) = conversation.round.steps_from.filter(|_| allowed) else { return Vec::new() };
    let steps = (0..).zip(inbox.steps(conversation.round.class));
    let left = steps.filter(|(step, reply)| guards::step_is_left(conversation, *step, reply.delay));
    let mut left: Vec<_> = left.map(|(step, reply)| (from.after(reply.delay), step, reply)).collect();
    left.sort_by_key(|(due, step, _)| (*due, *step));
    left
}

impl Turn<'_> {
    /// Does whatever is due. Closing comes first: nobody gets "we shall answer soon" together with the end.
    pub(super) fn advance(&mut self) {
        let due = close_due(&self.conversation, self.policy);
        if due.is_some_and(|due| guards::is_due(due, self.now)) {
            self.close(Cause::TimeOut);
        }
        let Some(inbox) = self.inbox() else { return };
        for (due, step, reply) in steps_left(&self.conversation, inbox) {
            if guards::is_due(due, self.now) {
                self.conversation.round.steps.insert(step, reply.delay);
                self.because(Reason::new("chat_step", [&(u32::from(step) + 1).to_string()]));
                self.send(Origin::Step { step }, &reply.text);
            }
        }
    }

    /// Closes, whatever the cause; the closing text comes behind everything that was said before.
    pub(super) fn close(&mut self, cause: Cause) {
        self.because(self.why_closed(&cause));
        let text = self.inbox().filter(|inbox| guards::may_write(&self.conversation, inbox));
        let text = text.and_then(|inbox| inbox.closing_text.as_deref());
        if let Some(text) = text.filter(|_| guards::text_follows(&cause)) {
            self.because(Reason::new("chat_closing_text", []));
            self.send(Origin::Closing, text);
        }
        self.conversation.state =
            State::Closed(Closed { at: self.now, cause: cause.clone(), silent: !guards::text_follows(&cause) });
        self.conversation.waiting = None;
        self.tell(Fact::ConversationClosed, Some(cause));
    }

    fn why_closed(&self, cause: &Cause) -> Reason {
        match cause {
            Cause::Agent { by } => Reason::new("chat_closed_by_agent", [&self.name(by)]),
            Cause::TimeOut => {
                let since = guards::quiet_since(&self.conversation);
                Reason::new("chat_closed_by_time", [&words::moment(since, &self.policy.time_zone)])
            }
            Cause::ClientLeft => Reason::new("chat_client_left", []),
            Cause::ChannelDisabled => Reason::new("chat_channel_disabled", []),
            Cause::ChannelSuperseded => Reason::new("chat_channel_superseded", []),
        }
    }
}
