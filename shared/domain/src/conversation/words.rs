//! Times in Russian words, in the account's time zone.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::time::Timestamp;

const DAYS: [&str; 7] = ["понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"];
const ON_DAYS: [&str; 7] =
    ["в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье"];
const UNTIL_DAYS: [&str; 7] = ["понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья"];
/// Autoreplies that an explanation names one by one.
const NAMED: usize = 3;

fn local(at: Timestamp, zone: &str) -> Zoned {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone)
}

fn day(at: &Zoned, names: &[&'static str; 7]) -> &'static str {
    names.get(usize::from(at.weekday().to_monday_zero_offset().unsigned_abs())).copied().unwrap_or_default()
}

fn clock(at: &Zoned) -> String {
    at.strftime("%H:%M").to_string()
}

/// `суббота`.
pub fn weekday(at: Timestamp, zone: &str) -> &'static str {
    day(&local(at, zone), &DAYS)
}

/// `суббота 23:10`.
pub(super) fn moment(at: Timestamp, zone: &str) -> String {
    let at = local(at, zone);
    format!("{} {}", day(&at, &DAYS), clock(&at))
}

/// `в 23:10`, `в понедельник 23:10` or `28.11.2026 в 23:10`, as seen from another moment.
pub fn on(at: Timestamp, seen: Timestamp, zone: &str) -> String {
    let (then, now) = (local(at, zone), local(seen, zone));
    match days_between(&now, &then) {
        0 => format!("в {}", clock(&then)),
        1..7 => format!("{} {}", day(&then, &ON_DAYS), clock(&then)),
        _ => format!("{} в {}", then.strftime("%d.%m.%Y"), clock(&then)),
    }
}

/// `до 09:00`, `до понедельника 09:00` or `до 28.11.2026 09:00`.
pub(super) fn until(at: Timestamp, seen: Timestamp, zone: &str) -> String {
    let (then, now) = (local(at, zone), local(seen, zone));
    match days_between(&now, &then) {
        0 => format!("до {}", clock(&then)),
        1..7 => format!("до {} {}", day(&then, &UNTIL_DAYS), clock(&then)),
        _ => format!("до {} {}", then.strftime("%d.%m.%Y"), clock(&then)),
    }
}

fn days_between(one: &Zoned, other: &Zoned) -> i32 {
    one.date().until(other.date()).map_or(i32::MAX, |span| span.get_days())
}

/// `автоответ 1 в 23:12, автоответ 2 в воскресенье 00:10`.
pub(super) fn steps(times: &[Timestamp], seen: Timestamp, zone: &str) -> String {
    let named = times.iter().take(NAMED).enumerate();
    let mut parts: Vec<String> =
        named.map(|(index, at)| format!("автоответ {} {}", index + 1, on(*at, seen, zone))).collect();
    if times.len() > NAMED {
        parts.push(format!("и ещё {}", times.len() - NAMED));
    }
    if parts.is_empty() { "автоответов нет".to_owned() } else { parts.join(", ") }
}
