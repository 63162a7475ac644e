//! Results of jobs. One counts only where the conversation still awaits that effect.

use super::decide::Turn;
use super::event::ClientFacts;
use super::{Errand, Sending, Trouble};
use crate::chat::ChatResult;
use crate::ids::EffectId;
use crate::job::JobResult;
use crate::reason::Reason;

impl Turn<'_> {
    pub(super) fn take_result(&mut self, effect: &EffectId, result: &JobResult) {
        if let Some(sending) = self.conversation.sends.remove(effect) {
            self.take_sent(effect, &sending, result);
            self.place_undecided();
        } else if self.conversation.trouble.as_ref().is_some_and(|trouble| trouble.effect == *effect) {
            self.take_second_try(effect, result);
        } else if let Some(errand) = self.conversation.errands.remove(effect) {
            self.take_errand(&errand, result);
        } else {
            self.take_from_crm(effect, result);
        }
    }

    fn take_sent(&mut self, effect: &EffectId, sending: &Sending, result: &JobResult) {
        let what = sending.origin.words();
        match result {
            JobResult::Chat(ChatResult::Sent { message }) => self.is_ours(effect, message),
            JobResult::Dropped { because } => {
                self.because(Reason::new("chat_dropped", [&what, &because.words()]));
            }
            JobResult::Failed { why, .. } => {
                self.because(Reason::new("chat_failed", [&what, why]));
                self.conversation.trouble = Some(Trouble { effect: effect.clone(), why: why.clone() });
            }
            _ => {}
        }
    }

    /// The echo of our own message is dropped, also when it came before this result.
    fn is_ours(&mut self, effect: &EffectId, message: &str) {
        self.conversation.undecided.retain(|undecided| undecided.message != message);
        // A deletion names the message as the provider does.
        if let Some(last) = self.conversation.last.as_mut().filter(|last| last.id == effect.0) {
            message.clone_into(&mut last.id);
        }
    }

    /// No send is without a result: what nobody claimed was written in the provider's application.
    fn place_undecided(&mut self) {
        if self.conversation.sends.is_empty() {
            for message in std::mem::take(&mut self.conversation.undecided) {
                self.adopt(message);
            }
        }
    }

    /// A person put the job back.
    fn take_second_try(&mut self, effect: &EffectId, result: &JobResult) {
        match result {
            JobResult::Failed { why, .. } => {
                self.conversation.trouble = Some(Trouble { effect: effect.clone(), why: why.clone() });
            }
            JobResult::Chat(ChatResult::Sent { message }) => {
                self.is_ours(effect, message);
                self.conversation.trouble = None;
            }
            _ => self.conversation.trouble = None,
        }
    }

    fn take_errand(&mut self, errand: &Errand, result: &JobResult) {
        match (errand, result) {
            (_, JobResult::Chat(ChatResult::ChatRead { name, about, title, url })) => {
                self.take_item(title.as_ref(), url.as_ref());
                self.take_client(&ClientFacts { name: name.clone(), about: about.clone(), responsible: None });
            }
            (Errand::Delete { .. }, JobResult::Failed { why, .. }) => {
                self.because(Reason::new("chat_not_deleted", [why]));
            }
            (Errand::ReadVoice { .. }, JobResult::Failed { why, .. }) => {
                self.because(Reason::new("chat_no_voice", [why]));
            }
            (Errand::ReadChat, JobResult::Failed { why, .. }) => self.because(Reason::new("chat_not_read", [why])),
            _ => {}
        }
    }
}
