//! Calls that go on while the PBX is asked: what was planned for each, what was posted, and how its legs stand.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::calls::{Call, Webhook};
use super::events::Seen;
use super::{Mango, form};
use crate::post::{Post, Posted};

/// How many posts are remembered.
const REMEMBERED: usize = 200;
/// How long a webhook waits for its answer, in milliseconds. The real number is not published.
const WAIT_MS: i64 = 5_000;

/// A webhook of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hook {
    number: u64,
    pub(super) due_ms: i64,
    pub(super) path: String,
    pub(super) json: String,
    /// Posted, or told by somebody else.
    sent: bool,
}

/// A call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) call: Call,
    pub(super) start_ms: i64,
    pub(super) hooks: Vec<Hook>,
}

/// All calls, and what else is to be posted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Calls {
    pub(super) all: Vec<Live>,
    results: Vec<Hook>,
    posted: VecDeque<Posted>,
    numbered: u64,
}

impl Live {
    /// How its legs stood last, by id.
    pub(super) fn legs(&self, now_ms: i64) -> BTreeMap<String, Seen> {
        let happened = self.hooks.iter().filter(|hook| hook.path == "events/call" && hook.due_ms <= now_ms);
        let mut legs: BTreeMap<String, Seen> = BTreeMap::new();
        for seen in happened.filter_map(|hook| serde_json::from_str::<Seen>(&hook.json).ok()) {
            let known = legs.get(&seen.call_id).map_or(0, |known| known.seq);
            if seen.seq > known {
                legs.insert(seen.call_id.clone(), seen);
            }
        }
        legs
    }
}

impl Calls {
    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    fn hooks(&mut self, webhooks: &[Webhook], start_ms: i64, sent: bool) -> Vec<Hook> {
        let mut hooks = Vec::new();
        for webhook in webhooks {
            let (path, json, due_ms) = (webhook.path.to_owned(), webhook.json.clone(), start_ms + webhook.after_ms);
            hooks.push(Hook { number: self.number(), due_ms, path, json, sent });
        }
        hooks
    }

    fn every(&self) -> impl Iterator<Item = &Hook> {
        self.all.iter().flat_map(|live| &live.hooks).chain(&self.results)
    }

    /// What will happen after `now_ms` happens no more; this happens instead.
    pub(super) fn replan(&mut self, place: usize, webhooks: &[Webhook], now_ms: i64) {
        let start_ms = self.all[place].start_ms;
        let instead = self.hooks(webhooks, start_ms, false);
        let live = &mut self.all[place];
        live.hooks.retain(|hook| hook.due_ms <= now_ms);
        live.hooks.extend(instead);
    }
}

impl Mango {
    /// The outside system that it tells from now on; it puts the names of events after this. Empty: none.
    pub fn tell(&mut self, address: &str) {
        address.trim_end_matches('/').clone_into(&mut self.address);
    }

    /// A call that somebody else tells of: what is asked about it is answered from these webhooks.
    pub fn knows(&mut self, call: &Call, webhooks: &[Webhook]) {
        let start_ms = call.start_s * 1000;
        let hooks = self.calls.hooks(webhooks, start_ms, true);
        self.calls.all.push(Live { call: call.clone(), start_ms, hooks });
    }

    pub(super) fn begin(&mut self, call: Call, webhooks: &[Webhook], now_ms: i64) {
        let hooks = self.calls.hooks(webhooks, now_ms, false);
        self.calls.all.push(Live { call, start_ms: now_ms, hooks });
        self.note_recording(self.calls.all.len() - 1);
    }

    /// The recording of this call is there when it is announced.
    pub(super) fn note_recording(&mut self, place: usize) {
        let live = &self.calls.all[place];
        let ready_ms = live.hooks.iter().find(|hook| hook.path == "events/record/added").map(|hook| hook.due_ms);
        if let (Some(id), Some(ready_ms)) = (live.call.recording.clone(), ready_ms) {
            self.add_recording(&id, ready_ms);
        }
    }

    /// What became of a command, or of a query, told later.
    pub(super) fn result(&mut self, path: &str, json: String, due_ms: i64) {
        let number = self.calls.number();
        self.calls.results.push(Hook { number, due_ms, path: path.to_owned(), json, sent: false });
    }

    pub(super) fn command_result(&mut self, command: &str, id: &str, result: u16, due_ms: i64) {
        let json = json!({ "command_id": id, "result": result }).to_string();
        self.result(&format!("result/{command}"), json, due_ms);
    }

    /// When the next post is due, in Unix milliseconds.
    pub fn next_due(&self) -> Option<i64> {
        self.calls.every().filter(|hook| !hook.sent).map(|hook| hook.due_ms).min()
    }

    /// What is to be posted by now, in its order. Without an address nothing is.
    pub fn take_due(&mut self, now_ms: i64) -> Vec<Post> {
        let mut due = Vec::new();
        let calls = self.calls.all.iter_mut().flat_map(|live| &mut live.hooks);
        for hook in calls.chain(&mut self.calls.results) {
            if !hook.sent && hook.due_ms <= now_ms {
                hook.sent = true;
                due.push(hook.clone());
            }
        }
        self.calls.results.retain(|hook| !hook.sent);
        due.sort_by_key(|hook| (hook.due_ms, hook.number));
        due.retain(|hook| !self.address.is_empty() && !self.manner.lost.contains(&hook.path));
        due.into_iter().map(|hook| self.post(hook, now_ms)).collect()
    }

    fn post(&self, hook: Hook, now_ms: i64) -> Post {
        Post {
            number: hook.number,
            url: format!("{}/{}", self.address, hook.path),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: form(&self.config.key, &self.config.salt, &hook.json).into_bytes(),
            method: hook.path,
            wait_ms: WAIT_MS,
            sent_ms: now_ms,
        }
    }

    /// A post was answered so, or (status 0) not at all. It is not repeated.
    pub fn note_posted(&mut self, post: &Post, status: u16, now_ms: i64) {
        let posted = &mut self.calls.posted;
        if posted.len() == REMEMBERED {
            posted.pop_front();
        }
        let (method, body) = (post.method.clone(), String::from_utf8_lossy(&post.body).into_owned());
        posted.push_back(Posted { at_ms: now_ms, method, body, status });
    }

    /// The last posts that were made, oldest first, 200 at most.
    pub fn posted(&self) -> impl DoubleEndedIterator<Item = &Posted> {
        self.calls.posted.iter()
    }
}
