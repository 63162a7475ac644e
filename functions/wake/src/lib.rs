//! Every minute: whatever is due becomes an event or a wake-up; now and then every connection is looked at.

use std::sync::atomic::{AtomicI64, Ordering};

use perezvon_engine::Failure;
use perezvon_engine::sweep::{Sweep, Swept};
use perezvon_store::items::due::Timer;

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["sqs:SendMessage", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"];

/// The function.
pub struct Wake {
    sweep: Sweep,
    /// By the monotonic clock; a fresh process looks at once.
    next_look_ms: AtomicI64,
}

impl Wake {
    /// The function over these ports.
    pub fn new(sweep: Sweep) -> Self {
        Self { sweep, next_look_ms: AtomicI64::new(i64::MIN) }
    }

    /// One pass.
    pub async fn handle(&self) -> Result<Swept, Failure> {
        let swept = self.sweep.run(Timer::Wake).await?;
        let now = self.sweep.clock.monotonic_ms();
        if now >= self.next_look_ms.load(Ordering::Relaxed) {
            self.sweep.look_at_connections().await?;
            self.next_look_ms.store(now + self.sweep.times.look_at_connections_ms, Ordering::Relaxed);
        }
        Ok(swept)
    }
}
