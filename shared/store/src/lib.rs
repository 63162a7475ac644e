//! The table: keys, items, the conditional write, the indexes.
//!
//! [`Table`] is the one port to the state. [`dynamo::Dynamo`] carries it out with the AWS SDK, in
//! the cloud and on one machine; the test world has a model of it, held to the same contract.
//! All keys are made in [`keys`]; SDK types end here.

#[cfg(feature = "contract")]
pub mod contract;
pub mod dynamo;
pub mod items;
pub mod keys;
pub mod lenient;
pub mod table;

pub use keys::Key;
pub use table::{Attributes, Condition, Index, Page, Query, Row, Table, TableError, Update, Value};
