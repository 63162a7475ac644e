//! Sending a text and taking one back, and how both are found again.

use perezvon_domain::ChatResult;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::MAX_TEXT;
use super::answer::{Answer, failed, hear};
use super::intake::USER_ID;
use super::jobs::{Made, done, write};
use super::look::{self, Looked};
use super::request;
use super::value::{text, time};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// The fact of the connection that names the last messages we sent.
const SENT: &str = "sent";
/// How many of them: a twin among them is nobody's lost message.
const SENT_KEPT: usize = 24;

/// Sends a text, or looks for it.
pub(super) fn next(work: &Work, known: &Known<'_>, chat: &str, text: &str) -> Step {
    if look::is_open(work) {
        return look::next(work, known, chat);
    }
    match text.chars().count() {
        _ if text.trim().is_empty() => Step::Failed(failed("в сообщении нет текста")),
        length if length > MAX_TEXT => {
            let why = format!("в сообщении {length} символов, а Avito принимает не больше {MAX_TEXT}: разделите его");
            Step::Failed(failed(why))
        }
        _ => {
            let body = json!({ "message": { "text": text }, "type": "text" });
            write(request::command(known, chat, &["messages"], Some(&body)), Made::Message)
        }
    }
}

/// What came of it.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, words: &str) -> Outcome {
    match look::is_open(work) {
        true => looked(work, known, reply, |message| same_words(&message["content"]["text"], words)),
        false => sent(work, known, reply),
    }
}

/// A page of the chat: does our message stand there? `same` tells by what it says.
pub(super) fn looked(work: &mut Work, known: &Known<'_>, reply: &Reply, same: impl Fn(&Value) -> bool) -> Outcome {
    let job = tail(&hash(work.id.as_str()), 8);
    let (ours, not_before) = (known.secret.get(USER_ID).trim(), look::not_before(work));
    let sent = known.facts.get(SENT).map_or("", String::as_str).to_owned();
    let is_it = |message: &Value| {
        let is_out = text(&message["direction"]) == "out" || text(&message["author_id"]) == ours;
        let is_new = time(&message["created"]).is_some_and(|created| created >= not_before);
        is_out && is_new && same(message) && !is_of_another(&sent, message, &job)
    };
    match look::absorb(work, known, reply, is_it) {
        Looked::Found(message) => stands(work, known, message),
        Looked::Absent => look::absent(work),
        Looked::Open(outcome) => outcome,
    }
}

/// The answer to sending.
pub(super) fn sent(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    match hear(work, known, reply) {
        Answer::Said(body) => match text(&body["id"]) {
            id if id.is_empty() => {
                Outcome::Unknown { why: "Avito не назвал номер сообщения".to_owned() }
            }
            id => stands(work, known, id),
        },
        Answer::Settled(outcome) => outcome,
    }
}

/// Spaces may be put otherwise on the way.
fn same_words(found: &Value, words: &str) -> bool {
    found.as_str().is_some_and(|found| found.split_whitespace().eq(words.split_whitespace()))
}

/// The message stands in the chat: its id is the result, and a fact for later look-ups of the same text.
fn stands(work: &mut Work, known: &Known<'_>, message: String) -> Outcome {
    let mine = format!("{}/{}", tail(&message, 12), tail(&hash(work.id.as_str()), 8));
    let before = known.facts.get(SENT).map_or("", String::as_str);
    let others = before.split(' ').filter(|entry| !entry.is_empty() && **entry != mine);
    let mut entries: Vec<&str> = others.collect();
    entries.push(&mine);
    let surplus = entries.len().saturating_sub(SENT_KEPT);
    work.learned.facts.insert(SENT.to_owned(), entries.split_off(surplus).join(" "));
    done(work, &ChatResult::Sent { message })
}

/// Another job is known to have sent this message.
fn is_of_another(sent: &str, message: &Value, job: &str) -> bool {
    let id = tail(&text(&message["id"]), 12);
    sent.split(' ').filter_map(|entry| entry.rsplit_once('/')).any(|(known, by)| known == id && by != job)
}

/// The last characters of a text.
fn tail(text: &str, length: usize) -> String {
    let surplus = text.chars().count().saturating_sub(length);
    text.chars().skip(surplus).filter(|character| *character != ' ').collect()
}

/// What tells jobs apart, in 64 characters that are safe everywhere.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes a message back, or looks whether it was.
pub(super) fn next_deletion(work: &Work, known: &Known<'_>, chat: &str, message: &str) -> Step {
    if look::is_open(work) {
        return look::next(work, known, chat);
    }
    write(request::command(known, chat, &["messages", message], None), Made::Deletion)
}

/// What came of it.
pub(super) fn absorb_deletion(work: &mut Work, known: &Known<'_>, reply: &Reply, message: &str) -> Outcome {
    if look::is_open(work) {
        let is_it = |found: &Value| text(&found["id"]) == message && text(&found["type"]) == "deleted";
        return match look::absorb(work, known, reply, is_it) {
            Looked::Found(_) => done(work, &ChatResult::Deleted),
            Looked::Absent => look::absent(work),
            Looked::Open(outcome) => outcome,
        };
    }
    match hear(work, known, reply) {
        Answer::Said(_) => done(work, &ChatResult::Deleted),
        Answer::Settled(outcome) => outcome,
    }
}
