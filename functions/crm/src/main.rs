//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_crm::Crm;
use perezvon_engine::Times;
use perezvon_engine::jobs::{self, Links, Remembered, Worker};
use perezvon_engine::secrets::{LINK_KEY, seal_key};
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{SecretsManager, SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    ALLOW_HOSTS, CRM_QUEUE_URL, EVENT_QUEUE_URL, Env, PUBLIC_URL, SECRET_PREFIX, TABLE_NAME, TIMES,
};
use perezvon_platform::guard::{Allow, Guard};
use perezvon_store::dynamo::Dynamo;

fn main() -> ExitCode {
    runtime::run(crm)
}

async fn crm(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let events = env.required(EVENT_QUEUE_URL);
    let wake_ups = env.required(CRM_QUEUE_URL);
    let secrets = env.required(SECRET_PREFIX);
    let public_url = env.required(PUBLIC_URL);
    let allow = env.optional_as(ALLOW_HOSTS, Allow::parse).unwrap_or_default();
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let secrets = SecretsManager::new(&sdk, secrets);
    let link_key = seal_key(&secrets, LINK_KEY).await?;
    let worker = Worker {
        table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
        secrets: Arc::new(secrets),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        wake_ups: Arc::new(SqsQueue::new(&sdk, wake_ups)),
        http: Arc::new(perezvon_client::Client::new(Guard { allow })?),
        blobs: None,
        links: Some(Links { public_url, key: link_key }),
        clock: Arc::new(clock),
        times,
        codecs: jobs::codec,
        remembered: Remembered::default(),
    };
    let function = Crm { worker };
    let work = async |event, run: Invocation| Ok(function.handle(event, &run.id, run.ends_ms).await);
    runtime::serve(clock, work).await
}
