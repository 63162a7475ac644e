//! Working hours: times, intervals, dates, and nothing that stands twice or overlaps (SCH-01 to SCH-03).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::Date;
use perezvon_domain::Hours;
use perezvon_domain::hours::{Day, Fault, Interval, IntervalError, Place};

use super::super::document::Document;
use super::super::hours::{OtherDays, WorkingHours};
use super::super::problem::Findings;

/// The years that a day may lie in: others are slips of the pen.
const YEARS: RangeInclusive<i16> = 2000..=2100;

/// Most days that a stretch may have.
const STRETCH: i64 = 366;

/// The schedule as decisions see it; what is wrong with it is reported.
pub(super) fn check(document: &Document, findings: &mut Findings) -> Hours {
    let Some(written) = &document.hours else { return Hours::always() };
    let before = findings.0.len();
    let week = written.week().map(|(name, texts)| intervals(&format!("hours.{name}"), texts, findings));
    findings.count("hours.days", written.days.len(), 0..=500);
    let mut entries = BTreeMap::new();
    let mut dates = BTreeMap::new();
    for (index, days) in written.days.iter().enumerate() {
        let path = format!("hours.days[{index}]");
        let list = match (&days.open, days.like) {
            (Some(texts), None) => intervals(&format!("{path}.open"), texts, findings),
            (None, Some(weekday)) => week[weekday as usize].clone(),
            (open, _) => {
                let what = if open.is_some() { "`open` and `as` say two things" } else { "neither `open` nor `as`" };
                let instead = "write `open = []` for a day off, `open = [\"10:00-15:00\"]`, or `as = \"monday\"`";
                findings.add(path, what, instead);
                continue;
            }
        };
        for date in stretch(&path, days, findings) {
            match entries.insert(date, index) {
                Some(first) => {
                    let what = format!("{date} stands in hours.days[{first}] too");
                    findings.add(path, what, "name each day once");
                    break;
                }
                None => _ = dates.insert(date, list.clone()),
            }
        }
    }
    // Places in lists that were not read whole would be wrong.
    if findings.0.len() > before {
        return Hours::always();
    }
    Hours::new(&document.account.time_zone, week, dates).unwrap_or_else(|faults| {
        overlaps(&faults, written, &entries, findings);
        Hours::always()
    })
}

fn intervals(path: &str, texts: &[String], findings: &mut Findings) -> Vec<Interval> {
    findings.count(path, texts.len(), 0..=24);
    let mut list = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match text.parse::<Interval>() {
            Ok(interval) => list.push(interval),
            Err(why) => findings.add(format!("{path}[{index}]"), why.to_string(), instead_of(&why)),
        }
    }
    list
}

fn instead_of(why: &IntervalError) -> &'static str {
    match why {
        IntervalError::Shape(_) => "write it like `09:00-13:00`, or past midnight like `22:00-06:00`",
        IntervalError::Time(_) => "write 00:00 to 24:00, like `09:30`",
        IntervalError::StartsAtEnd(_) => "let it begin at 00:00 of the next day",
        IntervalError::Nothing(_) => "correct one of the two; the whole day is `00:00-24:00`",
    }
}

/// The days that an entry speaks of; none if that cannot be said.
fn stretch(path: &str, days: &OtherDays, findings: &mut Findings) -> Vec<Date> {
    let (from, to) = match (&days.date, &days.from, &days.to) {
        (Some(date), None, None) => (("date", date), ("date", date)),
        (None, Some(from), Some(to)) => (("from", from), ("to", to)),
        _ => {
            let what = "it does not say which day, or says it twice";
            findings.add(path, what, "write `date = \"2026-12-31\"`, or both `from` and `to`");
            return Vec::new();
        }
    };
    let mut read = |(name, text): (&str, &String)| {
        let date = text.parse::<Date>().ok();
        let date = date.filter(|date| date.to_string() == *text && YEARS.contains(&date.year()));
        if date.is_none() {
            let what = format!("`{text}` is no date from 2000 to 2100");
            findings.add(format!("{path}.{name}"), what, "write year, month and day like `2026-12-31`");
        }
        date
    };
    let first = read(from);
    let last = if from == to { first } else { read(to) };
    let Some((first, last)) = first.zip(last) else { return Vec::new() };
    let count = last.duration_since(first).as_hours() / 24 + 1;
    if !(1..=STRETCH).contains(&count) {
        let what = format!("{first} to {last} is no stretch of 1 to {STRETCH} days");
        findings.add(format!("{path}.to"), what, "write the last day of the stretch, or several entries");
        return Vec::new();
    }
    first.series(jiff::Span::new().days(1)).take_while(|date| *date <= last).collect()
}

/// Each pair of places once, however many days of a stretch it concerns.
fn overlaps(faults: &[Fault], written: &WorkingHours, entries: &BTreeMap<Date, usize>, findings: &mut Findings) {
    let path = |place: &Place| match place.day {
        Day::Weekday(day) => {
            let (name, _) = written.week()[usize::from(day.to_monday_zero_offset().unsigned_abs())];
            format!("hours.{name}[{}]", place.index)
        }
        Day::Date(date) => {
            let entry = entries.get(&date).copied().unwrap_or_default();
            match written.days.get(entry).and_then(|days| days.like) {
                Some(_) => format!("hours.days[{entry}].as"),
                None => format!("hours.days[{entry}].open[{}]", place.index),
            }
        }
    };
    let mut told = BTreeSet::new();
    for fault in faults {
        // An unknown zone is told where it stands.
        let Fault::Overlap(own, other) = fault else { continue };
        // Within one day an `as` only repeats what its weekday is told.
        let repeated = own.day == other.day && path(own) == path(other);
        if !repeated && told.insert((path(own), path(other))) {
            let on = |place: &Place| match place.day {
                Day::Date(date) => format!(" of {date}"),
                Day::Weekday(_) => String::new(),
            };
            let (one, two) = (own.interval, other.interval);
            let what = format!("`{one}`{} overlaps `{two}`{} in {}", on(own), on(other), path(other));
            findings.add(path(own), what, "let the later one begin where the earlier one ends, or later");
        }
    }
}

/// A schedule in which nobody ever works is allowed.
pub(super) fn warn(document: &Document, findings: &mut Findings) {
    let Some(written) = &document.hours else { return };
    let mut lists = written.week().into_iter().map(|(_, list)| list).chain(written.days.iter().flat_map(|it| &it.open));
    if lists.all(Vec::is_empty) {
        let instead = "everything will come off hours: name intervals, or take `[hours]` out to be open always";
        findings.add("hours", "no minute is open", instead);
    }
}
