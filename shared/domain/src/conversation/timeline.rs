//! What would happen: decisions over a script, with a clock that jumps from one due time to the next.

use super::event::{ConversationEvent, ConversationEventKind};
use super::{Conversation, StillWanted, close_due, decide, reply_due, still_wanted};
use crate::chat::{ChatCommand, ChatResult, Origin};
use crate::effect::{Command, Effect, Wanted};
use crate::job::JobResult;
use crate::policy::Policy;
use crate::time::Timestamp;

/// One moment of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub at: Timestamp,
    pub event: ConversationEventKind,
    /// It changed something; what may not be done does not.
    pub changed: bool,
    /// What was wanted of the outside.
    pub effects: Vec<Effect>,
    /// Why, in Russian.
    pub because: Vec<String>,
    pub reply_due: Option<Timestamp>,
    pub close_due: Option<Timestamp>,
}

/// Runs a script: what happens when, in any order. Each event is received when it happens, and every message of
/// ours is delivered at once. Ends when nothing is due any more, or at `until`.
pub fn simulate(
    start: Conversation,
    script: &[(Timestamp, ConversationEventKind)],
    policy: &Policy,
    until: Timestamp,
) -> Vec<Line> {
    let mut script = script.to_vec();
    script.sort_by_key(|(at, _)| *at);
    let mut script = script.into_iter().peekable();
    let (mut now, mut lines) = (start.at, Vec::new());
    let mut run = Run { conversation: start, policy };
    loop {
        let replies = reply_due(&run.conversation, policy).map(|at| (at, ConversationEventKind::ReplyDue));
        let closes = close_due(&run.conversation, policy).map(|at| (at, ConversationEventKind::CloseDue));
        let timer = [replies, closes].into_iter().flatten().min_by_key(|(at, _)| *at);
        // What people do at the very moment of a timer comes first, as it would by the table.
        let scripted = script.next_if(|(at, _)| timer.as_ref().is_none_or(|(due, _)| at <= due));
        let Some((at, kind)) = scripted.or(timer).filter(|(at, _)| *at <= until) else { return lines };
        now = now.max(at);
        lines.push(run.step(now, kind));
    }
}

struct Run<'a> {
    conversation: Conversation,
    policy: &'a Policy,
}

impl Run<'_> {
    fn step(&mut self, now: Timestamp, kind: ConversationEventKind) -> Line {
        let known = self.conversation.because.len();
        let before = self.conversation.because.clone();
        let (changed, effects) = self.decide(now, kind.clone());
        let because = &self.conversation.because;
        // The oldest reasons may have gone meanwhile.
        let kept = (0..=known).find(|gone| because.starts_with(&before[*gone..])).unwrap_or(known);
        let because = because[known - kept..].iter().map(|because| because.reason.words()).collect();
        self.deliver(now, &effects);
        Line {
            at: now,
            event: kind,
            changed,
            effects,
            because,
            reply_due: reply_due(&self.conversation, self.policy),
            close_due: close_due(&self.conversation, self.policy),
        }
    }

    fn decide(&mut self, now: Timestamp, kind: ConversationEventKind) -> (bool, Vec<Effect>) {
        let (channel, chat) = (self.conversation.channel.clone(), self.conversation.chat.clone());
        let event = ConversationEvent { channel, chat, occurred_at: now, received_at: now, kind };
        let decision = decide(&self.conversation, &[event], self.policy, now);
        if decision.changed {
            self.conversation = decision.next;
        }
        (decision.changed, decision.effects)
    }

    /// Every job does what it was asked for, if it still is.
    fn deliver(&mut self, now: Timestamp, effects: &[Effect]) {
        for effect in effects {
            let Wanted::Job(order) = &effect.wanted else { continue };
            let Command::Chat(command) = &order.command else { continue };
            let wanted = match command.is_automatic() {
                true => still_wanted(&self.conversation, &effect.id, now),
                false => StillWanted::Yes,
            };
            let result = match (wanted, command) {
                (StillWanted::No(because), _) => JobResult::Dropped { because },
                (_, ChatCommand::SendMessage { .. } | ChatCommand::SendImage { .. }) => {
                    JobResult::Chat(ChatResult::Sent { message: effect.id.0.clone() })
                }
                (_, ChatCommand::MarkRead { .. }) => JobResult::Chat(ChatResult::MarkedRead),
                (_, ChatCommand::DeleteMessage { .. }) => JobResult::Chat(ChatResult::Deleted),
                (_, ChatCommand::ReadChat { .. }) => JobResult::Chat(NOTHING_READ),
                (_, ChatCommand::ReadVoice { message, .. }) => {
                    JobResult::Chat(ChatResult::VoiceRead { message: message.clone(), url: String::new(), until: now })
                }
            };
            self.decide(now, ConversationEventKind::JobEnded { effect: effect.id.clone(), result });
        }
    }
}

/// What is read in a chat that is not there.
const NOTHING_READ: ChatResult = ChatResult::ChatRead { name: None, about: None, title: None, url: None };

/// An effect in a few words.
pub fn describe(effect: &Effect) -> String {
    match &effect.wanted {
        Wanted::Job(order) => match &order.command {
            Command::Chat(ChatCommand::SendMessage { origin, .. }) => match origin {
                Origin::Reply { .. } => "SendMessage (reply)".to_owned(),
                Origin::Step { step } => format!("SendMessage (autoreply {})", u32::from(*step) + 1),
                Origin::Closing => "SendMessage (closing text)".to_owned(),
            },
            Command::Chat(ChatCommand::SendImage { .. }) => "SendImage".to_owned(),
            Command::Chat(ChatCommand::MarkRead { .. }) => "MarkRead".to_owned(),
            Command::Chat(ChatCommand::DeleteMessage { .. }) => "DeleteMessage".to_owned(),
            Command::Chat(ChatCommand::ReadChat { .. }) => "ReadChat".to_owned(),
            Command::Chat(ChatCommand::ReadVoice { .. }) => "ReadVoice".to_owned(),
            Command::FindClient { .. } => "FindClient".to_owned(),
            Command::MakeRecords(_) => "MakeRecords".to_owned(),
            Command::JoinPhone { .. } => "JoinPhone".to_owned(),
            _ => "a job of a call".to_owned(),
        },
        Wanted::Fact(fact) => fact.name().to_owned(),
        Wanted::Reached { .. } => "Reached".to_owned(),
    }
}
