//! What the PBX posts to the outside system: when, signed how, and what goes wrong with it on purpose.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Rostelecom, Told, sign};
use crate::post::{Post, Posted};

/// How many posts are remembered.
const REMEMBERED: usize = 200;
/// How long a notice waits for its answer, in milliseconds. The real number is not published.
const NOTICE_MS: i64 = 5_000;
/// A client that the outside system has never heard of.
const FOREIGN: &str = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";

/// The names of methods of the outside system.
pub(super) const EVENTS: &str = "call_events";
pub(super) const NUMBER_INFO: &str = "get_number_info";
pub(super) const HISTORY: &str = "history_file_completed";

/// Something that happens to notices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// A state (`end`) or a method (`get_number_info`); empty: the next notice of a call.
    #[serde(default)]
    pub on: String,
    /// So many of them are hit.
    #[serde(default = "once")]
    pub times: u32,
    pub kind: TroubleKind,
}

/// What happens to a notice that is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// Posted twice.
    Twice,
    /// It and the next one of the call change places.
    Swapped,
    /// Never posted.
    Lost,
    /// A notice of the state `analytics` comes after it.
    Analytics,
    /// Its state has blanks around it, as in the official example.
    Blanks,
    /// Its reason is the number of a normal talk.
    NumericReason,
    BadSign,
    /// It names a client that is not ours, with that client's own signature.
    UnknownClient,
    /// It claims to be windows-1251, and is UTF-8.
    WrongCharset,
}

fn once() -> u32 {
    1
}

/// A post that is to come.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Planned {
    number: u64,
    due_ms: i64,
    method: String,
    /// The state that it tells of, or its method.
    about: String,
    body: String,
    bad: Option<TroubleKind>,
}

/// What is on its way, and what went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outbox {
    planned: Vec<Planned>,
    troubles: Vec<Trouble>,
    posted: VecDeque<Posted>,
    numbered: u64,
}

impl Outbox {
    /// One post of a method at its time; its number.
    pub(super) fn plan(&mut self, method: &str, body: String, due_ms: i64) -> u64 {
        self.numbered += 1;
        let (bad, about, method) = (self.trouble(method, false), method.to_owned(), method.to_owned());
        self.planned.push(Planned { number: self.numbered, due_ms, method, about, body, bad });
        self.numbered
    }

    /// All notices of a call, with what goes wrong with them.
    pub(super) fn plan_call(&mut self, told: &Told) {
        let mut planned = Vec::new();
        for event in &told.events {
            let due_ms = told.account.start_ms + event.after_ms;
            let (about, body) = (event.state.to_owned(), event.json.clone());
            planned.push(Planned { number: 0, due_ms, method: EVENTS.to_owned(), about, body, bad: None });
        }
        let mut place = 0;
        while place < planned.len() {
            let hit = self.trouble(&planned[place].about, true);
            place += hit.map_or(1, |kind| spoil(&mut planned, place, kind));
        }
        planned.sort_by_key(|post| post.due_ms);
        for mut post in planned {
            self.numbered += 1;
            post.number = self.numbered;
            self.planned.push(post);
        }
    }

    fn trouble(&mut self, about: &str, is_event: bool) -> Option<TroubleKind> {
        self.troubles.retain(|trouble| trouble.times > 0);
        let hits = |trouble: &&mut Trouble| trouble.on == about || (is_event && trouble.on.is_empty());
        let trouble = self.troubles.iter_mut().find(hits)?;
        trouble.times -= 1;
        Some(trouble.kind)
    }

    /// A post that is due at once although its time has not come.
    pub(super) fn hurry(&mut self, number: u64, now_ms: i64) {
        let ours = self.planned.iter_mut().find(|planned| planned.number == number);
        if let Some(planned) = ours {
            planned.due_ms = planned.due_ms.min(now_ms);
        }
    }
}

/// Spoils the post at this place; how many places on the next one is to be looked at.
fn spoil(planned: &mut Vec<Planned>, place: usize, kind: TroubleKind) -> usize {
    let post = &mut planned[place];
    match kind {
        TroubleKind::Blanks => post.body = post.body.replacen(&quoted(&post.about), &spaced(&post.about), 1),
        TroubleKind::NumericReason => post.body = with_reason(&post.body, "5"),
        TroubleKind::BadSign | TroubleKind::UnknownClient | TroubleKind::WrongCharset => post.bad = Some(kind),
        TroubleKind::Lost => {
            planned.remove(place);
            return 0;
        }
        TroubleKind::Twice => {
            let copy = post.clone();
            planned.insert(place, copy);
            return 2;
        }
        TroubleKind::Analytics => {
            let mut more = post.clone();
            more.body = more.body.replacen(&quoted(&post.about), &quoted("analytics"), 1);
            planned.insert(place + 1, more);
            return 2;
        }
        TroubleKind::Swapped => {
            if place + 1 < planned.len() {
                let (first, second) = (planned[place].due_ms, planned[place + 1].due_ms);
                planned.swap(place, place + 1);
                (planned[place].due_ms, planned[place + 1].due_ms) = (first, second);
                return 2;
            }
        }
    }
    1
}

fn quoted(state: &str) -> String {
    format!("\"state\":\"{state}\"")
}

fn spaced(state: &str) -> String {
    quoted(&format!(" {state} "))
}

fn with_reason(body: &str, reason: &str) -> String {
    let key = "\"disconnect_reason\":\"";
    let Some((before, rest)) = body.split_once(key) else { return body.to_owned() };
    let after = rest.split_once('"').map_or("", |(_, after)| after);
    format!("{before}{key}{reason}\"{after}")
}

impl Rostelecom {
    /// Something goes wrong with the next notices; those of calls that have begun are planned already.
    pub fn trouble(&mut self, trouble: Trouble) {
        self.outbox.troubles.push(trouble);
    }

    /// When the next post is due, in Unix milliseconds.
    pub fn next_due(&self) -> Option<i64> {
        self.outbox.planned.iter().map(|planned| planned.due_ms).min()
    }

    /// What is to be posted by now, in its order. Without an address nothing is.
    pub fn take_due(&mut self, now_ms: i64) -> Vec<Post> {
        let all = std::mem::take(&mut self.outbox.planned);
        let (mut due, later): (Vec<Planned>, Vec<Planned>) = all.into_iter().partition(|post| post.due_ms <= now_ms);
        self.outbox.planned = later;
        due.sort_by_key(|post| (post.due_ms, post.number));
        due.retain(|_| !self.address.is_empty());
        due.into_iter().map(|planned| self.post(planned, now_ms)).collect()
    }

    fn post(&self, planned: Planned, now_ms: i64) -> Post {
        let Planned { number, method, body, bad, .. } = planned;
        let client = if bad == Some(TroubleKind::UnknownClient) { FOREIGN } else { &self.config.client_id };
        let key = if bad == Some(TroubleKind::BadSign) { "a key of nobody" } else { &self.config.sign_key };
        let charset = if bad == Some(TroubleKind::WrongCharset) { "; charset=windows-1251" } else { "" };
        let headers = vec![
            ("content-type", format!("application/json{charset}")),
            ("x-client-id", client.to_owned()),
            ("x-client-sign", sign(client, body.as_bytes(), key)),
        ];
        let wait_ms = if method == NUMBER_INFO { self.manner.deadline_ms } else { NOTICE_MS };
        let url = format!("{}/{method}", self.address);
        Post { number, method, url, headers, body: body.into_bytes(), wait_ms, sent_ms: now_ms }
    }

    /// A post was answered so, or (status 0) not at all. A call that waited for the answer goes on.
    pub fn note_posted(&mut self, post: &Post, status: u16, answer: &[u8], now_ms: i64) {
        let posted = &mut self.outbox.posted;
        if posted.len() == REMEMBERED {
            posted.pop_front();
        }
        let (method, body) = (post.method.clone(), String::from_utf8_lossy(&post.body).into_owned());
        posted.push_back(Posted { at_ms: now_ms, method, body, status });
        self.answered(post, status, answer, now_ms);
    }

    /// The last posts that were made, oldest first, 200 at most.
    pub fn posted(&self) -> impl DoubleEndedIterator<Item = &Posted> {
        self.outbox.posted.iter()
    }
}
