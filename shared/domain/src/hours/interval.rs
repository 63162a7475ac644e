//! An interval of the wall clock, as people write it: `09:00-13:00`, `22:00-06:00`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

/// From a minute of a day up to, and without, a later one of the same day or of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    /// Before 24:00.
    start: u16,
    /// After the start, by less than a day or by a whole one from 00:00 on. Beyond 24:00 it is in the next day.
    end: u16,
}

impl Interval {
    /// 00:00-24:00.
    pub(super) const WHOLE_DAY: Self = Self { start: 0, end: DAY };

    /// The minute of its day when it begins.
    pub(super) fn start(self) -> u16 {
        self.start
    }

    /// The minute when it is over, counted from the beginning of its day.
    pub(super) fn end(self) -> u16 {
        self.end
    }
}

/// Why a text is no interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntervalError {
    /// Not two times with a dash between them.
    Shape(String),
    /// This half is no time of day.
    Time(String),
    /// The day is over at 24:00.
    StartsAtEnd(String),
    /// It ends where it begins.
    Nothing(String),
}

impl fmt::Display for IntervalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(text) => write!(f, "`{text}` is no interval"),
            Self::Time(text) => write!(f, "`{text}` is no time of day"),
            Self::StartsAtEnd(text) => write!(f, "`{text}` begins when the day is over"),
            Self::Nothing(text) => write!(f, "`{text}` ends where it begins"),
        }
    }
}

impl std::error::Error for IntervalError {}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let (from, to) = text.split_once(['-', '–']).ok_or_else(|| IntervalError::Shape(text.to_owned()))?;
        let (start, end) = (minute(from)?, minute(to)?);
        if start == DAY {
            return Err(IntervalError::StartsAtEnd(text.to_owned()));
        }
        if start == end {
            return Err(IntervalError::Nothing(text.to_owned()));
        }
        Ok(Self { start, end: if end < start { end + DAY } else { end } })
    }
}

/// `9:00`, `09:00`, `24:00` as a minute of the day.
fn minute(text: &str) -> Result<u16, IntervalError> {
    let number = |digits: &str, lengths: &[usize]| -> Option<u16> {
        let plain = lengths.contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
        digits.parse().ok().filter(|_| plain)
    };
    let text = text.trim();
    let (hour, minute) = text.split_once(':').unwrap_or_default();
    let minute = number(hour, &[1, 2]).zip(number(minute, &[2])).filter(|(_, minute)| *minute < 60);
    let minute = minute.map(|(hour, minute)| hour * 60 + minute).filter(|minute| *minute <= DAY);
    minute.ok_or_else(|| IntervalError::Time(text.to_owned()))
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.start / 60, self.start % 60, end / 60, end % 60)
    }
}

impl TryFrom<String> for Interval {
    type Error = IntervalError;

    fn try_from(text: String) -> Result<Self, IntervalError> {
        text.parse()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}
