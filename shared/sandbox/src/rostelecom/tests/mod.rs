//! Specs of the PBX, with the few words they share.

mod api;
mod asks;
mod calls;
mod history;
mod troubles;

use serde_json::{Value, json};

use super::{Config, Placed, Rostelecom, sign};
use crate::http::{Request, Response};
use crate::post::Post;

/// Where the outside system of the specs is told.
const HOOK: &str = "https://calls.example.test/h/token";
/// 2026-03-02 10:15:00.101 in Moscow.
const START_MS: i64 = 1_772_435_700_101;

/// A PBX that tells nobody, and the time.
struct World {
    vats: Rostelecom,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        Self { vats: Rostelecom::default(), now_ms: START_MS }
    }

    /// One that tells an outside system.
    fn told() -> Self {
        let mut world = Self::new();
        world.vats.tell(HOOK);
        world
    }

    fn signed(method: &str, body: &str) -> Request {
        let Config { client_id, sign_key, .. } = Config::default();
        Request::new("POST", &format!("/{method}"), body)
            .with_header("X-Client-ID", &client_id)
            .with_header("X-Client-Sign", &sign(&client_id, body.as_bytes(), &sign_key))
    }

    fn ask(&mut self, method: &str, body: Value) -> Response {
        self.vats.handle(&Self::signed(method, &body.to_string()), self.now_ms)
    }

    fn place(&mut self, placed: Placed) -> String {
        self.vats.place(placed, self.now_ms).expect("a call")
    }

    /// The next post, at its time.
    fn next(&mut self) -> Post {
        self.now_ms = self.vats.next_due().expect("something to post").max(self.now_ms);
        self.vats.take_due(self.now_ms).remove(0)
    }

    /// Everything that is still to come, each post answered at once with 200 and this body.
    fn rest(&mut self, answer: &Value) -> Vec<Post> {
        let mut all = Vec::new();
        while let Some(due_ms) = self.vats.next_due() {
            self.now_ms = due_ms.max(self.now_ms);
            for post in self.vats.take_due(self.now_ms) {
                self.vats.note_posted(&post, 200, answer.to_string().as_bytes(), self.now_ms);
                all.push(post);
            }
        }
        all
    }
}

fn body(post: &Post) -> Value {
    serde_json::from_slice(&post.body).expect("JSON")
}

/// An answer that names nobody.
fn nobody() -> Value {
    json!({ "result": "0", "resultMessage": "", "displayName": "", "PIN": "" })
}

/// State, whom it is about, and the reason of a notice, shortly.
fn shortly(notice: &Value) -> String {
    let text = |key: &str| notice[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
    let state = notice["state"].as_str().unwrap_or("-");
    format!("{state}{}{}{}", text("request_pin"), text("disconnect_reason"), text("is_record"))
}
