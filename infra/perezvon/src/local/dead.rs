//! Dead letters of one machine: a start tries them again, because what failed them (a missing
//! account, an older version) may be mended now. What fails again is dead again, and logged.

use perezvon_domain::Timestamp;
use perezvon_platform::PortError;

use super::wiring::QUEUES;
use crate::drivers::queue::Queues;

/// Puts every dead message back; says what was there.
pub(super) async fn try_again(queues: &Queues, now: Timestamp) -> Result<Vec<String>, PortError> {
    let mut notes = Vec::new();
    for name in QUEUES {
        let dead = queues.dead(name).await?;
        for message in &dead {
            queues.redrive(message.id, now.0).await?;
        }
        if let Some(last) = dead.last() {
            let (count, why) = (dead.len(), &last.last_error);
            notes.push(format!(
                "{count} dead messages of the queue `{name}` are tried again; the last one failed: {why}"
            ));
        }
    }
    Ok(notes)
}
