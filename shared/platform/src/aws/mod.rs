//! The drivers for AWS. Each says which actions its role needs.

mod batch;
mod bus;
mod explain;
pub mod http;
mod queue;
pub mod runtime;
pub mod s3;
pub mod secrets;

use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::config::{AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, AWS_REGION, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, Env};

pub use bus::EventBus;
pub use queue::SqsQueue;
pub use s3::S3Blobs;
pub use secrets::SecretsManager;

/// How long one try of a call may take. The SDK itself waits for ever, until the host ends the invocation: nobody
/// would learn why.
const TRY: Duration = Duration::from_secs(3);
/// How long a call may take with all its tries.
const CALL: Duration = Duration::from_secs(8);

/// Region, credentials and endpoint as the host of a function gives them, all by environment, and one HTTP client for
/// all drivers. The SDK's own loader would bring five more places to look for credentials, none of which is there.
pub fn sdk_config(env: &mut Env) -> Result<SdkConfig, rustls::Error> {
    let (key, secret) = (env.required(AWS_ACCESS_KEY_ID), env.required(AWS_SECRET_ACCESS_KEY));
    let credentials = Credentials::new(key, secret, env.optional(AWS_SESSION_TOKEN), None, "environment");
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(env.required(AWS_REGION)))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(TRY).operation_timeout(CALL).build())
        .http_client(http::client(http::tls()?));
    sdk.set_endpoint_url(env.optional(AWS_ENDPOINT_URL));
    Ok(sdk.build())
}

#[cfg(test)]
mod tests;
