//! The drivers for AWS. Each says which actions its role needs.

mod batch;
mod bus;
mod explain;
mod queue;
pub mod runtime;
pub mod s3;
pub mod secrets;

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use explain::explain;

pub use bus::EventBus;
pub use queue::SqsQueue;
pub use s3::S3Blobs;
pub use secrets::SecretsManager;

/// How long one try of a call may take.
const TRY: Duration = Duration::from_secs(3);
/// How long a call may take with all its tries.
const CALL: Duration = Duration::from_secs(8);

/// Region, credentials and endpoint of this process, and one HTTP client for all drivers. TLS is
/// done by ring: the SDK's own default costs half a second at the first call of a small function.
pub async fn sdk_config() -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
    loader().http_client(http).load().await
}

/// The SDK itself waits for ever, until the host ends the invocation: nobody would learn why.
fn loader() -> ConfigLoader {
    let limits = TimeoutConfig::builder().operation_attempt_timeout(TRY).operation_timeout(CALL);
    aws_config::from_env().timeout_config(limits.build())
}

#[cfg(test)]
mod tests;
