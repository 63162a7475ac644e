//! The sandbox's messenger: what clients write in it, and what stands in its chats.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::request;

/// The autoreplies of the settings.
pub const AUTOREPLIES: [&str; 2] =
    ["Здравствуйте! Ответим в течение нескольких минут.", "Простите, все заняты. Мы о вас помним."];
const OURS: i64 = 100_000_001;

/// The messenger of this sandbox.
#[derive(Clone, Copy)]
pub struct Messenger(pub SocketAddr);

impl Messenger {
    fn ask(self, method: &str, path: &str, body: &str) -> Value {
        let answer = request(self.0, method, &format!("/avito/{path}"), &[], body.as_bytes());
        let (status, body) = answer.expect("an answer");
        assert!((200..300).contains(&status), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }

    /// How it behaves from now on.
    pub fn behave(self, manner: &Value) {
        self.ask("POST", "sandbox/manner", &manner.to_string());
    }

    /// Something goes wrong.
    pub fn inject(self, fault: &Value) {
        self.ask("POST", "sandbox/faults", &fault.to_string());
    }

    /// A new client writes; the id of the chat. The push was tried once by then.
    pub fn begin(self, text: &str) -> String {
        let made = self.ask("POST", "sandbox/messages", &json!({ "text": text }).to_string());
        made["chat"].as_str().expect("a chat").to_owned()
    }

    /// Somebody writes into a chat: `client` or `us`, in the provider's application.
    pub fn write(self, chat: &str, from: &str, text: &str) {
        let body = json!({ "chat": chat, "from": from, "text": text });
        self.ask("POST", "sandbox/messages", &body.to_string());
    }

    /// Everything that happened there.
    pub fn state(self) -> Value {
        self.ask("GET", "sandbox/state", "")
    }

    /// The texts under our name in a chat, oldest first.
    pub fn ours_in(self, chat: &str) -> Vec<String> {
        let state = self.state();
        let chats = state["chats"].as_array().expect("chats").iter();
        let messages = chats.filter(|known| known["id"] == chat).flat_map(|chat| chat["messages"].as_array());
        let ours = messages.flatten().filter(|message| message["author_id"] == OURS);
        ours.map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
    }
}
