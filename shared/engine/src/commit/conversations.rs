//! Conversations in the commit loop: what was written is remembered, and stands in the history.

use perezvon_domain::chat::ChatResult;
use perezvon_domain::conversation::event::{Author, Message};
use perezvon_domain::conversation::{Conversation, decide};
use perezvon_domain::{ConversationEvent, ConversationEventKind as Kind, JobResult, Policy, Timestamp};
use perezvon_store::items::base::{Base, version_of};
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::due::Timer;
use perezvon_store::items::history;
use perezvon_store::items::window::{Mark, Window};
use perezvon_store::table::Update;
use perezvon_store::{Key, Row, TableError, keys};
use sha2::{Digest, Sha256};

use super::aggregate::{Aggregate, Decided, Dedup, ItemId, News};
use super::rows::Put;

impl Aggregate for ConversationItem {
    type State = Conversation;
    type Kind = Kind;
    type Event = ConversationEvent;

    fn key(id: &ItemId) -> Key {
        keys::chat(&id.account, &id.channel, &id.entry)
    }

    fn absent(id: &ItemId, received_at: Timestamp) -> Self {
        Self::absent(&id.account, &id.channel, &id.entry, received_at)
    }

    fn read(row: &Row) -> Result<Self, TableError> {
        Self::read(row)
    }

    fn base(&self) -> &Base {
        &self.base
    }

    fn state(&self) -> &Conversation {
        &self.conversation
    }

    fn at(conversation: &Conversation) -> Timestamp {
        conversation.at
    }

    fn event(id: &ItemId, now: Timestamp, kind: Kind) -> ConversationEvent {
        let (channel, chat) = (id.channel.clone(), id.entry.clone());
        ConversationEvent { channel, chat, occurred_at: now, received_at: now, kind }
    }

    fn question(timer: Timer) -> Kind {
        match timer {
            Timer::Wake => Kind::WakeDue,
            Timer::Reply => Kind::ReplyDue,
            Timer::Close => Kind::CloseDue,
        }
    }

    fn timer(event: &ConversationEvent) -> Option<Timer> {
        match event.kind {
            Kind::WakeDue => Some(Timer::Wake),
            Kind::ReplyDue => Some(Timer::Reply),
            Kind::CloseDue => Some(Timer::Close),
            _ => None,
        }
    }

    fn decide(&self, events: &[ConversationEvent], policy: &Policy, now: Timestamp) -> Decided<Conversation> {
        let decision = decide(&self.conversation, events, policy, now);
        let wanted = vec![
            (Timer::Wake, decision.wake_due),
            (Timer::Reply, decision.reply_due),
            (Timer::Close, decision.close_due),
        ];
        Decided { next: decision.next, effects: decision.effects, changed: decision.changed, wanted }
    }

    fn is_taken(id: &ItemId, event: &ConversationEvent, policy: &Policy) -> bool {
        let is_news = matches!(
            event.kind,
            Kind::MessageReceived(_) | Kind::MessageDeleted { .. } | Kind::ClientKnown(_) | Kind::ClientLeft
        );
        // What the provider tells of a superseded channel it tells the one that lives, too.
        !is_news || policy.channels.get(&id.channel).is_none_or(|rules| rules.superseded.is_none())
    }

    fn commit(&self, decided: &Decided<Conversation>, window: &Window, policy: &Policy) -> Update {
        Self::commit(self, &decided.next, &decided.effects, window, &decided.next.row(policy))
    }

    fn window(&self) -> Option<&Window> {
        Some(&self.window)
    }

    fn dedup(news: &News<ConversationEvent>) -> Option<Dedup> {
        let occurred_at = news.event.occurred_at;
        match (&news.event.kind, &news.once) {
            // What we sent ourselves may be told late, whatever time it carries: its row says that it is ours.
            (Kind::MessageReceived(message), _) => Some(Dedup {
                mark: Mark::Message(message.id.clone()),
                occurred_at,
                always: message.from == Author::Agent,
            }),
            (_, Some(once)) => Some(Dedup { mark: Mark::Once(once.key.clone()), occurred_at, always: true }),
            _ => None,
        }
    }

    fn told_of(event: &ConversationEvent) -> Option<(String, Timestamp)> {
        ours(&event.kind).map(|(_, message)| (message.to_owned(), event.occurred_at))
    }

    fn row_of(&self, mark: &Mark) -> Option<Key> {
        Some(history::row_of(&self.conversation, mark))
    }

    fn rows(&self, news: &[News<ConversationEvent>]) -> Vec<Put> {
        let its = &self.conversation;
        let mut rows: Vec<Put> = news.iter().filter_map(|news| row(its, news)).collect();
        rows.extend(self.base.outbox.iter().filter_map(|effect| Some(history::sent(its, effect)?.into())));
        for (key, done) in &self.window.once {
            let asked = news.iter().any(|news| news.once.as_ref().is_some_and(|once| once.key == *key));
            if asked || self.base.outbox.iter().any(|effect| version_of(&effect.id) == done.version) {
                rows.push(history::once(its, key, done).into());
            }
        }
        rows
    }
}

/// The row of an event itself.
fn row(its: &Conversation, news: &News<ConversationEvent>) -> Option<Put> {
    let event = &news.event;
    match &event.kind {
        Kind::MessageReceived(message) => Some(said(its, message, event.occurred_at)),
        Kind::MessageDeleted { message } => Some(history::deleted(its, message, event.received_at).into()),
        Kind::JobEnded { result: JobResult::Chat(ChatResult::VoiceRead { message, url, until }), .. } => {
            Some(history::voice(its, message, url, *until).into())
        }
        Kind::NoteWritten { by, text } => {
            let id = news.once.as_ref().map_or_else(
                || event.received_at.0.to_string(),
                |once| {
                    // A key may come again after its day, with another note.
                    format!("{}.{}", once.key, once.digest)
                },
            );
            Some(history::note(its, &id, event.received_at, by, text).into())
        }
        kind => ours(kind).map(|(effect, message)| history::is_ours(its, message, effect, event.occurred_at).into()),
    }
}

/// A message of the chat: what is too long for its row begins there, and stands whole in the blob store.
fn said(its: &Conversation, message: &Message, occurred_at: Timestamp) -> Put {
    if message.text.len() <= history::INLINE {
        return history::message(its, message, occurred_at).into();
    }
    let key = history::row_of(its, &Mark::Message(message.id.clone()));
    // Ids of providers may be longer than the name of a blob.
    let digest = Sha256::digest(format!("{}#{}", key.pk(), key.sk()));
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let blob = keys::text(&its.account, &digest);
    let row = history::beginning(its, message, occurred_at, &blob);
    Put { row, long: Some((blob, message.text.clone())) }
}

/// A message that the provider says it took, and the effect that asked for it.
fn ours(kind: &Kind) -> Option<(&perezvon_domain::EffectId, &str)> {
    match kind {
        Kind::JobEnded { effect, result: JobResult::Chat(ChatResult::Sent { message }) } => Some((effect, message)),
        _ => None,
    }
}
