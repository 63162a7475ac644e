//! Answers that the code puts together key by key, as types for their schemas alone. That they are what is answered is
//! seen by every story that asks the API: a key too many or too few fails it.

#![expect(dead_code, reason = "read by their schemas alone")]

use std::collections::BTreeMap;

use perezvon_domain::policy::Superseded;
use perezvon_domain::{ChannelId, ConnectionId, EmployeeId, Extension, Timestamp};
use perezvon_engine::settings::Problem as Fault;
use perezvon_platform::link::Role;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::calls::CallView;
use crate::conversations::ConversationView;
use crate::explain::{Entity, RecordingView};
use crate::history::MessageView;
use crate::jobs::JobView;
use crate::media::VoiceView;
use crate::order::OrderView;
use crate::status::Status;
use crate::story::Line;

/// Types without code: what is answered under these keys.
macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $key:ident: $kind:ty),* $(,)? })*) => {
        $($(#[$doc])* #[derive(Serialize, JsonSchema)] pub struct $name { $($(#[$of])* $key: $kind),* })*
    };
}

answers! {
    /// What is wrong, and what to do about it, in Russian.
    Problem { error: String, what_to_do: String }

    /// Who one is.
    Me {
        /// Null: every account of the installation.
        account: Option<String>,
        /// Id of the employee.
        name: String,
        role: Role,
        role_words: String,
        may: May,
    }
    /// What one may do.
    May { see_calls: bool, answer: bool, look: bool, configure: bool, give_tokens: bool, authorise: bool }
    Accounts { accounts: Vec<AccountView> }
    AccountView {
        id: String,
        name: String,
        time_zone: String,
        groups: Vec<String>,
        /// Channels by which one can order calls.
        calls_by: Vec<ChannelId>,
    }
    /// The public half of what was kept.
    HookKeyTaken { public: String }

    Calls {
        calls: Vec<CallView>,
        /// Of the next page; null: this is the last.
        cursor: Option<String>,
        time_zone: String,
    }
    CallStory {
        call: CallView,
        /// Of a call that an employee ordered.
        order: Option<OrderView>,
        /// What the provider told, in the order of its times.
        told: Vec<Line>,
        /// Why what was decided.
        reasons: Vec<Line>,
        jobs: Vec<JobView>,
        /// What stands in the CRM.
        entities: Vec<Entity>,
        recordings: Vec<RecordingView>,
        time_zone: String,
        /// The same as lines to print.
        text: Vec<String>,
    }

    /// Id of the order: `GET calls/{call}` shows what comes of it.
    Ordered { id: String }

    Quarantine { requests: Vec<RefusedRequest>, cursor: Option<String> }
    RefusedRequest {
        id: String,
        channel: ChannelId,
        received_at: Timestamp,
        /// `wrong_signature`, `malformed` ...
        reason: String,
        words: String,
        path: Option<String>,
        bytes: u64,
        digest: String,
        /// False: only the digest was kept.
        releasable: bool,
        released_at: Option<Timestamp>,
    }
    Released { released: u64 }
    ReleasedOfChannel {
        released: u64,
        left: u64,
        /// Ask again.
        more: bool,
        /// Of these only the digest was kept.
        digest_only: u64,
    }

    Channels { channels: Vec<ChannelView>, time_zone: String }
    ChannelView {
        id: ChannelId,
        name: String,
        provider: String,
        provider_name: String,
        active: bool,
        /// Another channel answers for the same account at the provider.
        superseded: Option<Superseded>,
        /// Null: nothing is posted to this channel, or one may not see it.
        url: Option<String>,
        /// `off`, `superseded`, `silent`, `refusing`, `no_calls`, `fine`.
        mood: String,
        status: String,
        accepted: i64,
        refused: i64,
        counted: i64,
        pings: i64,
        signatures: Option<Signatures>,
        last_webhook: Option<Timestamp>,
        last_accepted: Option<Timestamp>,
        last_refused: Option<Timestamp>,
        last_refusal: Option<String>,
        last_ping: Option<Timestamp>,
    }
    /// What fitted a guess, where a provider does not say how it signs.
    Signatures { fit: i64, fit_none: i64, absent: i64, formula: Option<String> }
    Urls { urls: Vec<UrlView> }
    UrlView { channel: ChannelId, name: String, url: Option<String>, superseded: bool }
    Users {
        /// Null: the PBX told nothing yet.
        read_at: Option<Timestamp>,
        /// A job asks it now.
        asked: bool,
        users: Vec<UserView>,
        groups: Vec<GroupView>,
        /// Internal numbers of the settings that the PBX does not have.
        unknown: Vec<UnknownExtension>,
    }
    UserView {
        name: String,
        extension: Option<Extension>,
        login: Option<String>,
        /// Whom the settings have under this internal number.
        employee: Option<EmployeeId>,
    }
    GroupView { name: String, extension: Option<Extension> }
    UnknownExtension { employee: EmployeeId, extension: Extension }
    /// The channels whose providers are told.
    Told { told: Vec<String> }
    WayToProvider { url: String, good_until: Timestamp }
    WhatDisablingDoes {
        channel: String,
        /// Conversations that would be closed.
        open: u64,
        /// There may be more.
        open_at_least: bool,
        what: Vec<String>,
        /// Send it back to agree.
        consent: String,
        good_until: Timestamp,
    }
    SwitchedOff {
        channel: ChannelId,
        closing: u64,
        /// Ask again with the same consent.
        more: bool,
    }

    Connections { connections: Vec<ConnectionView>, time_zone: String }
    ConnectionView {
        id: ConnectionId,
        name: String,
        /// `crm` or `outbound`.
        lane: String,
        off: bool,
        paused: bool,
        /// Null: until a person acts.
        paused_until: Option<Timestamp>,
        why: Option<String>,
        /// Somebody works on it now.
        held: bool,
        last_sent: Option<Timestamp>,
        /// Of a channel to which access is given in the browser.
        authorisation: Option<Authorisation>,
        /// `off`, `superseded`, `paused`, `stopped`, `working`, `fine`.
        mood: String,
        status: String,
        counts: JobCounts,
        open: Vec<JobView>,
        /// Failed and parked ones.
        stopped: Vec<JobView>,
    }
    Authorisation { account: Option<BTreeMap<String, Option<String>>>, asked: bool, trouble: Option<String> }
    JobCounts { open: u64, open_at_least: bool, failed: u64, parked: u64, stopped_at_least: bool }
    Woken { connection: ConnectionId, status: String }
    Jobs { jobs: Vec<JobView>, more: bool }

    SettingsView {
        version: u64,
        /// The file they came from; empty: changed elsewhere.
        source: String,
        applied_at: Timestamp,
        applied_by: String,
        /// As docs/settings.schema.json describes it; secrets are `***`.
        document: BTreeMap<String, Value>,
    }
    Applied { version: u64, changed: bool, warnings: Vec<Fault> }
    Changes { changes: Vec<String>, warnings: Vec<Fault> }
    Faults { problems: Vec<Fault> }
    TokenMade { token: String, expires_at: Timestamp, role: Role }

    Conversations {
        /// Whose list it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        month: Option<String>,
        /// The month before.
        #[serde(skip_serializing_if = "Option::is_none")]
        older: Option<String>,
        conversations: Vec<ConversationView>,
        cursor: Option<String>,
        time_zone: String,
    }
    ConversationStory {
        conversation: ConversationView,
        assignee: Option<Assignee>,
        /// How often it was opened.
        round: u64,
        reasons: Vec<Line>,
        entities: Vec<Entity>,
        messages: Vec<MessageView>,
        /// Of older messages.
        cursor: Option<String>,
        /// False: it has more rows than are read.
        whole: bool,
        time_zone: String,
        /// The same as lines to print.
        text: Vec<String>,
    }
    Assignee { id: EmployeeId, name: String }
    MessageText { text: String }
    /// As it stands now.
    Acted { conversation: ConversationView }
    VoiceOf { voice: VoiceView }

    Employees { employees: Vec<EmployeeView> }
    EmployeeView {
        id: EmployeeId,
        name: String,
        /// Null beyond the first hundred.
        status: Option<Status>,
    }
    EmployeeStatus { employee: EmployeeId, status: Status, since: Option<Timestamp>, by: Option<String> }
}

/// Applied; or with `dry_run` what would change.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PutSettings {
    Applied(Applied),
    Changes(Changes),
}
