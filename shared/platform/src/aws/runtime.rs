//! What every function's binary does around its handler: JSON logs, one thread, the loop, the deadline.

use std::process::ExitCode;

pub use lambda_runtime::Error;
use lambda_runtime::{Context, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::SystemClock;
use crate::config::{Env, RUST_LOG};
use crate::ports::Clock;

/// One invocation of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Names this run in leases and logs.
    pub id: String,
    /// When it must be over, by the monotonic clock, in milliseconds.
    pub ends_ms: i64,
}

impl Invocation {
    fn of(context: Context, clock: &dyn Clock) -> Self {
        let deadline = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        let left = deadline.saturating_sub(clock.now_ms());
        Self { id: context.request_id, ends_ms: clock.monotonic_ms().saturating_add(left) }
    }
}

/// Runs a function until its host ends it. `function` reads the environment, builds the drivers
/// once and ends in [`serve`]; if it cannot start, the reason is logged and the exit code tells.
pub fn run<F: Future<Output = Result<(), Error>>>(function: impl FnOnce(Env) -> F) -> ExitCode {
    let env = Env::from_process();
    log(&env);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let end = runtime.map_err(Error::from).and_then(|runtime| runtime.block_on(function(env)));
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// Hands every event of the host to `work`. The clock must be the one the function's ports have:
/// the end of an invocation is told by it.
pub async fn serve<E: DeserializeOwned, R: Serialize>(
    clock: SystemClock,
    work: impl AsyncFn(E, Invocation) -> Result<R, Error>,
) -> Result<(), Error> {
    let handler = |event: LambdaEvent<E>| work(event.payload, Invocation::of(event.context, &clock));
    lambda_runtime::run(service_fn(handler)).await
}

/// JSON lines; `RUST_LOG` chooses, `info` by default; what is less important is not built in.
fn log(env: &Env) {
    let chosen = env.optional(RUST_LOG).and_then(|text| text.parse().ok());
    let chosen = chosen.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false);
    // Somebody may have set up logs before: theirs are as good.
    _ = tracing_subscriber::registry().with(chosen).with(lines).try_init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends_in(ms: i64) -> i64 {
        let clock = SystemClock::new();
        let mut context = Context::default();
        context.deadline = u64::try_from(clock.now_ms() + ms).expect("after 1970");
        context.request_id = "r-1".to_owned();
        let invocation = Invocation::of(context, &clock);
        assert_eq!(invocation.id, "r-1");
        invocation.ends_ms - clock.monotonic_ms()
    }

    #[test]
    fn the_end_of_an_invocation_is_told_by_the_monotonic_clock() {
        let left = ends_in(60_000);
        assert!((50_000..=60_000).contains(&left), "{left} ms");
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_nothing() {
        assert!(ends_in(-1_000) < 0);
    }
}
