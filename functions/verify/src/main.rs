//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_engine::Times;
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{SecretsManager, SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    CRM_QUEUE_URL, EVENT_QUEUE_URL, Env, QUARANTINE_TABLE_NAME, SECRET_PREFIX, TABLE_NAME, TIMES,
};
use perezvon_store::dynamo::Dynamo;
use perezvon_verify::Verify;

fn main() -> ExitCode {
    runtime::run(verify)
}

async fn verify(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let quarantine = env.required(QUARANTINE_TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let crm = env.required(CRM_QUEUE_URL);
    let secrets = env.required(SECRET_PREFIX);
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let client = Client::new(&sdk);
    let function = Verify::new(
        Arc::new(Dynamo::new(client.clone(), table)),
        Arc::new(Dynamo::new(client, quarantine)),
        (Arc::new(SqsQueue::new(&sdk, events)), Arc::new(SqsQueue::new(&sdk, crm))),
        Arc::new(SecretsManager::new(&sdk, secrets)),
        Arc::new(clock),
        &times,
    );
    let work = async |event, run: Invocation| Ok(function.handle(event, run.ends_ms).await);
    runtime::serve(clock, work).await
}
