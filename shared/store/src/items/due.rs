//! Due times: for what an item is to be asked again, and what becomes of such a time in a write.

use perezvon_domain::Timestamp;

use crate::keys;
use crate::table::{Attributes, Index, Update, Value};

/// Why an item is asked. Each has a due time and a sparse index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Whatever has no timer of its own; an item that could not hand over.
    Wake,
    /// Is an autoreply due?
    Reply,
    /// Is the conversation to be closed?
    Close,
}

impl Timer {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wake, Self::Reply, Self::Close];

    /// Where its due times are found.
    pub fn index(self) -> Index {
        match self {
            Self::Wake => Index::WakeDue,
            Self::Reply => Index::ReplyDue,
            Self::Close => Index::CloseDue,
        }
    }

    /// The attribute of its due time.
    pub fn attribute(self) -> &'static str {
        self.index().keys().1
    }

    /// The attribute with the due time that a delayed message was sent for.
    pub fn told(self) -> &'static str {
        match self {
            Self::Wake => "told",
            Self::Reply => "reply_told",
            Self::Close => "close_told",
        }
    }

    /// The due time that stands in a row.
    pub fn due(self, row: &Attributes) -> Option<Timestamp> {
        row.get(self.attribute()).and_then(Value::as_n).map(Timestamp)
    }
}

/// What becomes of a due time in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Leave,
    Set(Timestamp),
    /// The same, and a delayed message waits for it: the sweep leaves it alone until then.
    Told(Timestamp),
    Remove,
}

impl Due {
    /// Puts `wake_due` into a write.
    pub fn apply(self, update: Update) -> Update {
        self.apply_to(Timer::Wake, update)
    }

    /// Puts it into a write; the shard goes with it, so that the index stays sparse.
    pub fn apply_to(self, timer: Timer, update: Update) -> Update {
        let (shard, due) = timer.index().keys();
        match self {
            Self::Leave => update,
            Self::Set(at) => {
                let name = keys::due_shard(&update.key);
                update.set(due, at.0).set(shard, name)
            }
            Self::Told(at) => Self::Set(at).apply_to(timer, update).set(timer.told(), at.0),
            Self::Remove => update.remove(due).remove(shard),
        }
    }
}
