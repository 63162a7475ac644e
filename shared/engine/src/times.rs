//! The waiting times of the installation, the same for all accounts. What an account may set for itself
//! stands in its settings: `waits` of a call, `times` of a connection.

use crate::secrets::JobTimes;

/// All in milliseconds. The defaults are those of the protocol (docs/protocol.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How far two hosts' clocks may differ (5 s; one machine has one clock: 0).
    pub skew_ms: i64,
    /// A copy with less than this left does not commit (5 s).
    pub commit_margin_ms: i64,
    /// When an item that could not hand over asks to be looked at again (60 s).
    pub arm_ms: i64,
    /// A due time closer than this is also a delayed message, and the sweep looks as far ahead (190 s:
    /// a schedule may fire two minutes late).
    pub look_ahead_ms: i64,
    /// How far a sweep moves a due time: should its event be lost, the sweep finds it again then (490 s).
    pub moved_by_ms: i64,
    /// How often every connection is looked at (10 min).
    pub look_at_connections_ms: i64,
    /// An effect older than this is parked for a person, for its job row may have expired (20 days).
    pub parked_after_ms: i64,
    /// How long the secret of a channel is remembered (60 s).
    pub secret_remembered_ms: i64,
    /// How often the counts of a channel are saved, refusals and pings aside (10 s; one machine: each time).
    pub counts_saved_ms: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            skew_ms: 5_000,
            commit_margin_ms: 5_000,
            arm_ms: 60_000,
            look_ahead_ms: 190_000,
            moved_by_ms: 490_000,
            look_at_connections_ms: 600_000,
            parked_after_ms: 20 * 86_400_000,
            secret_remembered_ms: 60_000,
            counts_saved_ms: 10_000,
        }
    }
}

/// Longest delay of a message in a queue.
const LONGEST_DELAY_MS: i64 = 900_000;
/// A job row is kept for 30 days from its end: the last of them is for clocks and for the queue.
const LONGEST_PARKED_MS: i64 = 29 * 86_400_000;

impl Times {
    /// On one machine: nobody's clock can differ, and a write costs nothing.
    pub fn one_machine() -> Self {
        Self { skew_ms: 0, counts_saved_ms: 0, ..Self::default() }
    }

    /// The defaults with some changed: [`Times::with`].
    ///
    /// # Errors
    /// As there.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::default().with(text)
    }

    /// These times with some changed: `look_ahead_ms=60000, moved_by_ms=150000`.
    ///
    /// # Errors
    /// What cannot be read, an unknown name, a number out of its range, times that do not fit together.
    pub fn with(mut self, text: &str) -> Result<Self, String> {
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not NAME=MILLISECONDS"))?;
            let (name, value) = (name.trim(), value.trim());
            let number: i64 = value.parse().map_err(|_| format!("`{value}` is not a whole number of milliseconds"))?;
            let mut fields = self.fields();
            let Some((_, field, (least, most))) = fields.iter_mut().find(|(known, ..)| *known == name) else {
                let names = fields.map(|(name, ..)| name).join(", ");
                return Err(format!("there is no time `{name}`; there are {names}"));
            };
            if !(*least..=*most).contains(&number) {
                return Err(format!("{name}: {number} is out of range; give {least} to {most}"));
            }
            **field = number;
        }
        self.fit().map(|()| self)
    }

    /// Every time with what it may be.
    fn fields(&mut self) -> [(&'static str, &mut i64, (i64, i64)); 9] {
        [
            ("skew_ms", &mut self.skew_ms, (0, 60_000)),
            ("commit_margin_ms", &mut self.commit_margin_ms, (0, 20_000)),
            ("arm_ms", &mut self.arm_ms, (1_000, 3_600_000)),
            ("look_ahead_ms", &mut self.look_ahead_ms, (1_000, LONGEST_DELAY_MS)),
            ("moved_by_ms", &mut self.moved_by_ms, (2_000, 86_400_000)),
            ("look_at_connections_ms", &mut self.look_at_connections_ms, (1_000, 86_400_000)),
            ("parked_after_ms", &mut self.parked_after_ms, (86_400_000, LONGEST_PARKED_MS)),
            ("secret_remembered_ms", &mut self.secret_remembered_ms, (0, 3_600_000)),
            ("counts_saved_ms", &mut self.counts_saved_ms, (0, 3_600_000)),
        ]
    }

    fn fit(&self) -> Result<(), String> {
        if self.moved_by_ms <= self.look_ahead_ms {
            return Err(format!(
                "moved_by_ms ({}) must be more than look_ahead_ms ({}): the next sweep would find the same entry again",
                self.moved_by_ms, self.look_ahead_ms
            ));
        }
        Ok(())
    }

    /// What a worker needs at least to send one request: its time-out and the doubt of the clocks.
    pub fn margin_ms(&self, times: &JobTimes) -> i64 {
        times.request_timeout_ms + 2 * self.skew_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_given_changes_nothing() {
        assert_eq!(Times::parse(" "), Ok(Times::default()));
        assert_eq!(Times::one_machine().skew_ms, 0);
    }

    #[test]
    fn given_times_stand_and_the_others_stay() {
        let times = Times::one_machine().with("look_ahead_ms=60000, moved_by_ms = 150000,").expect("both are fine");
        let expected = Times { look_ahead_ms: 60_000, moved_by_ms: 150_000, ..Times::one_machine() };
        assert_eq!(times, expected);
    }

    #[test]
    fn what_cannot_stand_is_refused_with_what_to_write() {
        for (text, part) in [
            ("soon", "`soon` is not NAME=MILLISECONDS"),
            ("skew_ms=much", "`much` is not a whole number"),
            ("skw_ms=1", "there is no time `skw_ms`; there are skew_ms, commit_margin_ms"),
            ("look_ahead_ms=900001", "look_ahead_ms: 900001 is out of range; give 1000 to 900000"),
            ("moved_by_ms=190000", "must be more than look_ahead_ms (190000)"),
        ] {
            let error = Times::parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_margin_is_one_request_and_two_clocks() {
        assert_eq!(Times::default().margin_ms(&JobTimes::default()), 20_000);
    }
}
