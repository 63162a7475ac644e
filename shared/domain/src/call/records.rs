//! Which records a final call gets: the scenario of the line, the occasion, the plan.

use std::collections::BTreeMap;

use super::decide::Turn;
use super::{ByEmployee, Client, Decided, RecordsState};
use crate::effect::Command;
use crate::event::Direction;
use crate::ids::{ConnectionId, CrmId};
use crate::job::{ContactPlan, DealPlan, Point, RecordPlan, Records, TaskPlan};
use crate::number::Number;
use crate::plan::{self, Values, local_time, wanted_words};
use crate::policy::{ContactRule, DealRule, Occasion, Responsible, Rules, Scenario, TaskRule};
use crate::reason::Reason;

impl Turn<'_> {
    /// The call is final and the client is settled: decide, once.
    pub(super) fn decide_on_records(&mut self) {
        if self.call.final_at.is_none() || self.call.records != RecordsState::Undecided {
            return;
        }
        let known = match &self.call.client {
            Client::Unasked | Client::Asked { .. } => return,
            Client::Hidden if self.call.direction() == Some(Direction::Internal) => {
                return self.unlinked("internal", []);
            }
            Client::Hidden => return self.unlinked("client_hidden", []),
            Client::NoCrm => return self.unlinked("no_crm", []),
            Client::New => false,
            Client::Known(_) => true,
        };
        let (Some(number), Some(crm)) = (self.call.client_number().cloned(), self.policy.crm.clone()) else {
            return self.unlinked("no_crm", []);
        };
        let direction = self.call.direction().unwrap_or(Direction::Incoming);
        let Some(occasion) = Occasion::of(direction, self.call.answered(), known) else { return };
        let Some(line) = self.line().map(str::to_owned) else { return self.unlinked("no_line", []) };
        let Some(scenario) = self.policy.scenario(&line, occasion).cloned() else {
            return self.unlinked("no_scenario", [&line]);
        };
        let rules = scenario.rules.get(&occasion).cloned().unwrap_or_default();
        if !known && rules.contact.is_none() {
            return self.unlinked("unlinked_no_contact", [&scenario.name]);
        }
        self.want_records(&crm, &number, &scenario, &rules, occasion);
    }

    /// The company's number that the call belongs to.
    fn line(&self) -> Option<&str> {
        let outgoing = self.call.direction() == Some(Direction::Outgoing);
        let own = || self.policy.channels.get(&self.call.channel)?.line.as_deref().filter(|_| outgoing);
        self.call.line().or_else(own)
    }

    fn unlinked<const N: usize>(&mut self, code: &str, with: [&str; N]) {
        let because = Reason::new(code, with);
        self.because(because.clone());
        self.call.records = RecordsState::Unlinked { because };
    }

    fn want_records(
        &mut self,
        crm: &ConnectionId,
        number: &Number,
        scenario: &Scenario,
        rules: &Rules,
        occasion: Occasion,
    ) {
        let values = self.values(scenario);
        let known_contact = match &self.call.client {
            Client::Known(client) => Some(client.contact.clone()),
            _ => None,
        };
        let mut decided = Decided {
            occasion,
            follow_transfers: self.follows(scenario),
            employee: self.call.employee(self.follows(scenario)).map(|(extension, _)| extension),
            by_employee: ByEmployee::default(),
            responsible: self.on_the_record(scenario, occasion),
        };
        let contact_rule = rules.contact.as_ref().filter(|_| known_contact.is_none());
        let contact = contact_rule.map(|rule| self.contact(rule, scenario, occasion, &values, &mut decided));
        let deal = rules.deal.as_ref().map(|rule| self.deal(rule, scenario, occasion, &values, &mut decided));
        let task = rules.task.as_ref().map(|rule| self.task(rule, scenario, occasion, &values, &mut decided));
        let plan = RecordPlan { client: number.clone().into(), known_contact, contact, deal, task, only_new: false };
        let code = occasion_words(occasion);
        if plan.contact.is_none() && plan.deal.is_none() && plan.task.is_none() {
            // A known client and nothing to make: only the call itself is logged.
            self.because(Reason::new("no_rules", [&scenario.name, code]));
            let records = Records { contact: plan.known_contact, ..Records::default() };
            self.call.records = RecordsState::Made { records, decided };
            return;
        }
        self.because(Reason::new("records_wanted", [&scenario.name, code, &wanted_words(&plan)]));
        let effect = self.order(crm, Command::MakeRecords(Box::new(plan)), vec![Point::Phone(number.clone())]);
        self.call.records = RecordsState::Asked { effect, decided };
    }

    /// In whose name the call is logged: who was on it.
    fn on_the_record(&self, scenario: &Scenario, occasion: Occasion) -> Option<CrmId> {
        self.choose(&Responsible::OnTheCall, scenario, occasion).user
    }

    fn contact(
        &mut self,
        rule: &ContactRule,
        scenario: &Scenario,
        occasion: Occasion,
        values: &Values,
        decided: &mut Decided,
    ) -> ContactPlan {
        let choice = self.choose(&rule.responsible, scenario, occasion);
        decided.by_employee.contact = choice.by_call;
        self.because(choice.reason);
        plan::contact(rule, values, choice.user)
    }

    fn deal(
        &mut self,
        rule: &DealRule,
        scenario: &Scenario,
        occasion: Occasion,
        values: &Values,
        decided: &mut Decided,
    ) -> DealPlan {
        let choice = self.choose(&rule.responsible, scenario, occasion);
        decided.by_employee.deal = choice.by_call;
        self.because_once(choice.reason);
        plan::deal(rule, self.call.aggregate(), values, choice.user)
    }

    fn task(
        &mut self,
        rule: &TaskRule,
        scenario: &Scenario,
        occasion: Occasion,
        values: &Values,
        decided: &mut Decided,
    ) -> TaskPlan {
        let choice = self.choose(&rule.responsible, scenario, occasion);
        decided.by_employee.task = choice.by_call;
        self.because_once(choice.reason);
        TaskPlan {
            unless_reached_since: occasion.is_missed().then(|| self.call.started_at()),
            ..plan::task(rule, values, choice.user, self.now)
        }
    }

    fn because_once(&mut self, reason: Reason) {
        if self.call.because.last().is_none_or(|last| last.reason != reason) {
            self.because(reason);
        }
    }

    fn values(&self, scenario: &Scenario) -> Values {
        let number = self.call.client_number().map(Number::plus).unwrap_or_default();
        let client = match &self.call.client {
            Client::Known(client) if !client.name.is_empty() => client.name.clone(),
            _ => number.clone(),
        };
        let extension = self.call.employee(self.follows(scenario)).map(|(extension, _)| extension);
        let employee = extension.as_ref().and_then(|extension| self.policy.by_extension(extension));
        let channel = self.policy.channels.get(&self.call.channel).map(|channel| channel.name.clone());
        let (date, time) = local_time(self.call.started_at(), &self.policy.time_zone);
        let digits: Vec<&str> = self.call.digits.iter().map(|digits| digits.digits.as_str()).collect();
        BTreeMap::from([
            ("phone", number),
            ("line", self.line().unwrap_or_default().to_owned()),
            ("client", client),
            ("employee", employee.map(|employee| employee.name.clone()).unwrap_or_default()),
            ("extension", extension.map(|extension| extension.0).unwrap_or_default()),
            ("scenario", scenario.name.clone()),
            ("channel", channel.unwrap_or_default()),
            ("date", date),
            ("time", time),
            ("digits", digits.join(" ")),
        ])
    }
}

fn occasion_words(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::IncomingNew => "входящий от нового клиента",
        Occasion::IncomingKnown => "входящий от клиента из базы",
        Occasion::OutgoingNew => "исходящий новому клиенту",
        Occasion::OutgoingKnown => "исходящий клиенту из базы",
        Occasion::MissedNew => "пропущенный от нового клиента",
        Occasion::MissedKnown => "пропущенный от клиента из базы",
    }
}
