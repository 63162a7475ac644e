//! What AWS said, and what must be different for the next try to succeed.

use std::error::Error;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::why;

const DENIED: &str = "the role of this function may not do that: compare the name in its environment with what the stack made, and deploy the template again";
const ABSENT: &str =
    "it is not there: compare the name in the function's environment with what the stack made, and deploy again";
const BUSY: &str = "it was asked for too much at once and takes more in a moment";

/// An answer in words: its code, its message, and what to do where that is known.
pub(super) fn told(code: &str, message: Option<&str>) -> String {
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    let remedy = remedy(code).map(|remedy| format!("; {remedy}")).unwrap_or_default();
    format!("{code}{message}{remedy}")
}

/// What AWS said, or why it said nothing.
pub(super) fn explain<E: ProvideErrorMetadata + Error + 'static>(error: &E) -> String {
    error.code().map_or_else(|| why::chain(error), |code| told(code, error.message()))
}

fn remedy(code: &str) -> Option<&'static str> {
    match code {
        "AccessDenied" | "AccessDeniedException" => Some(DENIED),
        "NoSuchBucket"
        | "ResourceNotFoundException"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => Some(ABSENT),
        "SlowDown" | "Throttling" | "ThrottlingException" | "RequestThrottled" | "TooManyRequestsException" => {
            Some(BUSY)
        }
        _ => None,
    }
}
