//! Chats: the list, and one of them.

use serde_json::{Value, json};

use super::{Avito, Call, Chat, not_found, ok};
use crate::http::Response;

/// The only kind of chat here: about an advertisement.
pub(super) const ABOUT_AN_ITEM: &str = "u2i";

impl Avito {
    /// The chat that was written in last comes first.
    pub(super) fn list_chats(&self, call: &Call<'_>) -> Result<Response, Response> {
        let limit = call.number("limit", 100, 1..=100)?;
        let offset = call.number("offset", 0, 0..=1000)?;
        let unread_only = call.query("unread_only").as_deref() == Some("true");
        let kinds = call.query("chat_types").unwrap_or_else(|| ABOUT_AN_ITEM.to_owned());
        let items = call.query("item_ids");
        let fits = |chat: &&Chat| {
            let listed = |ids: &String| ids.split(',').any(|id| id == chat.item.id.to_string());
            kinds.split(',').any(|kind| kind == ABOUT_AN_ITEM)
                && (!unread_only || chat.is_unread(self.config.user_id))
                && items.as_ref().is_none_or(listed)
        };
        let mut found: Vec<&Chat> = self.chats.iter().rev().filter(fits).collect();
        found.sort_by_key(|chat| std::cmp::Reverse(chat.updated));
        let page: Vec<Value> = found.into_iter().skip(offset).take(limit).map(|chat| self.shown(chat)).collect();
        Ok(Response::of_json(200, &json!({ "chats": page })))
    }

    pub(super) fn one_chat(&self, id: &str) -> Result<Response, Response> {
        self.chat(id).map(|chat| Response::of_json(200, &self.shown(chat)))
    }

    pub(super) fn mark_read(&mut self, id: &str) -> Result<Response, Response> {
        let chat = self.chat_mut(id)?;
        chat.messages.iter_mut().for_each(|message| message.is_read = true);
        Ok(ok())
    }

    fn shown(&self, chat: &Chat) -> Value {
        chat.shown(self.config.user_id, &self.config.name)
    }

    pub(super) fn chat(&self, id: &str) -> Result<&Chat, Response> {
        self.chats.iter().find(|chat| chat.id == id).ok_or_else(not_found)
    }

    pub(super) fn chat_mut(&mut self, id: &str) -> Result<&mut Chat, Response> {
        self.chats.iter_mut().find(|chat| chat.id == id).ok_or_else(not_found)
    }
}
