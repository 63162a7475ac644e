//! What the merged record says: direction, client, line, who talked, how long.

use super::{Call, Leg};
use crate::event::{Direction, Place};
use crate::ids::Extension;
use crate::job::Outcome;
use crate::number::Number;
use crate::time::Timestamp;

/// Why an employee is taken to be the one on the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCall {
    Transfer,
    Talked,
    Rang,
}

impl Call {
    /// The leg that began the call: none was before it; the earliest one, if that is not known.
    pub(super) fn first_leg(&self) -> Option<(&String, &Leg)> {
        self.legs.iter().min_by_key(|(id, leg)| (leg.taken_from.is_some(), leg.appeared_at, (*id).clone()))
    }

    /// Which way the call goes: the summary knows, else the first leg.
    pub fn direction(&self) -> Option<Direction> {
        let of_leg = || self.first_leg().and_then(|(_, leg)| leg.direction).map(|(_, direction)| direction);
        self.summary.as_ref().map(|summary| summary.direction).or_else(of_leg)
    }

    /// The outside party's number, if it is shown.
    pub fn client_number(&self) -> Option<&Number> {
        let of_legs = || {
            let mut legs: Vec<(&String, &Leg)> = self.legs.iter().collect();
            legs.sort_by_key(|(id, leg)| (leg.taken_from.is_some(), leg.appeared_at, (*id).clone()));
            legs.into_iter().find_map(|(_, leg)| leg.client.as_ref().map(|(_, number)| number))
        };
        self.summary.as_ref().and_then(|summary| summary.client.as_ref()).or_else(of_legs)
    }

    /// The company's number: what was dialled, or what calls.
    pub fn line(&self) -> Option<&str> {
        let of_legs = || {
            let mut legs: Vec<(&String, &Leg)> = self.legs.iter().collect();
            legs.sort_by_key(|(id, leg)| (leg.taken_from.is_some(), leg.appeared_at, (*id).clone()));
            legs.into_iter().find_map(|(_, leg)| leg.line.as_ref().map(|(_, line)| line.as_str()))
        };
        self.summary.as_ref().and_then(|summary| summary.line.as_deref()).or_else(of_legs)
    }

    /// What the choice of a scenario stands on.
    pub(super) fn basis(&self) -> (Option<Direction>, bool, Option<String>, Option<Number>) {
        (self.direction(), self.answered(), self.line().map(str::to_owned), self.client_number().cloned())
    }

    /// Somebody talked. The summary decides; without it a connected telephone does.
    pub fn answered(&self) -> bool {
        match &self.summary {
            Some(summary) => summary.talked_at.is_some(),
            None => self.talking_legs().next().is_some(),
        }
    }

    pub(super) fn talking_legs(&self) -> impl Iterator<Item = (&String, &Leg)> {
        self.legs.iter().filter(|(_, leg)| leg.is_with_client() && leg.connected_at.is_some())
    }

    /// How the call went.
    pub fn outcome(&self) -> Outcome {
        if self.answered() {
            Outcome::Answered
        } else if self.summary.as_ref().is_some_and(|summary| summary.busy) {
            Outcome::Busy
        } else {
            Outcome::NotAnswered
        }
    }

    /// When the call began, by the provider's clock.
    pub fn started_at(&self) -> Timestamp {
        let of_legs = || self.legs.values().map(|leg| leg.appeared_at).min();
        self.summary.as_ref().map(|summary| summary.started_at).or_else(of_legs).unwrap_or(self.first_received_at)
    }

    /// When the call ended, by the provider's clock.
    pub fn ended_at(&self) -> Option<Timestamp> {
        let known = self.legs.values().filter_map(|leg| leg.ended_at).max().max(self.over_at);
        match &self.summary {
            Some(summary) if summary.seconds.is_none() => Some(summary.ended_at),
            Some(summary) => known.max(Some(summary.ended_at)),
            None => known,
        }
    }

    /// Seconds of talk; 0: none.
    pub fn talk_seconds(&self) -> i64 {
        let Some(summary) = &self.summary else { return self.seconds_of_legs() };
        match (summary.talked_at, summary.seconds) {
            (None, _) => 0,
            (Some(_), Some(seconds)) => seconds.max(0),
            (Some(from), None) => (summary.ended_at.since(from).0 / 1000).max(0),
        }
    }

    /// How long somebody talked with the client, in whole seconds: from the connection of each leg to its end, what
    /// overlaps counted once.
    fn seconds_of_legs(&self) -> i64 {
        let ended = |leg: &Leg| if leg.is_over() { leg.ended_at } else { self.ended_at() };
        let mut talks: Vec<(Timestamp, Timestamp)> =
            self.talking_legs().filter_map(|(_, leg)| leg.connected_at.zip(ended(leg))).collect();
        talks.sort_unstable();
        let (mut total, mut counted) = (0, Timestamp::default());
        for (from, until) in talks {
            total += until.since(from.max(counted)).0.max(0);
            counted = counted.max(until);
        }
        (total + 500) / 1000
    }

    /// What the provider's log says of it is news: nobody told how it went, and as far as we know it does not go on. While
    /// it does, the call itself asks.
    pub fn lacks_account(&self) -> bool {
        self.summary.is_none() && (self.legs.is_empty() || self.is_over() || self.reading.is_given_up())
    }

    /// The provider says that the call is over, or how it went.
    pub(super) fn is_accounted_for(&self) -> bool {
        self.summary.is_some() || self.over_at.is_some()
    }

    /// The call is over, as far as we know: the provider says so, or all known legs have ended.
    pub(super) fn is_over(&self) -> bool {
        self.over_at.is_some() || (!self.legs.is_empty() && self.legs.values().all(Leg::is_over))
    }

    /// Somebody is talking now, as far as we know.
    pub(super) fn is_connected(&self) -> bool {
        let talking = |leg: &Leg| leg.connected_at.is_some() && !leg.is_over();
        let on_the_phone = |leg: &Leg| leg.state.is_some_and(|(_, (_, place))| place != Place::Menu);
        self.over_at.is_none() && self.legs.values().any(|leg| talking(leg) && on_the_phone(leg))
    }

    /// The employee this call belongs to, and why. `follow_transfers`: the last transfer decides.
    pub fn employee(&self, follow_transfers: bool) -> Option<(Extension, OnCall)> {
        let summary = || self.summary.as_ref().and_then(|summary| summary.employee.clone());
        if follow_transfers && let Some(extension) = self.last_transfer() {
            return Some((extension, OnCall::Transfer));
        }
        if self.answered() {
            return self.first_who_talked().or_else(summary).map(|extension| (extension, OnCall::Talked));
        }
        self.last_who_rang().or_else(summary).map(|extension| (extension, OnCall::Rang))
    }

    /// The target of the last transfer by the provider's time, whatever order the events came in.
    fn last_transfer(&self) -> Option<Extension> {
        self.legs
            .iter()
            .filter(|(id, leg)| leg.employee.is_some() && (self.is_transfer(leg) || self.took_over(id, leg)))
            .max_by_key(|(id, leg)| (leg.appeared_at, (*id).clone()))
            .and_then(|(_, leg)| leg.employee.clone())
            .map(|(_, extension)| extension)
    }

    /// Talked with the client after somebody else had: a transfer, where the provider does not say where a leg came from.
    fn took_over(&self, id: &String, leg: &Leg) -> bool {
        let before = |(other, talked): (&String, &Leg)| other != id && talked.connected_at < leg.connected_at;
        leg.taken_from.is_none()
            && self.talking_legs().any(|(talking, _)| talking == id)
            && self.talking_legs().filter(|(_, talked)| talked.employee.is_some()).any(before)
    }

    /// Marked as a transfer, or the client came from the telephone of an employee who had talked.
    fn is_transfer(&self, leg: &Leg) -> bool {
        let from_talk = || {
            let (_, before) = leg.taken_from.as_ref()?;
            let before = self.legs.get(before)?;
            Some(leg.client.is_some() && before.employee.is_some() && before.connected_at.is_some())
        };
        leg.transfer || from_talk().unwrap_or(false)
    }

    fn first_who_talked(&self) -> Option<Extension> {
        self.talking_legs()
            .filter(|(_, leg)| leg.employee.is_some())
            .min_by_key(|(id, leg)| (leg.connected_at, (*id).clone()))
            .and_then(|(_, leg)| leg.employee.clone())
            .map(|(_, extension)| extension)
    }

    fn last_who_rang(&self) -> Option<Extension> {
        let rang = |(id, leg): (&String, &Leg)| {
            leg.employee.clone().map(|(_, extension)| (leg.appeared_at, id.clone(), extension))
        };
        let kept = self.legs.iter().filter(|(_, leg)| leg.is_telephone()).filter_map(rang).max();
        let folded = self.folded.as_ref().and_then(|folded| folded.rang_last.clone());
        match (kept, folded) {
            (Some((at, _, _)), Some((folded_at, extension))) if folded_at > at => Some(extension),
            (Some((_, _, extension)), _) | (None, Some((_, extension))) => Some(extension),
            (None, None) => None,
        }
    }
}

impl Leg {
    /// The client at a telephone. A leg between two employees (a consultation) is none; a hidden client has no number.
    pub(super) fn is_with_client(&self) -> bool {
        let incoming = self.direction.is_some_and(|(_, direction)| direction == Direction::Incoming);
        self.is_telephone() && (self.client.is_some() || (incoming && self.employee.is_some()))
    }
}
