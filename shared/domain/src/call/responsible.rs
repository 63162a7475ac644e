//! Who is responsible for a record, and why.

use super::decide::Turn;
use super::facts::OnCall;
use super::{Client, Decided};
use crate::policy::{Employee, Occasion, Responsible, Scenario};
use crate::reason::Reason;
use crate::responsible::Choice;

impl Turn<'_> {
    /// Chooses the responsible of one record by its rule.
    pub(super) fn choose(&self, rule: &Responsible, scenario: &Scenario, occasion: Occasion) -> Choice {
        match rule {
            Responsible::Employee(id) => self.policy.named(id, "responsible_scenario"),
            Responsible::Group(name) => self.of_group(name, scenario),
            Responsible::OnTheCall => self.on_the_call(scenario),
            Responsible::Client => self.of_client(scenario),
            Responsible::Usual if occasion.is_missed() => self.on_the_call(scenario),
            Responsible::Usual => self.of_client(scenario),
        }
    }

    fn chosen(&self, employee: &Employee, code: &str, by_call: bool) -> Choice {
        Choice { by_call, ..Choice::of(employee, Reason::new(code, [&employee.name])) }
    }

    fn of_group(&self, name: &str, scenario: &Scenario) -> Choice {
        let members = self.policy.groups.get(name).map(Vec::as_slice).unwrap_or_default();
        let on_call = self.employee_on_call(scenario).map(|(employee, _)| &employee.id);
        let on_call = on_call.filter(|id| members.contains(id));
        Choice { by_call: on_call.is_some(), ..self.policy.of_group(name, on_call) }
    }

    /// The client's responsible; somebody who cannot answer leaves it to the fall-back.
    fn of_client(&self, scenario: &Scenario) -> Choice {
        let Client::Known(client) = &self.call.client else { return self.on_the_call(scenario) };
        let Some(user) = &client.responsible else { return self.on_the_call(scenario) };
        match self.policy.by_crm_user(user) {
            None => self.fallback(&format!("ответственный клиента (пользователь CRM {user}) не сопоставлен"), false),
            Some(employee) if !employee.active => {
                self.fallback(&format!("{}, кто ведёт клиента, здесь больше не работает", employee.name), false)
            }
            Some(employee) => match &employee.extension {
                None => {
                    self.fallback(&format!("у {}, кто ведёт клиента, нет внутреннего номера", employee.name), false)
                }
                Some(extension) if scenario.exceptions.contains(extension) => self.on_the_call(scenario),
                Some(_) => self.chosen(employee, "responsible_client", false),
            },
        }
    }

    fn on_the_call(&self, scenario: &Scenario) -> Choice {
        match (self.employee_on_call(scenario), self.call.employee(self.follows(scenario))) {
            (Some((employee, on_call)), _) => {
                let code = match on_call {
                    OnCall::Transfer => "responsible_transfer",
                    OnCall::Talked => "responsible_talked",
                    OnCall::Rang => "responsible_rang",
                };
                self.chosen(employee, code, true)
            }
            (None, Some((extension, _))) => {
                self.fallback(&format!("внутренний номер {extension} не сопоставлен с сотрудником"), true)
            }
            (None, None) => self.fallback("никому не звонили", true),
        }
    }

    /// A transfer changes the responsible of new clients only (SCN-07).
    pub(super) fn follows(&self, scenario: &Scenario) -> bool {
        scenario.follow_transfers && self.call.client == Client::New
    }

    fn employee_on_call(&self, scenario: &Scenario) -> Option<(&Employee, OnCall)> {
        let (extension, why) = self.call.employee(self.follows(scenario))?;
        self.policy.by_extension(&extension).filter(|employee| employee.active).map(|employee| (employee, why))
    }

    fn fallback(&self, why: &str, by_call: bool) -> Choice {
        Choice { by_call, ..self.policy.instead(why) }
    }

    /// The user who is responsible by the call as it is known now, if that changed since the decision.
    pub(super) fn changed_employee(&self, decided: &Decided) -> Option<(crate::ids::Extension, &Employee)> {
        let (extension, _) = self.call.employee(decided.follow_transfers)?;
        let last = self.call.asked.responsible.as_ref().or(decided.employee.as_ref());
        if last == Some(&extension) {
            return None;
        }
        let employee = self.policy.by_extension(&extension).filter(|employee| employee.active)?;
        Some((extension, employee))
    }
}
