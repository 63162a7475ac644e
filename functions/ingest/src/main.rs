//! The Lambda binary: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use perezvon_ingest::Ingest;
use perezvon_platform::aws::runtime::{self, Error};
use perezvon_platform::aws::{SqsQueue, sdk_config};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::config::{Env, HOOK_PUBLIC_KEYS, RAW_QUEUE_URL};
use perezvon_platform::hook::{CheckedTokens, Ring};

fn main() -> ExitCode {
    runtime::run(ingest)
}

async fn ingest(mut env: Env) -> Result<(), Error> {
    // Without keys it runs nevertheless: it tells whoever calls, and the alarm.
    let ring = env.optional_as(HOOK_PUBLIC_KEYS, Ring::parse).unwrap_or_default();
    let raw = env.required(RAW_QUEUE_URL);
    let sdk = sdk_config(&mut env)?;
    env.finish()?;

    let raw = Arc::new(SqsQueue::new(&sdk, raw));
    let function = Ingest { tokens: CheckedTokens::new(ring), raw };
    runtime::serve(SystemClock::new(), async |request, _| Ok(function.handle(request).await)).await
}
