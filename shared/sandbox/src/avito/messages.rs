//! Messages: the list, sending, taking back.

use serde_json::{Value, json};

use super::{Avito, Call, Echo, Media, Message, invalid, not_found, refusal};
use crate::http::Response;

/// Longest text, in characters.
const MAX_TEXT: usize = 1000;
/// How long a message can be taken back, in seconds.
const TAKEN_BACK_WITHIN_S: i64 = 3600;

impl Avito {
    /// The newest comes first.
    pub(super) fn list_messages(&self, chat: &str, call: &Call<'_>) -> Result<Response, Response> {
        let limit = call.number("limit", 100, 1..=100)?;
        let offset = call.number("offset", 0, 0..=1000)?;
        let messages = self.chat(chat)?.messages.iter().rev().skip(offset).take(limit);
        let messages = Value::Array(messages.map(|message| message.listed(self.config.user_id)).collect());
        let wrapped = self.manner.wrapped.then(|| json!({ "messages": messages }));
        Ok(Response::of_json(200, &wrapped.unwrap_or(messages)))
    }

    /// The same request twice is two messages.
    pub(super) fn send(&mut self, chat: &str, call: &Call<'_>) -> Result<Response, Response> {
        self.chat(chat)?;
        let body = call.json()?;
        if body["type"] != "text" {
            return Err(invalid("type", "must be text"));
        }
        let text = body["message"]["text"].as_str().unwrap_or_default();
        check(text)?;
        self.send_ours(chat, text, None, call.now_ms).map(|sent| Response::of_json(200, &sent))
    }

    /// Our message stands in the chat; what the answer says of it.
    pub(super) fn send_ours(
        &mut self,
        chat: &str,
        text: &str,
        media: Option<Media>,
        now_ms: i64,
    ) -> Result<Value, Response> {
        let ours = self.config.user_id;
        let message = self.write(chat, ours, text, media, now_ms)?;
        if matches!(self.manner.echo, Echo::Before | Echo::Twice) {
            self.push(chat, &message.id, true, now_ms);
        }
        if matches!(self.manner.echo, Echo::After | Echo::Twice) {
            self.push(chat, &message.id, false, now_ms);
        }
        Ok(message.sent(ours))
    }

    /// Our own message, within an hour; it stays in the history as deleted.
    pub(super) fn take_back(&mut self, chat: &str, id: &str, call: &Call<'_>) -> Result<Response, Response> {
        let (ours, now_s) = (self.config.user_id, call.now_ms.div_euclid(1000));
        let messages = &mut self.chat_mut(chat)?.messages;
        let message = messages.iter_mut().find(|message| message.id == id).ok_or_else(not_found)?;
        if message.author_id != ours {
            return Err(refusal(403, "Forbidden"));
        }
        if now_s - message.created > TAKEN_BACK_WITHIN_S {
            return Err(refusal(400, "the message is older than an hour"));
        }
        if !message.deleted {
            message.deleted = true;
            self.push(chat, id, false, call.now_ms);
        }
        Ok(Response::of_json(200, &json!({})))
    }

    /// Puts a message into a chat, and pushes nothing.
    pub(super) fn write(
        &mut self,
        chat: &str,
        author_id: i64,
        text: &str,
        media: Option<Media>,
        now_ms: i64,
    ) -> Result<Message, Response> {
        let id = format!("{now_ms:016x}{:016x}", self.count());
        let created = now_ms.div_euclid(1000);
        let text = text.to_owned();
        let message = Message { id, author_id, created, text, media, deleted: false, is_read: false };
        let chat = self.chat_mut(chat)?;
        chat.updated = created;
        chat.messages.push(message.clone());
        Ok(message)
    }
}

/// Whether such a text is taken.
pub(super) fn check(text: &str) -> Result<(), Response> {
    match text.chars().count() {
        _ if text.trim().is_empty() => Err(invalid("message.text", "is empty")),
        length if length > MAX_TEXT => Err(invalid("message.text", "max length 1000")),
        _ => Ok(()),
    }
}
