//! The item of a conversation: state, outbox, window of what was written, due times, list keys; and the rows of its
//! history. One item, one conditional write.

use perezvon_domain::conversation::{Conversation, Side, State, row::Row as ListRow};
use perezvon_domain::{AccountId, ChannelId, Effect, Timestamp};

use super::base::{Base, Next, beside};
use super::call::month;
use super::pack::packed;
use super::window::Window;
use super::{json, json_or_default, text};
use crate::keys;
use crate::table::{Row, TableError, Update, Value};

/// A conversation as it stands in the table.
#[derive(Clone, Debug)]
pub struct ConversationItem {
    pub conversation: Conversation,
    pub base: Base,
    pub window: Window,
}

impl ConversationItem {
    /// A conversation that is not in the table yet.
    pub fn absent(account: &AccountId, channel: &ChannelId, chat: &str, received_at: Timestamp) -> Self {
        let conversation = Conversation::new(account.clone(), channel.clone(), chat.to_owned(), received_at);
        Self { conversation, base: Base::default(), window: Window::default() }
    }

    /// Reads the item.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        let base = Base::read(row)?;
        let mut conversation: Conversation = json(row, "state")?;
        conversation.version = base.version;
        (conversation.at, conversation.because) = beside(row)?;
        Ok(Self { conversation, base, window: json_or_default(row, "window")? })
    }

    /// The write that makes `next` of this item; its due times are put into it afterwards.
    pub fn commit(&self, next: &Conversation, effects: &[Effect], window: &Window, summary: &ListRow) -> Update {
        let key = keys::chat(&next.account, &next.channel, &next.chat);
        let (version, at, because) = (next.version, next.at, next.because.as_slice());
        let next_item = Next { version, at, state: next, because, effects, summary: text(summary) };
        let mut update = self.base.commit(key, next_item);
        if *window != self.window {
            update = update.set("window", packed(window));
        }
        if self.base.version == 0 {
            let month = keys::chat_feed(&next.account, &month(next.first_received_at));
            let at = keys::feed_at(next.first_received_at, &next.channel, &next.chat);
            update = update.set("feed", month).set("feed_at", at);
        }
        self.waiting(next, update)
    }

    /// The list of whoever has it, while the client waits; written only when that changes.
    fn waiting(&self, next: &Conversation, update: Update) -> Update {
        let stands = (self.base.stands.get("waiting"), self.base.stands.get("waiting_at"));
        match waiting(next) {
            Some((list, since)) => {
                let (list, since) = (Value::S(list), Value::N(since.0));
                match stands == (Some(&list), Some(&since)) {
                    true => update,
                    false => update.set("waiting", list).set("waiting_at", since),
                }
            }
            None if stands.0.is_some() => update.remove("waiting").remove("waiting_at"),
            None => update,
        }
    }
}

/// In whose list the client waits, and since when.
fn waiting(conversation: &Conversation) -> Option<(String, Timestamp)> {
    let since = conversation.waiting.filter(|waiting| waiting.who == Side::Client)?.since;
    if conversation.state != State::Open {
        return None;
    }
    let account = &conversation.account;
    let list = match (&conversation.assignee, &conversation.round.group) {
        (Some(employee), _) => keys::waiting_for_employee(account, employee),
        (None, Some(group)) => keys::waiting_for_group(account, group),
        (None, None) => return None,
    };
    Some((list, since))
}

/// What lists show of a conversation: from its item, or from its entry in an index.
pub fn list_row(row: &Row) -> Result<Option<ListRow>, TableError> {
    row.attributes.contains_key("summary").then(|| json(row, "summary")).transpose()
}

#[cfg(test)]
mod tests {
    use perezvon_domain::conversation::Waiting;

    use super::*;
    use crate::table::Attributes;

    fn written(item: &ConversationItem, next: &Conversation) -> Attributes {
        let row: ListRow =
            serde_json::from_str(r#"{"channel":"ads","chat":"u2i","open":true,"opened_at":1,"available_at":1}"#)
                .expect("a row");
        let update = item.commit(next, &[], &item.window, &row);
        update.applied_to(Some(&item.base.stands)).expect("a row")
    }

    #[test]
    fn a_client_waits_in_the_list_of_whoever_has_the_conversation() {
        let new = ConversationItem::absent(&"school".into(), &"ads".into(), "u2i", Timestamp(5));
        let mut next = new.conversation.clone();
        (next.version, next.state) = (1, State::Open);
        next.round.group = Some("Продажи".to_owned());
        next.waiting = Some(Waiting { who: Side::Client, since: Timestamp(7) });
        let key = keys::chat(&"school".into(), &"ads".into(), "u2i");
        let read = |attributes: &Attributes| {
            ConversationItem::read(&Row { key: key.clone(), attributes: attributes.clone() }).expect("an item")
        };
        let first = written(&new, &next);
        let list = first["waiting"].as_s().map(str::to_owned);
        assert!(list.is_some_and(|list| list.starts_with("school#group#")));
        assert_eq!(first["waiting_at"], Value::N(7));
        assert!(first["feed"].as_s().is_some_and(|feed| feed.starts_with("school#chats#")));
        (next.version, next.assignee) = (2, Some("anna".into()));
        let second = written(&read(&first), &next);
        assert_eq!(second["waiting"].as_s(), Some("school#employee#anna"));
        (next.version, next.waiting) = (3, None);
        let third = written(&read(&second), &next);
        assert!(!third.contains_key("waiting") && !third.contains_key("waiting_at"));
        assert_eq!(read(&third).conversation.version, 3);
    }
}
