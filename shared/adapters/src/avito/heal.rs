//! Healing: what was not pushed is read off the list of chats and the messages of those that changed. Nothing here
//! changes anything at the provider, so all of it may be read again.

use perezvon_domain::time::Millis;
use perezvon_domain::{JobResult, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, hear};
use super::intake::{USER_ID, is_from_provider};
use super::look::{LAST_OFFSET, NO_MESSAGES, goes_on, messages};
use super::request::{self, PAGE};
use super::value::{text, time};
use super::{message, token};
use crate::healing;
use crate::intake::ChatNews;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where its state is kept.
const STATE: &str = "heal";
/// So much is read once more: for the clocks, and for what shows late in the lists.
const OVERLAP: Millis = Millis::minutes(5);
/// After so long the jobs of people come in between, and how far it is goes into the job's row.
const PART: Millis = Millis::seconds(5);
/// Longer than a request may take: the rest must not be over before it began.
const REST: Millis = Millis::seconds(12);

/// How far it is.
#[derive(Serialize, Deserialize)]
struct Heal {
    /// When it began: what is written afterwards is left to the next time.
    began: Timestamp,
    not_before: Timestamp,
    /// Place of the next page in the list of chats; `None`: there is none.
    offset: Option<usize>,
    /// Changed chats of the last page that are still to be read, the next one last, each with its advertisement.
    chats: Vec<(String, String)>,
    /// Place of the next page in the messages of that one.
    place: usize,
    part_began: Timestamp,
    rest_until: Option<Timestamp>,
}

fn state(work: &Work) -> Option<Heal> {
    serde_json::from_str(work.progress.get(STATE)?).ok()
}

fn start(known: &Known<'_>, since: Timestamp) -> Heal {
    Heal {
        began: known.now,
        not_before: healing::not_before(known, since, OVERLAP),
        offset: Some(0),
        chats: Vec::new(),
        place: 0,
        part_began: known.now,
        rest_until: None,
    }
}

/// The next page: of the chat that is read, else of the list.
pub(super) fn next(work: &Work, known: &Known<'_>) -> Step {
    let Some(heal) = state(work) else { return Step::Read(request::list(known, 0)) };
    if let Some(until) = heal.rest_until.filter(|until| *until > known.now) {
        return Step::Wait {
            until, why: "пропущенные сообщения читаются по частям".to_owned()
        };
    }
    match (heal.chats.last(), heal.offset) {
        (Some((chat, _)), _) => Step::Read(request::messages(known, chat, heal.place)),
        (None, Some(offset)) => Step::Read(request::list(known, offset)),
        (None, None) => Step::Done(JobResult::Healed),
    }
}

/// Takes a page in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, since: Timestamp) -> Outcome {
    let mut heal = state(work).unwrap_or_else(|| start(known, since));
    let chat = heal.chats.last().cloned();
    if chat.is_some() && is_of_the_chat(reply.status, known) {
        heal.leave_chat();
    } else {
        let body = match hear(work, known, reply) {
            Answer::Said(body) => body,
            Answer::Settled(outcome) => return outcome,
        };
        let taken = match &chat {
            Some(chat) => messages(&body).map(|page| work.learned.chats = heal.take_messages(page, chat, known)),
            None => body["chats"].as_array().map(|page| heal.take_chats(page)),
        };
        if taken.is_none() {
            let why = if chat.is_some() { NO_MESSAGES } else { "Avito прислал не список чатов" };
            return Outcome::Unknown { why: why.to_owned() };
        }
    }
    if heal.chats.is_empty() && heal.offset.is_none() {
        healing::healed(work, heal.began);
    }
    heal.rest_after_a_part(known.now);
    work.progress.insert(STATE.to_owned(), serde_json::to_string(&heal).unwrap_or_default());
    Outcome::Next
}

/// One chat that is gone or closed to us keeps nobody from the others. Whether the account is refused, the list tells.
fn is_of_the_chat(status: u16, known: &Known<'_>) -> bool {
    matches!(status, 400 | 404) || status == 403 && token::is_fresh(known)
}

impl Heal {
    fn take_chats(&mut self, page: &[Value]) {
        let changed = |chat: &&Value| {
            // Its time may be missing, or stay behind its last message.
            let at = time(&chat["updated"]).max(time(&chat["last_message"]["created"]));
            at.is_none_or(|at| at >= self.not_before)
        };
        let named = |chat: &Value| (text(&chat["id"]), text(&chat["context"]["value"]["id"]));
        let chats: Vec<_> = page.iter().filter(changed).map(named).filter(|(id, _)| !id.is_empty()).collect();
        let offset = self.offset.unwrap_or_default() + PAGE;
        self.offset = Some(offset).filter(|to| goes_on(page, "updated", self.not_before) && *to <= LAST_OFFSET);
        self.chats = chats.into_iter().rev().collect();
    }

    fn take_messages(&mut self, page: &[Value], chat: &(String, String), known: &Known<'_>) -> Vec<ChatNews> {
        let found = page.iter().filter_map(|message| self.news(message, chat, known)).collect();
        match self.place + PAGE {
            place if goes_on(page, "created", self.not_before) && place <= LAST_OFFSET => self.place = place,
            _ => self.leave_chat(),
        }
        found
    }

    /// What a push of this message would have told. One that was taken back has nothing left to tell.
    fn news(&self, message: &Value, (chat, item): &(String, String), known: &Known<'_>) -> Option<ChatNews> {
        let is_new = time(&message["created"]).is_some_and(|created| created >= self.not_before);
        if !is_new || text(&message["type"]) == "deleted" {
            return None;
        }
        let ours = known.secret.get(USER_ID).trim();
        let mut value = message.clone();
        let fields = value.as_object_mut()?;
        let told = [("chat_id", chat.as_str()), ("item_id", item), (USER_ID, ours)];
        fields.extend(told.map(|(name, value)| (name.to_owned(), Value::from(value))));
        if text(&message["author_id"]).is_empty() && text(&message["direction"]) == "out" {
            fields.insert("author_id".to_owned(), Value::from(ours));
        }
        if is_from_provider(&value) {
            return None;
        }
        message::told(&value, None).ok()
    }

    fn leave_chat(&mut self) {
        self.chats.pop();
        self.place = 0;
    }

    fn rest_after_a_part(&mut self, now: Timestamp) {
        if self.rest_until.take().is_some() {
            self.part_began = now;
        }
        let is_over = self.chats.is_empty() && self.offset.is_none();
        self.rest_until = Some(now.after(REST)).filter(|_| !is_over && now.since(self.part_began) >= PART);
    }
}
