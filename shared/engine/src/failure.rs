//! The two ways a message can fail: trying again helps, or it does not.

use perezvon_platform::PortError;
use perezvon_store::TableError;

/// Why a message was not dealt with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Something will be different next time: the reason says what.
    #[error("try again: {0}")]
    Retry(String),
    /// It can never succeed; the dead-letter queue keeps it for a person.
    #[error("cannot be processed: {0}")]
    Reject(String),
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Refused(why) => Self::Reject(why),
            other => Self::Retry(other.to_string()),
        }
    }
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        Self::Retry(error.to_string())
    }
}
