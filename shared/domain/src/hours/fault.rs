//! What is wrong with a schedule: intervals that overlap, with their places.

use std::fmt;

use jiff::civil::{Date, Weekday};

use super::interval::DAY;
use super::{Hours, Interval};

/// A day that has a list of intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// Every such day without a list of its own.
    Weekday(Weekday),
    /// This day alone.
    Date(Date),
}

/// An interval and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub day: Day,
    /// In the list of the day.
    pub index: usize,
    pub interval: Interval,
}

/// Why a schedule is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such time zone.
    Zone(String),
    /// The first one overlaps the second one, of the same day or of a day beside it.
    Overlap(Place, Place),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(zone) => write!(f, "there is no time zone `{zone}`"),
            Self::Overlap(one, other) => write!(f, "`{}` overlaps `{}`", one.interval, other.interval),
        }
    }
}

impl std::error::Error for Fault {}

/// All overlaps; one of a dated day is told of that day.
pub(super) fn overlaps(hours: &Hours) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (day, list) in Weekday::Monday.cycle_forward().take(7).zip(&hours.week) {
        let eve = day.previous();
        within(Day::Weekday(day), list, &mut faults);
        let (before, after) = (places(Day::Weekday(eve), hours.weekly(eve)), places(Day::Weekday(day), list));
        faults.extend(into(before, after).map(|(before, after)| Fault::Overlap(after, before)));
    }
    for (date, list) in &hours.dates {
        let own = || places(Day::Date(*date), list);
        within(Day::Date(*date), list, &mut faults);
        if let Ok(eve) = date.yesterday() {
            faults.extend(into(of(hours, eve), own()).map(|(before, after)| Fault::Overlap(after, before)));
        }
        // A next day that has a list of its own tells it itself.
        if let Some(next) = date.tomorrow().ok().filter(|next| !hours.dates.contains_key(next)) {
            faults.extend(into(own(), of(hours, next)).map(|(before, after)| Fault::Overlap(before, after)));
        }
    }
    faults
}

fn places(day: Day, list: &[Interval]) -> Vec<Place> {
    list.iter().enumerate().map(|(index, interval)| Place { day, index, interval: *interval }).collect()
}

fn of(hours: &Hours, date: Date) -> Vec<Place> {
    match hours.dates.get(&date) {
        Some(list) => places(Day::Date(date), list),
        None => places(Day::Weekday(date.weekday()), hours.weekly(date.weekday())),
    }
}

fn within(day: Day, list: &[Interval], faults: &mut Vec<Fault>) {
    let places = places(day, list);
    for (index, one) in places.iter().enumerate() {
        let meets =
            |other: &&Place| one.interval.start() < other.interval.end() && other.interval.start() < one.interval.end();
        faults.extend(places[..index].iter().filter(meets).map(|other| Fault::Overlap(*one, *other)));
    }
}

/// The pairs of which the one of the eve lasts into the one of the day.
fn into(eve: Vec<Place>, day: Vec<Place>) -> impl Iterator<Item = (Place, Place)> {
    let pairs = eve.into_iter().flat_map(move |before| day.clone().into_iter().map(move |after| (before, after)));
    pairs.filter(|(before, after)| before.interval.end() > DAY + after.interval.start())
}
