//! What stands in a chat, and how the API shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What stands in a message besides a text, under its own id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    Image(String),
    Voice(String),
}

/// A picture that we uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    pub id: String,
    /// As the request named it.
    pub media_type: String,
    pub bytes: usize,
}

/// Where a picture lies, by its size.
pub(super) fn sizes(image: &str) -> Value {
    let size = |size: &str| (size.to_owned(), json!(format!("https://img.example.test/{size}/{image}.jpg")));
    ["1280x960", "640x480", "140x105", "32x32"].map(size).into_iter().collect::<serde_json::Map<_, _>>().into()
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub author_id: i64,
    /// Unix seconds.
    pub created: i64,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    pub deleted: bool,
    /// By us.
    pub is_read: bool,
}

impl Message {
    /// The name of its kind.
    pub(super) fn kind(&self) -> &'static str {
        match &self.media {
            _ if self.deleted => "deleted",
            None => "text",
            Some(Media::Image(_)) => "image",
            Some(Media::Voice(_)) => "voice",
        }
    }

    pub(super) fn content(&self) -> Value {
        match &self.media {
            _ if self.deleted => json!({}),
            None => json!({ "text": self.text }),
            Some(Media::Image(image)) => json!({ "image": { "sizes": sizes(image) } }),
            Some(Media::Voice(voice)) => json!({ "voice": { "voice_id": voice } }),
        }
    }

    fn direction(&self, ours: i64) -> &'static str {
        if self.author_id == ours { "out" } else { "in" }
    }

    /// As the answer to sending shows it.
    pub(super) fn sent(&self, ours: i64) -> Value {
        json!({
            "id": self.id,
            "created": self.created,
            "type": self.kind(),
            "direction": self.direction(ours),
            "content": self.content(),
        })
    }

    /// As the list of messages shows it.
    pub(super) fn listed(&self, ours: i64) -> Value {
        let mut shown = self.sent(ours);
        shown["author_id"] = json!(self.author_id);
        shown["is_read"] = json!(self.is_read || self.author_id == ours);
        shown["read"] = Value::Null;
        shown
    }
}

/// Who writes to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: i64,
    pub name: String,
}

/// The advertisement that a chat is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: i64,
    pub title: String,
    pub price: String,
}

/// A chat about an advertisement of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    pub id: String,
    pub client: Client,
    pub item: Item,
    /// Unix seconds.
    pub created: i64,
    pub updated: i64,
    /// Oldest first.
    pub messages: Vec<Message>,
}

impl Chat {
    pub(super) fn is_unread(&self, ours: i64) -> bool {
        self.messages.iter().any(|message| message.author_id != ours && !message.is_read)
    }

    /// As the API shows it.
    pub(super) fn shown(&self, ours: i64, our_name: &str) -> Value {
        let Item { id: item, title, price } = &self.item;
        let user = |id: i64, name: &str| {
            let profile =
                json!({ "user_id": id, "item_id": item, "url": format!("https://avito.example.test/user/{id}") });
            json!({ "id": id, "name": name, "public_user_profile": profile })
        };
        let value = json!({
            "id": item,
            "title": title,
            "user_id": ours,
            "status_id": 10,
            "price_string": price,
            "url": format!("https://avito.example.test/item/{item}"),
        });
        let mut shown = json!({
            "id": self.id,
            "context": { "type": "item", "value": value },
            "created": self.created,
            "updated": self.updated,
            "users": [user(self.client.id, &self.client.name), user(ours, our_name)],
        });
        if let Some(last) = self.messages.last() {
            shown["last_message"] = last.sent(ours);
            shown["last_message"]["author_id"] = json!(last.author_id);
        }
        shown
    }
}
