//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_auto_reply::AutoReply;
use perezvon_engine::Times;
use perezvon_engine::sweep::Sweep;
use perezvon_platform::aws::runtime::{self, Error};
use perezvon_platform::aws::{SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{EVENT_QUEUE_URL, Env, TABLE_NAME, TIMES};
use perezvon_store::dynamo::Dynamo;
use serde::de::IgnoredAny;

fn main() -> ExitCode {
    runtime::run(auto_reply)
}

async fn auto_reply(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let function = AutoReply {
        sweep: Sweep {
            table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
            events: Arc::new(SqsQueue::new(&sdk, events)),
            wake_ups: None,
            clock: Arc::new(clock),
            times,
        },
    };
    // That it came is all that counts of an event of the schedule.
    let work = async |_: IgnoredAny, _| {
        let swept = function.handle().await?;
        tracing::info!(conversations = swept.conversations, "swept");
        Ok(())
    };
    runtime::serve(clock, work).await
}
