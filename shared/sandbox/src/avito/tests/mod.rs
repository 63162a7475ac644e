//! Specs of the messenger, with the few words they share.

mod api;
mod media;
mod pushes;
mod tokens;

use serde_json::{Value, json};

use super::{Avito, Config, Push};
use crate::http::{Request, Response};

/// Where the program of the specs wants its pushes.
const HOOK: &str = "https://chats.example.test/h/token";

/// A messenger, and a program with a token that waits long enough between its requests.
struct World {
    avito: Avito,
    now_ms: i64,
    token: String,
}

impl World {
    fn new() -> Self {
        let mut world = Self { avito: Avito::default(), now_ms: 1_772_435_700_000, token: String::new() };
        let Config { client_id, client_secret, .. } = Config::default();
        let form = format!("grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}");
        let answer = world.avito.handle(&Request::new("POST", "/token", form), world.now_ms);
        world.token = answer.json()["access_token"].as_str().expect("a token").to_owned();
        world
    }

    /// The same, with a subscription.
    fn subscribed() -> Self {
        let mut world = Self::new();
        assert_eq!(world.post("/messenger/v3/webhook", json!({ "url": HOOK })).json(), json!({ "ok": true }));
        world
    }

    fn ask(&mut self, method: &str, target: &str, body: &Value) -> Response {
        self.now_ms += 250;
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::new(method, target, body);
        let request = request.with_header("authorization", &format!("Bearer {}", self.token));
        self.avito.handle(&request, self.now_ms)
    }

    fn post(&mut self, target: &str, body: Value) -> Response {
        self.ask("POST", target, &body)
    }

    fn get(&mut self, target: &str) -> Response {
        self.ask("GET", target, &Value::Null)
    }

    /// Something about one chat of ours.
    fn of(chat: &str, version: &str, rest: &str) -> String {
        let chat = chat.replace('~', "%7E");
        format!("/messenger/{version}/accounts/100000001/chats/{chat}{rest}")
    }

    fn send(&mut self, chat: &str, text: &str) -> Response {
        self.post(&Self::of(chat, "v1", "/messages"), json!({ "message": { "text": text }, "type": "text" }))
    }

    /// The texts of a chat as the list of messages tells them, newest first.
    fn texts(&mut self, chat: &str) -> Vec<String> {
        let list = self.get(&Self::of(chat, "v3", "/messages/")).json();
        let text = |message: &Value| message["content"]["text"].as_str().unwrap_or("-").to_owned();
        list.as_array().expect("a list").iter().map(text).collect()
    }
}

/// What a push tells.
fn told(push: &Push) -> Value {
    serde_json::from_str(&push.body).expect("JSON")
}
