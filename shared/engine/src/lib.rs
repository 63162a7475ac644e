//! The loops: commit (load, decide, commit, hand over), jobs (lease, next, send, absorb, save),
//! sweep (due -> event); and the settings they read.

pub mod addresses;
pub mod answer;
pub mod batch;
pub mod changes;
pub mod commit;
pub mod failure;
pub mod intake;
pub mod jobs;
pub mod open_chats;
pub mod policies;
pub mod secrets;
pub mod settings;
pub mod sweep;
pub mod times;
pub mod wakeup;

pub use failure::Failure;
pub use times::Times;
