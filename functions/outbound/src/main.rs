//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_engine::Times;
use perezvon_engine::jobs::{self, Remembered, Worker};
use perezvon_outbound::Outbound;
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{S3Blobs, SecretsManager, SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    ALLOW_HOSTS, BLOB_BUCKET, EVENT_QUEUE_URL, EXTRA_ROOT, Env, OUTBOUND_QUEUE_URL, SECRET_PREFIX, TABLE_NAME, TIMES,
};
use perezvon_platform::guard::{Allow, Guard};
use perezvon_platform::roots::ExtraRoot;
use perezvon_store::dynamo::Dynamo;

fn main() -> ExitCode {
    runtime::run(outbound)
}

async fn outbound(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let wake_ups = env.required(OUTBOUND_QUEUE_URL);
    let secrets = env.required(SECRET_PREFIX);
    let bucket = env.required(BLOB_BUCKET);
    let allow = env.optional_as(ALLOW_HOSTS, Allow::parse).unwrap_or_default();
    let root = env.optional_as(EXTRA_ROOT, ExtraRoot::parse).unwrap_or_default();
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let worker = Worker {
        table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
        secrets: Arc::new(SecretsManager::new(&sdk, secrets)),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        wake_ups: Arc::new(SqsQueue::new(&sdk, wake_ups)),
        http: Arc::new(perezvon_client::Client::trusting(Guard { allow }, root)?),
        blobs: Some(Arc::new(S3Blobs::new(&sdk, &bucket)?)),
        links: None,
        clock: Arc::new(clock),
        times,
        codecs: jobs::codec,
        remembered: Remembered::default(),
    };
    let function = Outbound { worker };
    let work = async |event, run: Invocation| Ok(function.handle(event, &run.id, run.ends_ms).await);
    runtime::serve(clock, work).await
}
