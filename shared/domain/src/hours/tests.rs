//! Specs of working hours: by example, and by properties over zones, schedules and changes of the clock.

use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

const MINUTE_MS: i64 = 60_000;
/// In seconds, up to 2049. Since then all clocks differ from UTC by whole minutes.
const SINCE_1975: std::ops::Range<i64> = 157_766_400..2_500_000_000;
const SINCE_1850: std::ops::Range<i64> = -3_786_825_600..2_500_000_000;

fn list(texts: &[&str]) -> Vec<Interval> {
    texts.iter().map(|text| text.parse().expect("an interval")).collect()
}

/// Monday to Friday these, at the weekend nothing.
fn workdays(texts: &[&str]) -> [Vec<Interval>; 7] {
    std::array::from_fn(|day| list(if day < 5 { texts } else { &[] }))
}

fn dates(of: &[(&str, &[&str])]) -> BTreeMap<Date, Vec<Interval>> {
    of.iter().map(|(date, texts)| (date.parse().expect("a date"), list(texts))).collect()
}

fn hours(zone: &str, week: [Vec<Interval>; 7], of: &[(&str, &[&str])]) -> Hours {
    Hours::new(zone, week, dates(of)).expect("no overlaps")
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().expect("a moment").as_millisecond())
}

/// What is asked most: `open`, or the next opening; and the next close, both in the zone's own words.
#[track_caller]
fn tells(hours: &Hours, moment: &str, open: &str, close: &str) {
    let told = |moment: Option<Timestamp>| match moment {
        Some(moment) => {
            let moment = jiff::Timestamp::from_millisecond(moment.0).expect("in range").to_zoned(hours.zone());
            moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        }
        None => "never".to_owned(),
    };
    let moment = at(moment);
    assert_eq!((told(hours.next_open(moment)).as_str(), told(hours.next_close(moment)).as_str()), (open, close));
    assert_eq!(hours.is_open(moment), hours.next_open(moment) == Some(moment));
    assert_eq!(hours.is_open(moment), hours.next_close(moment) != Some(moment));
}

#[test]
fn lunch_and_the_weekend_are_off_hours() {
    let hours = hours("Europe/Moscow", workdays(&["09:00-13:00", "14:00-18:00"]), &[]);
    let cases = [
        ("2026-11-20T08:59:59+03:00", "2026-11-20T09:00:00+03:00", "2026-11-20T08:59:59+03:00"),
        ("2026-11-20T09:00:00+03:00", "2026-11-20T09:00:00+03:00", "2026-11-20T13:00:00+03:00"),
        ("2026-11-20T13:00:00+03:00", "2026-11-20T14:00:00+03:00", "2026-11-20T13:00:00+03:00"),
        ("2026-11-20T17:59:59+03:00", "2026-11-20T17:59:59+03:00", "2026-11-20T18:00:00+03:00"),
        ("2026-11-21T23:10:00+03:00", "2026-11-23T09:00:00+03:00", "2026-11-21T23:10:00+03:00"),
    ];
    for (moment, open, close) in cases {
        tells(&hours, moment, open, close);
    }
}

#[test]
fn what_lasts_past_midnight_belongs_to_the_day_it_begins_on() {
    let week = std::array::from_fn(|_| list(&["22:00-06:00"]));
    let night = hours("Europe/Moscow", week, &[("2026-11-24", &[]), ("2026-11-26", &["12:00-13:00"])]);
    // The 24th is a holiday: the night of the 23rd lasts into it, its own night never begins.
    tells(&night, "2026-11-24T05:59:00+03:00", "2026-11-24T05:59:00+03:00", "2026-11-24T06:00:00+03:00");
    tells(&night, "2026-11-24T06:00:00+03:00", "2026-11-25T22:00:00+03:00", "2026-11-24T06:00:00+03:00");
    tells(&night, "2026-11-26T06:00:00+03:00", "2026-11-26T12:00:00+03:00", "2026-11-26T06:00:00+03:00");
    tells(&night, "2026-11-26T13:00:00+03:00", "2026-11-27T22:00:00+03:00", "2026-11-26T13:00:00+03:00");
}

#[test]
fn days_side_by_side_are_one_stretch() {
    let round = hours("Europe/Moscow", std::array::from_fn(|_| list(&["00:00-24:00"])), &[("2030-01-07", &[])]);
    tells(&round, "2026-11-21T23:10:00+03:00", "2026-11-21T23:10:00+03:00", "2030-01-07T00:00:00+03:00");
    tells(&round, "2030-01-07T12:00:00+03:00", "2030-01-08T00:00:00+03:00", "2030-01-07T12:00:00+03:00");
    tells(&round, "2030-01-08T00:00:00+03:00", "2030-01-08T00:00:00+03:00", "never");
}

#[test]
fn holidays_longer_than_a_week_end_and_a_moved_workday_is_worked() {
    let days = (1..=20).map(|day| (format!("2027-01-{day:02}").parse().expect("a date"), vec![]));
    let mut dates: BTreeMap<Date, _> = days.collect();
    dates.insert("2026-12-27".parse().expect("a Sunday"), list(&["10:00-15:00"]));
    let hours = Hours::new("Europe/Moscow", workdays(&["09:00-18:00"]), dates).expect("no overlaps");
    tells(&hours, "2026-12-26T12:00:00+03:00", "2026-12-27T10:00:00+03:00", "2026-12-26T12:00:00+03:00");
    tells(&hours, "2026-12-31T18:00:00+03:00", "2027-01-21T09:00:00+03:00", "2026-12-31T18:00:00+03:00");
}

#[test]
fn a_week_with_one_open_or_one_closed_hour_comes_round() {
    // 2027-01-21 is a Thursday.
    let thursday =
        |it: &str, others: &[&str]| std::array::from_fn(|day| if day == 3 { list(&[it]) } else { list(others) });
    let once = hours("Europe/Moscow", thursday("09:00-10:00", &[]), &[("2027-01-21", &[])]);
    tells(&once, "2027-01-20T12:00:00+03:00", "2027-01-28T09:00:00+03:00", "2027-01-20T12:00:00+03:00");
    tells(&once, "2027-01-28T10:00:00+03:00", "2027-02-04T09:00:00+03:00", "2027-01-28T10:00:00+03:00");
    let full: &[&str] = &["00:00-24:00"];
    let but = hours("Europe/Moscow", thursday("00:00-23:00", full), &[("2027-01-21", full)]);
    tells(&but, "2027-01-20T12:00:00+03:00", "2027-01-20T12:00:00+03:00", "2027-01-28T23:00:00+03:00");
    tells(&but, "2027-01-29T00:00:00+03:00", "2027-01-29T00:00:00+03:00", "2027-02-04T23:00:00+03:00");
}

#[test]
fn the_hour_that_is_left_out_never_opens() {
    // Berlin, 2026-03-29: 02:00 becomes 03:00.
    let gap = hours("Europe/Berlin", Default::default(), &[("2026-03-29", &["02:00-03:00"])]);
    tells(&gap, "2026-03-28T12:00:00+01:00", "never", "2026-03-28T12:00:00+01:00");
    let across = hours("Europe/Berlin", Default::default(), &[("2026-03-29", &["02:30-04:00"])]);
    tells(&across, "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-28T12:00:00+01:00");
    tells(&across, "2026-03-29T03:00:00+02:00", "2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00");
    let before = hours("Europe/Berlin", Default::default(), &[("2026-03-29", &["01:00-02:30"])]);
    tells(&before, "2026-03-29T01:30:00+01:00", "2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00");
}

#[test]
fn the_hour_that_comes_twice_is_open_twice() {
    // Berlin, 2026-10-25: 03:00 becomes 02:00.
    let fold = hours("Europe/Berlin", Default::default(), &[("2026-10-25", &["02:00-02:30"])]);
    tells(&fold, "2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+02:00", "2026-10-25T02:30:00+02:00");
    tells(&fold, "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+02:00");
    tells(&fold, "2026-10-25T02:30:00+01:00", "never", "2026-10-25T02:30:00+01:00");
    let across = hours("Europe/Berlin", Default::default(), &[("2026-10-25", &["01:00-02:30"])]);
    tells(&across, "2026-10-25T02:45:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:45:00+02:00");
    tells(&across, "2026-10-25T02:10:00+01:00", "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00");
}

#[test]
fn a_day_that_a_zone_left_out_is_passed_over() {
    // Samoa crossed the date line: there was no 30 December 2011.
    let samoa = hours("Pacific/Apia", Default::default(), &[("2011-12-30", &["10:00-12:00"])]);
    tells(&samoa, "2011-12-29T10:00:00-10:00", "never", "2011-12-29T10:00:00-10:00");
    let daily = hours("Pacific/Apia", std::array::from_fn(|_| list(&["10:00-12:00"])), &[]);
    tells(&daily, "2011-12-29T12:00:00-10:00", "2011-12-31T10:00:00+14:00", "2011-12-29T12:00:00-10:00");
}

#[test]
fn without_a_schedule_it_is_always_open_and_an_empty_one_never_is() {
    let (always, never) = (Hours::always(), hours("Asia/Tokyo", Default::default(), &[("2026-12-31", &[])]));
    assert!(always.is_always() && !always.is_never() && never.is_never() && !never.is_always());
    tells(&always, "2026-11-21T23:10:00Z", "2026-11-21T23:10:00+00:00", "never");
    tells(&never, "2026-11-21T23:10:00Z", "never", "2026-11-22T08:10:00+09:00");
}

#[test]
fn moments_beyond_all_calendars_are_off_hours() {
    for hours in [Hours::always(), hours("Europe/Berlin", workdays(&["22:00-06:00"]), &[("9999-12-31", &[])])] {
        for moment in [i64::MIN, i64::MAX, -377_705_116_800_001, 253_402_207_201_000].map(Timestamp) {
            assert!(!hours.is_open(moment));
            assert_eq!((hours.next_open(moment), hours.next_close(moment)), (None, None));
        }
        for moment in [jiff::Timestamp::MIN, jiff::Timestamp::MAX] {
            let moment = Timestamp(moment.as_millisecond());
            assert!(hours.next_open(moment).is_none_or(|open| open >= moment && hours.is_open(open)));
            assert!(hours.next_close(moment).is_none_or(|close| close >= moment && !hours.is_open(close)));
        }
    }
}

#[test]
fn intervals_are_written_as_people_write_them() {
    for text in ["09:00-13:00", "22:00-06:00", "00:00-24:00", "18:00-24:00", "23:59-23:58"] {
        assert_eq!(text.parse::<Interval>().expect(text).to_string(), text);
    }
    for (text, same) in [("9:00 – 18:00", "09:00-18:00"), ("18:00-00:00", "18:00-24:00")] {
        assert_eq!(text.parse::<Interval>().expect(text).to_string(), same);
    }
    let refused = [
        ("09:00", "`09:00` is no interval"),
        ("09:00-25:00", "`25:00` is no time of day"),
        ("09:60-10:00", "`09:60` is no time of day"),
        ("24:01-10:00", "`24:01` is no time of day"),
        ("9-18", "`9` is no time of day"),
        ("09:0-10:00", "`09:0` is no time of day"),
        ("+9:00-10:00", "`+9:00` is no time of day"),
        ("99999:00-10:00", "`99999:00` is no time of day"),
        ("09:00-13:00-14:00", "`13:00-14:00` is no time of day"),
        ("24:00-06:00", "`24:00-06:00` begins when the day is over"),
        ("09:00-09:00", "`09:00-09:00` ends where it begins"),
    ];
    for (text, why) in refused {
        assert_eq!(text.parse::<Interval>().expect_err(text).to_string(), why);
    }
}

#[test]
fn intervals_that_overlap_are_refused_wherever_they_stand() {
    let mut week: [Vec<Interval>; 7] = Default::default();
    week[0] = list(&["05:00-09:00", "08:00-10:00"]);
    week[3] = list(&["09:00-18:00"]);
    week[6] = list(&["22:00-06:00"]);
    let faults = Hours::new("Mars/Base", week.clone(), BTreeMap::new()).expect_err("overlaps");
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let monday = ["`08:00-10:00` overlaps `05:00-09:00`", "`05:00-09:00` overlaps `22:00-06:00`"];
    assert_eq!(told, ["there is no time zone `Mars/Base`", monday[0], monday[1]]);
    // 2026-11-25 is a Wednesday.
    let faults = Hours::new("UTC", week, dates(&[("2026-11-25", &["20:00-09:01"])])).expect_err("overlaps");
    let Fault::Overlap(own, other) = faults[2] else { panic!("another fault") };
    assert_eq!((own.day, own.index), (Day::Date("2026-11-25".parse().expect("a date")), 0));
    assert_eq!((other.day, other.index), (Day::Weekday(Weekday::Thursday), 0));
    assert!(Hours::new("UTC", workdays(&["06:00-12:00", "12:00-06:00"]), BTreeMap::new()).is_ok());
}

/// By the words of the rule alone: its local wall-clock time lies in an interval of its day, or of the eve.
fn is_open_by_the_rule(hours: &Hours, local: DateTime) -> bool {
    let list = |date: Date| {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).expect("0 to 6");
        hours.dates.get(&date).unwrap_or(&hours.week[weekday])
    };
    let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).expect("of a day");
    let eve = local.date().yesterday().expect("in range");
    list(local.date()).iter().any(|it| it.start() <= minute && minute < it.end())
        || list(eve).iter().any(|it| minute + 1440 < it.end())
}

/// Minute by minute, as far as it is looked: the first open and the first closed moment.
fn stepped(hours: &Hours, zone: &TimeZone, from: Timestamp, minutes: i64) -> [Option<Timestamp>; 2] {
    let first = from.0.div_euclid(MINUTE_MS) * MINUTE_MS;
    let mut found = [None; 2];
    for step in (0..minutes).map(|minute| first + minute * MINUTE_MS) {
        let local = zone.to_datetime(jiff::Timestamp::from_millisecond(step).expect("in range"));
        let place = usize::from(!is_open_by_the_rule(hours, local));
        found[place] = found[place].or(Some(from.max(Timestamp(step))));
        if found.iter().all(Option::is_some) {
            break;
        }
    }
    found
}

fn agrees(hours: &Hours, zone: &TimeZone, from: Timestamp, minutes: i64) -> Result<(), TestCaseError> {
    let end = Timestamp(from.0.div_euclid(MINUTE_MS) * MINUTE_MS + minutes * MINUTE_MS);
    let near = |found: Option<Timestamp>| found.filter(|found| *found < end);
    let told = [near(hours.next_open(from)), near(hours.next_close(from))];
    prop_assert_eq!(told, stepped(hours, zone, from, minutes), "{:?} from {:?}", hours, from);
    prop_assert_eq!(hours.is_open(from), told[0] == Some(from));
    Ok(())
}

fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

#[test]
fn every_change_of_the_clock_in_every_zone_is_as_if_stepped_through_by_minutes() {
    let week = std::array::from_fn(|_| list(&["00:10-00:40", "01:30-02:15", "02:45-03:20", "03:40-04:00"]));
    let (from, to) = (at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let mut changes = 0;
    for name in zones() {
        let hours = hours(&name, week.clone(), &[]);
        let zone = hours.zone();
        let from = jiff::Timestamp::from_millisecond(from.0).expect("in range");
        for change in zone.following(from).map(|it| it.timestamp().as_millisecond()).take_while(|it| *it < to.0) {
            for before in [150, 45, 20, 0] {
                agrees(&hours, &zone, Timestamp(change - before * MINUTE_MS), 240).expect("the same");
            }
            changes += 1;
        }
    }
    assert!(changes > 200, "{changes} changes in {} zones", zones().len());
}

/// Cuts of the week in pairs, none of which overlap, and some days around a moment that differ.
fn schedule(zone: &str, cuts: &[u16], around: Timestamp, days: &[(i64, Vec<Interval>)]) -> Hours {
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    cuts.dedup();
    let mut week: [Vec<Interval>; 7] = Default::default();
    for pair in cuts.chunks_exact(2) {
        let (day, start, length) = (pair[0] / 1440, pair[0] % 1440, (pair[1] - pair[0]).min(1439));
        let end = (start + length) % 1440;
        let text = format!("{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60);
        week[usize::from(day)].push(text.parse().expect("an interval"));
    }
    let mut hours = Hours::new(zone, week, BTreeMap::new()).expect("pairs do not overlap");
    for (offset, list) in days {
        let mut dates = hours.dates.clone();
        dates.extend(date(around.seconds().div_euclid(DAY_S) + offset).map(|date| (date, list.clone())));
        hours = Hours::new(zone, hours.week.clone(), dates).unwrap_or(hours);
    }
    hours
}

/// A moment within a day or so of a change of the clock, if the zone has one after it.
fn near_a_change(zone: &str, seconds: i64, beside: i64) -> Timestamp {
    let zone = TimeZone::get(zone).expect("a zone");
    let moment = jiff::Timestamp::from_second(seconds).expect("in range");
    let change = zone.following(moment).next().map_or(moment, |change| change.timestamp());
    Timestamp(change.as_millisecond() + beside)
}

/// Any schedule in any zone, and a moment near a change of its clock.
fn any_schedule(seconds: std::ops::Range<i64>) -> impl Strategy<Value = (Hours, Timestamp)> {
    let cut = prop_oneof![0_u16..10_080, (0_u16..336).prop_map(|half| half * 30)];
    let lists = ["", "00:00-24:00", "02:10-02:50", "01:00-02:30", "02:30-05:00", "22:00-03:00", "09:00-18:00"];
    let lists = lists.map(|text| if text.is_empty() { vec![] } else { list(&[text]) });
    let days = prop::collection::vec((-3_i64..20, prop::sample::select(lists.to_vec())), 0..6);
    let moment = (seconds, -100_000_000_i64..100_000_000);
    let cuts = prop::collection::vec(cut, 0..16);
    (prop::sample::select(zones()), cuts, moment, days).prop_map(|(zone, cuts, (seconds, beside), days)| {
        let moment = near_a_change(&zone, seconds, beside);
        (schedule(&zone, &cuts, moment, &days), moment)
    })
}

proptest! {
    #[test]
    fn any_schedule_near_a_change_is_as_if_stepped_through_by_minutes((hours, moment) in any_schedule(SINCE_1975)) {
        agrees(&hours, &hours.zone(), moment, 36 * 60)?;
    }

    #[test]
    fn nothing_is_missed_before_the_next_opening_or_close(
        (hours, moment) in any_schedule(SINCE_1850),
        parts in prop::collection::vec(0.0_f64..1.0, 32),
    ) {
        for (open, next) in [(true, hours.next_open(moment)), (false, hours.next_close(moment))] {
            let year = moment.0 + 366 * DAY_S * 1000;
            let end = next.map_or(year, |next| next.0);
            prop_assert!(end >= moment.0);
            prop_assert!(next.is_none_or(|next| hours.is_open(next) == open));
            let between = parts.iter().map(|part| moment.0 + ((end - moment.0) as f64 * part) as i64);
            for other in between.chain([moment.0, end - 1]).filter(|other| (moment.0..end).contains(other)) {
                prop_assert_eq!(hours.is_open(Timestamp(other)), !open, "{:?} at {}", &hours, other);
            }
        }
    }

    #[test]
    fn a_later_moment_never_has_an_earlier_next_one(
        (hours, moment) in any_schedule(SINCE_1850),
        later in 0_i64..200_000_000,
    ) {
        let later = Timestamp(moment.0 + later);
        let at = |next: Option<Timestamp>| next.map_or(i64::MAX, |next| next.0);
        prop_assert!(at(hours.next_open(moment)) <= at(hours.next_open(later)));
        prop_assert!(at(hours.next_close(moment)) <= at(hours.next_close(later)));
    }
}
