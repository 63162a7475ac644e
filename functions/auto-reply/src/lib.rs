//! Every minute: autoreplies that may be due become questions to their conversations.

use perezvon_engine::Failure;
use perezvon_engine::sweep::{Sweep, Swept};
use perezvon_store::items::due::Timer;

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["sqs:SendMessage", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"];

/// The function.
pub struct AutoReply {
    /// It has no connections to wake.
    pub sweep: Sweep,
}

impl AutoReply {
    /// One pass.
    pub async fn handle(&self) -> Result<Swept, Failure> {
        self.sweep.run(Timer::Reply).await
    }
}
