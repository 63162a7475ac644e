//! Rounds: what an opening settles, and who receives it.

use super::decide::Turn;
use super::event::ConversationEvent;
use super::{Conversation, Round, Side, State, Waiting, guards, words};
use crate::effect::Fact;
use crate::ids::EmployeeId;
use crate::inbox::{HoursClass, Staff};
use crate::reason::Reason;
use crate::time::Timestamp;

/// Who opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Client,
    Agent,
}

impl Conversation {
    /// We wrote last.
    pub(super) fn wait_for_client(&mut self, since: Timestamp) {
        if self.waiting.is_none_or(|waiting| waiting.who == Side::Client) {
            self.waiting = Some(Waiting { who: Side::Us, since });
        }
    }
}

impl Turn<'_> {
    /// Opens the conversation, or opens it again.
    pub(super) fn open_round(&mut self, event: &ConversationEvent, by: Opening) {
        self.open_round_at(event.occurred_at, event.received_at, by);
    }

    /// A new round: hours class, receiver, autoreplies and closing text as new.
    pub(super) fn open_round_at(&mut self, occurred: Timestamp, received: Timestamp, by: Opening) {
        let class = match self.policy.hours.is_open(received) {
            true => HoursClass::Working,
            false => HoursClass::OffHours,
        };
        let number = self.conversation.round.number + 1;
        self.conversation.state = State::Open;
        self.conversation.round =
            Round { number, class, opened_at: received, began: occurred, available_at: received, ..Round::default() };
        self.conversation.active_at = self.conversation.active_at.max(guards::clock_start(received, self.now));
        self.conversation.waiting = None;
        if by == Opening::Agent {
            let zone = &self.policy.time_zone;
            let (when, closes) = (words::moment(received, zone), self.closing_words());
            self.because(Reason::new("chat_opened_by_agent", [&when, &closes]));
        }
        self.hand_to_receiver(class, received);
        if number == 1 && self.inbox().is_some_and(|inbox| inbox.read_chat) {
            self.read_chat();
        }
        self.tell(Fact::ConversationOpened, None);
    }

    /// An employee has it at once, a group off hours not before it works again.
    fn hand_to_receiver(&mut self, class: HoursClass, received: Timestamp) {
        self.conversation.assignee = None;
        match self.inbox().map(|inbox| inbox.staff(class)) {
            Some(Staff::Employee(id)) => self.hand_to(id),
            Some(Staff::Group(name)) => self.hand_to_group(name, class, received),
            None => self.hand_to_fallback("канал отключён"),
        }
    }

    fn hand_to(&mut self, id: &EmployeeId) {
        match self.policy.employee(id) {
            Some(employee) if employee.active => {
                self.conversation.assignee = Some(id.clone());
                self.because(Reason::new("chat_receiver", [&employee.name]));
            }
            Some(employee) => self.hand_to_fallback(&format!("{} здесь больше не работает", employee.name)),
            None => self.hand_to_fallback(&format!("сотрудника {id} нет в настройках")),
        }
    }

    fn hand_to_group(&mut self, name: &str, class: HoursClass, received: Timestamp) {
        let members = self.policy.groups.get(name).map(Vec::as_slice).unwrap_or_default();
        if !members.iter().filter_map(|id| self.policy.employee(id)).any(|employee| employee.active) {
            return self.hand_to_fallback(&format!("в группе «{name}» никто не работает"));
        }
        self.conversation.round.group = Some(name.to_owned());
        let later = self.policy.hours.next_open(received).filter(|_| class == HoursClass::OffHours);
        let Some(later) = later else { return self.because(Reason::new("chat_receiver_group", [name])) };
        self.conversation.round.available_at = later;
        let when = words::until(later, received, &self.policy.time_zone);
        self.because(Reason::new("chat_receiver_waits", [name, &when]));
    }

    fn hand_to_fallback(&mut self, why: &str) {
        let name = self.name(&self.policy.fallback);
        self.conversation.assignee = Some(self.policy.fallback.clone());
        self.because(Reason::new("chat_receiver_fallback", [&name, why]));
    }

    /// What will happen by itself, said once for each opening.
    pub(super) fn explain_opening(&mut self, healed: bool) {
        let round = &self.conversation.round;
        let zone = &self.policy.time_zone;
        let class = match round.class {
            HoursClass::Working => "рабочее время",
            HoursClass::OffHours => "нерабочее время",
        };
        let code = if round.number == 1 { "chat_opened" } else { "chat_reopened" };
        let when = words::moment(round.opened_at, zone);
        let steps = match healed {
            true => "автоответов нет, сообщение опоздало больше чем на 15 минут".to_owned(),
            false => self.steps_words(),
        };
        let closes = self.closing_words();
        self.because(Reason::new(code, [&when, class, &steps, &closes]));
    }

    /// What was fetched late opened the round, and now the client writes again.
    pub(super) fn explain_steps(&mut self) {
        let steps = self.steps_words();
        self.because(Reason::new("chat_steps", [&steps]));
    }

    fn steps_words(&self) -> String {
        let conversation = &self.conversation;
        let from = conversation.round.steps_from.filter(|_| conversation.round.replied_at.is_none());
        let (Some(inbox), Some(from)) = (self.inbox(), from) else { return "автоответов нет".to_owned() };
        let times = inbox.steps(conversation.round.class).iter().map(|step| from.after(step.delay));
        words::steps(&times.collect::<Vec<_>>(), conversation.round.opened_at, &self.policy.time_zone)
    }

    fn closing_words(&self) -> String {
        let conversation = &self.conversation;
        let Some(after) = self.inbox().and_then(|inbox| inbox.close_after) else {
            return "само не закроется".to_owned();
        };
        let at = conversation.active_at.after(after);
        let when = words::on(at, conversation.round.opened_at, &self.policy.time_zone);
        format!("закроется {when}, если никто не напишет")
    }
}
