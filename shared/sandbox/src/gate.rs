//! What every request passes before it is carried out: the log, the limits, the faults.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::fault::{Fate, Faults};
use crate::http::{Request, Response};

/// How many requests the log keeps; older ones leave it.
const LOG: usize = 10_000;

/// A line of the request log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    pub at_ms: i64,
    pub method: String,
    pub path: String,
    /// As sent, without `?`.
    pub query: String,
    /// 0: no answer.
    pub status: u16,
}

/// How fast is too fast.
pub(crate) struct Limit {
    /// Requests in any 1000 ms.
    pub(crate) per_second: usize,
    /// So many refusals in a row without a second of quiet, then blocked for so many ms.
    pub(crate) block: Option<(u32, i64)>,
}

/// What the limits say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Fine,
    TooFast,
    Blocked,
}

/// The state of the gate.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Gate {
    pub(crate) faults: Faults,
    pub(crate) violations: u64,
    /// Most requests in any 1000 ms so far.
    pub(crate) most_in_a_second: usize,
    log: VecDeque<Logged>,
    recent: VecDeque<i64>,
    ignored: u32,
    refused_ms: Option<i64>,
    blocked_until_ms: Option<i64>,
}

impl Gate {
    pub(crate) fn log(&self) -> impl DoubleEndedIterator<Item = &Logged> + ExactSizeIterator {
        self.log.iter()
    }

    /// What becomes of a request; `refuse` says in the provider's words that it came too fast.
    pub(crate) fn admit(
        &mut self,
        request: &Request,
        now_ms: i64,
        limit: Option<&Limit>,
        refuse: impl FnOnce(Pace) -> Response,
    ) -> Fate {
        match limit.map_or(Pace::Fine, |limit| self.arrive(now_ms, limit)) {
            Pace::Fine => self.faults.fate(request, now_ms),
            pace => Fate::Answered(refuse(pace)),
        }
    }

    pub(crate) fn note(&mut self, request: &Request, now_ms: i64, status: u16) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(Logged {
            at_ms: now_ms,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            status,
        });
    }

    /// Counts a request, refused ones too: whoever keeps hammering stays over the limit.
    fn arrive(&mut self, now_ms: i64, limit: &Limit) -> Pace {
        self.recent.retain(|at| *at > now_ms - 1000);
        self.recent.push_back(now_ms);
        self.most_in_a_second = self.most_in_a_second.max(self.recent.len());
        if self.blocked_until_ms.is_some_and(|until| now_ms < until) {
            return Pace::Blocked;
        }
        self.blocked_until_ms = None;
        if self.recent.len() <= limit.per_second {
            return Pace::Fine;
        }
        self.violations += 1;
        let ignored = self.refused_ms.is_some_and(|at| now_ms - at < 1000);
        self.ignored = if ignored { self.ignored + 1 } else { 0 };
        self.refused_ms = Some(now_ms);
        match limit.block {
            Some((patience, for_ms)) if self.ignored >= patience => {
                self.blocked_until_ms = Some(now_ms + for_ms);
                self.ignored = 0;
                Pace::Blocked
            }
            _ => Pace::TooFast,
        }
    }
}
