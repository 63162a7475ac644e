//! Decisions on conversations, told as sentences.

mod closing;
mod echo;
mod guards;
mod people;
mod properties;
mod records;
mod replies;
mod table;
mod timeline;
mod words;

use std::collections::BTreeMap;

use super::event::{Author, ConversationEvent, ConversationEventKind as Kind, Message, MessageKind};
use super::timeline::describe;
use super::*;
use crate::chat::{ChatCommand, ChatResult, Image};
use crate::effect::{Command, Effect, Wanted};
use crate::hours::Hours;
use crate::inbox::{AutoReply, Inbox, OffHours, Receiver, Staff};
use crate::job::JobResult;
use crate::policy::{ChannelRules, Employee, Policy};

/// A time of day of Friday, 20 November 2026, in UTC.
fn at(hours: i64, minutes: i64) -> Timestamp {
    Timestamp::from_seconds(1_795_132_800 + hours * 3600 + minutes * 60)
}

/// Open from nine to six.
fn nine_to_six() -> Hours {
    let week = std::array::from_fn(|_| vec!["09:00-18:00".parse().expect("an interval")]);
    Hours::new("UTC", week, BTreeMap::new()).expect("working hours")
}

fn step(text: &str, minutes: i64) -> AutoReply {
    AutoReply { text: text.to_owned(), delay: Millis::minutes(minutes) }
}

fn employee(id: &str, name: &str, active: bool) -> Employee {
    Employee { id: id.into(), name: name.to_owned(), extension: None, crm_user: Some(id.into()), active }
}

/// By day two autoreplies, by night one; closed after 48 hours, with a text.
fn inbox() -> Inbox {
    Inbox {
        receiver: Receiver::Staff(Staff::Group("Продажи".into())),
        working: vec![step("Скоро ответим", 5), step("Ещё немного", 20)],
        off_hours: OffHours::AutoReplies(vec![step("Ответим утром", 2)]),
        close_after: Some(Millis::minutes(48 * 60)),
        closing_text: Some("Спасибо, что написали!".into()),
        max_text: 100,
        can_initiate: false,
        read_chat: false,
        takes_images: true,
        delete_within: None,
        records: None,
    }
}

fn policy_of(inbox: Option<Inbox>) -> Policy {
    let channel = ChannelRules {
        name: "Объявления".into(),
        source: "Чаты".into(),
        connection: "channel:ads".into(),
        copy_recordings: false,
        expects_recordings: false,
        reads_calls: false,
        routes_calls: false,
        line: None,
        recordings_need_login: false,
        inbox,
        superseded: None,
    };
    Policy {
        account: "school".into(),
        version: 1,
        time_zone: "UTC".into(),
        employees: vec![
            employee("anna", "Анна", true),
            employee("petrova", "Петрова", true),
            employee("sidorov", "Сидоров", false),
        ],
        groups: BTreeMap::from([("Продажи".into(), vec!["petrova".into()]), ("Пустая".into(), vec!["sidorov".into()])]),
        fallback: "anna".into(),
        scenarios: vec![],
        crm: None,
        channels: BTreeMap::from([("ads".into(), channel)]),
        hours: nine_to_six(),
        popups: None,
        dismissed: Vec::new(),
        waits: Default::default(),
    }
}

fn message(id: &str, from: Author) -> Kind {
    let text = format!("Текст {id}");
    Kind::MessageReceived(Message {
        id: id.into(),
        from,
        author: None,
        kind: MessageKind::Text,
        text,
        details: BTreeMap::new(),
    })
}

fn reply(text: &str) -> Kind {
    Kind::ReplyWritten { by: "petrova".into(), parts: vec![text.into()] }
}

fn close() -> Kind {
    Kind::ClosedByAgent { by: "petrova".into() }
}

fn event(occurred_at: Timestamp, received_at: Timestamp, kind: Kind) -> ConversationEvent {
    ConversationEvent { channel: "ads".into(), chat: "u2i-1".into(), occurred_at, received_at, kind }
}

fn new() -> Conversation {
    Conversation::new("school".into(), "ads".into(), "u2i-1".into(), at(0, 0))
}

/// A conversation with the effects of its life so far.
struct Life {
    it: Conversation,
    policy: Policy,
    effects: Vec<Effect>,
    /// The last due times.
    due: (Option<Timestamp>, Option<Timestamp>),
}

impl Life {
    fn with(inbox: Inbox) -> Self {
        Self { it: new(), policy: policy_of(Some(inbox)), effects: Vec::new(), due: (None, None) }
    }

    fn new() -> Self {
        Self::with(inbox())
    }

    fn inbox(&mut self) -> &mut Inbox {
        let rules = self.policy.channels.get_mut(&"ads".into()).expect("the channel");
        rules.inbox.as_mut().expect("an inbox")
    }

    /// Takes events in and tells what is wanted, but for facts.
    fn take(&mut self, events: &[ConversationEvent], now: Timestamp) -> Vec<String> {
        let decision = decide(&self.it, events, &self.policy, now);
        self.due = (decision.reply_due, decision.close_due);
        assert!(decision.changed || decision.effects.is_empty(), "an effect comes only from a change of state");
        if decision.changed {
            self.it = decision.next;
        }
        let jobs = decision.effects.iter().filter(|effect| matches!(effect.wanted, Wanted::Job(_)));
        let told = jobs.map(describe).collect();
        self.effects.extend(decision.effects);
        told
    }

    /// Something happens and is received in that very moment.
    fn hear(&mut self, now: Timestamp, kind: Kind) -> Vec<String> {
        self.take(&[event(now, now, kind)], now)
    }

    fn client(&mut self, now: Timestamp) -> Vec<String> {
        self.hear(now, message(&format!("c{}", now.0), Author::Client))
    }

    fn outside(&mut self, now: Timestamp) -> Vec<String> {
        self.hear(now, message(&format!("o{}", now.0), Author::Agent))
    }

    fn reply(&mut self, now: Timestamp) -> Vec<String> {
        self.hear(now, reply("Добрый день!"))
    }

    fn close(&mut self, now: Timestamp) -> Vec<String> {
        self.hear(now, close())
    }

    fn timers(&mut self, now: Timestamp) -> Vec<String> {
        let told = self.hear(now, Kind::ReplyDue);
        [told, self.hear(now, Kind::CloseDue)].concat()
    }

    /// The last message that was ordered.
    fn last_send(&self) -> EffectId {
        let sends = |effect: &&Effect| describe(effect).starts_with("SendMessage");
        self.effects.iter().rev().find(sends).expect("a message").id.clone()
    }

    fn ended(&mut self, now: Timestamp, effect: &EffectId, result: JobResult) -> Vec<String> {
        self.hear(now, Kind::JobEnded { effect: effect.clone(), result })
    }

    fn sent(&mut self, now: Timestamp, effect: &EffectId, id: &str) -> Vec<String> {
        self.ended(now, effect, JobResult::Chat(ChatResult::Sent { message: id.to_owned() }))
    }

    /// Every open send is delivered.
    fn deliver(&mut self, now: Timestamp) {
        for effect in self.it.sends.keys().cloned().collect::<Vec<_>>() {
            self.sent(now, &effect, &format!("ours-{effect}"));
        }
    }

    fn facts(&self) -> Vec<String> {
        let facts = self.effects.iter().filter(|effect| matches!(effect.wanted, Wanted::Fact(_)));
        facts.map(describe).collect()
    }

    fn texts(&self) -> Vec<String> {
        let text = |effect: &Effect| match &effect.wanted {
            Wanted::Job(order) => match &order.command {
                Command::Chat(command) => command.text().map(str::to_owned),
                _ => None,
            },
            _ => None,
        };
        self.effects.iter().filter_map(text).collect()
    }

    fn said(&self, code: &str) -> Vec<String> {
        let said = self.it.because.iter().filter(|because| because.reason.code == code);
        said.map(|because| because.reason.words()).collect()
    }

    fn is_open(&self) -> bool {
        self.it.state == State::Open
    }
}

const NOTHING: [&str; 0] = [];
const FIRST: &str = "SendMessage (autoreply 1)";
const SECOND: &str = "SendMessage (autoreply 2)";
const REPLY: &str = "SendMessage (reply)";
const CLOSING: &str = "SendMessage (closing text)";

fn employee_receives(id: &str) -> Inbox {
    Inbox { receiver: Receiver::Staff(Staff::Employee(id.into())), ..inbox() }
}

fn quiet() -> Inbox {
    Inbox { working: vec![], off_hours: OffHours::default(), closing_text: None, ..inbox() }
}

fn image() -> Image {
    Image { blob: "school/ads/images/1".into(), media_type: "image/png".into() }
}

/// The command of the last effect that is a job.
fn last_command(life: &Life) -> ChatCommand {
    let job = |effect: &Effect| match &effect.wanted {
        Wanted::Job(order) => match &order.command {
            Command::Chat(command) => Some(command.clone()),
            _ => None,
        },
        _ => None,
    };
    life.effects.iter().rev().find_map(job).expect("a job")
}
