//! "Who calls, and whom shall I ring?": asked before an incoming call is routed, and answered in time or not at all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_hand::Placed;
use super::posts::NUMBER_INFO;
use super::{Employee, Rostelecom};
use crate::post::Post;

/// How many questions are remembered.
const REMEMBERED: usize = 10_000;

/// A question, and what became of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub at_ms: i64,
    pub session: String,
    /// As digits; of a hidden caller `anonymous`.
    pub from: String,
    pub line: String,
    /// Until the answer, or until it was waited for no longer.
    pub took_ms: i64,
    /// 0: no answer.
    pub status: u16,
    /// What the employee's telephone shows.
    pub display_name: Option<String>,
    pub outcome: Outcome,
}

/// Whom it rings at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// At the employee that the answer names.
    Routed { pin: String },
    /// The answer names nobody: the domain's own rules.
    NoPin,
    /// Nobody here has that number: the same.
    UnknownPin { pin: String },
    /// No answer within the time: the same.
    Late,
    /// The answer has a status of failure, or a `result` that is not 0: the same.
    Refused,
    /// The answer cannot be understood: the same.
    NotUnderstood,
}

impl Outcome {
    /// The call went by the domain's own rules.
    pub fn is_own_rules(&self) -> bool {
        !matches!(self, Self::Routed { .. })
    }
}

impl Rostelecom {
    /// Questions and what became of them, oldest first, 10,000 at most.
    pub fn asked(&self) -> impl DoubleEndedIterator<Item = &Asked> + ExactSizeIterator {
        self.asked.iter()
    }

    /// An incoming call begins: with a question, if there is somebody to ask.
    pub(super) fn arrive(&mut self, placed: Placed, now_ms: i64) {
        if !self.manner.asks || self.address.is_empty() {
            return self.go_on(&placed, None, now_ms);
        }
        let question =
            json!({ "domain": self.config.domain, "from_number": caller(&placed), "request_number": placed.line });
        let number = self.outbox.plan(NUMBER_INFO, question.to_string(), now_ms);
        self.waiting.insert(number, placed);
    }

    pub(super) fn answered(&mut self, post: &Post, status: u16, answer: &[u8], now_ms: i64) {
        let Some(placed) = self.waiting.remove(&post.number) else { return };
        let took_ms = (now_ms - post.sent_ms).min(post.wait_ms);
        let is_late = now_ms - post.sent_ms > post.wait_ms || status == 0;
        let (outcome, display_name) = if is_late { (Outcome::Late, None) } else { self.judge(status, answer) };
        let routed = match &outcome {
            Outcome::Routed { pin } => self.employee(pin).cloned(),
            _ => None,
        };
        let goes_on_ms = post.sent_ms + took_ms;
        if self.asked.len() == REMEMBERED {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked {
            at_ms: post.sent_ms,
            session: placed.session.clone(),
            from: caller(&placed),
            line: placed.line.clone(),
            took_ms,
            status: if is_late { 0 } else { status },
            display_name,
            outcome,
        });
        self.go_on(&placed, routed.as_ref(), goes_on_ms);
    }

    fn judge(&self, status: u16, answer: &[u8]) -> (Outcome, Option<String>) {
        if status != 200 {
            return (Outcome::Refused, None);
        }
        let Ok(Value::Object(answer)) = serde_json::from_slice(answer) else {
            return (Outcome::NotUnderstood, None);
        };
        let name = answer.get("displayName").and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.map(str::to_owned);
        match answer.get("result").map(text).as_deref() {
            Some("0") => {}
            Some(_) => return (Outcome::Refused, name),
            None => return (Outcome::NotUnderstood, name),
        }
        let pin = answer.get("PIN").map(text).unwrap_or_default();
        let outcome = match pin.as_str() {
            "" => Outcome::NoPin,
            _ if self.employee(&pin).is_some() => Outcome::Routed { pin },
            _ => Outcome::UnknownPin { pin },
        };
        (outcome, name)
    }

    /// The call is routed: to whom the answer named, or as the domain does without one.
    fn go_on(&mut self, placed: &Placed, routed: Option<&Employee>, now_ms: i64) {
        if let Some(told) = self.incoming(placed, routed, now_ms) {
            self.begin(told);
        }
    }
}

fn caller(placed: &Placed) -> String {
    if placed.client.is_empty() { "anonymous".to_owned() } else { placed.client.clone() }
}

/// Texts and numbers, as both stand in answers; of anything else nothing.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
