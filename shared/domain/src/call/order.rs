//! A call that an employee ordered: first that employee's telephone rings, then the client's.
//!
//! The order is an item of its own, and makes one job. The call that comes of it is told by its own events, as any
//! other; the order only remembers which one it became.

use serde::{Deserialize, Serialize};

use super::decide::Turn;
use super::{Call, of_effect};
use crate::effect::Command;
use crate::event::OrderNews;
use crate::ids::{EffectId, EmployeeId, Extension};
use crate::job::JobResult;
use crate::number::Number;
use crate::reason::Reason;
use crate::time::{Millis, Timestamp};

/// No provider names a call like that.
const PREFIX: &str = "ordered:";
/// Whoever asked for a call waits at the telephone so long, and no longer.
pub const PATIENCE: Millis = Millis::seconds(60);

/// What was ordered, and what is known of it. Each field is "ever true", or the greatest of what was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    pub by: EmployeeId,
    /// Of that employee when it was ordered.
    pub extension: Extension,
    pub client: Number,
    pub at: Timestamp,
    /// The job that asks the provider.
    pub effect: EffectId,
    /// The provider took it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// The call that it became, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Why the provider did not call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why the provider was never asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Reason>,
}

/// The entry of an order: `key` is one of whoever orders and of what he calls the request.
pub fn entry(key: &str) -> String {
    format!("{PREFIX}{key}")
}

/// The order that a provider hands back an effect id of; `None`: the id is none of an order's.
pub fn of_order(id: &str) -> Option<(String, EffectId)> {
    let effect = EffectId::from(id);
    let (_, entry) = of_effect(&effect)?;
    entry.starts_with(PREFIX).then_some((entry, effect))
}

/// Why an order is not to be sent any more; `None`: it is. Asked before the request leaves.
pub fn over(state: &Call, effect: &EffectId, now: Timestamp) -> Option<Reason> {
    let awaited = state.ordered.as_ref().filter(|order| order.effect == *effect);
    let Some(order) = awaited.filter(|order| !order.accepted && order.entry.is_none()) else {
        return Some(Reason::new("order_over_done", []));
    };
    (now.since(order.at) > PATIENCE).then(|| Reason::new("order_over_late", []))
}

impl Turn<'_> {
    /// An order counts once: it is the first event of its item.
    pub(super) fn take_order(&mut self, by: &EmployeeId, extension: &Extension, client: &Number) {
        let Some(channel) = self.policy.channels.get(&self.call.channel) else { return };
        if self.call.ordered.is_some() {
            return;
        }
        let command = Command::CallBack { extension: extension.clone(), client: client.clone() };
        let effect = self.order(&channel.connection, command, Vec::new());
        let name = self.policy.employee(by).map_or(by.as_str(), |employee| &employee.name);
        self.because(Reason::new("order_asked", [name, extension.as_str(), &client.plus()]));
        self.call.ordered = Some(Ordered {
            by: by.clone(),
            extension: extension.clone(),
            client: client.clone(),
            at: self.now,
            effect,
            accepted: false,
            entry: None,
            failed: None,
            dropped: None,
        });
    }

    /// What the job of an order came to.
    pub(super) fn take_order_result(&mut self, effect: &EffectId, result: &JobResult) {
        match result {
            JobResult::CallStarted { entry } => {
                self.take_order_news(effect, &OrderNews::Accepted { entry: entry.clone() });
            }
            JobResult::Failed { why, .. } => {
                self.take_order_news(effect, &OrderNews::Refused { why: why.clone() });
            }
            JobResult::Dropped { because } => {
                if let Some(order) = self.awaited(effect).filter(|order| order.dropped.is_none()) {
                    order.dropped = Some(because.clone());
                    self.because(Reason::new("order_dropped", [&because.words()]));
                }
            }
            _ => {}
        }
    }

    /// What the provider tells of an order.
    pub(super) fn take_order_news(&mut self, effect: &EffectId, news: &OrderNews) {
        let Some(order) = self.awaited(effect) else { return };
        let before = order.clone();
        match news {
            OrderNews::Accepted { entry } => {
                order.accepted = true;
                order.entry = order.entry.take().max(entry.clone());
            }
            OrderNews::Refused { why } => order.failed = order.failed.take().max(Some(why.clone())),
        }
        let now = order.clone();
        if !before.accepted && now.accepted {
            self.because(Reason::new("order_accepted", []));
        }
        if let Some(entry) = now.entry.as_ref().filter(|_| now.entry != before.entry) {
            self.because(Reason::new("order_started", [entry.as_str()]));
        }
        if let Some(why) = now.failed.as_ref().filter(|_| now.failed != before.failed) {
            self.because(Reason::new("order_failed", [why.as_str()]));
        }
    }

    fn awaited(&mut self, effect: &EffectId) -> Option<&mut Ordered> {
        self.call.ordered.as_mut().filter(|order| order.effect == *effect)
    }
}
