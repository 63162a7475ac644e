//! The document as people write it: one TOML file per account. What the fields may hold is checked in `check`.

use std::collections::BTreeMap;
use std::fmt;

use perezvon_domain::policy::{Occasion, Popups, Waits};
use perezvon_domain::{AccountId, ChannelId, EmployeeId, Extension};
use serde::{Deserialize, Serialize};

use super::hours::WorkingHours;
use super::inboxes::Inbox;
use crate::secrets::{JobTimes, SignatureMode};

/// The settings of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Document {
    /// The company.
    pub account: Account,
    /// Who answers for a call in abnormal situations: the id of an employee who works here.
    pub fallback: EmployeeId,
    /// The employees, 1 to 500.
    pub employees: Vec<Employee>,
    /// Groups of employees: name (at most 255 characters) -> ids, 1 to 500. At most 100 groups.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<EmployeeId>>,
    /// Connections to telephony, at most 50.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// The CRM; without it calls are only kept in the feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm: Option<Crm>,
    /// What calls make in the CRM, at most 50. The older one stands first and wins.
    #[serde(default)]
    pub scenarios: Vec<Scenario>,
    /// Working hours; without them it is always open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<WorkingHours>,
    /// What channels of chats may do with requests, at most 50. No channel takes chats in yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inboxes: Vec<Inbox>,
    /// What people see and hear of a call while it goes on. Without this section nothing; each of the two is on in it
    /// unless it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popups: Option<Popups>,
    /// Waiting times of a call, each from 1 ms to 1 day (`responsible_kept_ms` to 30).
    #[serde(default)]
    pub waits: Waits,
}

/// The company.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Account {
    /// Never changes: lowercase latin letters, digits and dashes, at most 40.
    pub id: AccountId,
    /// As people call it, at most 255 characters.
    pub name: String,
    /// IANA name of the time zone for times in texts and for working hours: `Europe/Moscow`.
    pub time_zone: String,
}

/// An employee: a user of the CRM and an internal number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Employee {
    /// Never changes: lowercase latin letters, digits and dashes, at most 40.
    pub id: EmployeeId,
    /// As people call them, at most 255 characters.
    pub name: String,
    /// Internal number, in quotes because a leading zero matters; at most 32 characters. No two employees have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    /// Id of the user of the CRM, at most 40 characters. No two employees have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_user: Option<UserId>,
    /// Works here. One who does not keeps the history and gets nothing new.
    #[serde(default = "yes")]
    pub active: bool,
}

/// Id of a user of the CRM, as a number or as a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the id of a CRM user, a number or a text")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum UserId {
    Number(u64),
    Text(String),
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// A connection to one account at a telephony provider (канал).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Channel {
    /// Never changes: lowercase latin letters, digits and dashes, at most 40. It is part of the webhooks' address.
    pub id: ChannelId,
    /// Which system it is.
    pub provider: String,
    /// As people call it, at most 255 characters.
    pub name: String,
    /// Switched off: nothing is taken in.
    #[serde(default = "yes")]
    pub active: bool,
    /// Address of the provider's API, at most 255 characters; absent: its usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Part of the webhooks' address; raise it to revoke the old address.
    #[serde(default = "one")]
    pub generation: u32,
    /// Networks that the provider posts from, like `81.88.80.0/24`, at most 50; none: it may come from anywhere. What comes
    /// from elsewhere waits in quarantine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub allowed_ips: Vec<String>,
    /// A signed event of a call nobody knows is taken for an old replay if it is older than so many days; 1 to 3650.
    #[serde(default = "fourteen")]
    pub oldest_event_days: u32,
    /// Where the provider signs by a formula it does not publish: `observe` counts what fits a guess (so it is if nothing
    /// is said), `enforce` refuses what fits none and needs the secret for signatures, `off` does neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureMode>,
    /// Keep recordings ourselves; otherwise the provider's link alone is kept.
    #[serde(default = "yes")]
    pub copy_recordings: bool,
    /// The provider records calls: wait for recordings.
    #[serde(default = "yes")]
    pub expects_recordings: bool,
    /// What no webhook told of is looked for afterwards, where the provider can be asked: in its lists of chats, its log or
    /// its statistics of calls.
    #[serde(default = "yes")]
    pub finds_lost: bool,
    /// The company's number that outgoing calls belong to, where the provider does not name one; absent: that of the
    /// only scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Links to recordings, those in the CRM too, play only for somebody who is logged in here.
    #[serde(default)]
    pub recordings_need_login: bool,
    /// Where the PBX asks who calls and waits: the answer leaves within so many milliseconds of the question's arrival,
    /// 150 to 5000; absent: 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_within_ms: Option<i64>,
    /// Which of the inboxes a channel of chats feeds; telephony has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<String>,
    /// Secrets, newest first: one set, or two while they are being changed.
    pub secrets: Vec<SecretSet>,
    /// Waits of the requests to the provider.
    #[serde(default)]
    pub times: JobTimes,
}

impl Channel {
    /// What no webhook told of is looked for.
    pub(super) fn heals(&self) -> bool {
        self.active && self.finds_lost
    }
}

/// The account in the CRM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Crm {
    /// Lowercase latin letters, digits and dashes, at most 40. Connecting again after a disconnect takes a new one.
    #[serde(default = "main_id")]
    pub id: String,
    /// Which system it is.
    pub provider: String,
    /// Address of the account in the CRM, at most 255 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Number of the account in the CRM, in quotes: with it there is an address for the CRM's webhooks (`perezvon urls`), and
    /// what another account posts there is refused. Without it the CRM tells of no changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Part of the webhooks' address; raise it to revoke the old address.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub generation: u32,
    /// Its secrets.
    pub secret: SecretSet,
    /// Waits of the requests to the CRM.
    #[serde(default)]
    pub times: JobTimes,
}

/// Secret values by name, each at most 8192 bytes.
pub type SecretSet = BTreeMap<String, SecretText>;

/// A secret value: `env:NAME` and `file:PATH` say where it is; anything else is the value itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Rules of a set of numbers (сценарий).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scenario {
    /// Unique, at most 255 characters.
    pub name: String,
    /// Switched off: never acts.
    #[serde(default = "yes")]
    pub active: bool,
    /// The company's numbers, in any spelling, and SIP lines as they stand; at most 200. Two active
    /// scenarios may share a line only if no event stands in both.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Internal numbers of employees who are not made responsible through the client's card; at most 200.
    #[serde(default)]
    pub exceptions: Vec<Extension>,
    /// New clients: the last transfer decides who is responsible.
    #[serde(default)]
    pub follow_transfers: bool,
    /// When the PBX asks who calls before it rings anybody, the CRM is asked, and the client's name is shown. Off
    /// unless it is switched on. Of two scenarios of a line the older one that is switched on decides. A PBX that does
    /// not ask is told where to take a call that waits, with the name, if `forwarding` is on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contact_manager: bool,
    /// With `contact_manager`: the call is put through to whoever is responsible for the client, unless they are among
    /// the `exceptions`. Absent: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarding: Option<bool>,
    /// Answered, from a new client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_new: Option<Rules>,
    /// Answered, from a client in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_known: Option<Rules>,
    /// To somebody who is not in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_new: Option<Rules>,
    /// To a client in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_known: Option<Rules>,
    /// Not answered, from a new client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_new: Option<Rules>,
    /// Not answered, from a client in the CRM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed_known: Option<Rules>,
}

impl Scenario {
    /// The events that this scenario acts on, each with its name in the file.
    pub fn events(&self) -> impl Iterator<Item = (Occasion, &'static str, &Rules)> {
        [
            (Occasion::IncomingNew, "incoming_new", &self.incoming_new),
            (Occasion::IncomingKnown, "incoming_known", &self.incoming_known),
            (Occasion::OutgoingNew, "outgoing_new", &self.outgoing_new),
            (Occasion::OutgoingKnown, "outgoing_known", &self.outgoing_known),
            (Occasion::MissedNew, "missed_new", &self.missed_new),
            (Occasion::MissedKnown, "missed_known", &self.missed_known),
        ]
        .into_iter()
        .filter_map(|(occasion, name, rules)| Some((occasion, name, rules.as_ref()?)))
    }
}

/// What one event makes. An event without anything in it makes nothing on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rules {
    /// A contact; for new clients only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// A deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<Deal>,
    /// A task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// How to make a contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contact {
    /// Template, at most 255 characters.
    pub name: String,
    /// Templates, at most 40 of 255 characters.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Id or code of a field (at most 100 characters) -> template (at most 255 characters); at most 40.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// `usual`, `client`, `on_the_call`, `employee:ID` or `group:NAME`.
    #[serde(default = "usual")]
    pub responsible: String,
}

/// How to make a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Deal {
    /// Template, at most 255 characters.
    pub name: String,
    /// Id of the pipeline; absent: the CRM's main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<u64>,
    /// Id of the status in that pipeline, an open one; absent: its first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    /// Templates, at most 40 of 255 characters.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Id or code of a field (at most 100 characters) -> template (at most 255 characters); at most 40.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// `usual`, `client`, `on_the_call`, `employee:ID` or `group:NAME`.
    #[serde(default = "usual")]
    pub responsible: String,
}

/// How to make a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// Template, at most 255 characters.
    pub text: String,
    /// Due this long after the call: `30m`, `2h`, `1d`; at most `365d`.
    pub due_in: String,
    /// Id of the CRM's kind of task; absent: its usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u64>,
    /// `usual`, `client`, `on_the_call`, `employee:ID` or `group:NAME`.
    #[serde(default = "usual")]
    pub responsible: String,
}

impl Document {
    /// Every secret value with its path.
    pub(super) fn secrets_mut(&mut self) -> impl Iterator<Item = (String, &mut SecretText)> {
        let of_channels = self.channels.iter_mut().enumerate().flat_map(|(channel, settings)| {
            settings.secrets.iter_mut().enumerate().flat_map(move |(set, secrets)| {
                secrets
                    .iter_mut()
                    .map(move |(name, secret)| (format!("channels[{channel}].secrets[{set}].{name}"), secret))
            })
        });
        let of_crm = self
            .crm
            .iter_mut()
            .flat_map(|crm| crm.secret.iter_mut().map(|(name, secret)| (format!("crm.secret.{name}"), secret)));
        of_channels.chain(of_crm)
    }
}

fn yes() -> bool {
    true
}

fn fourteen() -> u32 {
    crate::secrets::OLDEST_EVENT_DAYS
}

fn one() -> u32 {
    1
}

fn is_one(number: &u32) -> bool {
    *number == one()
}

fn main_id() -> String {
    "main".to_owned()
}

fn usual() -> String {
    "usual".to_owned()
}
