//! The ports, carried out on the disk of one machine: table, queues, blobs, secrets, and the lock
//! that keeps a second process out.

pub mod blobs;
mod files;
pub mod lock;
pub mod queue;
pub mod secrets;
pub mod table;
