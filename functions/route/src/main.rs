//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_engine::Times;
use perezvon_engine::commit::Committer;
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{EventBus, S3Blobs, SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    BLOB_BUCKET, CRM_QUEUE_URL, EVENT_BUS_NAME, EVENT_QUEUE_URL, Env, OUTBOUND_QUEUE_URL, TABLE_NAME, TIMES,
};
use perezvon_route::Route;
use perezvon_store::dynamo::Dynamo;

fn main() -> ExitCode {
    runtime::run(route)
}

async fn route(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let crm = env.required(CRM_QUEUE_URL);
    let outbound = env.required(OUTBOUND_QUEUE_URL);
    let bus = env.required(EVENT_BUS_NAME);
    let bucket = env.required(BLOB_BUCKET);
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let function = Route::new(Committer {
        table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        crm: Arc::new(SqsQueue::new(&sdk, crm)),
        outbound: Arc::new(SqsQueue::new(&sdk, outbound)),
        bus: Arc::new(EventBus::new(&sdk, bus)),
        blobs: Arc::new(S3Blobs::new(&sdk, &bucket)?),
        clock: Arc::new(clock),
        times,
    });
    let work = async |event, run: Invocation| Ok(function.handle(event, run.ends_ms).await);
    runtime::serve(clock, work).await
}
