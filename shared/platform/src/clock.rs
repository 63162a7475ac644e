//! The real clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::ports::Clock;

/// The clock of this host.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic zero is now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn monotonic_ms(&self) -> i64 {
        millis(self.start.elapsed())
    }

    async fn sleep_ms(&self, ms: i64) {
        tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or_default())).await;
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_in_this_century() {
        let clock = SystemClock::new();
        assert!((1_700_000_000_000..4_102_444_800_000).contains(&clock.now_ms()));
        assert!(clock.monotonic_ms() >= 0);
    }

    #[tokio::test]
    async fn a_wait_of_less_than_nothing_ends_at_once() {
        SystemClock::new().sleep_ms(-5).await;
    }
}
