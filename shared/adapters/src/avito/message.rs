//! A push of a message, in our words.

use std::collections::BTreeMap;

use perezvon_domain::ConversationEventKind::{MessageDeleted, MessageReceived};
use perezvon_domain::Timestamp;
use perezvon_domain::conversation::event::{Author, Message, MessageKind};
use serde_json::Value;

use super::intake::USER_ID;
use super::value::{address, cap, first_text, text, time};
use crate::intake::{ChatNews, Malformed};

/// Longest id, in bytes. They are parts of keys.
const ID_LIMIT: usize = 256;
/// How much of a text goes on, in characters, so that an event fits into a queue however its letters are written: the
/// whole of it stands in the provider's application.
const TEXT_LIMIT: usize = 100_000;
/// Longest detail, in characters.
const DETAIL_LIMIT: usize = 1000;
/// How the provider begins what it writes under a client's name.
const SYSTEM_TEXT: &str = "[Системное сообщение]";
/// Authors that are nobody: the provider itself. An absent number is read as 0 by some.
const NOBODY: [&str; 3] = ["", "0", "1"];

/// What a push of a message tells.
pub(super) fn news(push: &Value) -> Result<ChatNews, Malformed> {
    told(&push["payload"]["value"], time(&push["timestamp"]))
}

/// What a message tells that was pushed then, or read off a list.
pub(super) fn told(value: &Value, pushed: Option<Timestamp>) -> Result<ChatNews, Malformed> {
    let (chat, message) = (id(value, "chat_id")?, id(value, "id")?);
    let kind = text(&value["type"]);
    let is_deletion = kind == "deleted";
    let created = time(&value["created"]);
    // A deleted message keeps the time it was written at.
    let at = if is_deletion { pushed.or(created) } else { created.or(pushed) };
    let occurred_at =
        at.ok_or_else(|| Malformed("neither field `created` nor `timestamp` is a time in seconds".to_owned()))?;
    let kind = if is_deletion { MessageDeleted { message } } else { MessageReceived(read(message, &kind, value)) };
    Ok(ChatNews { chat, occurred_at, kind })
}

fn id(value: &Value, name: &str) -> Result<String, Malformed> {
    let id = text(&value[name]);
    match id.len() {
        0 => Err(Malformed(format!("field `{name}` is missing or empty"))),
        1..=ID_LIMIT => Ok(id),
        length => Err(Malformed(format!("field `{name}` has {length} bytes, {ID_LIMIT} are allowed"))),
    }
}

fn read(id: String, kind: &str, value: &Value) -> Message {
    let body = body(kind, &value["content"]).with("item_id", &value["item_id"]);
    let from = author(kind, body.kind, &body.text, value);
    let writer = text(&value["author_id"]);
    let is_client = from == Author::Client && writer != text(&value[USER_ID]) && !NOBODY.contains(&writer.as_str());
    let author = Some(writer).filter(|_| is_client);
    Message { id, from, author, kind: body.kind, text: cap(body.text, TEXT_LIMIT), details: body.details }
}

/// What stands in a message.
struct Body {
    kind: MessageKind,
    text: String,
    details: BTreeMap<String, String>,
}

impl Body {
    fn new(kind: MessageKind, text: String) -> Self {
        Self { kind, text, details: BTreeMap::new() }
    }

    /// A detail, if it is there.
    fn with(mut self, name: &str, value: &Value) -> Self {
        let value = text(value);
        if !value.is_empty() {
            self.details.insert(name.to_owned(), cap(value, DETAIL_LIMIT));
        }
        self
    }

    /// Where something lies that people may open.
    fn at(mut self, url: Option<String>) -> Self {
        self.details.extend(url.map(|url| ("url".to_owned(), url)));
        self
    }
}

fn body(kind: &str, content: &Value) -> Body {
    let (inner, words) = (&content[kind], text(&content["text"]));
    match kind {
        "text" | "system" => Body::new(MessageKind::Text, words).with("flow_id", &content["flow_id"]),
        "" if !words.is_empty() => Body::new(MessageKind::Text, words),
        "image" => Body::new(MessageKind::Image, words).at(largest(&inner["sizes"])),
        "voice" => Body::new(MessageKind::Voice, words).with("voice_id", &inner["voice_id"]),
        "link" => Body::new(MessageKind::Link, link_words(inner))
            .at(address(&inner["url"]).or_else(|| address(&inner["preview"]["url"])))
            .with("title", &inner["preview"]["title"]),
        "location" => Body::new(MessageKind::Location, first_text(&[&inner["text"], &inner["title"]]))
            .with("lat", &inner["lat"])
            .with("lon", &inner["lon"])
            .with("kind", &inner["kind"]),
        "item" => Body::new(MessageKind::Item, text(&inner["title"]))
            .with("price", &inner["price_string"])
            .at(address(&inner["item_url"])),
        "call" if is_missed(inner) => Body::new(MessageKind::Call, words),
        other => {
            Body::new(MessageKind::Other, words).with("type", &Value::from(other)).with("status", &inner["status"])
        }
    }
}

/// What the client wrote, and where it leads: an address that is only shown stands in the words.
fn link_words(link: &Value) -> String {
    let (words, url) = (text(&link["text"]), text(&link["url"]));
    let shows = words.contains(&url) || (!words.is_empty() && address(&link["url"]).is_some());
    if shows { words } else { [words, url].join(" ").trim().to_owned() }
}

/// Missed is the only status that is documented.
fn is_missed(call: &Value) -> bool {
    ["", "missed"].contains(&text(&call["status"]).as_str())
}

/// The address of the largest picture that has one: sizes are named like `640x480`.
pub(super) fn largest(sizes: &Value) -> Option<String> {
    let area = |size: &str| {
        let (width, height) = size.split_once('x')?;
        Some(width.trim().parse::<u64>().ok()?.saturating_mul(height.trim().parse().ok()?))
    };
    let all = sizes.as_object().into_iter().flatten();
    let known = all.filter_map(|(size, url)| Some((area(size), address(url)?)));
    known.max_by_key(|(area, _)| *area).map(|(_, url)| url)
}

fn author(name: &str, kind: MessageKind, words: &str, value: &Value) -> Author {
    let (author, ours) = (text(&value["author_id"]), text(&value[USER_ID]));
    let is_ours = author == ours;
    match (name, kind) {
        // The client called and nobody answered, whoever reports it.
        (_, MessageKind::Call) => {
            let to_us = text(&value["content"]["call"]["target_user_id"]) == ours;
            if is_ours && !to_us { Author::Agent } else { Author::Client }
        }
        // A call that was not missed waits for nothing.
        ("system" | "call", _) => Author::System,
        _ if NOBODY.contains(&author.as_str()) => Author::System,
        _ if is_ours => Author::Agent,
        _ if words.starts_with(SYSTEM_TEXT) => Author::System,
        _ => Author::Client,
    }
}
