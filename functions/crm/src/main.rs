//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_crm::Crm;
use perezvon_engine::Times;
use perezvon_engine::jobs::{Links, Worker};
use perezvon_engine::secrets::read;
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{SecretsManager, SqsQueue, sdk_config};
use perezvon_platform::client;
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    ALLOW_HOSTS, CRM_QUEUE_URL, EVENT_QUEUE_URL, Env, PUBLIC_URL, SECRET_PREFIX, TABLE_NAME, TIMES,
};
use perezvon_platform::guard::{Allow, Guard};
use perezvon_store::dynamo::Dynamo;

/// What this function takes of our own keys.
#[derive(serde::Deserialize)]
struct Keys {
    link_key: String,
}

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
    let times = env.optional_as(TIMES, |text| Times::default().with(text)).unwrap_or_default();
    env.finish()?;

    let (sdk, clock) = (sdk_config().await, SystemClock::new());
    let secrets = SecretsManager::new(&sdk, secrets);
    let keys: Option<Keys> = read(&secrets, "api/keys").await?;
    let keys = keys.ok_or("there is no secret `api/keys`: store one as ARCHITECTURE.md says")?;
    let worker = Worker {
        table: Arc::new(Dynamo::new(Client::new(&sdk), table)),
        secrets: Arc::new(secrets),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        wake_ups: Arc::new(SqsQueue::new(&sdk, wake_ups)),
        http: Arc::new(client::Client::new(Guard { allow })?),
        blobs: None,
        links: Some(Links { public_url, key: keys.link_key.into_bytes() }),
        clock: Arc::new(clock),
        times,
    };
    let function = Crm { worker };
    let work = async |event, run: Invocation| Ok(function.handle(event, &run.id, run.ends_ms).await);
    runtime::serve(clock, work).await
}
