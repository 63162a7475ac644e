//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_api::{Api, Config};
use perezvon_engine::Times;
use perezvon_engine::policies::Policies;
use perezvon_engine::secrets::{LINK_KEY, PERSON_KEY, seal_key};
use perezvon_platform::aws::runtime::{self, Error, Invocation};
use perezvon_platform::aws::{EventBus, S3Blobs, SecretsManager, SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{
    ALLOW_HOSTS, BLOB_BUCKET, CRM_QUEUE_URL, EVENT_BUS_NAME, EVENT_QUEUE_URL, Env, OUTBOUND_QUEUE_URL, PUBLIC_URL,
    QUARANTINE_TABLE_NAME, RAW_QUEUE_URL, SECRET_PREFIX, TABLE_NAME, TIMES,
};
use perezvon_store::dynamo::Dynamo;

fn main() -> ExitCode {
    runtime::run(api)
}

async fn api(mut env: Env) -> Result<(), Error> {
    let table = env.required(TABLE_NAME);
    let quarantine = env.required(QUARANTINE_TABLE_NAME);
    let bucket = env.required(BLOB_BUCKET);
    let secrets = env.required(SECRET_PREFIX);
    let raw = env.required(RAW_QUEUE_URL);
    let events = env.required(EVENT_QUEUE_URL);
    let crm = env.required(CRM_QUEUE_URL);
    let outbound = env.required(OUTBOUND_QUEUE_URL);
    let bus = env.required(EVENT_BUS_NAME);
    let public_url = env.required(PUBLIC_URL);
    let allow = env.optional(ALLOW_HOSTS).unwrap_or_default();
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let client = Client::new(&sdk);
    let secrets = SecretsManager::new(&sdk, secrets);
    let (person_key, link_key) = (seal_key(&secrets, PERSON_KEY).await?, seal_key(&secrets, LINK_KEY).await?);
    let function = Api {
        table: Arc::new(Dynamo::new(client.clone(), table)),
        quarantine: Arc::new(Dynamo::new(client, quarantine)),
        blobs: Arc::new(S3Blobs::new(&sdk, &bucket)?),
        secrets: Arc::new(secrets),
        raw: Arc::new(SqsQueue::new(&sdk, raw)),
        events: Arc::new(SqsQueue::new(&sdk, events)),
        crm: Arc::new(SqsQueue::new(&sdk, crm)),
        outbound: Arc::new(SqsQueue::new(&sdk, outbound)),
        bus: Arc::new(EventBus::new(&sdk, bus)),
        clock: Arc::new(clock),
        policies: Policies::default(),
        times,
        config: Config {
            public_url,
            person_key,
            link_key,
            hook_key: None,
            allow_hosts: allow.split(',').map(|host| host.trim().to_owned()).collect(),
        },
    };
    let work = async |event, run: Invocation| Ok(function.handle(event, run.ends_ms).await);
    runtime::serve(clock, work).await
}
