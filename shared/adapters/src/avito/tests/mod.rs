//! What the codec promises, over the bytes in `events/avito/`: requests are compared with the golden files in `out/`.

// Samples are files, and one variable rewrites the expected ones.
#![allow(clippy::disallowed_methods)]

mod answers;
mod authorise;
mod broken;
mod corpus;
mod heal;
mod image;
mod look;
mod sending;
mod settings;
mod signature;

use std::collections::BTreeMap;
use std::path::PathBuf;

use perezvon_domain::{ChatCommand, ChatResult, Command, EffectId, Image, JobResult, Origin, Timestamp};
use serde_json::{Value, json};

use super::{Avito, PROVIDER};
use crate::intake::ChatNews;
use crate::jobs::{Jobs, Known, Outcome, Outgoing, Reply, Step, Work};
use crate::secret::Secret;

const BASE: &str = "https://api.avito.ru";
/// A second after the message of the samples was written.
const NOW: Timestamp = Timestamp::from_seconds(1_772_435_701);
const CHAT: &str = "u2i-AAAAAAAAAAAAAAAAAAAA01";
const TEXT: &str = "Добрый день! Да, в наличии.";
const SENT: &str = "000000000000000000000000a0000003";

/// The golden requests, all of them.
const GOLDEN: [&str; 22] = [
    "account",
    "delete",
    "delete-look",
    "heal-list",
    "heal-list-further",
    "heal-chat",
    "heal-chat-further",
    "mark-read",
    "own-account",
    "read-chat",
    "read-voice",
    "send",
    "send-image",
    "send-image-look",
    "send-look",
    "send-look-further",
    "subscribe",
    "token-code",
    "token-keys",
    "token-pair",
    "unsubscribe",
    "upload-image",
];

/// The sample answers, all of them.
const ANSWERS: [&str; 19] = [
    "chat",
    "chats",
    "error-400",
    "error-401",
    "error-402",
    "error-403",
    "error-404",
    "error-500",
    "error-503",
    "messages-array",
    "messages-wrapped",
    "ok",
    "self",
    "sent",
    "sent-image",
    "token-client",
    "token-user",
    "uploaded",
    "voice",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/avito")
}

fn bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).expect("a sample in JSON")
}

fn answer(name: &str) -> Value {
    assert!(ANSWERS.contains(&name), "{name} is not in the list of answers");
    file(&format!("answers/{name}.json"))
}

fn string(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn golden(name: &str, request: &Outgoing) {
    assert!(GOLDEN.contains(&name), "{name} is not in the list of golden files");
    let body = String::from_utf8(request.body.clone()).expect("a text");
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|_| json!(body));
    let path = request.url.strip_prefix(BASE).expect("our base");
    let shown = json!({ "method": request.method, "path": path, "body": body });
    let path = folder().join(format!("out/{name}.json"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = serde_json::to_string_pretty(&shown).expect("text") + "\n";
        std::fs::write(&path, text).expect("written");
    }
    assert_eq!(shown, file(&format!("out/{name}.json")), "{name}: UPDATE_EXPECTED=1 rewrites it");
}

/// The secret of the samples.
fn ours() -> Secret {
    serde_json::from_value(file("index.json")["secret"].clone()).expect("named values")
}

/// With a token that was issued so many seconds ago.
fn with_token(seconds: i64) -> Secret {
    let mut secret = ours();
    secret.0.insert("access_token".into(), "TEST-ACCESS-TOKEN-0001".into());
    secret.0.insert("issued_at".into(), (NOW.seconds() - seconds).to_string());
    secret.0.insert("expires_at".into(), (NOW.seconds() - seconds + 86_400).to_string());
    secret
}

fn reply(status: u16, body: &Value) -> Reply {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Reply { status, headers: BTreeMap::new(), body, stored: None }
}

fn sending(text: &str) -> Command {
    let origin = Origin::Reply { by: "petrova".into() };
    Command::Chat(ChatCommand::SendMessage { chat: CHAT.into(), text: text.into(), origin })
}

fn picturing() -> Command {
    let origin = Origin::Reply { by: "petrova".into() };
    let image = Image { blob: "school/ads/images/1".into(), media_type: "image/png".into() };
    Command::Chat(ChatCommand::SendImage { chat: CHAT.into(), image, origin })
}

fn deleting() -> Command {
    Command::Chat(ChatCommand::DeleteMessage { chat: CHAT.into(), message: SENT.into() })
}

fn marking() -> Command {
    Command::Chat(ChatCommand::MarkRead { chat: CHAT.into() })
}

fn reading() -> Command {
    Command::Chat(ChatCommand::ReadChat { chat: CHAT.into() })
}

fn hearing() -> Command {
    let (message, voice) = (SENT.into(), "00000000-0000-4000-8000-00000000aa01".into());
    Command::Chat(ChatCommand::ReadVoice { chat: CHAT.into(), message, voice })
}

/// A job and what the engine does with it.
struct Play {
    work: Work,
    facts: BTreeMap<String, String>,
    secret: Secret,
    now: Timestamp,
    /// What the answers told of chats.
    told: Vec<ChatNews>,
}

impl Play {
    fn new(command: Command) -> Self {
        Self::of("conversation/main/chat/3/0", command)
    }

    fn of(id: &str, command: Command) -> Self {
        let work = Work {
            id: EffectId::from(id),
            command,
            progress: BTreeMap::new(),
            unknown: false,
            sent_at: None,
            learned: Default::default(),
        };
        Self { work, facts: BTreeMap::new(), secret: with_token(60), now: NOW, told: Vec::new() }
    }

    fn with<T>(&self, see: impl FnOnce(&Known<'_>) -> T) -> T {
        let (secret, facts) = (&self.secret, &self.facts);
        let (point, recording_link) = (None, None);
        see(&Known { now: self.now, base: BASE, secret, facts, point, recording_link, lag: None })
    }

    fn next(&self) -> Step {
        self.with(|known| Avito.next(&self.work, known))
    }

    /// Gives an answer to whatever was sent and does what the engine does with its meaning.
    fn absorb(&mut self, reply: &Reply) -> Outcome {
        let was_write = matches!(self.next(), Step::Write { .. });
        let mut work = self.work.clone();
        let outcome = self.with(|known| Avito.absorb(&mut work, known, reply));
        match &outcome {
            Outcome::Next => {
                let learned = std::mem::take(&mut work.learned);
                self.told.extend(learned.chats);
                self.facts.extend(learned.facts);
                let row = serde_json::to_string(&work).expect("a row");
                self.work = serde_json::from_str(&row).expect("the same work");
                self.work.unknown = false;
            }
            Outcome::NotThere => {
                self.work = work;
                self.work.unknown = false;
            }
            Outcome::Unknown { .. } if was_write => self.lose(),
            _ => {}
        }
        outcome
    }

    /// The answer to the write does not come.
    fn lose(&mut self) {
        self.work.unknown = true;
        self.work.sent_at = Some(self.now);
    }

    fn read(&mut self, name: &str, status: u16, body: &Value) -> Outcome {
        let Step::Read(request) = self.next() else { panic!("{name}: a read, not {:?}", self.next()) };
        golden(name, &request);
        self.absorb(&reply(status, body))
    }

    fn upload(&mut self, status: u16, body: &Value) -> Outcome {
        let Step::Upload { request, .. } = self.next() else { panic!("an upload, not {:?}", self.next()) };
        golden("upload-image", &request);
        self.absorb(&reply(status, body))
    }

    fn write(&mut self, name: &str, status: u16, body: &Value) -> Outcome {
        let Step::Write { request, .. } = self.next() else { panic!("{name}: a write, not {:?}", self.next()) };
        golden(name, &request);
        self.absorb(&reply(status, body))
    }

    fn done(&self) -> ChatResult {
        match self.next() {
            Step::Done(JobResult::Chat(result)) => result,
            other => panic!("done, not {other:?}"),
        }
    }
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Failed(JobResult::Failed { why, .. }) | Outcome::Pause { why, .. } => why,
        other => panic!("a reason, not {other:?}"),
    }
}

fn sent() -> ChatResult {
    ChatResult::Sent { message: SENT.into() }
}

#[test]
fn every_file_of_answers_and_requests_is_used() {
    for (name, listed) in [("answers", &ANSWERS[..]), ("out", &GOLDEN[..])] {
        let files = std::fs::read_dir(folder().join(name)).expect("a folder");
        for file in files {
            let file = file.expect("a file").file_name().to_string_lossy().into_owned();
            assert!(listed.iter().any(|name| format!("{name}.json") == file), "nothing uses {file}");
        }
    }
}
