//! Policy: everything a decision may read besides the state, as one value at one settings version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Direction;
use crate::hours::Hours;
use crate::ids::{AccountId, ChannelId, ConnectionId, CrmId, EmployeeId, Extension};
use crate::inbox::Inbox;
use crate::job::FieldValue;
use crate::time::Millis;

/// The rules of one account at one settings version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub account: AccountId,
    pub version: u64,
    /// IANA name, for times in texts.
    pub time_zone: String,
    pub employees: Vec<Employee>,
    pub groups: BTreeMap<String, Vec<EmployeeId>>,
    /// Who answers for a call in abnormal situations (MAP-03).
    pub fallback: EmployeeId,
    /// Oldest first: where two would act on one event, the older one wins.
    pub scenarios: Vec<Scenario>,
    /// The CRM to write to; `None`: the feed alone.
    pub crm: Option<ConnectionId>,
    pub channels: BTreeMap<ChannelId, ChannelRules>,
    #[serde(default)]
    pub waits: Waits,
    /// When people work; without a schedule always.
    #[serde(default, skip_serializing_if = "Hours::is_always")]
    pub hours: Hours,
    /// What people see and hear of a call while it goes on; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popups: Option<Popups>,
    /// Users of the CRM who do not work here any more, as it said last: they are rung no more, whatever the settings
    /// say. Beside the settings, because they change without them.
    #[serde(skip)]
    pub dismissed: Vec<CrmId>,
}

/// What people see and hear of a call while it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Popups {
    /// It rings at an employee: the CRM's own pop-up, and a fact on the bus.
    #[serde(default = "yes")]
    pub ringing: bool,
    /// An employee talks with the client: a fact on the bus, and a notice with links to the client's cards.
    #[serde(default = "yes")]
    pub answered: bool,
}

fn yes() -> bool {
    true
}

/// What a decision must know of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRules {
    /// As people call it.
    pub name: String,
    /// The provider's name, shown as the source of a feed row.
    pub source: String,
    /// Where jobs for the provider go.
    pub connection: ConnectionId,
    /// Keep recordings ourselves; otherwise the provider's link alone is kept.
    pub copy_recordings: bool,
    /// The provider records nothing that we could fetch: do not wait for recordings.
    pub expects_recordings: bool,
    /// Its provider can be asked how a call went.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reads_calls: bool,
    /// Its provider takes a call that waits to whomever it is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub routes_calls: bool,
    /// The company's number that its outgoing calls belong to, where the provider names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// A link to a recording plays only for somebody who is logged in.
    #[serde(default)]
    pub recordings_need_login: bool,
    /// The rules of its conversations; `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbox: Option<Inbox>,
    /// Another channel answers for its account at the provider: nothing is taken in here, and nothing is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Superseded>,
}

impl ChannelRules {
    /// The rules of its conversations; `None`: the channel is off, superseded, or has none.
    pub fn inbox(&self) -> Option<&Inbox> {
        self.inbox.as_ref().filter(|_| self.superseded.is_none())
    }
}

/// By whom a channel is superseded: one that was created later for the same account at the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Superseded {
    /// The channel that lives; `None`: it is one of another account of this installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChannelId>,
}

/// An employee, mapped to a user of the CRM and to an internal number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    pub id: EmployeeId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crm_user: Option<CrmId>,
    /// Works here; a dismissed employee keeps the history but gets nothing new.
    pub active: bool,
}

/// Rules of a set of numbers: event x client kind -> records, responsible (сценарий).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    pub name: String,
    /// Switched off: never acts.
    pub active: bool,
    /// The company's numbers, normalised where they are telephone numbers.
    pub lines: Vec<String>,
    /// Internal numbers of those who are not made responsible through the client's card.
    pub exceptions: Vec<Extension>,
    /// The last transfer decides who is responsible (SCN-07).
    pub follow_transfers: bool,
    pub rules: BTreeMap<Occasion, Rules>,
    /// `None`: who calls is not looked up while it rings (ICM-01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_manager: Option<ContactManager>,
}

/// The CRM is asked who calls before anybody's telephone rings (умный менеджер контактов).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactManager {
    /// The call goes to whoever is responsible for the client (LKP-04); otherwise their name alone is shown.
    pub forwarding: bool,
}

/// The six events of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    IncomingNew,
    IncomingKnown,
    OutgoingNew,
    OutgoingKnown,
    MissedNew,
    MissedKnown,
}

impl Occasion {
    /// Incoming and not answered is missed; an internal call is no occasion.
    pub fn of(direction: Direction, answered: bool, known: bool) -> Option<Self> {
        Some(match (direction, answered, known) {
            (Direction::Internal, _, _) => return None,
            (Direction::Incoming, true, false) => Self::IncomingNew,
            (Direction::Incoming, true, true) => Self::IncomingKnown,
            (Direction::Incoming, false, false) => Self::MissedNew,
            (Direction::Incoming, false, true) => Self::MissedKnown,
            (Direction::Outgoing, _, false) => Self::OutgoingNew,
            (Direction::Outgoing, _, true) => Self::OutgoingKnown,
        })
    }

    /// An unanswered incoming call.
    pub fn is_missed(self) -> bool {
        matches!(self, Self::MissedNew | Self::MissedKnown)
    }
}

/// What one event of a scenario makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Never looked at for a known client (SCN-09).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealRule>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskRule>,
}

/// How to make a contact. Names and values are templates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRule {
    pub name: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub fields: Vec<FieldValue>,
    #[serde(default)]
    pub responsible: Responsible,
}

/// How to make a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealRule {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u64>,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub fields: Vec<FieldValue>,
    #[serde(default)]
    pub responsible: Responsible,
}

/// How to make a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRule {
    pub text: String,
    /// Due this long after the decision.
    pub due_in: Millis,
    /// The CRM's kind of task; `None`: its usual one (a call).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<u64>,
    #[serde(default)]
    pub responsible: Responsible,
}

/// Who is made responsible for a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Responsible {
    /// Missed: whose telephone rang last. Otherwise the client's responsible, else who talked. Else the fall-back.
    #[default]
    Usual,
    /// The client's responsible in the CRM, else as [`Responsible::OnTheCall`].
    Client,
    /// Who talked, or whose telephone rang last, whatever the card says.
    OnTheCall,
    /// This employee.
    Employee(EmployeeId),
    /// Of this group whoever was on the call, else its first member who works here.
    Group(String),
}

/// All waiting times, with their defaults; shortened in demos and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waits {
    /// All legs ended and no summary: final after this (60 s).
    pub final_after_legs_ended_ms: Millis,
    /// No event and no leg connected: final after this (10 min).
    pub final_after_silence_ms: Millis,
    /// A recording is awaited this long after the call is final (90 s).
    pub recording_ms: Millis,
    /// No event while somebody talks: the provider is asked after this (2 h).
    pub connected_ms: Millis,
    /// And asked again until this long after the first question (24 h).
    pub connected_patience_ms: Millis,
    /// How long a provider that has no account of a call yet is asked again (2 h).
    pub account_ms: Millis,
    /// Who is responsible for a client is not believed for longer than this without asking the CRM, when a call is to be
    /// routed to them (24 h).
    pub responsible_kept_ms: Millis,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            final_after_legs_ended_ms: Millis::seconds(60),
            final_after_silence_ms: Millis::minutes(10),
            recording_ms: Millis::seconds(90),
            connected_ms: Millis::minutes(120),
            connected_patience_ms: Millis::minutes(24 * 60),
            account_ms: Millis::minutes(120),
            responsible_kept_ms: Millis::minutes(24 * 60),
        }
    }
}

impl Policy {
    /// The employee with this internal number.
    pub fn by_extension(&self, extension: &Extension) -> Option<&Employee> {
        self.employees.iter().find(|employee| employee.extension.as_ref() == Some(extension))
    }

    /// The employee with this id.
    pub fn employee(&self, id: &EmployeeId) -> Option<&Employee> {
        self.employees.iter().find(|employee| &employee.id == id)
    }

    /// Whether somebody does not work here any more, by the settings or by the CRM.
    pub(crate) fn is_dismissed(&self, employee: &Employee) -> bool {
        !employee.active || employee.crm_user.as_ref().is_some_and(|user| self.dismissed.contains(user))
    }

    /// The employee who is this user of the CRM.
    pub fn by_crm_user(&self, user: &CrmId) -> Option<&Employee> {
        self.employees.iter().find(|employee| employee.crm_user.as_ref() == Some(user))
    }

    /// The oldest active scenario of this line that has rules for this occasion; else the oldest active one of the line.
    pub fn scenario(&self, line: &str, occasion: Occasion) -> Option<&Scenario> {
        let line = normal_line(line);
        let mut of_line = self.scenarios.iter().filter(|scenario| scenario.active && scenario.lines.contains(&line));
        of_line.clone().find(|scenario| scenario.rules.contains_key(&occasion)).or_else(|| of_line.next())
    }
}

/// A line as scenarios list it: a telephone number in its one spelling, anything else as it stands.
pub fn normal_line(line: &str) -> String {
    crate::number::Number::parse(line).map_or_else(|| line.trim().to_owned(), |number| number.digits().to_owned())
}
