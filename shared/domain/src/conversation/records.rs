//! What a client's first message makes in the CRM: who is that there, then contact, deal and task, once for the
//! conversation. The chat is read first, so that they have names; but not for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decide::Turn;
use super::event::{ConversationEvent, Message};
use super::{Conversation, Errand, State};
use crate::client::ClientId;
use crate::effect::Command;
use crate::ids::{EffectId, OutsideId};
use crate::inbox::FirstRecords;
use crate::job::{FoundClient, JobResult, Point, RecordPlan, Records};
use crate::number::Number;
use crate::plan::{self, Values, local_time, made_words, wanted_words};
use crate::policy::{Responsible, Rules};
use crate::reason::Reason;
use crate::responsible::Choice;
use crate::template::LIMIT;
use crate::time::{Millis, Timestamp};

/// Records wait so long for the chat to be read: longer than a worker that died holds up its connection.
const PATIENCE: Millis = Millis::minutes(2);

/// A conversation as the CRM is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InCrm {
    /// By what the CRM is to know the client.
    pub client: OutsideId,
    pub stage: Stage,
    /// The number that the client wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
}

/// A number that the client wrote, on its way to the contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phone {
    pub number: Number,
    /// The job that joins it; `None`: there is no contact yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectId>,
}

/// How far its records are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// The CRM is asked who the client is.
    Asked {
        effect: EffectId,
        first: First,
    },
    /// It answered; the chat is still being read.
    Settled {
        found: Option<FoundClient>,
        first: First,
    },
    /// Asked for.
    Wanted {
        effect: EffectId,
        first: First,
    },
    Made(Records),
    /// Given up for now, with a reason; a person may put the job back.
    Failed {
        effect: EffectId,
        first: First,
        why: String,
        made: Records,
    },
}

/// What the records say of the first message, until they are made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Title and address of what the chat is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Until when the chat is waited for.
    pub until: Timestamp,
}

impl InCrm {
    /// What stands in the CRM so far.
    pub fn made(&self) -> Option<&Records> {
        match &self.stage {
            Stage::Made(records) | Stage::Failed { made: records, .. } => Some(records),
            Stage::Asked { .. } | Stage::Settled { .. } | Stage::Wanted { .. } => None,
        }
    }

    fn first(&mut self) -> Option<&mut First> {
        match &mut self.stage {
            Stage::Asked { first, .. }
            | Stage::Settled { first, .. }
            | Stage::Wanted { first, .. }
            | Stage::Failed { first, .. } => Some(first),
            Stage::Made(_) => None,
        }
    }

    fn awaits(&self, effect: &EffectId) -> bool {
        match &self.stage {
            Stage::Asked { effect: awaited, .. }
            | Stage::Wanted { effect: awaited, .. }
            | Stage::Failed { effect: awaited, .. } => awaited == effect,
            Stage::Settled { .. } | Stage::Made(_) => false,
        }
    }
}

/// When the records no longer wait for the chat to be read; `None`: they do not.
pub fn look_due(conversation: &Conversation) -> Option<Timestamp> {
    match &conversation.crm.as_ref()?.stage {
        Stage::Settled { first, .. } if is_being_read(conversation) => Some(first.until),
        _ => None,
    }
}

fn is_being_read(conversation: &Conversation) -> bool {
    conversation.errands.values().any(|errand| *errand == Errand::ReadChat)
}

fn cut(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LIMIT).collect()
}

impl<'a> Turn<'a> {
    fn records(&self) -> Option<&'a FirstRecords> {
        self.inbox()?.records.as_ref()
    }

    /// The client wrote: who is that in the CRM? Asked once for the conversation.
    pub(super) fn ask_who_writes(&mut self, event: &ConversationEvent, message: &Message) {
        if self.conversation.state != State::Open || self.conversation.crm.is_some() {
            return;
        }
        let (Some(records), Some(author)) = (self.records(), &message.author) else { return };
        let Some(crm) = self.policy.crm.clone() else { return };
        let outside = OutsideId(format!("{}:{author}", records.source));
        self.because(Reason::new("chat_client_asked", [outside.as_str()]));
        let client = ClientId::from(outside.clone());
        let points = vec![client.point()];
        let effect = self.order_on(&crm, Command::FindClient { client }, points);
        let until = self.now.after(PATIENCE);
        let first = First { at: event.occurred_at, text: cut(&message.text), title: None, url: None, until };
        self.conversation.crm = Some(InCrm { client: outside, stage: Stage::Asked { effect, first }, phone: None });
    }

    /// The chat was read.
    pub(super) fn take_item(&mut self, title: Option<&String>, url: Option<&String>) {
        if let Some(first) = self.conversation.crm.as_mut().and_then(InCrm::first) {
            first.title = title.map(|title| cut(title));
            first.url = url.map(|url| cut(url));
        }
    }

    /// The result of a job for the CRM, if it is one that is awaited.
    pub(super) fn take_from_crm(&mut self, effect: &EffectId, result: &JobResult) {
        let Some(mut it) = self.conversation.crm.take() else { return };
        if let Some(phone) = it.phone.as_ref().filter(|phone| phone.effect.as_ref() == Some(effect)) {
            self.take_joined(phone, result);
        } else if it.awaits(effect) {
            it.stage = self.next_stage(&it.client, it.stage, effect, result);
        }
        self.conversation.crm = Some(it);
    }

    fn next_stage(&mut self, client: &OutsideId, stage: Stage, effect: &EffectId, result: &JobResult) -> Stage {
        match (stage, result) {
            (Stage::Asked { first, .. }, JobResult::ClientFound(found)) => {
                self.explain_client(client, found.as_ref());
                Stage::Settled { found: found.clone(), first }
            }
            (stage @ Stage::Asked { .. }, JobResult::Failed { why, .. }) => {
                self.because(Reason::new("records_failed", [why]));
                stage
            }
            (Stage::Wanted { first, .. } | Stage::Failed { first, .. }, JobResult::RecordsMade(records)) => {
                self.made(records, first)
            }
            (Stage::Wanted { first, .. } | Stage::Failed { first, .. }, JobResult::Failed { why, made }) => {
                self.because(Reason::new("records_failed", [why]));
                let made = made.clone().unwrap_or_default();
                Stage::Failed { effect: effect.clone(), first, why: why.clone(), made }
            }
            (stage, _) => stage,
        }
    }

    fn explain_client(&mut self, client: &OutsideId, found: Option<&FoundClient>) {
        let Some(found) = found else { return self.because(Reason::new("chat_client_new", [client.as_str()])) };
        self.because(Reason::new("client_known", [&found.name, found.contact.as_str()]));
        if found.duplicates > 0 {
            self.because(Reason::new("chat_duplicates", [&found.duplicates.to_string()]));
        }
        if found.responsible.is_some() {
            self.conversation.client.responsible = found.responsible.clone();
        }
    }

    /// Made. Should another conversation of the client have made the contact meanwhile, this one goes by the rules of
    /// known clients.
    fn made(&mut self, records: &Records, first: First) -> Stage {
        let is_new = records.contact_made || records.deal.is_some() || records.task.is_some();
        let known = records.contact.clone().filter(|_| !is_new);
        self.because(Reason::new("records_made", [&made_words(records)]));
        let Some(contact) = known else { return Stage::Made(records.clone()) };
        let found = FoundClient { contact, name: String::new(), responsible: None, duplicates: 0 };
        Stage::Settled { found: Some(found), first }
    }

    /// The client is settled and the chat was read, or is not waited for any longer: decide, once.
    pub(super) fn want_records(&mut self) {
        let (Some(records), Some(crm)) = (self.records(), self.policy.crm.clone()) else { return };
        let Some(InCrm { client, stage: Stage::Settled { found, first }, phone }) = self.conversation.crm.clone()
        else {
            return;
        };
        if is_being_read(&self.conversation) && self.now < first.until {
            return;
        }
        let (rules, whose) = match &found {
            None => (&records.new, "нового клиента"),
            Some(_) => (&records.known, "клиента из базы"),
        };
        let plan = self.plan(rules, &client, found.as_ref(), &first);
        let stage = if plan.contact.is_none() && plan.deal.is_none() && plan.task.is_none() {
            self.because(Reason::new("chat_no_rules", [whose]));
            Stage::Made(Records { contact: plan.known_contact, ..Records::default() })
        } else {
            self.because(Reason::new("chat_records_wanted", [whose, &wanted_words(&plan)]));
            let points = vec![plan.client.point()];
            Stage::Wanted { effect: self.order_on(&crm, Command::MakeRecords(Box::new(plan)), points), first }
        };
        self.conversation.crm = Some(InCrm { client, stage, phone });
    }

    /// The client wrote a number: it belongs to the contact, each number once.
    pub(super) fn see_phone(&mut self, message: &Message) {
        let Some(number) = Number::find(&message.text).filter(|_| self.records().is_some()) else { return };
        let Some(crm) = self.conversation.crm.as_mut() else { return };
        if crm.phone.as_ref().is_none_or(|phone| phone.number != number) {
            crm.phone = Some(Phone { number, effect: None });
        }
    }

    /// There is a number that waits for the contact, and the contact.
    pub(super) fn join_phone(&mut self) {
        let (Some(_), Some(connection)) = (self.records(), self.policy.crm.clone()) else { return };
        let Some(InCrm { client, stage: Stage::Made(records), phone: Some(phone) }) = &self.conversation.crm else {
            return;
        };
        let (None, Some(contact)) = (&phone.effect, records.contact.clone()) else { return };
        let (number, points) =
            (phone.number.clone(), vec![Point::Phone(phone.number.clone()), Point::Client(client.clone())]);
        self.because(Reason::new("chat_phone", [&number.plus(), contact.as_str()]));
        let effect = self.order_on(&connection, Command::JoinPhone { contact, number }, points);
        if let Some(phone) = self.conversation.crm.as_mut().and_then(|crm| crm.phone.as_mut()) {
            phone.effect = Some(effect);
        }
    }

    fn take_joined(&mut self, phone: &Phone, result: &JobResult) {
        let number = phone.number.plus();
        match result {
            JobResult::PhoneJoined { elsewhere: None } => self.because(Reason::new("chat_phone_joined", [&number])),
            JobResult::PhoneJoined { elsewhere: Some(other) } => {
                self.because(Reason::new("chat_phone_elsewhere", [&number, other.as_str()]));
            }
            JobResult::Failed { why, .. } => self.because(Reason::new("chat_phone_failed", [&number, why])),
            _ => {}
        }
    }

    fn plan(&mut self, rules: &Rules, client: &OutsideId, found: Option<&FoundClient>, first: &First) -> RecordPlan {
        let values = self.values(client, found, first);
        let contact = rules.contact.as_ref().filter(|_| found.is_none()).map(|rule| {
            let choice = self.choose(&rule.responsible, found);
            self.conversation.client.responsible.clone_from(&choice.user);
            plan::contact(rule, &values, self.chosen(choice))
        });
        let deal = rules.deal.as_ref().map(|rule| {
            let user = self.choose(&rule.responsible, found);
            plan::deal(rule, self.conversation.aggregate(), &values, self.chosen(user))
        });
        let task = rules.task.as_ref().map(|rule| {
            let user = self.choose(&rule.responsible, found);
            plan::task(rule, &values, self.chosen(user), self.now)
        });
        let known_contact = found.map(|found| found.contact.clone());
        RecordPlan { client: client.clone().into(), known_contact, contact, deal, task, only_new: found.is_none() }
    }

    /// Says why, unless that was the last word.
    fn chosen(&mut self, choice: Choice) -> Option<crate::ids::CrmId> {
        if self.conversation.because.last().is_none_or(|last| last.reason != choice.reason) {
            self.because(choice.reason);
        }
        choice.user
    }

    /// Who is made responsible: by the rule, else the client's in the CRM, else who has the conversation.
    fn choose(&self, rule: &Responsible, found: Option<&FoundClient>) -> Choice {
        let assignee = self.conversation.assignee.as_ref();
        match rule {
            Responsible::Employee(id) => self.policy.named(id, "responsible_inbox"),
            Responsible::Group(name) => self.policy.of_group(name, assignee),
            Responsible::Usual | Responsible::Client | Responsible::OnTheCall => {
                match found.and_then(|found| found.responsible.as_ref()) {
                    Some(user) => match self.policy.by_crm_user(user) {
                        Some(employee) => self.policy.named(&employee.id, "responsible_client"),
                        None => self
                            .policy
                            .instead(&format!("ответственный клиента (пользователь CRM {user}) не сопоставлен")),
                    },
                    None => self.who_has_it(),
                }
            }
        }
    }

    fn who_has_it(&self) -> Choice {
        match (&self.conversation.assignee, &self.conversation.round.group) {
            (Some(id), _) => self.policy.named(id, "responsible_chat"),
            (None, Some(group)) => self.policy.of_group(group, None),
            (None, None) => self.policy.instead("обращение никому не досталось"),
        }
    }

    fn values(&self, client: &OutsideId, found: Option<&FoundClient>, first: &First) -> Values {
        let it = &self.conversation;
        let rules = self.policy.channels.get(&it.channel);
        let (channel, source) = rules.map(|rules| (rules.name.clone(), rules.source.clone())).unwrap_or_default();
        let id = client.as_str().split_once(':').map_or(client.as_str(), |(_, id)| id);
        let known = found.map(|found| found.name.clone()).filter(|name| !name.is_empty());
        let name = it.client.name.clone().or(known).unwrap_or_else(|| format!("{source} {id}"));
        let item = first.title.clone().or_else(|| it.client.about.clone()).unwrap_or_else(|| name.clone());
        let (date, time) = local_time(first.at, &self.policy.time_zone);
        BTreeMap::from([
            ("client", name),
            ("item", item),
            ("item_url", first.url.clone().unwrap_or_default()),
            ("text", first.text.clone()),
            ("channel", channel),
            ("date", date),
            ("time", time),
        ])
    }
}
