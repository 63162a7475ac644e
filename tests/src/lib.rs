//! The World: every function's real handler over models of the queues, the table and the outside,
//! in virtual time, with crashes before and after every port call.

pub mod bill;
pub mod chat;
pub mod document;
pub mod events;
pub mod faults;
pub mod model;
pub mod ports;
pub mod queue;
pub mod scenario;
pub mod settings;
pub mod world;

pub use world::World;
