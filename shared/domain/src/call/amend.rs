//! What later events change in what was already written: never a second record.

use super::decide::Turn;
use super::{AmendKind, GivenLink, LogState, RecordsState};
use crate::effect::Command;
use crate::job::{Amendment, Outcome, Point};
use crate::reason::Reason;

/// Seconds by which two accounts of one talk may differ.
const SAME_TALK: i64 = 2;

impl Turn<'_> {
    /// Everything that came to light too late for the records.
    pub(super) fn amend(&mut self) {
        self.add_recording();
        self.correct_result();
        self.reassign();
        self.complete_task();
    }

    fn order_amendment(&mut self, kind: AmendKind, amendment: Amendment) {
        let (Some(crm), Some(number)) = (self.policy.crm.clone(), self.call.client_number().cloned()) else { return };
        let effect = self.order(&crm, Command::Amend(amendment), vec![Point::Phone(number)]);
        self.call.amends.insert(effect, kind);
    }

    /// The recording came after the call was logged, or the link that the record has was revoked: into the
    /// same record. Once for each link.
    fn add_recording(&mut self) {
        let LogState::Logged { logged, snapshot } = &self.call.log else { return };
        let given = self.call.asked.link.as_ref().or(snapshot.link.as_ref());
        let (kind, link) = match given {
            None => (AmendKind::Recording, self.call.recording_link()),
            Some(given) => {
                let link = self.call.link_to(&given.recording);
                (AmendKind::Link, link.filter(|link| link.generation != given.generation))
            }
        };
        let (RecordsState::Made { records, decided } | RecordsState::Failed { made: records, decided, .. }) =
            &self.call.records
        else {
            return;
        };
        let (Some(link), Some(number)) = (link, self.call.client_number()) else { return };
        let (logged, now_given) = (logged.clone(), GivenLink::of(&link));
        let log = Box::new(self.call_log(number.clone(), records, decided, Some(link)));
        self.call.asked.link = Some(now_given);
        self.order_amendment(kind, Amendment::AddRecording { logged, log });
    }

    /// Result or duration turned out otherwise: one service note. Only when nothing is still going on.
    fn correct_result(&mut self) {
        let LogState::Logged { logged, snapshot } = &self.call.log else { return };
        let settled = self.call.summary.is_some() || self.call.is_over();
        let (said, seconds) = self.call.asked.result.unwrap_or((snapshot.outcome, snapshot.seconds));
        let now = (self.call.outcome(), self.call.talk_seconds());
        // Who counts the same talk by another clock is no news.
        if !settled || (said == now.0 && (seconds - now.1).abs() <= SAME_TALK) {
            return;
        }
        let text = result_words(now.0, now.1);
        let marker = format!("{}#{:?}-{}", self.call.aggregate(), now.0, now.1);
        let logged = logged.clone();
        self.call.asked.result = Some(now);
        self.because(Reason::new("amend_result", [&text]));
        let text = format!("Уточнение к звонку: {text}");
        self.order_amendment(AmendKind::Result, Amendment::Correct { logged, marker, text });
    }

    /// Another employee than the decision took: the records that followed the call follow it again.
    fn reassign(&mut self) {
        let RecordsState::Made { records, decided } = &self.call.records else { return };
        let by = decided.by_employee;
        let contact = records.contact.clone().filter(|_| by.contact && records.contact_made);
        let deal = records.deal.clone().filter(|_| by.deal);
        let task = records.task.clone().filter(|_| by.task);
        if contact.is_none() && deal.is_none() && task.is_none() {
            return;
        }
        let Some((extension, employee)) = self.changed_employee(decided) else { return };
        let (Some(responsible), name) = (employee.crm_user.clone(), employee.name.clone()) else { return };
        self.call.asked.responsible = Some(extension);
        self.because(Reason::new("amend_responsible", [&name]));
        self.order_amendment(AmendKind::Responsible, Amendment::Reassign { contact, deal, task, responsible });
    }

    /// The call was taken to be missed, but somebody talked.
    fn complete_task(&mut self) {
        let RecordsState::Made { records, decided } = &self.call.records else { return };
        let Some(task) = records.task.clone() else { return };
        if !decided.occasion.is_missed() || !self.call.answered() || self.call.asked.task {
            return;
        }
        self.call.asked.task = true;
        let text = "Звонок всё-таки был отвечен".to_owned();
        self.order_amendment(AmendKind::Task, Amendment::CompleteTask { task, text });
    }
}

fn result_words(outcome: Outcome, seconds: i64) -> String {
    match outcome {
        Outcome::Answered => format!("разговор состоялся, {} мин {} с", seconds / 60, seconds % 60),
        Outcome::Busy => "занято".to_owned(),
        Outcome::NotAnswered => "не отвечен".to_owned(),
    }
}
