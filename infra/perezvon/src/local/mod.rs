//! `perezvon local`: every function's real handler in this process, driven by the events of the cloud.

mod address;
mod bus;
pub mod data;
mod dead;
mod download;
mod front;
mod gateway;
mod leases;
mod line;
mod listen;
mod pump;
pub mod sandbox;
pub(crate) mod say;
pub mod settings;
mod start;
mod ticks;
pub(crate) mod wiring;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

pub use start::run;

/// How the process is to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where people and providers reach this process; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address under which the world reaches us, if it is not `http://LISTEN`.
    pub public_url: Option<String>,
    /// The data folder, made if it is missing.
    pub data: PathBuf,
    /// Settings files that are applied at the start, one per account.
    pub settings: Vec<PathBuf>,
    /// Play three calls against the sandbox if the data folder is new and no settings are given.
    pub demo: bool,
    /// Listen beyond loopback although there is no https in front.
    pub insecure: bool,
    /// The reverse proxy whose `X-Forwarded-For` counts.
    pub trusted_proxy: Option<IpAddr>,
    /// `host:port` that may be asked over plain http and on private addresses.
    pub allow_hosts: Vec<String>,
    /// How long one invocation of `crm` and `outbound` may take, in milliseconds; 60,000 is usual.
    pub lease_ms: i64,
    /// Waiting times of the installation.
    pub times: perezvon_engine::Times,
}
