//! Who works here: employees and their group.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Mango;
use super::api::DONE;
use super::calls::HOST;
use super::story::GROUP;
use crate::http::Response;

const GROUP_ID: i64 = 10_000_301;

/// An employee, as the cabinet knows him.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    pub user_id: i64,
    pub name: String,
    /// Empty: he has no short number.
    pub extension: String,
    /// The name of the telephone; empty: he has none.
    pub sip: String,
}

impl User {
    /// An employee with this number, name, short number and telephone.
    pub fn new(user_id: i64, name: &str, extension: &str, sip: &str) -> Self {
        Self { user_id, name: name.to_owned(), extension: extension.to_owned(), sip: sip.to_owned() }
    }

    fn shown(&self, wants: impl Fn(&str) -> bool) -> Value {
        let number = format!("{}@{HOST}", self.sip);
        let numbers: Vec<Value> = (!self.sip.is_empty())
            .then(|| {
                json!({ "number": format!("sip:{number}"), "protocol": "sip", "order": 0, "wait_sec": 20, "status": "on" })
            })
            .into_iter()
            .collect();
        let mut shown = json!({
            "general": { "name": self.name, "email": null, "department": null, "position": null },
            "telephony": { "extension": self.extension, "outgoingline": null, "numbers": numbers },
        });
        if wants("general.user_id") {
            shown["general"]["user_id"] = json!(self.user_id);
        }
        if wants("general.sips") {
            let sips: Vec<Value> = numbers.iter().map(|_| json!({ "number": number })).collect();
            shown["general"]["sips"] = json!(sips);
        }
        if wants("groups") {
            let groups = if self.extension.is_empty() { Vec::new() } else { vec![GROUP_ID] };
            shown["groups"] = json!(groups);
        }
        shown
    }
}

impl Mango {
    pub(super) fn users(&self, asked: &Value) -> Result<Response, u16> {
        let extension = asked["extension"].as_str();
        let wanted = |user: &&User| extension.is_none_or(|extension| user.extension == extension);
        let more = asked["ext_fields"].as_array();
        let wants = |field: &str| more.is_some_and(|more| more.iter().any(|wanted| wanted == field));
        let users: Vec<Value> = self.config.users.iter().filter(wanted).map(|user| user.shown(wants)).collect();
        Ok(Response::of_json(200, &json!({ "users": users })))
    }

    pub(super) fn groups(&self, asked: &Value) -> Result<Response, u16> {
        let operator = |user: &User| json!({ "id": user.user_id, "name": user.name, "extension": user.extension, "priority": 1, "order": 1 });
        let mut group = json!({
            "id": GROUP_ID,
            "name": "Отдел продаж",
            "description": "",
            "extension": GROUP,
            "dial_alg_group": 5,
            "dial_alg_users": 5,
            "auto_redirect": 1,
            "auto_dial": null,
        });
        if asked["show_users"] == 1 {
            let members = self.config.users.iter().filter(|user| !user.extension.is_empty());
            group["operators"] = members.map(operator).collect();
        }
        let is_asked = asked["group_id"].is_null() || asked["group_id"] == GROUP_ID;
        let groups = if is_asked { vec![group] } else { Vec::new() };
        Ok(Response::of_json(200, &json!({ "result": DONE, "groups": groups })))
    }
}
