//! Every minute: conversations that may have to be closed are asked.

use perezvon_engine::Failure;
use perezvon_engine::sweep::{Sweep, Swept};
use perezvon_store::items::due::Timer;

/// AWS actions this function uses.
pub const ACTIONS: &[&str] = &["sqs:SendMessage", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"];

/// The function.
pub struct AutoClose {
    /// It has no connections to wake.
    pub sweep: Sweep,
}

impl AutoClose {
    /// One pass.
    pub async fn handle(&self) -> Result<Swept, Failure> {
        self.sweep.run(Timer::Close).await
    }
}
