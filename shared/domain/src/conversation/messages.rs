//! What stands in the chat: messages of the client, of agents outside, deletions; and who leaves.

use super::decide::Turn;
use super::event::{ClientFacts, ConversationEvent, Message};
use super::round::Opening;
use super::{Cause, Last, Side, State, Undecided, Waiting, Writer, guards};
use crate::reason::Reason;
use crate::time::Timestamp;

/// Outgoing messages that are kept undecided; beyond that the oldest counts as written outside.
const UNDECIDED_KEPT: usize = 8;

impl Turn<'_> {
    /// A message of the client opens the conversation, starts what waits for an answer, and keeps it open.
    pub(super) fn client_wrote(&mut self, event: &ConversationEvent) {
        let (occurred, received) = (event.occurred_at, event.received_at);
        // Somebody answered in the provider's application before this message came to us.
        let answered = guards::answered_outside(&self.conversation, occurred);
        self.conversation.client_wrote_at = self.conversation.client_wrote_at.max(Some(occurred));
        let opens = self.conversation.state != State::Open;
        if opens && answered {
            return;
        }
        if opens {
            self.open_round(event, Opening::Client);
        }
        let conversation = &mut self.conversation;
        conversation.active_at = conversation.active_at.max(guards::clock_start(received, self.now));
        let healed = !guards::is_fresh(occurred, received);
        let starts = !healed && guards::nobody_replied(conversation) && conversation.round.steps_from.is_none();
        if starts {
            conversation.round.steps_from = Some(received);
        }
        if !answered {
            conversation.unread_since.get_or_insert(received);
            if conversation.waiting.is_none_or(|waiting| waiting.who == Side::Us) {
                conversation.waiting = Some(Waiting { who: Side::Client, since: received });
            }
        }
        match (opens, starts) {
            (true, _) => self.explain_opening(healed),
            (false, true) => self.explain_steps(),
            (false, false) => {}
        }
    }

    /// Keeps an outgoing message while one of our sends has no result: it may be its echo.
    pub(super) fn is_undecided(&mut self, event: &ConversationEvent, message: &Message) -> bool {
        if self.conversation.sends.is_empty() {
            return false;
        }
        let undecided = &mut self.conversation.undecided;
        if !undecided.iter().any(|known| known.message == message.id) {
            undecided.push(Undecided {
                occurred_at: event.occurred_at,
                message: message.id.clone(),
                received_at: event.received_at,
                summary: message.summary(),
            });
            undecided.sort();
        }
        if self.conversation.undecided.len() > UNDECIDED_KEPT {
            let oldest = self.conversation.undecided.remove(0);
            self.adopt(oldest);
        }
        true
    }

    /// It was none of ours: somebody wrote it in the provider's application.
    pub(super) fn adopt(&mut self, message: Undecided) {
        self.agent_wrote(message.occurred_at, message.received_at);
        let Undecided { occurred_at: at, message: id, summary, .. } = message;
        self.note_last(Last { id, at, from: Writer::Agent, summary });
    }

    /// What a person wrote in the provider's own application counts as a reply.
    pub(super) fn agent_wrote(&mut self, occurred: Timestamp, received: Timestamp) {
        self.conversation.agent_wrote_at = self.conversation.agent_wrote_at.max(Some(occurred));
        match &self.conversation.state {
            // The last words before the closing, told late.
            State::Closed(closed) if occurred <= closed.at => return,
            State::New | State::Closed(_) => self.open_round_at(occurred, received, Opening::Agent),
            State::Open => {}
        }
        let conversation = &mut self.conversation;
        conversation.active_at = conversation.active_at.max(received);
        if guards::is_of_round(conversation, occurred) {
            self.human_replied("сотрудник в приложении провайдера", received);
        }
        // Whoever wrote there has seen what the client wrote before.
        let conversation = &mut self.conversation;
        if conversation.client_wrote_at.is_none_or(|wrote| wrote <= occurred) {
            conversation.unread_since = None;
            conversation.wait_for_client(received);
        }
    }

    /// A deleted message starts and cancels nothing.
    pub(super) fn take_deletion(&mut self, message: &str) {
        if let Some(last) = self.conversation.last.as_mut().filter(|last| last.id == message) {
            last.summary.clear();
        }
    }

    /// What is new about the client.
    pub(super) fn take_client(&mut self, facts: &ClientFacts) {
        let known = &mut self.conversation.client;
        *known = ClientFacts {
            name: facts.name.clone().or(known.name.take()),
            about: facts.about.clone().or(known.about.take()),
            responsible: facts.responsible.clone().or(known.responsible.take()),
        };
    }

    /// The client left, unless they wrote again afterwards.
    pub(super) fn take_leaving(&mut self, event: &ConversationEvent) {
        let back = self.conversation.client_wrote_at.is_some_and(|wrote| wrote > event.occurred_at);
        if self.conversation.state == State::Open && !back {
            self.close(Cause::ClientLeft);
        }
    }

    /// The channel is off: nothing is sent by itself any more; the history stays.
    pub(super) fn take_end_of_channel(&mut self, cause: Cause) {
        let awaited = self.conversation.sends.values().any(|sending| sending.origin.is_automatic());
        match &mut self.conversation.state {
            State::Open => self.close(cause),
            State::Closed(closed) if awaited && !closed.silent => {
                closed.silent = true;
                self.because(Reason::new("chat_silent", []));
            }
            State::New | State::Closed(_) => {}
        }
    }
}
