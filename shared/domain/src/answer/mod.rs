//! Who is this, and whom shall the PBX ring? Asked while a caller waits, so it is decided from what is known by then.
//!
//! Never the wrong manager: whoever is named is the client's own responsible, or the one for abnormal situations where
//! the responsible cannot answer; in every other case nobody is, and the call goes by the PBX's own rules.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::ids::Extension;
use crate::job::FoundClient;
use crate::number::Number;
use crate::policy::{Policy, Scenario};
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// What a PBX asks before it rings anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The company's number that was called.
    pub line: String,
    /// Who calls, as the PBX writes it; hidden or internal where it is no number.
    pub caller: String,
}

/// What is known when the time is up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The newest word of the CRM; `None`: none was ever kept.
    pub known: Option<Known>,
    /// Why it is not a word of this moment; `None`: it is.
    pub not_live: Option<NotLive>,
}

/// What the CRM said about a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `None`: nobody has the number.
    pub client: Option<FoundClient>,
    pub read_at: Timestamp,
    /// The CRM has told since that the card changed.
    pub stale: bool,
}

/// Why the CRM did not say it itself in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLive {
    /// Somebody else asked it in the same half second.
    NoSlot,
    /// It was asked, and did not answer in time.
    Late,
    /// It was not asked: its connection is off or waits for something.
    Waits { why: String },
    /// It was asked, and what it answered is no answer.
    Failed { why: String },
}

/// What the PBX is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Shown on the telephones; empty: nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Who is to ring; `None`: the PBX's own rules decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
    pub because: Vec<Reason>,
}

impl Answered {
    /// Nothing is said, for this reason.
    pub fn nothing(reason: Reason) -> Self {
        Self { because: vec![reason], ..Self::default() }
    }
}

/// Whom to ask the CRM about, and by which scenario; otherwise why there is nothing to ask (ICM-01, ICM-02).
///
/// # Errors
/// The reason, where the PBX's own rules decide whatever the CRM knows.
pub fn asks<'a>(question: &Question, policy: &'a Policy) -> Result<(Number, &'a Scenario), Reason> {
    if policy.crm.is_none() {
        return Err(Reason::new("answer_no_crm", []));
    }
    let Some(scenario) = policy.asked_on(&question.line) else {
        return Err(Reason::new("answer_off", [&question.line]));
    };
    let Some(number) = Number::parse(&question.caller) else { return Err(Reason::new("answer_hidden", [])) };
    Ok((number, scenario))
}

/// Decides what the PBX is told.
pub fn answer(question: &Question, policy: &Policy, heard: &Heard, now: Timestamp) -> Answered {
    match asks(question, policy) {
        Ok((number, scenario)) => Turn { policy, scenario, told: Answered::default(), now }.decide(&number, heard),
        Err(reason) => Answered::nothing(reason),
    }
}

struct Turn<'a> {
    policy: &'a Policy,
    scenario: &'a Scenario,
    told: Answered,
    now: Timestamp,
}

impl Turn<'_> {
    fn decide(mut self, number: &Number, heard: &Heard) -> Answered {
        if let Some(why) = &heard.not_live {
            self.because(why.reason());
        }
        let Some(known) = &heard.known else {
            self.because(Reason::new("answer_nothing", [&number.plus()]));
            return self.told;
        };
        let age = self.now.since(known.read_at).max(Millis(0));
        if heard.not_live.is_some() {
            self.because(Reason::new("answer_cached", [&words(age)]));
            if known.stale {
                self.because(Reason::new("answer_stale", []));
            }
        }
        let Some(client) = &known.client else {
            self.because(Reason::new("answer_no_contact", [&number.plus()]));
            return self.told;
        };
        self.because(Reason::new("answer_name", [&client.name, client.contact.as_str()]));
        self.told.display_name.clone_from(&client.name);
        if client.duplicates > 0 {
            self.because(Reason::new("client_duplicates", [&client.duplicates.to_string()]));
        }
        let old = heard.not_live.is_some() && age > self.policy.waits.responsible_kept_ms;
        match self.route(client, old) {
            Ok((extension, reason)) => {
                self.told.extension = Some(extension);
                self.because(reason);
            }
            Err(reason) => self.because(reason),
        }
        self.told
    }

    /// Who is to ring (ICM-04, ICM-07, LKP-04, Q-08); otherwise why nobody is named.
    fn route(&self, client: &FoundClient, old: bool) -> Result<(Extension, Reason), Reason> {
        let rules = |why: &str| Err(Reason::new("answer_rules", [why]));
        if let Some(reason) = self.scenario.keeps_calls() {
            return Err(reason);
        }
        if old {
            return rules("кто ведёт клиента, узнано слишком давно");
        }
        let Some(user) = &client.responsible else {
            return rules("ответственного у клиента нет");
        };
        let Some(employee) = self.policy.by_crm_user(user) else {
            return self.fallback(&format!("ответственный клиента (пользователь CRM {user}) не сопоставлен"));
        };
        let is_dismissed = self.policy.is_dismissed(employee);
        let Some(extension) = employee.extension.as_ref().filter(|_| !is_dismissed) else {
            return self.fallback(&absent(&employee.name, is_dismissed));
        };
        if self.scenario.exceptions.contains(extension) {
            return rules(&format!("{} в исключениях сценария «{}»", employee.name, self.scenario.name));
        }
        let reason = Reason::new("answer_responsible", [&employee.name, extension.as_str()]);
        Ok((extension.clone(), reason))
    }

    /// The one for abnormal situations, if they can be rung.
    fn fallback(&self, why: &str) -> Result<(Extension, Reason), Reason> {
        let employee = self.policy.employee(&self.policy.fallback).filter(|it| !self.policy.is_dismissed(it));
        let reached = employee.and_then(|employee| Some((employee, employee.extension.as_ref()?)));
        match reached.filter(|(_, extension)| !self.scenario.exceptions.contains(extension)) {
            Some((employee, extension)) => {
                let reason = Reason::new("answer_fallback", [&employee.name, extension.as_str(), why]);
                Ok((extension.clone(), reason))
            }
            None => Err(Reason::new("answer_rules", [why])),
        }
    }

    fn because(&mut self, reason: Reason) {
        self.told.because.push(reason);
    }
}

impl NotLive {
    fn reason(&self) -> Reason {
        match self {
            Self::NoSlot => Reason::new("answer_no_slot", []),
            Self::Late => Reason::new("answer_late", []),
            Self::Waits { why } => Reason::new("answer_waits", [why]),
            Self::Failed { why } => Reason::new("answer_failed", [why]),
        }
    }
}

fn absent(name: &str, is_dismissed: bool) -> String {
    if is_dismissed {
        format!("{name}, кто ведёт клиента, здесь больше не работает")
    } else {
        format!("у {name}, кто ведёт клиента, нет внутреннего номера")
    }
}

impl Scenario {
    /// Why nobody is ever named in it; `None`: somebody may be (ICM-07).
    pub(crate) fn keeps_calls(&self) -> Option<Reason> {
        let why = || format!("в сценарии «{}» перевод на ответственного выключен", self.name);
        let forwards = self.contact_manager.is_some_and(|it| it.forwarding);
        (!forwards).then(|| Reason::new("answer_rules", [&why()]))
    }
}

/// An age as people say it.
fn words(age: Millis) -> String {
    match age.0 / 1000 {
        seconds @ 0..60 => format!("{seconds} с"),
        seconds @ 60..3600 => format!("{} мин", seconds / 60),
        seconds => format!("{} ч", seconds / 3600),
    }
}

impl Policy {
    /// The oldest active scenario of this line whose contact manager is on, whatever events it acts on.
    fn asked_on(&self, line: &str) -> Option<&Scenario> {
        let line = crate::policy::normal_line(line);
        let mut on = self.scenarios.iter().filter(|it| it.active && it.contact_manager.is_some());
        on.find(|scenario| scenario.lines.contains(&line))
    }
}
