//! Working hours: when people work, by the wall clock of one time zone (SCH-01 to SCH-03).
//!
//! A moment is open if its local wall-clock time is. So in the hour that comes twice both are, and the
//! hour that is left out never comes. An interval belongs to the day it begins on: what lasts past
//! midnight is open on a holiday too.

mod fault;
mod interval;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

pub use fault::{Day, Fault, Place};
pub use interval::{Interval, IntervalError};

const MINUTE_S: i64 = 60;
const DAY_S: i64 = 24 * 60 * MINUTE_S;
/// No two wall clocks of a zone are further apart, ever.
const FURTHEST_S: i64 = 3 * DAY_S;
/// Where days are counted from, a Thursday.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// When people work: a week that comes round, and days that differ from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// IANA name.
    zone: String,
    /// From Monday on.
    week: [Vec<Interval>; 7],
    /// In place of the list of their weekday; empty: a day off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dates: BTreeMap<Date, Vec<Interval>>,
}

impl Default for Hours {
    fn default() -> Self {
        Self::always()
    }
}

impl Hours {
    /// Day and night.
    pub fn always() -> Self {
        let week = std::array::from_fn(|_| vec![Interval::WHOLE_DAY]);
        Self { zone: "UTC".to_owned(), week, dates: BTreeMap::new() }
    }

    /// Intervals of a week from Monday on, and of days that differ from it, by the clock of this zone.
    ///
    /// # Errors
    /// An unknown zone and all intervals that overlap.
    pub fn new(zone: &str, week: [Vec<Interval>; 7], dates: BTreeMap<Date, Vec<Interval>>) -> Result<Self, Vec<Fault>> {
        let hours = Self { zone: zone.to_owned(), week, dates };
        let mut faults = fault::overlaps(&hours);
        if TimeZone::get(zone).is_err() {
            faults.insert(0, Fault::Zone(zone.to_owned()));
        }
        if faults.is_empty() { Ok(hours) } else { Err(faults) }
    }

    /// Day and night, as without any schedule.
    pub fn is_always(&self) -> bool {
        *self == Self::always()
    }

    /// Nobody ever works.
    pub fn is_never(&self) -> bool {
        self.week.iter().chain(self.dates.values()).all(Vec::is_empty)
    }

    /// Working time. Beyond the years -9999 to 9999 there is none.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let at = jiff::Timestamp::from_second(at.seconds());
        at.is_ok_and(|at| self.is_open_on_the_wall(at.as_second() + offset_s(&self.zone(), at)))
    }

    /// The first open moment from this one on; `at` itself if that is open. `None`: never again.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        self.next(at, true)
    }

    /// The first closed moment from this one on; `at` itself if that is closed. `None`: never again.
    pub fn next_close(&self, at: Timestamp) -> Option<Timestamp> {
        self.next(at, false)
    }

    /// From one change of the zone's clock to the next, the moments and the wall clock go side by side.
    fn next(&self, at: Timestamp, open: bool) -> Option<Timestamp> {
        let zone = self.zone();
        let mut begin = jiff::Timestamp::from_second(at.seconds()).ok()?;
        let mut changes = zone.following(begin).map(|change| change.timestamp());
        loop {
            let end = changes.next();
            let offset = offset_s(&zone, begin);
            match self.next_on_the_wall(begin.as_second() + offset, open).map(|wall| wall - offset) {
                Some(found) if end.is_none_or(|end| found < end.as_second()) => {
                    jiff::Timestamp::from_second(found).ok()?;
                    return Some(at.max(Timestamp::from_seconds(found)));
                }
                // Nothing lies ahead on the wall, and no change is near enough to turn the clock back to something.
                None if end.is_none_or(|end| end.as_second() - begin.as_second() > FURTHEST_S) => return None,
                _ => begin = end?,
            }
        }
    }

    /// The first second of the wall clock, from this one on, that is open or closed.
    fn next_on_the_wall(&self, from: i64, open: bool) -> Option<i64> {
        if self.is_open_on_the_wall(from) == open {
            return Some(from);
        }
        let mut day = from.div_euclid(DAY_S) - 1;
        let mut until = day + 8;
        loop {
            if day > until {
                // The whole week has been seen: only a day that differs can bring something new.
                let next = number(*self.dates.range(date(day)?..).next()?.0);
                (day, until) = (day.max(next - 1), next);
            }
            if self.dated(day).is_some() {
                until = day + 7;
            }
            let list = self.list(day).iter();
            let edges = list.map(|it| day * DAY_S + i64::from(if open { it.start() } else { it.end() }) * MINUTE_S);
            let edges = edges.filter(|edge| *edge >= from && self.is_open_on_the_wall(*edge) == open);
            if let Some(found) = edges.min() {
                return Some(found);
            }
            day += 1;
        }
    }

    /// Whether this second of the wall clock lies in an interval of its day or of the eve.
    fn is_open_on_the_wall(&self, wall: i64) -> bool {
        let (day, minute) = (wall.div_euclid(DAY_S), wall.rem_euclid(DAY_S) / MINUTE_S);
        let lies = |day: i64, minute: i64| {
            let mut list = self.list(day).iter();
            list.any(|it| (i64::from(it.start())..i64::from(it.end())).contains(&minute))
        };
        lies(day, minute) || lies(day - 1, minute + DAY_S / MINUTE_S)
    }

    fn list(&self, day: i64) -> &[Interval] {
        let weekday = (day + 3).rem_euclid(7);
        self.dated(day).unwrap_or_else(|| &self.week[usize::try_from(weekday).unwrap_or_default()])
    }

    fn dated(&self, day: i64) -> Option<&[Interval]> {
        if self.dates.is_empty() {
            return None;
        }
        self.dates.get(&date(day)?).map(Vec::as_slice)
    }

    fn weekly(&self, weekday: Weekday) -> &[Interval] {
        &self.week[usize::from(weekday.to_monday_zero_offset().unsigned_abs())]
    }

    /// UTC should the zone be unknown.
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }
}

fn offset_s(zone: &TimeZone, at: jiff::Timestamp) -> i64 {
    zone.to_offset(at).seconds().into()
}

fn date(day: i64) -> Option<Date> {
    EPOCH.checked_add(SignedDuration::from_secs(day * DAY_S)).ok()
}

fn number(date: Date) -> i64 {
    date.duration_since(EPOCH).as_secs() / DAY_S
}
