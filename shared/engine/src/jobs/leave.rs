//! Before a connection is switched off (step 10): its provider is told to post to us no more, for as long as there
//! is time for it. Nothing else is sent meanwhile, and whatever becomes of it, `off` is written.

use perezvon_domain::Command;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::JobRow;
use perezvon_store::table::{Condition, Value};

use super::hold::Hold;
use crate::failure::Failure;

/// Whether a connection that leaves still does this.
pub(super) fn is_farewell(job: &JobRow) -> bool {
    matches!(job.command, Command::Unsubscribe { .. })
}

impl Hold<'_> {
    /// The time for saying it is over.
    pub(super) fn must_leave(&self) -> bool {
        self.row.leave_by.is_some_and(|by| by <= self.now()) && !self.row.off
    }

    /// Writes `off`, under our lease. Disconnecting goes on by the due time that stands there then.
    pub(super) async fn leave(&mut self) -> Result<(), Failure> {
        let mine = Condition::Eq("lease".to_owned(), Value::N(self.lease));
        let (account, connection) = (&self.wake_up.account, &self.wake_up.connection);
        let update = ConnectionRow::switch_off(account, connection, self.now()).when(mine);
        match self.worker.table.update(update).await {
            Ok(row) => {
                self.row = ConnectionRow::read(&row)?;
                Ok(())
            }
            Err(error) if error.is_conflict() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
