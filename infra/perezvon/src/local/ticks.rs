//! What comes by the clock: the sweeps every minute, that of expired rows every ten.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use perezvon_engine::Failure;
use perezvon_engine::sweep::Swept;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::drivers::table::Embedded;

const PASS_EVERY: Duration = Duration::from_secs(60);
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// What one pass may take, as in the cloud.
const PASS: Duration = Duration::from_secs(55);

/// A function that the schedule calls.
#[async_trait]
pub(super) trait Scheduled: Send + Sync {
    /// One pass.
    async fn pass(&self) -> Result<Swept, Failure>;
}

/// Runs a function of the schedule at once and then every minute, until `stop` says true.
pub(super) async fn every_minute(name: &'static str, function: Arc<dyn Scheduled>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(PASS_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !*stop.borrow() {
        tokio::select! {
            _ = ticks.tick() => match timeout(PASS, function.pass()).await {
                Ok(Ok(swept)) => tracing::debug!(function = name, ?swept, "a pass is over"),
                Ok(Err(failure)) => tracing::error!(function = name, %failure, "a pass failed; the next one does its work"),
                Err(_) => tracing::error!(function = name, "a pass ran out of time; the next one does the rest"),
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
