//! What employees do: reply, assign. Each has a question that says beforehand whether it may be done; what may
//! not be done changes nothing.

use super::advance::inbox;
use super::decide::Turn;
use super::event::ConversationEvent;
use super::round::Opening;
use super::{Conversation, State, guards};
use crate::chat::{Image, Origin};
use crate::ids::EmployeeId;
use crate::inbox::{Inbox, length};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// Why a reply is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReplied {
    /// The channel is off, or has no conversations.
    ChannelOff,
    /// The client never wrote here, and the provider lets nobody write first (AVT-02).
    NeverStarted,
    /// The provider takes no pictures.
    NoImages,
    /// Nothing is written.
    Empty,
    /// A part is longer than the provider takes: this many characters.
    TooLong(usize),
    /// More parts than one reply may have: this many.
    TooMany(usize),
}

/// Parts of one reply; an item holds one effect for each until they are handed over.
pub const PARTS: usize = 10;

/// Why a conversation is not given to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAssigned {
    /// It is not open.
    NotOpen,
    /// There is no such employee, or no longer.
    NotHere,
    /// It has no group it could go back to.
    NoGroup,
}

/// Why a message of ours is not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDeleted {
    /// The channel is off, or has no conversations.
    ChannelOff,
    /// The provider takes back only what was sent this short a time ago.
    TooOld(Millis),
}

impl Conversation {
    /// Whether these parts may be sent as a reply.
    pub fn may_reply(&self, policy: &Policy, parts: &[String]) -> Result<(), NotReplied> {
        let inbox = self.answerable(policy)?;
        if parts.is_empty() || parts.iter().any(|part| length(part) == 0) {
            return Err(NotReplied::Empty);
        }
        if parts.len() > PARTS {
            return Err(NotReplied::TooMany(PARTS));
        }
        match parts.iter().any(|part| length(part) > inbox.max_text) {
            true => Err(NotReplied::TooLong(inbox.max_text)),
            false => Ok(()),
        }
    }

    /// Whether a picture may be sent as a reply.
    pub fn may_reply_with_image(&self, policy: &Policy) -> Result<(), NotReplied> {
        if self.answerable(policy)?.takes_images { Ok(()) } else { Err(NotReplied::NoImages) }
    }

    fn answerable<'a>(&self, policy: &'a Policy) -> Result<&'a Inbox, NotReplied> {
        let inbox = inbox(self, policy).ok_or(NotReplied::ChannelOff)?;
        if guards::may_write(self, inbox) { Ok(inbox) } else { Err(NotReplied::NeverStarted) }
    }

    /// Whether the conversation may be given to this employee, or back to its group.
    pub fn may_assign(&self, policy: &Policy, to: Option<&EmployeeId>) -> Result<(), NotAssigned> {
        if !guards::is_open(self) {
            return Err(NotAssigned::NotOpen);
        }
        match to {
            None if self.round.group.is_none() => Err(NotAssigned::NoGroup),
            None => Ok(()),
            Some(id) if policy.employee(id).is_some_and(|employee| employee.active) => Ok(()),
            Some(_) => Err(NotAssigned::NotHere),
        }
    }

    /// Whether a message of ours that was sent then may be taken back now.
    pub fn may_delete(&self, policy: &Policy, sent_at: Timestamp, now: Timestamp) -> Result<(), NotDeleted> {
        let inbox = inbox(self, policy).ok_or(NotDeleted::ChannelOff)?;
        match inbox.delete_within.filter(|within| now.since(sent_at) > *within) {
            Some(within) => Err(NotDeleted::TooOld(within)),
            None => Ok(()),
        }
    }
}

impl Turn<'_> {
    /// A reply in words.
    pub(super) fn take_reply(&mut self, event: &ConversationEvent, by: &EmployeeId, parts: &[String]) {
        if self.conversation.may_reply(self.policy, parts).is_ok() {
            self.answered(event, by);
            parts.iter().for_each(|part| self.send(Origin::Reply { by: by.clone() }, part));
        }
    }

    /// A reply that is a picture.
    pub(super) fn take_image(&mut self, event: &ConversationEvent, by: &EmployeeId, image: &Image) {
        if self.conversation.may_reply_with_image(self.policy).is_ok() {
            self.answered(event, by);
            self.send_image(Origin::Reply { by: by.clone() }, image);
        }
    }

    /// A reply: taken is what counts, not delivered. It opens what was closed, and whoever replies takes what
    /// nobody has.
    fn answered(&mut self, event: &ConversationEvent, by: &EmployeeId) {
        let received = event.received_at;
        let reopens = self.conversation.state != State::Open;
        if reopens {
            self.open_round(event, Opening::Agent);
        }
        let name = self.name(by);
        if self.conversation.assignee.is_none() {
            self.conversation.assignee = Some(by.clone());
            self.because(Reason::new("chat_taken", [&name]));
        }
        self.conversation.active_at = self.conversation.active_at.max(received);
        self.human_replied(&name, received);
        self.conversation.wait_for_client(received);
        self.conversation.trouble = None;
        self.mark_read();
    }

    /// The first human reply of a round ends its autoreplies.
    pub(super) fn human_replied(&mut self, who: &str, at: Timestamp) {
        if guards::nobody_replied(&self.conversation) {
            self.conversation.round.replied_at = Some(at);
            self.because(Reason::new("chat_replied", [who]));
        }
    }

    /// Somebody has it now, or its group again. A change of assignee starts the closing clock anew.
    pub(super) fn take_assignment(&mut self, event: &ConversationEvent, by: &EmployeeId, to: Option<&EmployeeId>) {
        let allowed = self.conversation.may_assign(self.policy, to).is_ok();
        if !allowed || self.conversation.assignee.as_ref() == to {
            return;
        }
        self.conversation.assignee = to.cloned();
        self.conversation.active_at = self.conversation.active_at.max(event.received_at);
        let group = self.conversation.round.group.clone().unwrap_or_default();
        let reason = match to {
            Some(to) if to == by => Reason::new("chat_took", [&self.name(by)]),
            Some(to) => Reason::new("chat_assigned", [&self.name(by), &self.name(to)]),
            None => Reason::new("chat_released", [&self.name(by), &group]),
        };
        self.because(reason);
    }
}
