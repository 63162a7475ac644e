//! `hours`: whether it is working time at a moment, and when that changes.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use perezvon_domain::Timestamp;
use perezvon_engine::settings;
use serde_json::json;

use super::Said;
use super::args::HoursArgs;
use super::settings::lines;
use super::show;
use crate::local::settings::written;

/// `perezvon hours`.
pub fn tell(args: &HoursArgs) -> Result<Said, String> {
    let read = written(&args.settings).and_then(|document| Ok((settings::hours(&document)?, document.account)));
    let (hours, account) = match read {
        Ok(read) => read,
        Err(problems) => return Ok(Said::bad(lines(&problems))),
    };
    let zone = TimeZone::get(&account.time_zone).map_err(|error| error.to_string())?;
    let at = match &args.at {
        Some(text) => moment(text, &zone)?,
        None => jiff::Timestamp::now(),
    };
    let at = Timestamp(at.as_millisecond());
    let (is_open, open, close) = (hours.is_open(at), hours.next_open(at), hours.next_close(at));
    if args.json {
        return Ok(Said::fine(show::json(&json!({
            "account": account.id,
            "time_zone": account.time_zone,
            "at": at,
            "is_open": is_open,
            "next_open": open,
            "next_close": close,
        }))));
    }
    let next = |next: Option<Timestamp>, already: &str| match next {
        Some(next) if next == at => format!("{} ({already} already)", local(next, &zone)),
        Some(next) => local(next, &zone),
        None => "never".to_owned(),
    };
    Ok(Said::fine(format!(
        "{}, {}: {}\nnext open:  {}\nnext close: {}\n",
        local(at, &zone),
        account.time_zone,
        if is_open { "working time" } else { "off hours" },
        next(open, "open"),
        next(close, "closed"),
    )))
}

/// With an offset as it stands, without one by the clock of this zone.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Result<jiff::Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let local = text.parse::<DateTime>().ok().filter(|_| !text.contains('['));
    let local = local.ok_or_else(|| {
        format!("`{text}` is no moment: write `2026-11-21T23:10`, or with an offset `2026-11-21T23:10+03:00`")
    })?;
    let at = zone.to_ambiguous_timestamp(local);
    match at.offset() {
        AmbiguousOffset::Unambiguous { .. } => {}
        AmbiguousOffset::Gap { .. } => {
            return Err(format!("`{text}` is left out there, the clock is put forward: write another time"));
        }
        AmbiguousOffset::Fold { before, after } => {
            return Err(format!("`{text}` comes twice there: write `{local}{before}` or `{local}{after}`"));
        }
    }
    at.unambiguous().map_err(|error| error.to_string())
}

/// As people of this zone read it.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
}
