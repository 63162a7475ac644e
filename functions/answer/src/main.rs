//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use perezvon_answer::Answer;
use perezvon_engine::Times;
use perezvon_engine::answer::Answerer;
use perezvon_engine::jobs;
use perezvon_platform::aws::runtime::{self, Error};
use perezvon_platform::aws::{SecretsManager, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{ALLOW_HOSTS, Env, HOOK_PUBLIC_KEYS, SECRET_PREFIX, TABLE_NAME, TIMES};
use perezvon_platform::guard::{Allow, Guard};
use perezvon_platform::hook::{CheckedTokens, Ring};
use perezvon_store::dynamo::Dynamo;

fn main() -> ExitCode {
    runtime::run(answer)
}

async fn answer(mut env: Env) -> Result<(), Error> {
    // Without keys it runs nevertheless: it tells whoever calls, and the alarm.
    let ring = env.optional_as(HOOK_PUBLIC_KEYS, Ring::parse).unwrap_or_default();
    let table = env.required(TABLE_NAME);
    let secrets = env.required(SECRET_PREFIX);
    let allow = env.optional_as(ALLOW_HOSTS, Allow::parse).unwrap_or_default();
    let times = env.optional_as(TIMES, Times::parse).unwrap_or_default();
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let clock = SystemClock::new();
    let answerer = Answerer::new(
        Arc::new(Dynamo::new(Client::new(&sdk), table)),
        Arc::new(SecretsManager::new(&sdk, secrets)),
        Arc::new(perezvon_client::Client::new(Guard { allow })?),
        Arc::new(clock),
        jobs::codec,
        &times,
    );
    let function = Answer { tokens: CheckedTokens::new(ring), answerer };
    runtime::serve(clock, async |request, _| Ok(function.handle(request).await)).await
}
