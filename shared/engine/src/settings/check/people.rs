//! Employees, their internal numbers and users, groups, and who answers for the rest (MAP-01 to MAP-03).

use std::collections::BTreeMap;

use perezvon_domain::policy::Employee;
use perezvon_domain::{CrmId, EmployeeId};

use super::super::document::{self, Document};
use super::super::problem::Findings;

/// Longest internal number, in characters.
const EXTENSION_LIMIT: usize = 32;

/// The employees as decisions see them.
pub(super) fn employees(document: &Document) -> Vec<Employee> {
    let employee = |employee: &document::Employee| Employee {
        id: employee.id.clone(),
        name: employee.name.clone(),
        extension: employee.extension.clone(),
        crm_user: employee.crm_user.as_ref().map(|user| CrmId(user.to_string())),
        active: employee.active,
    };
    document.employees.iter().map(employee).collect()
}

pub(super) fn check(document: &Document, findings: &mut Findings) {
    findings.count("employees", document.employees.len(), 1..=500);
    for (index, employee) in document.employees.iter().enumerate() {
        let path = format!("employees[{index}]");
        findings.id(&format!("{path}.id"), employee.id.as_str());
        findings.text(&format!("{path}.name"), &employee.name);
        if let Some(extension) = &employee.extension {
            let path = format!("{path}.extension");
            findings.text_of(&path, extension.as_str(), EXTENSION_LIMIT);
            if extension.as_str().contains(char::is_whitespace) {
                findings.add(path, "there is a space in it", "write it without spaces");
            }
        }
        if let Some(user) = &employee.crm_user {
            findings.text_of(&format!("{path}.crm_user"), &user.to_string(), 40);
        }
    }
    unique(document, findings);
    groups(document, findings);
    if let Err((what, instead)) = who_works(document, &document.fallback) {
        findings.add("fallback", what, instead);
    }
}

fn unique(document: &Document, findings: &mut Findings) {
    let all = || document.employees.iter().enumerate();
    let ids = all().map(|(index, employee)| (format!("employees[{index}].id"), &employee.id));
    findings.unique(ids, "give each employee an id of their own");
    let extensions = all()
        .filter_map(|(index, employee)| Some((format!("employees[{index}].extension"), employee.extension.as_ref()?)));
    let instead = "internal numbers must not repeat: take it from the one who has it no longer";
    findings.unique(extensions, instead);
    let users = all()
        .filter_map(|(index, employee)| Some((format!("employees[{index}].crm_user"), employee.crm_user.as_ref()?)));
    findings.unique(users, "a CRM user is one employee: take it from the one who has it no longer");
}

fn groups(document: &Document, findings: &mut Findings) {
    findings.count("groups", document.groups.len(), 0..=100);
    let employees: BTreeMap<&EmployeeId, bool> =
        document.employees.iter().map(|employee| (&employee.id, employee.active)).collect();
    for (name, members) in &document.groups {
        let path = format!("groups.{name}");
        findings.text(&path, name);
        findings.count(&path, members.len(), 1..=500);
        let places = members.iter().enumerate().map(|(index, id)| (format!("{path}[{index}]"), id));
        findings.unique(places.clone(), "name each member once");
        for (path, id) in places.filter(|(_, id)| !employees.contains_key(id)) {
            findings.add(path, no_employee(id), "correct the id or add the employee");
        }
        let known: Vec<bool> = members.iter().filter_map(|id| employees.get(id).copied()).collect();
        if known.len() == members.len() && !members.is_empty() && !known.contains(&true) {
            let what = "nobody in this group works here any more";
            findings.add(path, what, "add somebody who does, or take the group out");
        }
    }
}

/// Fails with what is wrong and what to do, if this is nobody who works here.
pub(super) fn who_works(document: &Document, id: &EmployeeId) -> Result<(), (String, &'static str)> {
    match document.employees.iter().find(|employee| &employee.id == id) {
        None => Err((no_employee(id), "write the id of one of the employees")),
        Some(employee) if !employee.active => {
            let what = format!("`{id}` does not work here any more (`active = false`)");
            Err((what, "write the id of an employee who does"))
        }
        Some(_) => Ok(()),
    }
}

fn no_employee(id: &EmployeeId) -> String {
    format!("there is no employee `{id}`")
}
