//! What people are told of a call while it goes on: it rings at somebody, somebody talks.
//!
//! Each once for a call and an employee, and only in its moment: what comes later than that is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decide::Turn;
use super::{Call, Client, Leg, order, routing};
use crate::conversation::StillWanted;
use crate::effect::{CallNotice, Command, Fact};
use crate::event::Direction;
use crate::ids::{EffectId, Extension};
use crate::job::{Card, JobResult};
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// How long after its beginning a moment is one.
const MOMENT: Millis = Millis::seconds(60);
/// Employees that are told of one call: an item has 8 KB.
const KEPT: usize = 32;

/// Who was told of the call while it went on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Whose telephone was seen to ring, each with the pop-up that was asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rang: BTreeMap<Extension, Option<EffectId>>,
    /// Who was seen to talk.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub talked: BTreeMap<Extension, Notice>,
}

impl Noticed {
    pub(super) fn is_empty(&self) -> bool {
        self.rang.is_empty() && self.talked.is_empty()
    }
}

/// How far the notice with links to the client's cards is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// Who the client is, is not known yet.
    Waits,
    /// The CRM is asked where the cards are.
    Asked { effect: EffectId },
    /// Told, or too late.
    Over,
}

impl Leg {
    /// It rings, or rang just now and is talked at. `asked_at`: when we knew of it; the provider's clock may be ahead.
    fn shows_who_calls(&self, asked_at: Timestamp, now: Timestamp) -> bool {
        self.is_with_client() && !self.is_over() && now.since(self.appeared_at.min(asked_at)) <= MOMENT
    }

    /// Somebody talks, or began to just now.
    fn is_talked_at(&self, now: Timestamp) -> bool {
        self.connected_at.is_some_and(|at| !self.is_over() || now.since(at) <= MOMENT)
    }

    fn is_of(&self, extension: &Extension) -> bool {
        self.employee.as_ref().is_some_and(|(_, own)| own == extension)
    }
}

/// Asked by the worker before it sends what is wanted only while the call goes on. `state` is the call as it stands
/// now, `asked_at` when this was asked for.
pub fn still_wanted(state: &Call, effect: &EffectId, asked_at: Timestamp, now: Timestamp) -> StillWanted {
    if state.ordered.is_some() {
        return order::over(state, effect, now).map_or(StillWanted::Yes, StillWanted::No);
    }
    if let Some(wanted) = routing::still_wanted(state, effect, now) {
        return wanted;
    }
    let noticed = &state.noticed;
    let mut rang = noticed.rang.iter().filter(|(_, asked)| asked.as_ref() == Some(effect));
    let mut talked = noticed.talked.iter().filter(|(_, notice)| notice.awaits(effect));
    let of_ringing =
        |extension| state.legs.values().any(|leg| leg.is_of(extension) && leg.shows_who_calls(asked_at, now));
    let of_talk = |extension| state.talking_legs().any(|(_, leg)| leg.is_of(extension) && leg.is_talked_at(now));
    let rings = !state.is_accounted_for() && rang.any(|(extension, _)| of_ringing(extension));
    match rings || talked.any(|(extension, _)| of_talk(extension)) {
        true => StillWanted::Yes,
        false => StillWanted::No(Reason::new("moment_over", [])),
    }
}

impl Notice {
    fn awaits(&self, effect: &EffectId) -> bool {
        matches!(self, Self::Asked { effect: awaited } if awaited == effect)
    }
}

impl Turn<'_> {
    /// An incoming call rings at somebody: the bus hears of it, and the CRM shows who calls.
    pub(super) fn tell_of_ringing(&mut self) {
        let wanted = self.policy.popups.is_some_and(|popups| popups.ringing);
        let over = self.call.is_accounted_for() || self.call.final_at.is_some();
        if !wanted || over || self.call.direction() != Some(Direction::Incoming) {
            return;
        }
        let rings = |leg: &&Leg| leg.shows_who_calls(self.now, self.now);
        let ringing = self.call.legs.values().filter(rings);
        let ringing = ringing.filter_map(|leg| Some((leg.employee.clone()?.1, leg.appeared_at, leg.connected_at)));
        let mut users = Vec::new();
        let mut shown = Vec::new();
        for (extension, at, connected_at) in ringing.collect::<Vec<_>>() {
            let rang = &self.call.noticed.rang;
            if rang.contains_key(&extension) || rang.len() >= KEPT {
                continue;
            }
            let Some(employee) = self.policy.by_extension(&extension).filter(|employee| employee.active) else {
                continue;
            };
            // News of the answer may come before that of the ringing: then nothing rings any more.
            if connected_at.is_none()
                && let Some(notice) = self.notice(&extension, at, None, None)
            {
                self.tell(Fact::CallRinging(notice));
            }
            if let Some(user) = &employee.crm_user {
                users.push(user.clone());
                shown.push((extension.clone(), employee.name.clone()));
            }
            self.call.noticed.rang.insert(extension, None);
        }
        self.show_who_calls(users, shown);
    }

    fn show_who_calls(&mut self, users: Vec<crate::ids::CrmId>, shown: Vec<(Extension, String)>) {
        let (Some(number), Some(crm)) = (self.call.client_number().cloned(), self.policy.crm.clone()) else { return };
        if users.is_empty() {
            return;
        }
        let names: Vec<&str> = shown.iter().map(|(_, name)| name.as_str()).collect();
        self.because(Reason::new("popup_wanted", [&names.join(", ")]));
        let effect = self.order_at_once(&crm, Command::ShowPopup { number, users });
        for (extension, _) in shown {
            self.call.noticed.rang.insert(extension, Some(effect.clone()));
        }
    }

    /// Somebody talks with the client: the bus hears of it at once, and once more with links to the client's cards.
    pub(super) fn tell_who_talks(&mut self) {
        if !self.policy.popups.is_some_and(|popups| popups.answered) {
            return;
        }
        for (extension, at) in self.who_talks() {
            let talked = &self.call.noticed.talked;
            let mapped = self.policy.by_extension(&extension).is_some_and(|employee| employee.active);
            if !mapped || talked.contains_key(&extension) || talked.len() >= KEPT {
                continue;
            }
            if let Some(notice) = self.notice(&extension, at, None, None) {
                self.tell(Fact::CallAnswered(notice));
            }
            self.call.noticed.talked.insert(extension, Notice::Waits);
        }
        if matches!(self.call.client, Client::Asked { .. }) {
            return;
        }
        let waits = |(extension, notice): (&Extension, &Notice)| (*notice == Notice::Waits).then(|| extension.clone());
        let waiting: Vec<Extension> = self.call.noticed.talked.iter().filter_map(waits).collect();
        for extension in waiting {
            self.notify(extension);
        }
    }

    /// Everybody whose talk with the client is news, with its beginning.
    fn who_talks(&self) -> BTreeMap<Extension, Timestamp> {
        let mut since = BTreeMap::new();
        for (_, leg) in self.call.talking_legs().filter(|(_, leg)| leg.is_talked_at(self.now)) {
            if let (Some((_, extension)), Some(at)) = (&leg.employee, leg.connected_at) {
                let known = since.entry(extension.clone()).or_insert(at);
                *known = at.min(*known);
            }
        }
        since
    }

    /// Who the client is, is settled: asks where the cards are, or tells what there is.
    fn notify(&mut self, extension: Extension) {
        let notice = match (&self.call.client, self.policy.crm.clone()) {
            _ if !self.who_talks().contains_key(&extension) => Notice::Over,
            (Client::Known(client), Some(crm)) => {
                let contact = client.contact.clone();
                Notice::Asked { effect: self.order_at_once(&crm, Command::ReadCards { contact }) }
            }
            _ => {
                self.tell_manager(&extension, None, None);
                Notice::Over
            }
        };
        self.call.noticed.talked.insert(extension, notice);
    }

    fn tell_manager(&mut self, extension: &Extension, contact: Option<Card>, deal: Option<Card>) {
        let talks = |(_, leg): &(&String, &Leg)| leg.is_of(extension);
        let at = self.call.talking_legs().filter(talks).filter_map(|(_, leg)| leg.connected_at).min();
        if let Some(notice) = self.notice(extension, at.unwrap_or(self.now), contact, deal) {
            self.tell(Fact::ManagerNotified(notice));
        }
    }

    fn notice(
        &self,
        extension: &Extension,
        at: Timestamp,
        contact: Option<Card>,
        deal: Option<Card>,
    ) -> Option<CallNotice> {
        let employee = self.policy.by_extension(extension)?.id.clone();
        let call = self.fact(self.call.direction()?, Some(employee), 0);
        let name = match &self.call.client {
            Client::Known(client) => Some(client.name.clone()),
            _ => None,
        };
        Some(CallNotice { call, at, name, contact, deal })
    }

    /// Takes the result of a pop-up or of the question for cards. False: it is of another job.
    pub(super) fn take_notice(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        if self.call.noticed.rang.values().any(|asked| asked.as_ref() == Some(effect)) {
            self.take_popup(effect, result);
            return true;
        }
        let awaits = |(extension, notice): (&Extension, &Notice)| notice.awaits(effect).then(|| extension.clone());
        let Some(extension) = self.call.noticed.talked.iter().find_map(awaits) else { return false };
        self.call.noticed.talked.insert(extension.clone(), Notice::Over);
        match result {
            JobResult::CardsRead { contact, deal } => self.tell_manager(&extension, contact.clone(), deal.clone()),
            JobResult::Dropped { because } => self.because(Reason::new("notice_dropped", [&because.words()])),
            JobResult::Failed { why, .. } => {
                self.because(Reason::new("notice_failed", [why]));
                self.tell_manager(&extension, None, None);
            }
            _ => {}
        }
        true
    }

    /// One that was shown changes nothing: the state says already that it was asked for.
    fn take_popup(&mut self, effect: &EffectId, result: &JobResult) {
        let why = match result {
            JobResult::Failed { why, .. } => why.clone(),
            JobResult::Dropped { because } => because.words(),
            _ => return,
        };
        for asked in self.call.noticed.rang.values_mut().filter(|asked| asked.as_ref() == Some(effect)) {
            *asked = None;
        }
        self.because(Reason::new("popup_dropped", [&why]));
    }
}
