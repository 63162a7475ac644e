//! What comes by the clock: `wake` every minute, the sweep of expired rows every ten.

use std::sync::Arc;
use std::time::Duration;

use perezvon_wake::Wake;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::drivers::table::Embedded;

const WAKE_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// What one pass of `wake` may take, as in the cloud.
const PASS: Duration = Duration::from_secs(55);

/// Runs `wake` at once and then every minute, until `stop` says true.
pub(super) async fn wake(wake: Arc<Wake>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(WAKE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => match timeout(PASS, wake.handle()).await {
                Ok(Ok(swept)) => tracing::debug!(swept.calls, swept.connections, "a pass of wake"),
                Ok(Err(failure)) => tracing::error!(%failure, "a pass of wake failed; the next one does its work"),
                Err(_) => tracing::error!("a pass of wake ran out of time; the next one does the rest"),
            },
            _ = stop.changed() => {}
        }
    }
}

/// Removes expired rows at once and then every ten minutes, until `stop` says true.
pub(super) async fn sweep_expired(embedded: Embedded, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => match embedded.sweep_ttl().await {
                Ok(removed) => tracing::debug!(removed, "expired rows removed"),
                Err(error) => tracing::error!(%error, "expired rows were not removed; the next pass does it"),
            },
            _ = stop.changed() => {}
        }
    }
}
