//! Asked again before it is sent: an automatic text that had to wait may be out of place by now.

use super::{Conversation, Sending, State, Undecided, guards};
use crate::chat::Origin;
use crate::ids::EffectId;
use crate::reason::Reason;
use crate::time::Timestamp;

/// Whether a text is still to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StillWanted {
    Yes,
    /// End the job as dropped, with this reason.
    No(Reason),
    /// Not known before the result of an older send of the same conversation is taken in: wait and ask again.
    Later,
}

/// Asked by the worker before it first sends something that is wanted only for a while. `state` is the item as
/// it stands now.
pub fn still_wanted(state: &Conversation, effect: &EffectId, now: Timestamp) -> StillWanted {
    let Some(sending) = state.sends.get(effect) else { return no("chat_over_done") };
    match &sending.origin {
        Origin::Reply { .. } => StillWanted::Yes,
        _ if !guards::is_timely(sending, now) => no("chat_over_stale"),
        Origin::Step { .. } => step(state, effect, sending),
        Origin::Closing => closing(state, effect, sending),
    }
}

fn step(state: &Conversation, effect: &EffectId, sending: &Sending) -> StillWanted {
    if !guards::is_open(state) || !guards::is_same_round(state, sending) {
        return no("chat_over_closed");
    }
    if !guards::nobody_replied(state) {
        return no("chat_over_replied");
    }
    unless_answered(state, effect, sending, "chat_over_replied", |_| true)
}

fn closing(state: &Conversation, effect: &EffectId, sending: &Sending) -> StillWanted {
    let State::Closed(closed) = &state.state else { return no("chat_over_reopened") };
    if !guards::is_same_round(state, sending) {
        return no("chat_over_reopened");
    }
    if closed.silent {
        return no("chat_over_off");
    }
    unless_answered(state, effect, sending, "chat_over_reopened", |message| message.occurred_at > closed.at)
}

/// A message nobody has placed is an older send's echo, or somebody's answer: this text itself was never sent.
fn unless_answered(
    state: &Conversation,
    effect: &EffectId,
    sending: &Sending,
    over: &str,
    counts: impl Fn(&Undecided) -> bool,
) -> StillWanted {
    let order = |id: &EffectId, sending: &Sending| (sending.at, id.0.len(), id.0.clone());
    let own = order(effect, sending);
    if !state.undecided.iter().any(counts) {
        return StillWanted::Yes;
    }
    match state.sends.iter().any(|(id, other)| order(id, other) < own) {
        true => StillWanted::Later,
        false => no(over),
    }
}

fn no(code: &str) -> StillWanted {
    StillWanted::No(Reason::new(code, []))
}
