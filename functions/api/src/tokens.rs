//! Tokens for people: an employee of the settings, a role, a time.

use perezvon_domain::{AccountId, EmployeeId};
use perezvon_platform::link::{Person, Role, sign_person};
use serde::Deserialize;
use serde_json::json;

use crate::access::{self, Visitor};
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// How long a token is good unless somebody says otherwise, in days.
const USUAL_DAYS: i64 = 365;
const DAY_MS: i64 = 86_400_000;

/// Whose token, with which role, for how many days (365).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NewToken"))]
pub struct Wanted {
    employee: EmployeeId,
    role: Role,
    days: Option<i64>,
}

impl Api {
    /// `POST tokens`.
    pub(crate) async fn make_token(
        &self,
        account: &AccountId,
        visitor: &Visitor,
        request: &Request,
    ) -> Result<Reply, Problem> {
        let wanted: Wanted = request.json()?;
        let policy = self.needed_settings(account).await?.policy;
        if !policy.employee(&wanted.employee).is_some_and(|employee| employee.active) {
            return Err(Problem::new(404, texts::NO_EMPLOYEE));
        }
        if !access::may_give(visitor.person.role, wanted.role) {
            return Err(Problem::new(403, texts::ROLE_TOO_HIGH));
        }
        let days = wanted.days.unwrap_or(USUAL_DAYS);
        if !(1..=3650).contains(&days) {
            return Err(Problem::new(400, texts::BAD_DAYS));
        }
        let expires_at = self.clock.now_ms() + days * DAY_MS;
        let person = Person { account: account.0.clone(), name: wanted.employee.0, role: wanted.role };
        let token = sign_person(&person, Some(expires_at), &self.config.person_key);
        tracing::info!(account = %account, by = %visitor.person.name, role = ?wanted.role, "a token was made");
        Ok(Reply::json(201, &json!({ "token": token, "expires_at": expires_at, "role": wanted.role })))
    }
}
