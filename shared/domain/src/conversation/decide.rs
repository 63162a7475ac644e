//! `decide`: events in, the next state, its effects, its due times and its reasons out.

use super::event::{Author, ConversationEvent, ConversationEventKind, Message};
use super::records::look_due;
use super::{Cause, Conversation, Errand, Last, Sending, State, Writer, close_due, reply_due};
use crate::chat::{ChatCommand, Image, Origin};
use crate::effect::{Command, ConversationFact, Effect, Fact, JobOrder, Prev, Wanted};
use crate::ids::{ConnectionId, EffectId};
use crate::inbox::Inbox;
use crate::job::Point;
use crate::policy::{ChannelRules, Policy};
use crate::reason::{Because, Reason};
use crate::time::{Millis, Timestamp};

/// How many reasons an item keeps; the oldest go first. Fewer than a call's: a conversation lives for months.
const KEPT: usize = 16;

/// What a decision comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The next state; its `version` and `at` are those of the commit to come.
    pub next: Conversation,
    pub effects: Vec<Effect>,
    /// Something of the state changed: it must be committed.
    pub changed: bool,
    /// When `ReplyDue` must ask.
    pub reply_due: Option<Timestamp>,
    /// When `CloseDue` must ask.
    pub close_due: Option<Timestamp>,
    /// When `WakeDue` must ask: records do not wait for the chat to be read any longer.
    pub wake_due: Option<Timestamp>,
}

/// Decides on some events of one conversation at once: all are taken in, then the state is looked at.
pub fn decide(state: &Conversation, events: &[ConversationEvent], policy: &Policy, now: Timestamp) -> Decision {
    let mut turn = Turn::new(state, policy, now);
    for event in events {
        turn.take(event);
    }
    turn.advance();
    turn.want_records();
    turn.join_phone();
    let Turn { conversation: next, effects, .. } = turn;
    let before = Conversation { version: next.version, at: next.at, ..state.clone() };
    let (reply_due, close_due) = (reply_due(&next, policy), close_due(&next, policy));
    let wake_due = look_due(&next).filter(|due| *due > now);
    Decision { changed: next != before, reply_due, close_due, wake_due, effects, next }
}

/// One decision in the making.
pub(super) struct Turn<'a> {
    pub conversation: Conversation,
    pub policy: &'a Policy,
    pub now: Timestamp,
    pub effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    fn new(state: &Conversation, policy: &'a Policy, now: Timestamp) -> Self {
        let mut conversation = state.clone();
        conversation.version = state.version + 1;
        // Time on the item is monotonic, whatever the clocks of two machines say.
        conversation.at = now.max(state.at.after(Millis(1)));
        Self { conversation, policy, now, effects: Vec::new() }
    }

    fn take(&mut self, event: &ConversationEvent) {
        use ConversationEventKind as Kind;
        match &event.kind {
            Kind::MessageReceived(message) => self.take_message(event, message),
            Kind::MessageDeleted { message } => self.take_deletion(message),
            Kind::ClientKnown(facts) => self.take_client(facts),
            Kind::ClientLeft => self.take_leaving(event),
            Kind::ReplyWritten { by, parts } => self.take_reply(event, by, parts),
            Kind::ImageReplied { by, image } => self.take_image(event, by, image),
            Kind::NoteWritten { .. } => {
                self.conversation.noted_at = self.conversation.noted_at.max(Some(event.received_at));
            }
            Kind::Assigned { by, to } => self.take_assignment(event, by, to.as_ref()),
            Kind::ClosedByAgent { by } if self.conversation.state == State::Open => {
                self.close(Cause::Agent { by: by.clone() });
            }
            Kind::Opened { .. } => self.mark_read(),
            Kind::DeletionAsked { message, .. } => self.delete(message),
            Kind::VoiceAsked { message, voice, .. } => self.read_voice(message, voice),
            Kind::ChannelDisabled => self.take_end_of_channel(Cause::ChannelDisabled),
            Kind::ChannelSuperseded => self.take_end_of_channel(Cause::ChannelSuperseded),
            Kind::JobEnded { effect, result } => self.take_result(effect, result),
            Kind::ClosedByAgent { .. } | Kind::ReplyDue | Kind::CloseDue | Kind::WakeDue => {}
        }
    }

    fn take_message(&mut self, event: &ConversationEvent, message: &Message) {
        let from = match message.from {
            Author::Client => {
                self.client_wrote(event);
                self.ask_who_writes(event, message);
                self.see_phone(message);
                Writer::Client
            }
            // Until it is decided it is in no list.
            Author::Agent if self.is_undecided(event, message) => return,
            Author::Agent => {
                self.agent_wrote(event.occurred_at, event.received_at);
                Writer::Agent
            }
            Author::System => Writer::System,
        };
        self.note_last(Last { id: message.id.clone(), at: event.occurred_at, from, summary: message.summary() });
    }

    /// The latest message stays, by the provider's order.
    pub(super) fn note_last(&mut self, last: Last) {
        let known = &mut self.conversation.last;
        if known.as_ref().is_none_or(|known| (known.at, &known.id) < (last.at, &last.id)) {
            *known = Some(last);
        }
    }

    /// Records why.
    pub(super) fn because(&mut self, reason: Reason) {
        let because = &mut self.conversation.because;
        because.push(Because { at: self.now, reason });
        if because.len() > KEPT {
            because.remove(0);
        }
    }

    fn rules(&self) -> Option<&'a ChannelRules> {
        self.policy.channels.get(&self.conversation.channel)
    }

    /// The rules of the channel's conversations; `None`: the channel is off.
    pub(super) fn inbox(&self) -> Option<&'a Inbox> {
        self.rules()?.inbox()
    }

    /// An employee as people call them.
    pub(super) fn name(&self, id: &crate::ids::EmployeeId) -> String {
        self.policy.employee(id).map_or_else(|| id.0.clone(), |employee| employee.name.clone())
    }

    fn next_id(&self) -> EffectId {
        EffectId(format!("{}/{}/{}", self.conversation.aggregate(), self.conversation.version, self.effects.len()))
    }

    /// Puts a job for the provider into the outbox.
    fn order(&mut self, command: ChatCommand) -> Option<EffectId> {
        let connection = self.rules()?.connection.clone();
        let points = vec![Point::Conversation(self.conversation.chat.clone())];
        Some(self.order_on(&connection, Command::Chat(command), points))
    }

    /// Puts a job into the outbox, behind the last one of this conversation on the same connection.
    pub(super) fn order_on(&mut self, connection: &ConnectionId, command: Command, points: Vec<Point>) -> EffectId {
        let (id, at) = (self.next_id(), self.conversation.at);
        let prev = self.conversation.last_job.insert(connection.clone(), Prev { at, id: id.clone() });
        let order = JobOrder { connection: connection.clone(), command, points, prev };
        self.effects.push(Effect { id: id.clone(), at, wanted: Wanted::Job(order) });
        id
    }

    /// Sends one text.
    pub(super) fn send(&mut self, origin: Origin, text: &str) {
        let chat = self.conversation.chat.clone();
        let command = ChatCommand::SendMessage { chat, text: text.trim().to_owned(), origin: origin.clone() };
        self.send_by(command, origin, text);
    }

    /// Sends one picture.
    pub(super) fn send_image(&mut self, origin: Origin, image: &Image) {
        let chat = self.conversation.chat.clone();
        let command = ChatCommand::SendImage { chat, image: image.clone(), origin: origin.clone() };
        self.send_by(command, origin, super::event::PICTURE);
    }

    /// Sends something, and remembers that its result is awaited.
    fn send_by(&mut self, command: ChatCommand, origin: Origin, summary: &str) {
        let from = if origin.is_automatic() { Writer::Automatic } else { Writer::Agent };
        let Some(id) = self.order(command) else { return };
        // Behind whatever is known: clocks of providers may be ahead of ours.
        let behind = self.conversation.last.as_ref().map(|last| last.at.after(Millis(1)));
        let at = behind.map_or(self.now, |behind| behind.max(self.now));
        let last = Last { id: id.0.clone(), at, from, summary: super::event::summary(summary) };
        self.conversation.last = Some(last);
        let sending = Sending { origin, round: self.conversation.round.number, at: self.conversation.at };
        self.conversation.sends.insert(id, sending);
    }

    /// Tells the provider that everything was seen, once for what was not.
    pub(super) fn mark_read(&mut self) {
        if self.inbox().is_some() && self.conversation.unread_since.take().is_some() {
            self.order(ChatCommand::MarkRead { chat: self.conversation.chat.clone() });
        }
    }

    fn delete(&mut self, message: &str) {
        let (chat, message) = (self.conversation.chat.clone(), message.to_owned());
        let errand = Errand::Delete { message: message.clone() };
        self.once_at_a_time(errand, ChatCommand::DeleteMessage { chat, message });
    }

    fn read_voice(&mut self, message: &str, voice: &str) {
        let (chat, message) = (self.conversation.chat.clone(), message.to_owned());
        let errand = Errand::ReadVoice { message: message.clone() };
        self.once_at_a_time(errand, ChatCommand::ReadVoice { chat, message, voice: voice.to_owned() });
    }

    /// Asks the provider for something that a person wants, unless it is asked already.
    fn once_at_a_time(&mut self, errand: Errand, command: ChatCommand) {
        if self.inbox().is_none() || self.conversation.errands.values().any(|known| *known == errand) {
            return;
        }
        let ordered = self.order(command);
        self.conversation.errands.extend(ordered.map(|id| (id, errand)));
    }

    /// Asks the provider who the client is.
    pub(super) fn read_chat(&mut self) {
        let ordered = self.order(ChatCommand::ReadChat { chat: self.conversation.chat.clone() });
        self.conversation.errands.extend(ordered.map(|id| (id, Errand::ReadChat)));
    }

    /// Tells the bus.
    pub(super) fn tell(&mut self, fact: impl FnOnce(ConversationFact) -> Fact, cause: Option<Cause>) {
        let conversation = &self.conversation;
        let detail = ConversationFact {
            channel: conversation.channel.clone(),
            chat: conversation.chat.clone(),
            round: conversation.round.number,
            client: conversation.client.name.clone(),
            assignee: conversation.assignee.clone(),
            group: conversation.round.group.clone(),
            cause,
            at: self.now,
        };
        let (id, at) = (self.next_id(), self.conversation.at);
        self.effects.push(Effect { id, at, wanted: Wanted::Fact(fact(detail)) });
    }
}
