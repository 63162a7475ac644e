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
        if error.refused { Self::Reject(error.to_string()) } else { Self::Retry(error.to_string()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_good_is_rejected_and_anything_else_is_tried_again() {
        let why = || "why".to_owned();
        let busy = PortError::new("queue raw", "busy");
        for (failure, words) in [
            (busy.clone().into(), "try again: queue raw: busy"),
            (busy.for_good().into(), "cannot be processed: queue raw: busy"),
            (TableError::Refused(why()).into(), "cannot be processed: why"),
            (TableError::Unusable(why()).into(), "try again: the table cannot be used: why"),
            (TableError::Unavailable(why()).into(), "try again: the table did not answer: why"),
            (TableError::Conflict(None).into(), "try again: the row changed meanwhile"),
        ] {
            let failure: Failure = failure;
            assert_eq!(failure.to_string(), words);
        }
    }
}
