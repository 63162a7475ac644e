//! Reading request bodies as strictly as the API does: every wrong key is named in the answer.

use serde_json::{Map, Value, json};

use super::{hal, problem};
use crate::http::Response;

/// Entities in one request at most.
const BATCH: usize = 250;

/// A key that is wrong.
pub(super) struct Issue {
    code: &'static str,
    path: String,
}

/// An object of a request, with the issues found in it so far.
pub(super) struct Item<'a> {
    map: &'a Map<String, Value>,
    at: String,
    issues: &'a mut Vec<Issue>,
}

/// What one item of a batch wants, and how the caller calls it.
pub(super) struct Given<T> {
    pub(super) request_id: String,
    pub(super) what: T,
}

impl Item<'_> {
    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.at)
    }

    pub(super) fn refuse(&mut self, code: &'static str, key: &str) {
        let path = self.path(key);
        self.issues.push(Issue { code, path });
    }

    /// Names every key that the API does not take.
    pub(super) fn only(&mut self, keys: &[&str]) {
        for key in self.map.keys() {
            let of_batch = self.at.is_empty() && key == "request_id";
            if !of_batch && !keys.contains(&key.as_str()) {
                self.refuse("FieldNotExpected", key);
            }
        }
    }

    pub(super) fn required(&mut self, keys: &[&str]) {
        for key in keys {
            if self.map.get(*key).is_none_or(Value::is_null) {
                self.refuse("FieldMissing", key);
            }
        }
    }

    pub(super) fn not_null(&mut self, keys: &[&str]) {
        for key in keys {
            if self.map.get(*key).is_some_and(Value::is_null) {
                self.refuse("NotNullable", key);
            }
        }
    }

    /// Whether the key is there with a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    fn read<T>(&mut self, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.refuse("InvalidType", key);
        }
        read
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn integer(&mut self, key: &str) -> Option<i64> {
        self.read(key, Value::as_i64)
    }

    pub(super) fn id(&mut self, key: &str) -> Option<u64> {
        self.read(key, Value::as_u64)
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.read(key, Value::as_bool)
    }

    /// A text, a number or a flag.
    pub(super) fn scalar(&mut self, key: &str) -> Option<Value> {
        self.read(key, |value| (value.is_string() || value.is_number() || value.is_boolean()).then(|| value.clone()))
    }

    /// An id that must satisfy `known`.
    pub(super) fn known(&mut self, key: &str, known: impl Fn(u64) -> bool) -> Option<u64> {
        let id = self.id(key)?;
        if !known(id) {
            self.refuse("NotSupportedChoice", key);
        }
        Some(id)
    }

    pub(super) fn object(&mut self, key: &str) -> Option<Item<'_>> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        let Some(map) = value.as_object() else {
            self.refuse("InvalidType", key);
            return None;
        };
        Some(Item { map, at: format!("{}.", self.path(key)), issues: self.issues })
    }

    /// Reads every object of a list; `None` without the key.
    pub(super) fn each<T>(&mut self, key: &str, mut read: impl FnMut(&mut Item<'_>) -> T) -> Option<Vec<T>> {
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        let Some(list) = value.as_array() else {
            self.refuse("InvalidType", key);
            return None;
        };
        let mut all = Vec::with_capacity(list.len());
        for (n, value) in list.iter().enumerate() {
            let at = format!("{}.{n}", self.path(key));
            match value.as_object() {
                Some(map) => {
                    let at = format!("{at}.");
                    all.push(read(&mut Item { map, at, issues: self.issues }));
                }
                None => self.issues.push(Issue { code: "InvalidType", path: at }),
            }
        }
        Some(all)
    }
}

/// Reads an array of objects; with any issue the whole request is refused.
pub(super) fn batch<T>(body: &[u8], mut read: impl FnMut(&mut Item<'_>) -> T) -> Result<Vec<Given<T>>, Response> {
    let body = parse(body)?;
    let Some(list) = body.as_array() else {
        return Err(problem(400, "the body must be an array, also for one entity"));
    };
    if list.is_empty() || list.len() > BATCH {
        return Err(problem(400, "the array must have 1 to 250 items"));
    }
    let mut given = Vec::with_capacity(list.len());
    let mut refused = Vec::new();
    for (n, value) in list.iter().enumerate() {
        let Some(map) = value.as_object() else {
            return Err(problem(400, "every item of the array must be an object"));
        };
        let request_id = match map.get("request_id") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => n.to_string(),
        };
        let mut issues = Vec::new();
        let what = read(&mut Item { map, at: String::new(), issues: &mut issues });
        if !issues.is_empty() {
            refused.push(json!({ "request_id": request_id, "errors": errors(&issues) }));
        }
        given.push(Given { request_id, what });
    }
    if refused.is_empty() { Ok(given) } else { Err(invalid(refused)) }
}

/// Reads one object.
pub(super) fn single<T>(body: &[u8], read: impl FnOnce(&mut Item<'_>) -> T) -> Result<T, Response> {
    let body = parse(body)?;
    let Some(map) = body.as_object() else {
        return Err(problem(400, "the body must be an object"));
    };
    let mut issues = Vec::new();
    let what = read(&mut Item { map, at: String::new(), issues: &mut issues });
    if issues.is_empty() {
        return Ok(what);
    }
    Err(invalid(vec![json!({ "request_id": "0", "errors": errors(&issues) })]))
}

fn parse(body: &[u8]) -> Result<Value, Response> {
    serde_json::from_slice(body).map_err(|_| problem(400, "the body is not JSON"))
}

fn errors(issues: &[Issue]) -> Vec<Value> {
    let detail = |code| match code {
        "FieldMissing" => "This field is missing.",
        "FieldNotExpected" => "This field was not expected.",
        "NotNullable" => "This value should not be null.",
        "InvalidType" => "This value is of a wrong type.",
        _ => "The value you selected is not a valid choice.",
    };
    let one = |issue: &Issue| json!({ "code": issue.code, "path": issue.path, "detail": detail(issue.code) });
    issues.iter().map(one).collect()
}

fn invalid(refused: Vec<Value>) -> Response {
    hal(
        400,
        &json!({
            "validation-errors": refused,
            "title": "Bad Request",
            "type": "https://httpstatus.es/400",
            "status": 400,
            "detail": "Request validation failed",
        }),
    )
}
