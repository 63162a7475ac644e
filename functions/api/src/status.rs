//! `GET employees`; `GET` and `PUT employees/{id}/status`: whether an employee is there: away until somebody says so.

use perezvon_domain::{AccountId, EmployeeId};
use perezvon_platform::link::Role;
use perezvon_store::items::status::StatusRow;
use perezvon_store::keys;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::Visitor;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// Employees whose status a list tells: each is a row of its own.
const TOLD: usize = 100;

/// Whether an employee is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Status {
    Online,
    Away,
}

impl Status {
    fn of(row: &StatusRow) -> Self {
        if row.online { Self::Online } else { Self::Away }
    }
}

/// The status from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NewStatus"))]
pub struct Given {
    status: Status,
}

impl Api {
    /// `GET employees`: those who work here, in the order of the settings.
    pub(crate) async fn employees(&self, account: &AccountId) -> Result<Reply, Problem> {
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.ok_or(Problem::new(404, texts::NO_SETTINGS))?;
        let mut told = Vec::new();
        for employee in policy.employees.iter().filter(|employee| employee.active) {
            let status = match told.len() < TOLD {
                true => {
                    let row = self.table.get(&keys::employee_status(account, &employee.id)).await?;
                    Some(Status::of(&row.as_ref().map(StatusRow::read).unwrap_or_default()))
                }
                false => None,
            };
            told.push(json!({ "id": employee.id, "name": employee.name, "status": status }));
        }
        Ok(Reply::json(200, &json!({ "employees": told })))
    }

    /// `GET employees/{id}/status`.
    pub(crate) async fn status(&self, account: &AccountId, employee: &EmployeeId) -> Result<Reply, Problem> {
        self.check_works(account, employee).await?;
        let row = self.table.get(&keys::employee_status(account, employee)).await?;
        Ok(reply(employee, &row.as_ref().map(StatusRow::read).unwrap_or_default()))
    }

    /// `PUT employees/{id}/status`: by the employee, an owner or an administrator.
    pub(crate) async fn put_status(
        &self,
        account: &AccountId,
        employee: &EmployeeId,
        visitor: &Visitor,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let Given { status } = request.json()?;
        let own = !visitor.owns_everything() && visitor.person.name == employee.as_str();
        if !own && !matches!(visitor.person.role, Role::Owner | Role::Admin) {
            return Err(Problem::new(403, texts::STATUS_OF_ANOTHER));
        }
        self.check_works(account, employee).await?;
        let online = status == Status::Online;
        let put = StatusRow::put(account, employee, online, self.now(), &visitor.person.name);
        let row = self.table.update(put).await?;
        Ok(reply(employee, &StatusRow::read(&row)))
    }

    async fn check_works(&self, account: &AccountId, employee: &EmployeeId) -> Result<(), Problem> {
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.ok_or(Problem::new(404, texts::NO_SETTINGS))?;
        let works = policy.employee(employee).is_some_and(|employee| employee.active);
        if works { Ok(()) } else { Err(Problem::new(404, texts::NO_EMPLOYEE)) }
    }
}

fn reply(employee: &EmployeeId, row: &StatusRow) -> Reply {
    Reply::json(200, &json!({ "employee": employee, "status": Status::of(row), "since": row.at, "by": row.by }))
}
