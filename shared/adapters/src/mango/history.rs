//! Healing: calls that no event told of are read off the statistics, a few hours at a time. Nothing here changes anything
//! at the provider.

use perezvon_domain::event::Summary;
use perezvon_domain::time::Millis;
use perezvon_domain::{CallEventKind, JobResult, Timestamp};
use serde::{Deserialize, Serialize};

use super::answer::failed;
use super::stats::{self, Answered};
use crate::healing::{Log, Part};
use crate::intake::CallNews;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where its state is kept.
const STATE: &str = "history";
/// A call stands there by its beginning, once it is over. A quarter of a day at a time: an answer of 1 MiB holds some
/// 5,000 lines.
const LOG: Log =
    Log { overlap: Millis::minutes(120), oldest: Millis::minutes(30 * 24 * 60), part: Millis::minutes(6 * 60) };
/// What ended later than this before the end of a part may have been handed over, and go on: it is left to the next one.
const SETTLED: Millis = Millis::minutes(10);
/// So often the same part is ordered.
const ORDERS: u32 = 3;

/// How far it is.
#[derive(Default, Serialize, Deserialize)]
struct History {
    /// `None`: not settled yet.
    part: Option<Part>,
    /// So often it was ordered and did not come.
    lost: u32,
    done: bool,
}

fn state(work: &Work) -> History {
    work.progress.get(STATE).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Orders a part of the statistics, then asks for it.
pub(super) fn next(work: &Work, known: &Known<'_>, since: Timestamp) -> Step {
    let history = state(work);
    let (from, until) = history.part(known, since);
    if history.done || until.since(from) < SETTLED {
        return Step::Done(JobResult::Healed);
    }
    stats::ask(work, known, (from, until))
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, since: Timestamp) -> Outcome {
    let mut history = state(work);
    let part = history.part(known, since);
    history.part = Some(part);
    let outcome = match stats::answered(work, known, reply) {
        Answered::Lines(lines) => history.told(work, known, &lines, part),
        Answered::Nothing => history.anew(work),
        Answered::NotYet(outcome) => outcome,
    };
    // Our own words always have a JSON form.
    work.progress.insert(STATE.to_owned(), serde_json::to_string(&history).unwrap_or_default());
    outcome
}

impl History {
    fn part(&self, known: &Known<'_>, since: Timestamp) -> Part {
        self.part.unwrap_or_else(|| LOG.first(known, since))
    }

    fn anew(&mut self, work: &mut Work) -> Outcome {
        stats::forget(work);
        self.lost += 1;
        if self.lost < ORDERS {
            return Outcome::Next;
        }
        let times = self.lost;
        Outcome::Failed(failed(format!(
            "статистика АТС не пришла, её заказывали {times} раза: не готова вовремя или больше 1 МиБ. Спросим снова позже"
        )))
    }

    /// A line that cannot be read keeps nobody from the other calls.
    fn told(&mut self, work: &mut Work, known: &Known<'_>, lines: &str, (_, until): Part) -> Outcome {
        let read = stats::read(lines);
        if let (true, Some(odd)) = (read.calls.is_empty(), &read.odd) {
            return stats::not_understood(odd);
        }
        let settled = until.after(Millis(-SETTLED.0));
        for (entry, rows) in read.calls {
            if rows.iter().all(|row| row.is_over_by(settled)) {
                let news = stats::account(entry, rows).unwrap_or_default();
                work.learned.calls.extend(of_one(entry, news));
            }
        }
        stats::forget(work);
        let next = LOG.next(work, known, until);
        // What was left is read with the next part.
        let part = next.map(|(from, until)| (from.after(Millis(-LOG.overlap.0)), until));
        *self = Self { part, done: part.is_none(), lost: 0 };
        Outcome::Next
    }
}

/// What is told of one call. All of it happened when the call began: what is older than the channel is not taken in.
fn of_one(entry: &str, news: Vec<CallEventKind>) -> Vec<CallNews> {
    let Some(CallEventKind::Summarised(Summary { started_at, .. })) = news.first() else { return Vec::new() };
    let occurred_at = *started_at;
    news.into_iter().map(|kind| CallNews { entry: entry.to_owned(), occurred_at, kind }).collect()
}
