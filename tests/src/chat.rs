//! A provider of chats that exists in the World alone: an adapter, the outside behind it, and an account that has a
//! channel of it. Conversation events come straight onto the event queue.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use perezvon_adapters::{
    Capabilities, Codec, Expect, Jobs, Known, Level, Marker, Outcome, Outgoing, PROVIDERS, Provider, Reply, Role,
    Secret, Signature, Step, TokenPair, Work,
};
use perezvon_domain::chat::ChatResult;
use perezvon_domain::conversation::NotReplied;
use perezvon_domain::conversation::event::{Author, Message, MessageKind};
use perezvon_domain::inbox::Inbox;
use perezvon_domain::policy::ChannelRules;
use perezvon_domain::time::Millis;
use perezvon_domain::{
    ChatCommand, Command, ConversationEvent, ConversationEventKind, Envelope, JobResult, Lane, Policy, Timestamp,
};
use perezvon_engine::commit::{Commanded, ItemId, Once, event_message};
use perezvon_engine::jobs;
use perezvon_engine::secrets::{ConnectionSecret, JobTimes};
use perezvon_platform::{Message as Queued, Queue};
use perezvon_sandbox::{Request, Response};
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::settings::{SettingsHead, SettingsVersion};
use perezvon_store::items::text;
use perezvon_store::{Update, keys};
use serde_json::json;

use crate::World;

const ID: &str = "chats";
/// The connection of the account's channel of chats.
pub const CONNECTION: &str = "channel:ads";

static CHATS: Provider = Provider {
    id: ID,
    name: "Чаты",
    capabilities: Capabilities {
        role: Role::Chat,
        body_limit: 0,
        pace_ms: 100,
        max_text: 1000,
        can_initiate: false,
        read_chat: false,
        subscribes: false,
        heals_every: None,
        reads_calls: false,
        routes_calls: false,
        names_outgoing_line: false,
        links_last: false,
        takes_images: false,
        calls_back: false,
        lists_users: false,
        delete_within: None,
        synchronous: &[],
        signature: Signature::UrlTokenOnly { why: "it posts nothing" },
    },
    settings: PROVIDERS[0].settings,
};

static CODEC: Codec = Codec { provider: &CHATS, intake: None, jobs: Some(&Adapter), lab: None, answer: None };

/// What speaks in the World: with those that there are, and with this one.
pub fn codec(id: &str) -> Option<&'static Codec> {
    if id == ID { Some(&CODEC) } else { jobs::codec(id) }
}

struct Adapter;

impl Jobs for Adapter {
    fn next(&self, work: &Work, known: &Known<'_>) -> Step {
        let Command::Chat(command) = &work.command else { panic!("no command of a chat") };
        let ChatCommand::SendMessage { chat, text, .. } = command else {
            return Step::Done(JobResult::Chat(ChatResult::MarkedRead));
        };
        if let Some(message) = work.progress.get("message") {
            return Step::Done(JobResult::Chat(ChatResult::Sent { message: message.clone() }));
        }
        let (method, body) = match work.unknown {
            true => ("GET", Vec::new()),
            false => ("POST", json!({ "chat": chat, "text": text }).to_string().into_bytes()),
        };
        let url = format!("{}/messages?marker={}", known.base, work.id);
        let request = Outgoing { method, url, headers: Vec::new(), body, expect: Expect::Small };
        if work.unknown { Step::Read(request) } else { Step::Write { request, marker: 0 } }
    }

    fn absorb(&self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        match reply.status {
            404 => Outcome::NotThere,
            429 => Outcome::Pause {
                until: Some(known.now.after(Millis::minutes(1))), why: "просит подождать".into()
            },
            _ => {
                work.progress.insert("message".to_owned(), String::from_utf8_lossy(&reply.body).into_owned());
                Outcome::Next
            }
        }
    }

    fn markers(&self) -> &'static [Marker] {
        &[Marker { entity: "message", level: Level::E1, lag: Millis(10_000) }]
    }

    fn refresh(&self, _: &Known<'_>) -> Option<Outgoing> {
        None
    }

    fn refreshed(&self, _: &Known<'_>, _: &Reply) -> Result<TokenPair, String> {
        Err("no token".to_owned())
    }

    fn refresh_due(&self, _: &Secret) -> Option<Timestamp> {
        None
    }
}

/// The outside: what stands in its chats.
#[derive(Default)]
pub struct Chats {
    /// Texts in the order they came, each with its marker and the time.
    pub texts: Vec<(String, String, Timestamp)>,
    /// Answers 429 until then.
    pub busy_until: Timestamp,
}

impl Chats {
    /// Answers a request.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if now_ms < self.busy_until.0 {
            return Response::empty(429);
        }
        let place = |texts: &[(String, String, Timestamp)]| texts.iter().position(|(it, ..)| *it == request.query);
        if request.method == "POST" {
            let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
            let text = body["text"].as_str().unwrap_or_default().to_owned();
            self.texts.push((request.query.clone(), text, Timestamp(now_ms)));
        }
        let found = if request.method == "POST" { Some(self.texts.len() - 1) } else { place(&self.texts) };
        match found {
            Some(place) => Response { body: format!("ours-{place}").into_bytes(), ..Response::empty(200) },
            None => Response::empty(404),
        }
    }
}

/// The chat of the stories.
pub fn id() -> ItemId {
    ItemId { account: "school".into(), channel: "ads".into(), entry: "u2i-1".to_owned() }
}

/// A message of the chat.
pub fn message(id: &str, from: Author) -> ConversationEventKind {
    let text = format!("Текст {id}");
    let details = BTreeMap::new();
    ConversationEventKind::MessageReceived(Message {
        id: id.to_owned(),
        from,
        author: None,
        kind: MessageKind::Text,
        text,
        details,
    })
}

impl World {
    /// Gives the account `school` a channel of chats.
    pub fn add_chats(&mut self, inbox: Inbox) {
        self.has_chats = true;
        let id = id();
        let policy = Policy {
            channels: BTreeMap::from([(
                id.channel.clone(),
                ChannelRules {
                    name: "Объявления".to_owned(),
                    source: "Чаты".to_owned(),
                    connection: CONNECTION.into(),
                    copy_recordings: false,
                    expects_recordings: false,
                    reads_calls: false,
                    routes_calls: false,
                    line: None,
                    recordings_need_login: false,
                    inbox: Some(inbox),
                    superseded: None,
                },
            )]),
            ..self.policy()
        };
        let version = Update::new(keys::settings_version(&id.account, policy.version)).set("policy", text(&policy));
        self.table.write(version).expect("written");
        let connection = CONNECTION.into();
        self.table.write(ConnectionRow::put(&id.account, &connection, Lane::Outbound)).expect("written");
        self.table.write(ConnectionRow::put_entry(&id.account, &connection, Lane::Outbound)).expect("written");
        let name = ConnectionSecret::name(&id.account, &connection);
        let secret = ConnectionSecret {
            account: id.account,
            connection,
            provider: ID.to_owned(),
            base: "https://chat.test".to_owned(),
            secret: Secret::default(),
            times: JobTimes::default(),
        };
        self.secrets.records.lock().unwrap_or_else(PoisonError::into_inner).insert(name, text(&secret));
    }

    /// The account's rules as they stand.
    pub fn policy(&self) -> Policy {
        let account = id().account;
        let head = SettingsHead::read(&self.table.row(&keys::settings_head(&account)).expect("settings"));
        let version = head.expect("a head").version;
        let row = self.table.row(&keys::settings_version(&account, version)).expect("a version");
        SettingsVersion::read(&row).expect("readable").policy
    }

    /// What stands in the chats outside.
    pub fn chats<T>(&self, look: impl FnOnce(&mut Chats) -> T) -> T {
        look(&mut self.http.chats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something happens to the conversation, now.
    pub async fn happens(&mut self, kind: ConversationEventKind) {
        self.happened(self.now(), kind).await;
    }

    /// Something happened to the conversation then, and is told now: again and again, until it is taken.
    pub async fn happened(&mut self, occurred_at: Timestamp, kind: ConversationEventKind) {
        let message = told(occurred_at, self.now(), kind);
        loop {
            let (events, message) = (self.events.clone(), message.clone());
            let run = tokio::spawn(async move { events.send(vec![message]).await.is_ok() });
            if self.survive(run).await == Some(true) {
                return;
            }
        }
    }

    /// The conversation as it stands in the table.
    pub fn conversation(&self) -> ConversationItem {
        self.conversation_in(&id().entry).expect("the conversation")
    }

    /// The conversation of any chat of the channel, if there is one.
    pub fn conversation_in(&self, chat: &str) -> Option<ConversationItem> {
        let row = self.table.row(&keys::chat(&id().account, &id().channel, chat))?;
        Some(ConversationItem::read(&row).expect("readable"))
    }

    /// An employee replies through a process that may crash; `None`: it did, and nobody got an answer.
    pub async fn reply(&mut self, text: &str, once: &str) -> Option<bool> {
        let (committer, policy, parts) = (self.committer(), Arc::new(self.policy()), vec![text.to_owned()]);
        let once = Once { key: once.to_owned(), digest: text.to_owned() };
        let ends_ms = self.clock.monotonic_ms() + 60_000;
        let run = tokio::spawn(async move {
            let kind = |state: &perezvon_domain::conversation::Conversation| -> Result<_, NotReplied> {
                state.may_reply(&policy, &parts)?;
                Ok(ConversationEventKind::ReplyWritten { by: "anna".into(), parts: parts.clone() })
            };
            let done = committer.command::<ConversationItem, _>(&policy, &id(), Some(&once), kind, ends_ms).await;
            matches!(done, Ok(Commanded::Done(_)))
        });
        self.survive(run).await
    }
}

/// An event of the conversation as a message for the event queue.
pub fn told(occurred_at: Timestamp, received_at: Timestamp, kind: ConversationEventKind) -> Queued {
    told_in(&id().entry, occurred_at, received_at, kind)
}

/// The same of any chat of the channel.
pub fn told_in(chat: &str, occurred_at: Timestamp, received_at: Timestamp, kind: ConversationEventKind) -> Queued {
    let ItemId { account, channel, .. } = id();
    let event = ConversationEvent { channel, chat: chat.to_owned(), occurred_at, received_at, kind };
    event_message(&Envelope { account, received_at, event }, 0)
}
