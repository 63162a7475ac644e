//! Specs of the account, with the few words they share.

mod access;
mod calls;
mod cards;
mod hooks;
mod popups;
mod tasks;
mod trouble;

use serde_json::{Value, json};

use super::{AmoCrm, Config};
use crate::http::{Request, Response};

/// An account and a client that waits long enough between its requests.
struct World {
    crm: AmoCrm,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        Self { crm: AmoCrm::new(config), now_ms: 1_760_000_000_000 }
    }

    fn ask(&mut self, method: &str, target: &str, body: &Value) -> Response {
        self.now_ms += 250;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::new(method, target, body);
        let request = request.with_header("authorization", "Bearer sandbox-token");
        self.crm.handle(&request, self.now_ms)
    }

    fn get(&mut self, target: &str) -> Response {
        self.ask("GET", target, &Value::Null)
    }

    fn post(&mut self, target: &str, body: Value) -> Response {
        self.ask("POST", target, &body)
    }

    fn patch(&mut self, target: &str, body: Value) -> Response {
        self.ask("PATCH", target, &body)
    }

    /// Posts one entity; its id.
    fn make(&mut self, kind: &str, body: Value) -> u64 {
        let answer = self.post(&format!("/api/v4/{kind}"), json!([body]));
        let key = kind.rsplit('/').next().unwrap_or_default();
        answer.json()["_embedded"][key][0]["id"].as_u64().expect("an id")
    }
}

/// The keys that an answer complains about, with the code of each complaint.
fn complaints(answer: &Response) -> Vec<(String, String)> {
    assert_eq!(answer.status, 400, "{}", answer.json());
    let body = answer.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of_item = |item: &Value| item["errors"].as_array().expect("errors").clone();
    let items = body["validation-errors"].as_array().expect("validation-errors");
    let errors = items.iter().flat_map(of_item);
    errors.map(|error| (text(&error["path"]), text(&error["code"]))).collect()
}

fn complaint(path: &str, code: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), code.to_owned())]
}
