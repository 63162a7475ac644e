//! Revoking: a person ends the links to a recording that were given away so far.

use super::decide::Turn;
use super::{Call, Copy};
use crate::reason::Reason;

/// Why the links to a recording are not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRevoked {
    /// The call has no such recording.
    Unknown,
    /// It does not lie with us yet: no link was ever given away.
    NoLink,
    /// It lies at the provider, and so its link is not ours to end.
    Outside,
    /// Its links are of this generation by now.
    Other(u32),
}

impl Call {
    /// Whether the links of this generation to a recording can be revoked.
    pub fn may_revoke(&self, recording: &str, generation: u32) -> Result<(), NotRevoked> {
        let known = self.recordings.get(recording).ok_or(NotRevoked::Unknown)?;
        match &known.copy {
            Copy::Stored { .. } if known.generation == generation => Ok(()),
            Copy::Stored { .. } => Err(NotRevoked::Other(known.generation)),
            Copy::Linked { .. } => Err(NotRevoked::Outside),
            Copy::NotAsked | Copy::Asked { .. } | Copy::Failed { .. } => Err(NotRevoked::NoLink),
        }
    }
}

impl Turn<'_> {
    /// Counts only for the generation that the person saw, so that asking twice revokes once. It is no join
    /// and stands outside of `merge`: no provider tells it, and nothing delivers it in another order.
    pub(super) fn take_revocation(&mut self, recording: &str, generation: u32, by: &str) {
        if self.call.may_revoke(recording, generation).is_err() {
            return;
        }
        if let Some(known) = self.call.recordings.get_mut(recording) {
            known.generation += 1;
            self.because(Reason::new("recording_revoked", [by]));
        }
    }
}
