//! Who the client is, and what the chat is about.

use perezvon_domain::ChatResult;
use serde_json::Value;

use super::answer::{Answer, hear};
use super::intake::USER_ID;
use super::jobs::done;
use super::value::{cap, text};
use crate::jobs::{Known, Outcome, Reply, Work};

/// Longest name and longest description, in characters.
const LIMIT: usize = 500;

/// Takes a chat in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    let chat = match hear(work, known, reply) {
        Answer::Said(chat) if chat.is_object() => chat,
        Answer::Said(_) => return Outcome::Unknown { why: "Avito прислал не чат".to_owned() },
        Answer::Settled(outcome) => return outcome,
    };
    let ours = known.secret.get(USER_ID).trim();
    let item = &chat["context"]["value"];
    let of_item = |field: &str| Some(cap(text(&item[field]), LIMIT)).filter(|text| !text.is_empty());
    let (title, url) = (of_item("title"), of_item("url"));
    done(work, &ChatResult::ChatRead { name: name(&chat, ours), about: about(item), title, url })
}

/// The client is whoever else is in the chat.
fn name(chat: &Value, ours: &str) -> Option<String> {
    let users = chat["users"].as_array().into_iter().flatten();
    let names = users.filter(|user| text(&user["id"]) != ours).map(|user| text(&user["name"]));
    names.filter(|name| !name.is_empty()).map(|name| cap(name, LIMIT)).next()
}

/// The advertisement: its title, its price, its address.
fn about(item: &Value) -> Option<String> {
    let parts = [&item["title"], &item["price_string"], &item["url"]].map(text);
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some(cap(parts.join(", "), LIMIT)).filter(|about| !about.is_empty())
}
