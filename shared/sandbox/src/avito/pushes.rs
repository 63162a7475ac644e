//! Pushes: who wants them, and the exact form in which they are posted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chats::ABOUT_AN_ITEM;
use super::{Avito, Call, invalid, ok};
use crate::http::Response;

/// How many pushes that were posted are remembered.
const REMEMBERED: usize = 200;
/// Most copies of one push.
const MOST_COPIES: u32 = 10;

/// A request that the server around the messenger is to make: POST of JSON to exactly this address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    pub url: String,
    pub body: String,
    /// To be posted before the request that it belongs to is answered; otherwise after that.
    pub before_answer: bool,
    /// So often it is posted again until the answer is 200.
    pub repeats: u32,
}

/// A push that was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    pub at_ms: i64,
    pub body: String,
    /// 0: no answer.
    pub status: u16,
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: String,
    version: &'static str,
    timestamp: i64,
    payload: Payload<'a>,
}

#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: Told<'a>,
}

#[derive(Serialize)]
struct Told<'a> {
    id: &'a str,
    chat_id: &'a str,
    user_id: i64,
    author_id: i64,
    created: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    chat_type: &'static str,
    content: Value,
    item_id: i64,
    read: Option<i64>,
    published_at: String,
}

impl Avito {
    /// What is to be posted since the last time, in its order.
    pub fn take_pushes(&mut self) -> Vec<Push> {
        std::mem::take(&mut self.outbox)
    }

    /// A push was posted and answered so (0: not at all).
    pub fn note_pushed(&mut self, push: &Push, status: u16, now_ms: i64) {
        if self.pushed.len() == REMEMBERED {
            self.pushed.pop_front();
        }
        self.pushed.push_back(Pushed { at_ms: now_ms, body: push.body.clone(), status });
    }

    /// The last pushes that were posted, oldest first, 200 at most.
    pub fn pushed(&self) -> impl Iterator<Item = &Pushed> {
        self.pushed.iter()
    }

    /// From now on this address is pushed to. A second subscription of the same address changes nothing.
    pub fn subscribe_address(&mut self, url: &str) {
        if !self.subscribed.iter().any(|known| known == url) {
            self.subscribed.push(url.to_owned());
        }
    }

    pub(super) fn subscribe(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        self.subscribe_address(&address(call)?);
        Ok(ok())
    }

    pub(super) fn unsubscribe(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let url = address(call)?;
        self.subscribed.retain(|known| *known != url);
        Ok(ok())
    }

    pub(super) fn subscriptions(&self) -> Response {
        let all: Vec<Value> = self.subscribed.iter().map(|url| json!({ "url": url, "version": "3" })).collect();
        Response::of_json(200, &json!({ "subscriptions": all }))
    }

    /// Tells all who subscribed of a message as it stands now.
    pub(super) fn push(&mut self, chat: &str, message: &str, before_answer: bool, now_ms: i64) {
        let repeats = self.manner.repeats;
        for url in self.subscribed.clone() {
            for _ in 0..self.manner.copies.min(MOST_COPIES) {
                let id = self.envelope_id(now_ms);
                if let Some(body) = self.told(id, chat, message, now_ms) {
                    self.outbox.push(Push { url: url.clone(), body, before_answer, repeats });
                }
            }
        }
    }

    fn told(&self, id: String, chat: &str, message: &str, now_ms: i64) -> Option<String> {
        let chat = self.chat(chat).ok()?;
        let message = chat.messages.iter().find(|known| known.id == message)?;
        let value = Told {
            id: &message.id,
            chat_id: &chat.id,
            user_id: self.config.user_id,
            author_id: message.author_id,
            created: message.created,
            kind: message.kind(),
            chat_type: ABOUT_AN_ITEM,
            content: message.content(),
            item_id: chat.item.id,
            read: None,
            published_at: Timestamp::from_second(message.created).ok()?.to_string(),
        };
        let payload = Payload { kind: "message", value };
        let timestamp = now_ms.div_euclid(1000);
        serde_json::to_string(&Envelope { id, version: "v3.0.0", timestamp, payload }).ok()
    }

    fn envelope_id(&mut self, now_ms: i64) -> String {
        let ms = now_ms.unsigned_abs();
        let (high, low) = ((ms >> 16) & 0xffff_ffff, ms & 0xffff);
        format!("{high:08x}-{low:04x}-4000-8000-{:012x}", self.count())
    }
}

fn address(call: &Call<'_>) -> Result<String, Response> {
    let body = call.json()?;
    let url = body["url"].as_str().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    url.map(str::to_owned).ok_or_else(|| invalid("url", "must be an address"))
}
