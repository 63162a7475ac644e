//! `POST calls/{id}/recordings/{recording}/revoke`: the links to a recording that were given away play no more.

use perezvon_domain::call::{Call, NotRevoked};
use perezvon_domain::{AccountId, CallEventKind, ChannelId, EmployeeId, Policy};
use perezvon_engine::commit::{Commanded, ItemId};
use perezvon_store::items::call::CallItem;
use serde::Deserialize;

use crate::access::{Right, Visitor, allows, role_words};
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// Which links are to play no more.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Revocation"))]
pub struct Given {
    /// Of the links that the person saw.
    generation: u32,
}

impl Api {
    /// Raises the generation of a recording's links, if it still is the given one. `ends_ms`: when this
    /// invocation must be over, by the monotonic clock.
    pub(crate) async fn revoke(
        &self,
        account: &AccountId,
        (call, recording): (&str, &str),
        visitor: &Visitor,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let (channel, entry) = call.split_once(':').ok_or_else(Problem::not_found)?;
        let Given { generation } = request.json()?;
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.ok_or(Problem::new(404, texts::NO_SETTINGS))?;
        let id = ItemId { account: account.clone(), channel: ChannelId::from(channel), entry: entry.to_owned() };
        let event = |call: &Call| {
            call.may_revoke(recording, generation)?;
            let by = who(visitor, &policy);
            Ok(CallEventKind::RecordingLinkRevoked { recording: recording.to_owned(), generation, by })
        };
        let call = match self.committer().command::<CallItem, _>(&policy, &id, None, event, ends_ms).await? {
            Commanded::Done(call) => call,
            Commanded::Unknown | Commanded::Reused => return Err(Problem::not_found()),
            Commanded::Refused(why) => return Err(refusal(why, generation)),
        };
        let view = self.recordings(&call, &policy).into_iter().find(|view| view.id == recording);
        let mut view = view.ok_or_else(Problem::not_found)?;
        // Whoever may not see the call may end a link, and gets no new one.
        view.link = view.link.filter(|_| allows(visitor.person.role, Right::Calls));
        Ok(Reply::json(200, &view))
    }
}

/// Who did it, as the reason tells it.
fn who(visitor: &Visitor, policy: &Policy) -> String {
    if visitor.owns_everything() {
        return "владелец установки".to_owned();
    }
    let employee = policy.employee(&EmployeeId(visitor.person.name.clone()));
    let known = employee.map(|employee| format!("{} ({})", employee.name, employee.id));
    known.unwrap_or_else(|| role_words(visitor.person.role).to_owned())
}

fn refusal(why: NotRevoked, asked: u32) -> Problem {
    match why {
        NotRevoked::Unknown => Problem::not_found(),
        NotRevoked::NoLink => Problem::new(409, texts::RECORDING_HAS_NO_LINK),
        NotRevoked::Outside => Problem::new(409, texts::RECORDING_OUTSIDE),
        NotRevoked::Other(now) => {
            let error = texts::other_generation(now, asked);
            Problem { status: 409, error, what_to_do: texts::LOOK_AGAIN.to_owned() }
        }
    }
}

#[cfg(test)]
mod tests {
    use perezvon_platform::link::{Person, Role};

    use super::*;
    use crate::access::EVERY_ACCOUNT;

    fn policy() -> Policy {
        let json = serde_json::json!({
            "account": "acme", "version": 1, "time_zone": "Europe/Moscow",
            "employees": [{ "id": "petrova", "name": "Мария Петрова", "active": true }],
            "groups": {}, "fallback": "petrova", "scenarios": [], "crm": null, "channels": {},
        });
        serde_json::from_value(json).expect("a policy")
    }

    #[test]
    fn the_reason_names_the_employee_or_the_role_of_whoever_is_none() {
        let told = |account: &str, name: &str, role| {
            let person = Person { account: account.to_owned(), name: name.to_owned(), role };
            who(&Visitor { person, by_cookie: false }, &policy())
        };
        assert_eq!(told("acme", "petrova", Role::Admin), "Мария Петрова (petrova)");
        assert_eq!(told("acme", "owner", Role::Owner), "владелец");
        assert_eq!(told(EVERY_ACCOUNT, "petrova", Role::Owner), "владелец установки");
    }

    #[test]
    fn each_refusal_has_its_status_and_the_generation_is_told() {
        let status = |why| refusal(why, 3).status;
        let refusals = [NotRevoked::Unknown, NotRevoked::NoLink, NotRevoked::Outside, NotRevoked::Other(7)];
        assert_eq!(refusals.map(status), [404, 409, 409, 409]);
        let problem = refusal(NotRevoked::Other(7), 3);
        assert!(problem.error.contains('7') && problem.error.contains('3'), "{problem:?}");
    }
}
