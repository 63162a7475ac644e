//! The settings of an account: one document, checked as a whole, written as one numbered version.
//!
//! [`parse`] reads the file, [`resolve`] fetches the secrets that it names, [`check`] says all that
//! is wrong or builds what the functions need, and [`Applier`] writes it.

mod apply;
mod check;
mod claims;
mod difference;
mod digest;
mod document;
mod hours;
mod inboxes;
mod off;
mod parse;
mod plan;
mod problem;
mod resolve;
#[cfg(feature = "schema")]
mod schema;
#[cfg(test)]
mod tests;

pub use apply::{Applied, Applier, current};
pub use check::{Checked, Context, Conversations, channel_connection, check, conversations, crm_connection, hours};
pub use document::{
    Account, Channel, Contact, Crm, Deal, Document, Employee, Rules, Scenario, SecretSet, SecretText, Task, UserId,
};
pub use hours::{OtherDays, Weekday, WorkingHours};
pub use inboxes::{AutoReply, Backup, Bot, Inbox, Receiver};
pub use parse::parse;
pub use problem::Problem;
pub use resolve::{Reference, resolve};
#[cfg(feature = "schema")]
pub use schema::schema;
