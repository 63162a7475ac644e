//! Specs of working hours in the settings.

use perezvon_domain::{Hours, Policy, Timestamp};
use perezvon_store::items::text;

use super::super::hours::{OtherDays, Weekday, WorkingHours};
use super::super::{Document, hours, parse};
use super::{Case, EXAMPLE, accepted, each_is_accepted, each_is_refused};

/// A change of the document, and which interval overlaps which.
type Overlap = (fn(&mut Document), &'static str);

/// A change of one entry, and what is said of it.
type Entry = (fn(&mut OtherDays), String);

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn written(document: &mut Document) -> &mut WorkingHours {
    document.hours.as_mut().expect("the example has hours")
}

fn only(document: &mut Document, days: Vec<OtherDays>) {
    document.hours = Some(WorkingHours { days, ..WorkingHours::default() });
}

fn day(date: &str, open: &[&str]) -> OtherDays {
    OtherDays { date: Some(date.to_owned()), open: Some(list(open)), ..OtherDays::default() }
}

fn stretch(from: &str, to: &str, open: &[&str]) -> OtherDays {
    let (from, to) = (Some(from.to_owned()), Some(to.to_owned()));
    OtherDays { from, to, open: Some(list(open)), ..OtherDays::default() }
}

/// Whether it is open at these local times of Moscow.
fn open_at(hours: &Hours, times: &[&str]) -> Vec<bool> {
    let moment = |text: &&str| format!("{text}:00+03:00").parse::<jiff::Timestamp>().expect("a moment");
    times.iter().map(|text| hours.is_open(Timestamp(moment(text).as_millisecond()))).collect()
}

#[test]
fn the_week_and_the_days_of_the_example_are_as_they_read() {
    let hours = accepted(|_| {}).policy.hours;
    let week = ["2026-11-20T12:59", "2026-11-20T13:00", "2026-11-20T14:00", "2026-11-21T12:00"];
    assert_eq!(open_at(&hours, &week), [true, false, true, false]);
    // A short day, the holidays from the first to the last, and a Saturday that is worked.
    let days = ["2026-12-30T14:30", "2026-12-31T14:30", "2026-12-31T15:00", "2027-01-01T10:00", "2027-01-08T10:00"];
    assert_eq!(open_at(&hours, &days), [true, true, false, false, false]);
    assert_eq!(open_at(&hours, &["2027-01-11T10:00", "2027-02-20T10:00", "2027-02-27T10:00"]), [true, true, false]);
}

#[test]
fn without_a_section_it_is_always_open_and_with_an_empty_one_never() {
    let without = accepted(|it| it.hours = None);
    assert!(without.policy.hours.is_always() && without.warnings.is_empty());
    assert!(!without.document.contains("\"hours\"") && !text(&without.policy).contains("hours"));
    let empty = |change: fn(&mut WorkingHours)| {
        let checked = accepted(|it| change(it.hours.insert(WorkingHours::default())));
        assert!(checked.policy.hours.is_never());
        checked.warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let warning = "hours: no minute is open; everything will come off hours: name intervals, or take `[hours]` out to be open always";
    assert_eq!(empty(|_| {}), [warning]);
    assert_eq!(empty(|it| it.days = vec![day("2026-12-31", &[])]), [warning]);
}

#[test]
fn the_policy_keeps_its_hours_and_one_of_before_is_always_open() {
    let policy = accepted(|_| {}).policy;
    let kept = text(&policy);
    assert!(kept.contains("\"2026-12-31\":[\"09:00-15:00\"]"), "{kept}");
    assert_eq!(serde_json::from_str::<Policy>(&kept).expect("readable"), policy);
    let mut before: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    before.as_object_mut().expect("an object").remove("hours");
    assert!(serde_json::from_value::<Policy>(before).expect("readable").hours.is_always());
}

#[test]
fn a_bad_time_or_interval_is_named_with_what_to_write() {
    each_is_refused(&[
        (
            |it| written(it).monday = list(&["09:00-18:00", "09:00"]),
            &[
                "hours.monday[1]: `09:00` is no interval; write it like `09:00-13:00`, or past midnight like `22:00-06:00`",
            ],
        ),
        (
            |it| written(it).sunday = list(&["20:00-25:00"]),
            &["hours.sunday[0]: `25:00` is no time of day; write 00:00 to 24:00, like `09:30`"],
        ),
        (
            |it| written(it).sunday = list(&["24:00-06:00"]),
            &["hours.sunday[0]: `24:00-06:00` begins when the day is over; let it begin at 00:00 of the next day"],
        ),
        (
            |it| written(it).days[0].open = Some(list(&["09:00-09:00"])),
            &[
                "hours.days[0].open[0]: `09:00-09:00` ends where it begins; correct one of the two; the whole day is `00:00-24:00`",
            ],
        ),
        (|it| written(it).sunday = list(&["00:00-00:01"; 25]), &["hours.sunday: 25 of them; give 0 to 24"]),
    ]);
    each_is_accepted(&[
        |it| written(it).sunday = list(&["00:00-24:00"]),
        |it| written(it).sunday = list(&["22:00-06:00"]),
        |it| written(it).sunday = list(&["13:00-14:00", "9:00-13:00"]),
    ]);
}

#[test]
fn intervals_that_overlap_are_named_with_both_places() {
    let later = "let the later one begin where the earlier one ends, or later";
    let cases: [Overlap; 6] = [
        (
            |it| written(it).monday = list(&["09:00-13:00", "12:00-18:00"]),
            "hours.monday[1]: `12:00-18:00` overlaps `09:00-13:00` in hours.monday[0]",
        ),
        (
            |it| written(it).sunday = list(&["22:00-09:01"]),
            "hours.monday[0]: `09:00-13:00` overlaps `22:00-09:01` in hours.sunday[0]",
        ),
        (
            |it| {
                only(it, vec![day("2026-12-31", &["05:00-12:00"])]);
                written(it).wednesday = list(&["22:00-06:00"]);
            },
            "hours.days[0].open[0]: `05:00-12:00` of 2026-12-31 overlaps `22:00-06:00` in hours.wednesday[0]",
        ),
        (
            |it| {
                only(it, vec![day("2026-12-31", &["22:00-06:00"])]);
                written(it).friday = list(&["05:00-12:00"]);
            },
            "hours.days[0].open[0]: `22:00-06:00` of 2026-12-31 overlaps `05:00-12:00` in hours.friday[0]",
        ),
        (
            |it| only(it, vec![stretch("2027-01-01", "2027-01-10", &["05:00-12:00", "22:00-06:00"])]),
            "hours.days[0].open[0]: `05:00-12:00` of 2027-01-02 overlaps `22:00-06:00` of 2027-01-01 in hours.days[0].open[1]",
        ),
        (
            |it| {
                only(it, vec![day("2026-12-31", &["22:00-06:00"]), day("2027-01-01", &[])]);
                written(it).monday = list(&["05:00-12:00"]);
                (written(it).days[1].open, written(it).days[1].like) = (None, Some(Weekday::Monday));
            },
            "hours.days[1].as: `05:00-12:00` of 2027-01-01 overlaps `22:00-06:00` of 2026-12-31 in hours.days[0].open[0]",
        ),
    ];
    for (change, what) in cases {
        assert_eq!(super::refused(change), [format!("{what}; {later}")]);
    }
}

#[test]
fn each_entry_says_once_which_days_and_which_hours() {
    let which = "hours.days[0]: it does not say which day, or says it twice; write `date = \"2026-12-31\"`, or both `from` and `to`";
    let hours = "write `open = []` for a day off, `open = [\"10:00-15:00\"]`, or `as = \"monday\"`";
    let cases: [Entry; 10] = [
        (|it| it.date = None, which.to_owned()),
        (|it| it.from.clone_from(&it.date), which.to_owned()),
        (|it| (it.from, it.date) = (it.date.take(), None), which.to_owned()),
        (|it| it.open = None, format!("hours.days[0]: neither `open` nor `as`; {hours}")),
        (|it| it.like = Some(Weekday::Monday), format!("hours.days[0]: `open` and `as` say two things; {hours}")),
        (
            |it| it.date = Some("31.12.2026".to_owned()),
            "hours.days[0].date: `31.12.2026` is no date from 2000 to 2100; write year, month and day like `2026-12-31`".to_owned(),
        ),
        (
            |it| it.date = Some("2206-12-31".to_owned()),
            "hours.days[0].date: `2206-12-31` is no date from 2000 to 2100; write year, month and day like `2026-12-31`".to_owned(),
        ),
        (
            |it| it.date = Some("2026-02-29".to_owned()),
            "hours.days[0].date: `2026-02-29` is no date from 2000 to 2100; write year, month and day like `2026-12-31`".to_owned(),
        ),
        (
            |it| *it = stretch("2026-12-31", "2026-12-30", &[]),
            "hours.days[0].to: 2026-12-31 to 2026-12-30 is no stretch of 1 to 366 days; write the last day of the stretch, or several entries".to_owned(),
        ),
        (
            |it| *it = stretch("2026-01-01", "2027-01-02", &[]),
            "hours.days[0].to: 2026-01-01 to 2027-01-02 is no stretch of 1 to 366 days; write the last day of the stretch, or several entries".to_owned(),
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(super::refused(|it| change(&mut written(it).days[0])), [expected]);
    }
    let twice: [Case; 2] = [
        (
            |it| only(it, vec![day("2027-01-05", &[]), day("2027-01-05", &["09:00-10:00"])]),
            &["hours.days[1]: 2027-01-05 stands in hours.days[0] too; name each day once"],
        ),
        (
            |it| only(it, vec![stretch("2027-01-01", "2027-01-08", &[]), stretch("2027-01-08", "2027-01-09", &[])]),
            &["hours.days[1]: 2027-01-08 stands in hours.days[0] too; name each day once"],
        ),
    ];
    each_is_refused(&twice);
    each_is_accepted(&[|it| written(it).days[0] = stretch("2028-01-01", "2028-12-31", &[])]);
}

#[test]
fn an_unknown_weekday_and_a_list_without_brackets_are_named_by_their_line() {
    let told = |from: &str, to: &str| {
        assert!(EXAMPLE.contains(from), "{from}");
        let problems = parse(&EXAMPLE.replacen(from, to, 1)).expect_err("cannot be read");
        let told = problems[0].to_string();
        told.split_once(": ")
            .map(|(place, what)| (place.trim_start_matches(char::is_alphanumeric).to_owned(), what.to_owned()))
    };
    let (_, what) = told("\nmonday = ", "\nmoonday = ").expect("a place");
    assert!(what.starts_with("unknown field `moonday`, expected one of `monday`, `tuesday`"), "{what}");
    assert!(what.ends_with("; correct the name or take it out"), "{what}");
    let (_, what) = told("monday = [\"09:00-13:00\", \"14:00-18:00\"]", "monday = \"09:00-18:00\"").expect("a place");
    assert!(what.ends_with("; write it in brackets: `[...]`"), "{what}");
    let (place, what) = told("as = \"monday\"", "as = \"moonday\"").expect("a place");
    assert!(place.ends_with("hours.days[2].as"), "{place}");
    assert!(what.starts_with("unknown variant `moonday`, expected one of `monday`"), "{what}");
    assert!(what.ends_with("; write one of these"), "{what}");
}

#[test]
fn the_hours_alone_can_be_asked_without_the_secrets() {
    let mut document = parse(EXAMPLE).expect("the example can be read");
    assert_eq!(hours(&document).expect("right"), accepted(|_| {}).policy.hours);
    document.account.time_zone = "Moscow".to_owned();
    written(&mut document).monday = list(&["9"]);
    let problems = hours(&document).expect_err("two problems");
    let places: Vec<&str> = problems.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(places, ["account.time_zone", "hours.monday[0]"]);
}
