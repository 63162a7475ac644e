//! The messages of a conversation as people read them: what stands in the chat, what we sent and what was noted.
//!
//! Rows stand under the provider's ids, so they have no order by time: all of a conversation are read, within a
//! bound, and put in order here.

use std::collections::{BTreeMap, BTreeSet};

use perezvon_domain::conversation::event::{Author, MessageKind};
use perezvon_domain::conversation::{Conversation, Errand, Writer};
use perezvon_domain::effect::Wanted;
use perezvon_domain::{Command, Effect, Origin, Policy, Timestamp};
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::history::{self, Entry, HistoryRow};
use perezvon_store::table::Query;
use perezvon_store::{Row, Table, TableError, keys};
use serde::Serialize;

use crate::conversations::{name, writer};
use crate::media::VoiceView;
use crate::{list, opaque};

/// Most rows of one conversation that are looked at.
pub const MOST_ROWS: usize = 5_000;
/// Rows of one Query.
const ROWS_A_QUERY: usize = 1_000;

/// A message, a text of ours or a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageView {
    /// Its own, in the conversation.
    pub id: String,
    /// The provider's: what a deletion names. Absent: a note, or not sent.
    pub message: Option<String>,
    pub at: Timestamp,
    /// `client`, `agent`, `automatic`, `system`, `note`.
    pub from: &'static str,
    /// The employee's name; an `agent` without one wrote in the provider's application.
    pub by: Option<String>,
    pub kind: &'static str,
    /// Empty: it was deleted, or is no text.
    pub text: String,
    /// That is its beginning; the whole of it has an address of its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// Of a voice message: where it can be heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<VoiceView>,
    /// Of a text of ours: `waiting`, `sent`, `not_sent`.
    pub state: Option<&'static str>,
    /// Why it was not sent, while that is known.
    pub why: Option<String>,
    pub deleted_at: Option<Timestamp>,
    pub can_delete: bool,
}

impl MessageView {
    /// Where it stands: by time, then by id; of two effects the shorter id is the earlier.
    fn place(&self) -> (Timestamp, usize, &str) {
        (self.at, self.id.len(), &self.id)
    }
}

/// The rows of a conversation, and whether these are all.
pub async fn read(table: &dyn Table, of: &Conversation) -> Result<(Vec<Row>, bool), TableError> {
    let partition = keys::chat_partition(&of.account, &of.channel, &of.chat);
    let query = Query { limit: ROWS_A_QUERY, ..Query::table(partition).between(keys::history_range()) };
    let rows = list::rows(table, query, MOST_ROWS, MOST_ROWS, |_| true).await?;
    let all = rows.len() < MOST_ROWS;
    Ok((rows, all))
}

/// A page, the oldest first, of what stands before `before`; and the cursor for what stands before it.
pub fn page(
    mut views: Vec<MessageView>,
    before: Option<&(Timestamp, String)>,
    limit: usize,
) -> (Vec<MessageView>, Option<String>) {
    views.sort_by(|one, other| one.place().cmp(&other.place()));
    if let Some((at, id)) = before {
        views.retain(|view| view.place() < (*at, id.len(), id));
    }
    let older = views.len().saturating_sub(limit);
    views.drain(..older);
    let first = views.first().filter(|_| older > 0);
    let cursor = first.map(|view| opaque::encode_place(view.at, &view.id));
    (views, cursor)
}

/// Everything that was written, in no order.
pub fn views(
    item: &ConversationItem,
    rows: &[Row],
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<MessageView>, TableError> {
    let mut told = Told { of: &item.conversation, policy, now, ids: BTreeMap::new() };
    let mut read = Vec::new();
    for row in rows {
        let Some((kind, id)) = keys::parse_history(&row.key).filter(|(kind, _)| *kind != "once") else { continue };
        let row = HistoryRow::read(row)?;
        if let Some(effect) = row.effect.as_ref().filter(|_| kind == "message") {
            told.ids.insert(effect.0.clone(), (id.clone(), row.clone()));
        }
        read.push((id, row));
    }
    let sent: BTreeSet<&str> = read.iter().filter(|(_, row)| is_sent(row)).map(|(id, _)| id.as_str()).collect();
    let outbox = item.base.outbox.iter().filter(|effect| !sent.contains(effect.id.as_str()));
    let mut views: Vec<MessageView> = outbox.filter_map(|effect| told.on_its_way(effect)).collect();
    // Our own text is shown by its own row, if that is there.
    let shown = |row: &HistoryRow| row.effect.as_ref().is_none_or(|effect| !sent.contains(effect.as_str()));
    let read = read.iter().filter(|(_, row)| shown(row));
    views.extend(read.filter_map(|(id, row)| told.view(id, row)));
    Ok(views)
}

fn is_sent(row: &HistoryRow) -> bool {
    matches!(row.entry, Some(Entry::Sent { .. } | Entry::Picture { .. }))
}

/// What the conversation knows of its messages.
struct Told<'a> {
    of: &'a Conversation,
    policy: &'a Policy,
    now: Timestamp,
    /// By effect, the provider's id and row of what came of it.
    ids: BTreeMap<String, (String, HistoryRow)>,
}

impl Told<'_> {
    /// A text that has no row yet.
    fn on_its_way(&self, effect: &Effect) -> Option<MessageView> {
        let Wanted::Job(order) = &effect.wanted else { return None };
        let Command::Chat(command) = &order.command else { return None };
        self.ours(effect.id.as_str(), effect.at, &history::entry(command)?)
    }

    fn view(&self, id: &str, row: &HistoryRow) -> Option<MessageView> {
        let bare = bare(id, row.at);
        Some(match row.entry.as_ref()? {
            entry @ (Entry::Sent { .. } | Entry::Picture { .. }) => return self.ours(id, row.at, entry),
            Entry::Note { by, text } => {
                MessageView { from: "note", by: Some(name(by, Some(self.policy))), text: text.clone(), ..bare }
            }
            // It may be the echo of what we are sending.
            Entry::Message(_) if self.of.undecided.iter().any(|undecided| undecided.message == id) => return None,
            Entry::Message(message) => {
                let from = match message.from {
                    Author::Client => Writer::Client,
                    Author::Agent => Writer::Agent,
                    Author::System => Writer::System,
                };
                let gone = row.deleted_at.is_some();
                MessageView {
                    message: Some(id.to_owned()),
                    from: writer(from),
                    kind: kind(message.kind),
                    text: if gone { String::new() } else { message.text.clone() },
                    cut: !gone && row.whole.is_some(),
                    details: if gone { BTreeMap::new() } else { message.details.clone() },
                    voice: VoiceView::of(row, self.is_asked_for(id), self.now),
                    deleted_at: row.deleted_at,
                    can_delete: from == Writer::Agent && self.can_delete(id, row),
                    ..bare
                }
            }
        })
    }

    /// What we sent, or are sending.
    fn ours(&self, id: &str, at: Timestamp, entry: &Entry) -> Option<MessageView> {
        match entry {
            Entry::Sent { origin, text } => Some(self.sent(id, at, origin, text)),
            Entry::Picture { origin } => {
                Some(MessageView { kind: kind(MessageKind::Image), ..self.sent(id, at, origin, "") })
            }
            Entry::Message(_) | Entry::Note { .. } => None,
        }
    }

    fn sent(&self, id: &str, at: Timestamp, origin: &Origin, text: &str) -> MessageView {
        let (from, by) = match origin {
            Origin::Reply { by } => (Writer::Agent, Some(name(by, Some(self.policy)))),
            Origin::Step { .. } | Origin::Closing => (Writer::Automatic, None),
        };
        let known = self.ids.get(id);
        let trouble = self.of.trouble.as_ref().filter(|trouble| trouble.effect.as_str() == id);
        let waits = self.of.sends.keys().any(|effect| effect.as_str() == id);
        let deleted_at = known.and_then(|(_, row)| row.deleted_at);
        MessageView {
            message: known.map(|(message, _)| message.clone()),
            from: writer(from),
            by,
            text: if deleted_at.is_some() { String::new() } else { text.to_owned() },
            state: Some(match (known.is_some(), waits) {
                (true, _) => "sent",
                (false, true) => "waiting",
                (false, false) => "not_sent",
            }),
            why: trouble.map(|trouble| trouble.why.clone()),
            deleted_at,
            can_delete: known.is_some_and(|(message, row)| self.can_delete(message, row)),
            ..bare(id, at)
        }
    }

    fn is_asked_for(&self, voice: &str) -> bool {
        let asked = |errand: &Errand| matches!(errand, Errand::ReadVoice { message } if message == voice);
        self.of.errands.values().any(asked)
    }

    fn can_delete(&self, message: &str, row: &HistoryRow) -> bool {
        let asked = |errand: &Errand| matches!(errand, Errand::Delete { message: asked } if asked == message);
        row.deleted_at.is_none()
            && !self.of.errands.values().any(asked)
            && self.of.may_delete(self.policy, row.at, self.now).is_ok()
    }
}

fn bare(id: &str, at: Timestamp) -> MessageView {
    MessageView {
        id: id.to_owned(),
        message: None,
        at,
        from: "system",
        by: None,
        kind: kind(MessageKind::Text),
        text: String::new(),
        cut: false,
        details: BTreeMap::new(),
        voice: None,
        state: None,
        why: None,
        deleted_at: None,
        can_delete: false,
    }
}

fn kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "text",
        MessageKind::Image => "image",
        MessageKind::Voice => "voice",
        MessageKind::Link => "link",
        MessageKind::Location => "location",
        MessageKind::Item => "item",
        MessageKind::Call => "call",
        MessageKind::File => "file",
        MessageKind::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_backwards_in_the_order_of_time_and_meet_without_a_gap() {
        let ids = [("b", 5), ("a", 7), ("chat/1/10", 9), ("chat/1/2", 9), ("z", 1)];
        let all: Vec<_> = ids.iter().map(|(id, at)| bare(id, Timestamp(*at))).collect();
        let (mut shown, mut before) = (Vec::new(), None);
        loop {
            let (views, cursor) = page(all.clone(), before.as_ref(), 2);
            assert!(views.len() <= 2);
            shown.splice(0..0, views.into_iter().map(|view| view.id));
            let Some(cursor) = cursor else { break };
            before = opaque::decode_place(&cursor);
        }
        assert_eq!(shown, ["z", "b", "a", "chat/1/2", "chat/1/10"]);
    }
}
