//! What happens on the provider's side: clients write and take back, one of us writes in the application.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::messages::check;
use super::{Avito, Call, Chat, Client, Item, Media, not_found};
use crate::http::Response;

/// Requests in the JSON of the state.
const LAST_REQUESTS: usize = 200;

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    #[default]
    Client,
    /// Somebody of ours, in the application.
    Us,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    from: Side,
    /// Without it a new client begins a chat.
    #[serde(default)]
    chat: Option<String>,
    #[serde(default)]
    text: String,
    /// In place of a text: `{"voice": "v-1"}`, `{"image": "p-1"}`.
    #[serde(default)]
    media: Option<Media>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakenBack {
    message: String,
}

impl Avito {
    pub(super) fn by_hand(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        match (call.request.method.as_str(), call.request.path.as_str()) {
            ("GET", "/sandbox/state") => Ok(Response::of_json(200, &self.state())),
            ("POST", "/sandbox/faults") => Ok(self.gate.faults.inject_json(&call.request.body)),
            ("POST", "/sandbox/manner") => {
                self.manner = read(call)?;
                Ok(Response::empty(204))
            }
            ("POST", "/sandbox/messages") => self.written(&read(call)?, call.now_ms),
            ("POST", "/sandbox/deletions") => {
                let TakenBack { message } = read(call)?;
                self.delete(&message, call.now_ms).map(|()| Response::empty(204)).ok_or_else(not_found)
            }
            _ => Err(Response::of_json(404, &json!({ "error": "no such page of the sandbox" }))),
        }
    }

    /// A new client begins a chat about an advertisement with this text; ids of the chat and of the message.
    pub fn begin(&mut self, text: &str, now_ms: i64) -> (String, String) {
        let n = self.count();
        let client =
            Client { id: 200_000_000 + i64::try_from(n).unwrap_or_default(), name: format!("Клиент {n}") };
        self.begin_as(n, client, "Велосипед", text, now_ms)
    }

    /// The client of a chat begins another one, about another advertisement.
    pub fn begin_another(&mut self, chat: &str, text: &str, now_ms: i64) -> Option<(String, String)> {
        let client = self.chat(chat).ok()?.client.clone();
        let n = self.count();
        Some(self.begin_as(n, client, "Самокат", text, now_ms))
    }

    fn begin_as(&mut self, n: u64, client: Client, title: &str, text: &str, now_ms: i64) -> (String, String) {
        let created = now_ms.div_euclid(1000);
        // As long as real ones, with a character that paths must escape or leave alone.
        let id = format!("u2i-{now_ms:013}~{n:08}");
        let item = Item { id: 4_000_000_003, title: title.to_owned(), price: "12 000 ₽".to_owned() };
        self.chats.push(Chat { id: id.clone(), client, item, created, updated: created, messages: Vec::new() });
        let message = self.client_writes(&id, text, now_ms).unwrap_or_default();
        (id, message)
    }

    /// The client of a chat writes again; the id of the message, unless there is no such chat.
    pub fn client_writes(&mut self, chat: &str, text: &str, now_ms: i64) -> Option<String> {
        let client = self.chat(chat).ok()?.client.id;
        self.say(chat, client, text, None, now_ms)
    }

    /// The client of a chat sends a picture or speaks; the id of the message, unless there is no such chat.
    pub fn client_sends(&mut self, chat: &str, media: Media, now_ms: i64) -> Option<String> {
        let client = self.chat(chat).ok()?.client.id;
        self.say(chat, client, "", Some(media), now_ms)
    }

    /// Somebody of ours writes in the provider's own application; the id of the message, unless there is no such chat.
    pub fn we_write(&mut self, chat: &str, text: &str, now_ms: i64) -> Option<String> {
        self.say(chat, self.config.user_id, text, None, now_ms)
    }

    /// Whoever wrote a message takes it back in the application. `None`: there is no such message.
    pub fn delete(&mut self, message: &str, now_ms: i64) -> Option<()> {
        let holds = |chat: &&mut Chat| chat.messages.iter().any(|known| known.id == message);
        let chat = self.chats.iter_mut().find(holds)?;
        chat.messages.iter_mut().filter(|known| known.id == message).for_each(|known| known.deleted = true);
        let chat = chat.id.clone();
        self.push(&chat, message, true, now_ms);
        Some(())
    }

    fn say(&mut self, chat: &str, author: i64, text: &str, media: Option<Media>, now_ms: i64) -> Option<String> {
        let message = self.write(chat, author, text, media, now_ms).ok()?;
        // Whoever pulled the lever may count on it that the push was posted.
        self.push(chat, &message.id, true, now_ms);
        Some(message.id)
    }

    fn written(&mut self, asked: &Written, now_ms: i64) -> Result<Response, Response> {
        if asked.media.is_none() {
            check(&asked.text)?;
        }
        let (chat, message) = match (&asked.chat, asked.from) {
            (Some(chat), Side::Client) if asked.media.is_some() => {
                let message = asked.media.clone().and_then(|media| self.client_sends(chat, media, now_ms));
                (chat.clone(), message.ok_or_else(not_found)?)
            }
            _ if asked.media.is_some() => return Err(refused("pictures and voices are a client's, in a chat")),
            (None, Side::Us) => return Err(refused("only a client can begin a chat: name one with `chat`")),
            (None, Side::Client) => self.begin(&asked.text, now_ms),
            (Some(chat), from) => {
                let message = match from {
                    Side::Client => self.client_writes(chat, &asked.text, now_ms),
                    Side::Us => self.we_write(chat, &asked.text, now_ms),
                };
                (chat.clone(), message.ok_or_else(not_found)?)
            }
        };
        Ok(Response::of_json(200, &json!({ "chat": chat, "message": message })))
    }

    fn state(&self) -> Value {
        json!({
            "chats": self.chats,
            "uploaded": self.uploaded,
            "subscriptions": self.subscribed,
            "pushed": self.pushed,
            "violations": self.violations(),
            "requests": self.gate.log().rev().take(LAST_REQUESTS).collect::<Vec<_>>(),
        })
    }
}

fn read<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Response> {
    serde_json::from_slice(&call.request.body).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Response {
    Response::of_json(400, &json!({ "error": why }))
}
