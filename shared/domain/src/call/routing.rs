//! An incoming call is taken to whoever is responsible for its client, by a command to the PBX: the decision of
//! [`crate::answer`], for a provider that does not ask.
//!
//! It is a race, so what comes too late does nothing; and no call is taken elsewhere twice, whatever became of the
//! command.

use serde::{Deserialize, Serialize};

use super::decide::Turn;
use super::{Call, Client, Leg};
use crate::answer::{Answered, Heard, Known, NotLive, Question, answer, asks};
use crate::conversation::StillWanted;
use crate::effect::Command;
use crate::event::{Direction, OrderNews, Place};
use crate::ids::{EffectId, Extension};
use crate::job::JobResult;
use crate::number::Number;
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// Wanted so long after the call appeared, and no longer.
const WANTED: Millis = Millis::seconds(10);
/// The CRM is waited for so long; then its last word is good enough, if there is one.
const PATIENCE: Millis = Millis::seconds(2);
/// The call waits, but not where the command would look for it.
const MOVED: &str = "route_over_moved";
const LATE: &str = "route_over_late";

/// How far we are with taking the call to somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Routing {
    #[default]
    Unasked,
    /// Whose client it is, is being found out.
    Waits { since: Timestamp },
    /// The provider is asked to take this leg to somebody.
    Asked { effect: EffectId, leg: String },
    /// It took the command.
    Taken { effect: EffectId },
    /// Nobody knows whether it did.
    Unknown { effect: EffectId },
    /// Nothing more comes of it.
    Over,
}

impl Routing {
    pub(super) fn is_unasked(&self) -> bool {
        *self == Self::Unasked
    }

    fn awaits(&self, effect: &EffectId) -> bool {
        match self {
            Self::Asked { effect: awaited, .. }
            | Self::Taken { effect: awaited }
            | Self::Unknown { effect: awaited } => awaited == effect,
            Self::Unasked | Self::Waits { .. } | Self::Over => false,
        }
    }
}

impl Call {
    /// Whose card decides where this call goes, while the CRM has not said it: what is remembered of that client may be
    /// needed.
    pub fn awaits_word(&self) -> Option<&Number> {
        let waits = matches!(self.routing, Routing::Waits { .. } | Routing::Asked { .. });
        let unsaid = matches!(self.client, Client::Unasked | Client::Asked { .. });
        self.client_number().filter(|_| waits && unsaid)
    }

    /// Where the client waits; `None`: on the way from one leg to another, as far as we know. Otherwise why the call is
    /// not to be taken elsewhere any more.
    fn waiting_leg(&self, now: Timestamp) -> Result<Option<&String>, Reason> {
        if self.is_accounted_for() || self.final_at.is_some() {
            return Err(Reason::new("route_over_ended", []));
        }
        if self.talking_legs().next().is_some() {
            return Err(Reason::new("route_over_answered", []));
        }
        let left =
            |id: &String| self.legs.values().any(|leg| leg.taken_from.as_ref().is_some_and(|(_, from)| from == id));
        let waiting = self.legs.iter().filter(|(id, leg)| leg.waits() && !left(id));
        let leg = waiting.max_by_key(|(id, leg)| (leg.appeared_at, *id)).map(|(id, _)| id);
        // The provider's clock may be ahead.
        if now.since(self.started_at().min(self.first_received_at)) > WANTED {
            return Err(Reason::new(LATE, []));
        }
        Ok(leg)
    }

    fn rings_at(&self, extension: &Extension) -> bool {
        let rings = |leg: &Leg| leg.is_telephone() && !leg.is_over();
        self.legs.values().any(|leg| rings(leg) && leg.employee.as_ref().is_some_and(|(_, own)| own == extension))
    }
}

impl Leg {
    /// The client in the menu, in the queue, or at a telephone that rings.
    fn waits(&self) -> bool {
        let incoming = self.direction.is_some_and(|(_, direction)| direction == Direction::Incoming);
        let in_line = self.state.is_some_and(|(_, (_, place))| place != Place::Telephone);
        incoming && !self.is_over() && (in_line || (self.is_with_client() && self.connected_at.is_none()))
    }
}

/// Whether a command of ours is still to be sent; `None`: it is none that takes a call elsewhere.
pub(super) fn still_wanted(state: &Call, effect: &EffectId, now: Timestamp) -> Option<StillWanted> {
    let Routing::Asked { effect: awaited, leg } = &state.routing else { return None };
    (awaited == effect).then(|| match state.waiting_leg(now) {
        Ok(Some(here)) if here == leg => StillWanted::Yes,
        Ok(_) => StillWanted::No(Reason::new(MOVED, [])),
        Err(why) => StillWanted::No(why),
    })
}

impl Turn<'_> {
    /// Takes the call to whom its client belongs, as soon as that is known, or the CRM was waited for long enough.
    pub(super) fn route_call(&mut self) {
        if self.call.routing.is_unasked() {
            self.begin_routing();
        }
        let Routing::Waits { since } = self.call.routing else { return };
        let Some(question) = self.question() else { return };
        let heard = self.heard();
        let is_live = heard.not_live.is_none();
        let waited = is_live || self.now.since(since) >= PATIENCE;
        let told = answer(&question, self.policy, &heard, self.now);
        match self.call.waiting_leg(self.now).map(Option::<&String>::cloned) {
            Ok(Some(leg)) if is_live || (waited && told.extension.is_some()) => self.take_to(leg, told),
            // The CRM may still say it.
            Ok(_) => {}
            Err(why) => {
                if waited {
                    self.explain(told.because);
                }
                self.not_routed(&why);
            }
        }
    }

    /// Only where a scenario wants it, and the provider can; others are not even remembered.
    fn begin_routing(&mut self) {
        let can = self.policy.channels.get(&self.call.channel).is_some_and(|channel| channel.routes_calls);
        if !can || self.call.direction() != Some(Direction::Incoming) {
            return;
        }
        let Some(question) = self.question() else { return };
        let Ok((_, scenario)) = asks(&question, self.policy) else { return };
        match (self.call.waiting_leg(self.now), scenario.keeps_calls()) {
            (Ok(Some(_)), None) => self.call.routing = Routing::Waits { since: self.now },
            (Ok(Some(_)), Some(why)) => {
                self.because(why);
                self.call.routing = Routing::Over;
            }
            (Err(why), None) if why.code == LATE => self.not_routed(&why),
            _ => {}
        }
    }

    fn question(&self) -> Option<Question> {
        let (line, caller) = (self.call.line()?.to_owned(), self.call.client_number()?.plus());
        Some(Question { line, caller })
    }

    /// What this call's own question to the CRM brought; before that what was remembered.
    fn heard(&self) -> Heard {
        let said = match &self.call.client {
            Client::Known(client) => Some(client.clone()),
            Client::New => None,
            _ => return Heard { known: self.call.remembered.clone(), not_live: Some(NotLive::Late) },
        };
        Heard { known: Some(Known { client: said, read_at: self.now, stale: false }), not_live: None }
    }

    fn take_to(&mut self, leg: String, told: Answered) {
        self.explain(told.because);
        let channel = self.policy.channels.get(&self.call.channel);
        let (Some(extension), Some(channel)) = (told.extension, channel) else {
            self.call.routing = Routing::Over;
            return;
        };
        if self.call.rings_at(&extension) {
            return self.not_routed(&Reason::new("route_over_rings", []));
        }
        let command = Command::RouteCall { leg: leg.clone(), extension, name: told.display_name };
        let effect = self.order_at_once(&channel.connection, command);
        self.call.routing = Routing::Asked { effect, leg };
    }

    /// Decided anew for another leg, the same reasons hold.
    fn explain(&mut self, because: Vec<Reason>) {
        for reason in because {
            if !self.call.because.iter().any(|known| known.reason == reason) {
                self.because(reason);
            }
        }
    }

    fn not_routed(&mut self, why: &Reason) {
        self.because(Reason::new("route_dropped", [&why.words()]));
        self.call.routing = Routing::Over;
    }

    /// When the last word of the CRM is taken.
    pub(super) fn route_due(&self) -> Option<Timestamp> {
        let Routing::Waits { since } = self.call.routing else { return None };
        Some(since.after(PATIENCE)).filter(|due| *due > self.now)
    }

    /// Takes the result of a command that takes the call elsewhere. False: it is of another job.
    pub(super) fn take_routed(&mut self, effect: &EffectId, result: &JobResult) -> bool {
        if !self.call.routing.awaits(effect) {
            return false;
        }
        match result {
            JobResult::Routed => self.take_route_news(effect, &OrderNews::Accepted { entry: None }),
            JobResult::Failed { why, .. } => self.take_route_news(effect, &OrderNews::Refused { why: why.clone() }),
            JobResult::Dropped { because } if matches!(self.call.routing, Routing::Asked { .. }) => {
                self.route_was_dropped(effect, because);
            }
            _ => {}
        }
        true
    }

    fn route_was_dropped(&mut self, effect: &EffectId, because: &Reason) {
        match because.code.as_str() {
            // It was not sent, so it may be once more, about the leg where the client is now.
            MOVED => self.call.routing = Routing::Waits { since: Timestamp::default() },
            "moment_unknown" => {
                self.because(Reason::new("route_unknown", []));
                self.call.routing = Routing::Unknown { effect: effect.clone() };
            }
            _ => self.not_routed(because),
        }
    }

    /// What the provider tells of the command, in its answer or later.
    pub(super) fn take_route_news(&mut self, effect: &EffectId, news: &OrderNews) {
        if !self.call.routing.awaits(effect) {
            return;
        }
        match news {
            OrderNews::Refused { why } => {
                self.because(Reason::new("route_failed", [why]));
                self.call.routing = Routing::Over;
            }
            OrderNews::Accepted { .. } if !matches!(self.call.routing, Routing::Taken { .. }) => {
                self.because(Reason::new("route_taken", []));
                self.call.routing = Routing::Taken { effect: effect.clone() };
            }
            OrderNews::Accepted { .. } => {}
        }
    }
}
