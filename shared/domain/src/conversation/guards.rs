//! The guards: each says one thing that must hold before anything is done by itself.

use super::{Cause, Conversation, Sending, State};
use crate::inbox::Inbox;
use crate::time::{Millis, Timestamp};

/// A client message older than this when it came to us starts no autoreply: it was fetched later, or told late.
/// And what waited longer than this between us and the decision has the closing clock start at the decision.
pub const FRESH: Millis = Millis::minutes(15);
/// An automatic text that waited longer than this is not sent any more.
pub const STALE: Millis = Millis::minutes(24 * 60);

/// A closed conversation sends no autoreply, and is not closed again.
pub fn is_open(conversation: &Conversation) -> bool {
    conversation.state == State::Open
}

/// After the first human reply of a round nothing more is said by itself, whatever becomes of that reply.
pub fn nobody_replied(conversation: &Conversation) -> bool {
    conversation.round.replied_at.is_none()
}

/// We never write first: a client message came before, or the provider lets us.
pub fn may_write(conversation: &Conversation, inbox: &Inbox) -> bool {
    inbox.can_initiate || conversation.client_wrote_at.is_some()
}

/// An outgoing message that nobody has placed yet may be somebody's answer.
pub fn nothing_is_undecided(conversation: &Conversation) -> bool {
    conversation.undecided.is_empty()
}

/// Each step once a round. A step is its place in the settings; should they change in between, neither that
/// place nor a delay that was passed already is sent again.
pub fn step_is_left(conversation: &Conversation, step: u16, delay: Millis) -> bool {
    let sent = &conversation.round.steps;
    !sent.contains_key(&step) && sent.values().all(|passed| *passed < delay)
}

/// Never early.
pub fn is_due(due: Timestamp, now: Timestamp) -> bool {
    due <= now
}

/// A client message that is not much older than its arrival.
pub fn is_fresh(occurred: Timestamp, received: Timestamp) -> bool {
    received.since(occurred) <= FRESH
}

/// Somebody answered in the provider's application after this moment, by the provider's clock.
pub fn answered_outside(conversation: &Conversation, occurred: Timestamp) -> bool {
    conversation.agent_wrote_at.is_some_and(|wrote| wrote > occurred)
}

/// What was written outside belongs to the present round, not to one before.
pub fn is_of_round(conversation: &Conversation, occurred: Timestamp) -> bool {
    occurred >= conversation.round.began
}

/// Since when nobody wrote and nothing changed. What may turn out to be somebody's answer counts as one.
pub fn quiet_since(conversation: &Conversation) -> Timestamp {
    let undecided = conversation.undecided.iter().map(|message| message.received_at);
    undecided.fold(conversation.active_at, Timestamp::max)
}

/// Where the closing clock starts: at the receipt. But what lay in our own queues through an outage must not be
/// closed before anybody could see it.
pub fn clock_start(received: Timestamp, now: Timestamp) -> Timestamp {
    if is_fresh(received, now) { received } else { now }
}

/// The closing text follows what happens in the conversation, not the end of the channel.
pub fn text_follows(cause: &Cause) -> bool {
    !matches!(cause, Cause::ChannelDisabled | Cause::ChannelSuperseded)
}

/// A text belongs to the round it was decided in.
pub fn is_same_round(conversation: &Conversation, sending: &Sending) -> bool {
    conversation.round.number == sending.round
}

/// Nobody expects an automatic text a day later.
pub fn is_timely(sending: &Sending, now: Timestamp) -> bool {
    now.since(sending.at) <= STALE
}
