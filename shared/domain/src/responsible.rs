//! Who is made responsible for a record: what calls and conversations have in common.

use crate::ids::{CrmId, EmployeeId};
use crate::policy::{Employee, Policy};
use crate::reason::Reason;

/// An employee chosen for a record.
pub(crate) struct Choice {
    pub user: Option<CrmId>,
    /// Follows from the call itself, so a later event may change it.
    pub by_call: bool,
    pub reason: Reason,
}

impl Choice {
    /// This one, for this reason.
    pub(crate) fn of(employee: &Employee, reason: Reason) -> Self {
        Self { user: employee.crm_user.clone(), by_call: false, reason }
    }
}

impl Policy {
    /// An employee who is named, if they still work here.
    pub(crate) fn named(&self, id: &EmployeeId, code: &str) -> Choice {
        match self.employee(id) {
            Some(employee) if employee.active => Choice::of(employee, Reason::new(code, [&employee.name])),
            Some(employee) => self.instead(&format!("{} здесь больше не работает", employee.name)),
            None => self.instead(&format!("сотрудника {id} нет в настройках")),
        }
    }

    /// Of a group `preferred`, else the first member who works here.
    pub(crate) fn of_group(&self, name: &str, preferred: Option<&EmployeeId>) -> Choice {
        let members = self.groups.get(name).map(Vec::as_slice).unwrap_or_default();
        let preferred = preferred.filter(|id| members.contains(id));
        let works = |id| self.employee(id).filter(|employee| employee.active);
        match preferred.into_iter().chain(members).find_map(works) {
            Some(employee) => Choice::of(employee, Reason::new("responsible_group", [&employee.name, name])),
            None => self.instead(&format!("в группе «{name}» никто не работает")),
        }
    }

    /// The one for abnormal situations, because of this one.
    pub(crate) fn instead(&self, why: &str) -> Choice {
        let employee = self.employee(&self.fallback);
        let name = employee.map_or(self.fallback.as_str(), |employee| employee.name.as_str());
        let user = employee.and_then(|employee| employee.crm_user.clone());
        Choice { user, by_call: false, reason: Reason::new("responsible_fallback", [name, why]) }
    }
}
