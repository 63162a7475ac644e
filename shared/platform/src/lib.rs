//! Ports to the world, and their AWS drivers.
//!
//! Each port is a small trait; a function takes only those it uses. The drivers for AWS stand
//! behind the feature `aws`, the outgoing HTTP client in `shared/client`; those for one machine
//! live in `infra/perezvon`, those of the test world in `tests`.

#[cfg(feature = "aws")]
pub mod aws;
pub mod clock;
pub mod config;
pub mod guard;
pub mod hook;
pub mod link;
pub mod ports;
pub mod raw;
pub mod roots;
#[cfg(any(feature = "testing", all(test, feature = "aws")))]
pub mod testing;
pub mod why;

pub use ports::{
    Blob, Blobs, Bus, BusEvent, Chunks, Clock, Http, HttpError, HttpRequest, HttpResponse, Message, PortError, Queue,
    Secrets, Streamed, whole,
};
