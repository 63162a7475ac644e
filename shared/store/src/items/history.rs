//! Rows of a conversation's history. A row means: committed. Each is put once, under the provider's id, our effect's,
//! or an `Idempotency-Key`.

use perezvon_domain::chat::Origin;
use perezvon_domain::conversation::Conversation;
use perezvon_domain::conversation::event::Message;
use perezvon_domain::effect::Wanted;
use perezvon_domain::{ChatCommand, Command, Effect, EffectId, EmployeeId, Timestamp};
use serde::{Deserialize, Serialize};

use super::pack::packed;
use super::window::{Done, Mark, ONCE};
use super::{SCHEMA, json};
use crate::keys::{self, Key};
use crate::table::{Condition, Row, TableError, Update, Value};

/// Longest text that stands in its row, in bytes; a longer one goes to the blob store.
pub const INLINE: usize = 4 * 1024;
/// How much of a longer one stands there, in characters.
const BEGINNING: usize = 1000;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// It stands in the chat.
    Message(Message),
    /// We asked for it to be sent.
    Sent { origin: Origin, text: String },
    /// We asked for a picture to be sent.
    Picture { origin: Origin },
    /// The client does not see it.
    Note { by: EmployeeId, text: String },
}

/// A row of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The provider's time of a message; the item's of ours.
    pub at: Timestamp,
    /// `None`: only that it is ours, or that it was deleted, is known.
    pub entry: Option<Entry>,
    /// A message of ours: the row of that effect shows it.
    pub effect: Option<EffectId>,
    pub deleted_at: Option<Timestamp>,
    /// The blob with the whole text, of which the entry has the beginning.
    pub whole: Option<String>,
    /// Where a voice message can be heard, and until when.
    pub voice: Option<(String, Timestamp)>,
}

impl HistoryRow {
    /// Reads the row.
    pub fn read(row: &Row) -> Result<Self, TableError> {
        Ok(Self {
            at: Timestamp(row.n("at").unwrap_or_default()),
            entry: row.attributes.contains_key("entry").then(|| json(row, "entry")).transpose()?,
            effect: row.s("effect").map(EffectId::from),
            deleted_at: row.n("deleted_at").map(Timestamp),
            whole: row.s("whole").map(str::to_owned),
            voice: row.s("voice").map(str::to_owned).zip(row.n("voice_until").map(Timestamp)),
        })
    }
}

/// The row that stands for a mark of the window.
pub fn row_of(conversation: &Conversation, mark: &Mark) -> Key {
    let Conversation { account, channel, chat, .. } = conversation;
    match mark {
        Mark::Message(id) => keys::message(account, channel, chat, id),
        Mark::Once(key) => keys::once(account, channel, chat, key),
    }
}

fn put(key: Key, at: Timestamp, entry: &Entry) -> Update {
    Update::new(key).set("schema", SCHEMA).set("at", at.0).set("entry", packed(entry)).when(Condition::Absent)
}

/// A message of the chat, as its event tells it.
pub fn message(conversation: &Conversation, message: &Message, occurred_at: Timestamp) -> Update {
    let key = row_of(conversation, &Mark::Message(message.id.clone()));
    put(key, occurred_at, &Entry::Message(message.clone()))
}

/// The same of a message whose text is too long: the whole of it stands in this blob already.
pub fn beginning(conversation: &Conversation, told: &Message, occurred_at: Timestamp, blob: &str) -> Update {
    let text = told.text.chars().take(BEGINNING).collect();
    message(conversation, &Message { text, ..told.clone() }, occurred_at).set("whole", blob)
}

/// An employee's note; `id` is the same however often it comes.
pub fn note(conversation: &Conversation, id: &str, at: Timestamp, by: &EmployeeId, text: &str) -> Update {
    let Conversation { account, channel, chat, .. } = conversation;
    let entry = Entry::Note { by: by.clone(), text: text.to_owned() };
    put(keys::note(account, channel, chat, id), at, &entry)
}

/// What an effect wants sent; `None`: it sends nothing.
pub fn sent(conversation: &Conversation, effect: &Effect) -> Option<Update> {
    let Wanted::Job(order) = &effect.wanted else { return None };
    let Command::Chat(command) = &order.command else { return None };
    let Conversation { account, channel, chat, .. } = conversation;
    let entry = entry(command)?;
    Some(put(keys::sent(account, channel, chat, &effect.id), effect.at, &entry))
}

/// What a command wants sent.
pub fn entry(command: &ChatCommand) -> Option<Entry> {
    match command {
        ChatCommand::SendMessage { text, origin, .. } => {
            Some(Entry::Sent { origin: origin.clone(), text: text.clone() })
        }
        ChatCommand::SendImage { origin, .. } => Some(Entry::Picture { origin: origin.clone() }),
        _ => None,
    }
}

/// A message of the chat is ours: whether its echo came before or comes later, it is known.
pub fn is_ours(conversation: &Conversation, id: &str, effect: &EffectId, at: Timestamp) -> Update {
    let key = row_of(conversation, &Mark::Message(id.to_owned()));
    Update::new(key).set("schema", SCHEMA).set("at", at.0).set("effect", effect.0.clone())
}

/// A message was taken back: its row says so, whichever of the two comes first.
pub fn deleted(conversation: &Conversation, id: &str, at: Timestamp) -> Update {
    Update::new(row_of(conversation, &Mark::Message(id.to_owned()))).set("schema", SCHEMA).set("deleted_at", at.0)
}

/// A voice message of the chat can be heard there, until then.
pub fn voice(conversation: &Conversation, id: &str, url: &str, until: Timestamp) -> Update {
    let key = row_of(conversation, &Mark::Message(id.to_owned()));
    Update::new(key).set("voice", url.to_owned()).set("voice_until", until.0).when(Condition::Present)
}

/// What a person did under an `Idempotency-Key`, for a day.
pub fn once(conversation: &Conversation, key: &str, done: &Done) -> Update {
    Update::new(row_of(conversation, &Mark::Once(key.to_owned())))
        .set("schema", SCHEMA)
        .set("at", done.at.0)
        .set("digest", done.digest.clone())
        .set("expires", done.at.after(ONCE).seconds())
        .when(Condition::Or(vec![Condition::Absent, Condition::Lt("at".to_owned(), Value::N(done.at.0 - ONCE.0))]))
}

/// The digest under which a row of [`once`] was put, as long as it counts.
pub fn digest(row: &Row, now: Timestamp) -> Option<String> {
    let at = Timestamp(row.n("at").unwrap_or_default());
    row.s("digest").filter(|_| now.since(at) < ONCE).map(str::to_owned)
}
