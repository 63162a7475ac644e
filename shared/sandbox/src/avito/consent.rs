//! The page where an account gives an application access: who opens it agrees at once, or refuses.

use serde_json::json;

use super::{Avito, Call, invalid};
use crate::http::Response;

impl Avito {
    /// Sends the browser back to the application, with a code or without.
    pub(super) fn consent(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let asked = |name: &str| call.query(name).unwrap_or_default();
        if asked("response_type") != "code" {
            return Err(invalid("response_type", "only `code`"));
        }
        if asked("client_id") != self.config.client_id {
            return Err(invalid("client_id", "no such application"));
        }
        let (name, value) = match self.manner.refuses {
            true => ("error", "access_denied".to_owned()),
            false => ("code", self.grant_code()),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair(name, &value).append_pair("state", &asked("state")).finish();
        Ok(Response::empty(302).with_header("location", &format!("{}?{query}", self.manner.callback)))
    }

    /// Whose token it is.
    pub(super) fn own_account(&self) -> Response {
        let (id, name) = (self.config.user_id, &self.config.name);
        Response::of_json(200, &json!({ "id": id, "name": name, "email": "shop@example.test", "phones": [] }))
    }
}
