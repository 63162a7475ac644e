//! What the commit loop must know of an aggregate. The loop is one; what differs between calls and conversations
//! stands here.

use perezvon_domain::{AccountId, ChannelId, Effect, Policy, Timestamp};
use perezvon_store::items::base::Base;
use perezvon_store::items::due::Timer;
use perezvon_store::items::window::{Mark, Window};
use perezvon_store::table::Update;
use perezvon_store::{Key, Row, TableError};
use serde::Serialize;

use super::rows::Put;

/// Which call or conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    pub account: AccountId,
    pub channel: ChannelId,
    /// The provider's id of the call or of the chat.
    pub entry: String,
}

/// What a person does may be asked for twice under one `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    pub key: String,
    /// Of the body.
    pub digest: String,
}

/// An event, and the key of the person's request that it comes from.
#[derive(Clone, Debug)]
pub struct News<E> {
    pub event: E,
    pub once: Option<Once>,
}

/// What the core decided.
pub struct Decided<S> {
    pub next: S,
    pub effects: Vec<Effect>,
    pub changed: bool,
    /// Every timer of the aggregate, and when it must ask.
    pub wanted: Vec<(Timer, Option<Timestamp>)>,
}

/// Under which name an event is remembered.
pub struct Dedup {
    pub mark: Mark,
    /// The provider's time.
    pub occurred_at: Timestamp,
    /// Its row is looked up even if it is no late event.
    pub always: bool,
}

/// An item with its aggregate.
pub trait Aggregate: Clone + Send + Sync {
    /// The aggregate.
    type State: Clone + Send + Sync;
    /// What happens to it.
    type Kind: Send;
    /// The same with whom it happens to, and when.
    type Event: Clone + Serialize + Send + Sync;

    /// Its key.
    fn key(id: &ItemId) -> Key;
    /// One that is not in the table yet.
    fn absent(id: &ItemId, received_at: Timestamp) -> Self;
    /// One that is.
    fn read(row: &Row) -> Result<Self, TableError>;
    /// The row of another item that the next decision looks at.
    fn beside(&self) -> Option<Key> {
        None
    }
    /// Takes a look at that row.
    fn look(&mut self, _row: &Row) {}
    /// What all items have in common.
    fn base(&self) -> &Base;
    /// The aggregate as it was read.
    fn state(&self) -> &Self::State;
    /// The item's time at this state.
    fn at(state: &Self::State) -> Timestamp;
    /// An event of our own.
    fn event(id: &ItemId, now: Timestamp, kind: Self::Kind) -> Self::Event;
    /// The question of a timer.
    fn question(timer: Timer) -> Self::Kind;
    /// A person's command of this kind makes the item; others find it.
    fn begins(_kind: &Self::Kind) -> bool {
        false
    }
    /// The timer that asks by this event.
    fn timer(event: &Self::Event) -> Option<Timer>;
    /// The core.
    fn decide(&self, events: &[Self::Event], policy: &Policy, now: Timestamp) -> Decided<Self::State>;
    /// The write of a decision, without its due times.
    fn commit(&self, decided: &Decided<Self::State>, window: &Window, policy: &Policy) -> Update;
    /// Whether the event is taken in at all.
    fn is_taken(_id: &ItemId, _event: &Self::Event, _policy: &Policy) -> bool {
        true
    }
    /// What it remembers of what was written; `None`: all its events are idempotent by state.
    fn window(&self) -> Option<&Window> {
        None
    }
    /// Under which name this event is remembered; `None`: it is idempotent by state.
    fn dedup(_news: &News<Self::Event>) -> Option<Dedup> {
        None
    }
    /// A message that a result tells of: its echo is to be known.
    fn told_of(_event: &Self::Event) -> Option<(String, Timestamp)> {
        None
    }
    /// The row that stands for a mark.
    fn row_of(&self, _mark: &Mark) -> Option<Key> {
        None
    }
    /// Step 6: rows of these events, and of the texts in the outbox.
    fn rows(&self, _news: &[News<Self::Event>]) -> Vec<Put> {
        Vec::new()
    }
}
