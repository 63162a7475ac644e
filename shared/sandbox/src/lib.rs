//! Outside systems that behave as their documents describe them, for users and for tests.
//!
//! Each is a state machine: a request and the time go in, an answer comes out. No socket, no
//! clock, no thread: a server is built around it elsewhere, and a test calls it in virtual time.

pub mod amocrm;
mod audio;
pub mod avito;
pub mod fault;
mod gate;
mod html;
mod http;
pub mod mango;
mod post;
pub mod rostelecom;

pub use fault::{Fault, FaultKind};
pub use gate::Logged;
pub use http::{Request, Response};
pub use post::{Post, Posted};
