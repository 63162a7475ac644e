//! Specs of the PBX, with the few words they share.

mod api;
mod by_hand;
mod calls;
mod commands;
mod stats;

use serde_json::Value;

use super::{Config, Mango, Placed, form};
use crate::http::{Request, Response};
use crate::post::Post;

const RECORDING: &str = "MToxMDAwMDAwMToxMDAwMDAwMDAwMTow";
const START_MS: i64 = 1_760_000_000_000;

/// A PBX that tells an outside system, and the time.
struct World {
    pbx: Mango,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        let mut pbx = Mango::new(Config::default());
        pbx.tell("https://calls.example.test/h/token/");
        Self { pbx, now_ms: START_MS }
    }

    fn ask(&mut self, method: &str, asked: &Value) -> Response {
        let Config { key, salt, .. } = Config::default();
        let request = Request::new("POST", &format!("/vpbx/{method}"), form(&key, &salt, &asked.to_string()));
        self.pbx.handle(&request, self.now_ms)
    }

    fn place(&mut self, placed: &Placed) -> String {
        self.pbx.place(placed, self.now_ms).expect("a call")
    }

    /// Everything that is posted until then.
    fn until(&mut self, now_ms: i64) -> Vec<Post> {
        let mut all = Vec::new();
        while let Some(due_ms) = self.pbx.next_due().filter(|due_ms| *due_ms <= now_ms) {
            all.extend(self.pbx.take_due(due_ms));
        }
        self.now_ms = now_ms;
        all
    }

    fn rest(&mut self) -> Vec<Post> {
        let end_ms = self.now_ms + 3_600_000;
        self.until(end_ms)
    }
}

/// What a post tells.
fn told(post: &Post) -> Value {
    let mut pairs = form_urlencoded::parse(&post.body);
    let json = pairs.find(|(key, _)| key == "json").map(|(_, json)| json.into_owned());
    serde_json::from_str(&json.expect("a signed form")).expect("JSON")
}

/// Path, place, state, whom it is about and the reason of each webhook, shortly.
fn shortly(posts: &[Post]) -> Vec<String> {
    let one = |post: &Post| {
        let json = told(post);
        let text = |key: &str| json[key].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        let to = json["to"]["extension"].as_str().map(|to| format!(" {to}")).unwrap_or_default();
        let reason = json["disconnect_reason"].as_u64().map(|n| format!(" {n}")).unwrap_or_default();
        let result = json["result"].as_u64().map(|n| format!(" {n}")).unwrap_or_default();
        let path = post.method.trim_start_matches("events/");
        format!("{path}{}{}{to}{reason}{result}", text("location"), text("call_state"))
    };
    posts.iter().map(one).collect()
}
