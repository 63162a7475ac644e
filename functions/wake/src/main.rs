//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_engine::Times;
use perezvon_engine::sweep::{Sweep, WakeUps};
use perezvon_platform::aws::runtime::{self, Error};
use perezvon_platform::aws::{SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{CRM_QUEUE_URL, EVENT_QUEUE_URL, Env, OUTBOUND_QUEUE_URL, TABLE_NAME, TIMES};
use perezvon_store::dynamo::Dynamo;
use perezvon_wake::Wake;
use serde::de::IgnoredAny;

fn main() -> ExitCode {
    runtime::run(wake)
}

async fn wake(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let crm = env.required(CRM_QUEUE_URL);
    let outbound = env.required(OUTBOUND_QUEUE_URL);
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let function = Wake::new(Sweep {
        table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        wake_ups: Some(WakeUps {
            crm: Arc::new(SqsQueue::new(&sdk, crm)),
            outbound: Arc::new(SqsQueue::new(&sdk, outbound)),
        }),
        clock: Arc::new(clock),
        times,
    });
    // That it came is all that counts of an event of the schedule.
    let work = async |_: IgnoredAny, _| {
        let swept = function.handle().await?;
        tracing::info!(calls = swept.calls, connections = swept.connections, "swept");
        Ok(())
    };
    runtime::serve(clock, work).await
}
