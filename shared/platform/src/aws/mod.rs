//! The drivers for AWS. Each says which actions its role needs.

mod batch;
mod bus;
mod queue;
pub mod runtime;
pub mod s3;
pub mod secrets;

use std::error::Error;

use aws_config::SdkConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::why;

pub use bus::EventBus;
pub use queue::SqsQueue;
pub use s3::S3Blobs;
pub use secrets::SecretsManager;

/// Region, credentials and endpoint of this process, and one HTTP client for all drivers. TLS is
/// done by ring: the SDK's own default costs half a second at the first call of a small function.
pub async fn sdk_config() -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::from_env().http_client(http).load().await
}

/// What AWS said, or why it said nothing.
fn explain<E: ProvideErrorMetadata + Error + 'static>(error: &E) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => why::chain(error),
    }
}

#[cfg(test)]
mod tests;
