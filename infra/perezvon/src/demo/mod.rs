//! The demo: an account whose CRM, PBX and messenger are the sandbox, and three calls and a chat at the first start.

mod account;
mod calls;
mod chat;
mod outcome;
mod play;

pub use calls::{Webhook, calls_of};
pub use play::Stage;

use std::fs;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::local::data::{Data, random_hex, write_private};
use crate::local::sandbox::{self, Fakes, Sandbox};

/// Made at the first start, kept for all later ones.
const IDENTITY: &str = "demo.json";
/// What the sandbox holds.
const STATE: &str = "sandbox.json";

/// The secrets of the demo account, and where its sandbox was served last.
#[derive(Clone, Serialize, Deserialize)]
struct Identity {
    port: u16,
    token: String,
    key: String,
    salt: String,
    /// The calls were played: never again.
    played: bool,
}

/// The demo account and its sandbox.
pub struct Demo {
    identity: Identity,
    sandbox: Arc<Sandbox>,
    /// Taken by whoever serves it.
    listener: Mutex<Option<TcpListener>>,
    /// The calls are to be played, and were not yet.
    unplayed: bool,
}

impl Identity {
    fn make() -> Result<Self, String> {
        let [token, key, salt] = [random_hex::<32>()?, random_hex::<16>()?, random_hex::<16>()?];
        Ok(Self { port: 0, token, key, salt, played: false })
    }
}

impl Demo {
    /// The demo of this data folder; if it is `wanted` and nothing was ever kept there, a new one.
    ///
    /// # Errors
    /// Its files cannot be read or written.
    pub async fn open(data: &Data, wanted: bool) -> Result<Option<Self>, String> {
        let known: Option<Identity> = read(data, IDENTITY)?;
        let mut identity = match known {
            Some(identity) => identity,
            None if wanted && data.fresh => Identity::make()?,
            None => return Ok(None),
        };
        // The same port as before if it is free: then nothing in the settings changes.
        let listener = match TcpListener::bind(("127.0.0.1", identity.port)).await {
            Ok(listener) => Ok(listener),
            Err(_) => TcpListener::bind(("127.0.0.1", 0)).await,
        };
        let listener = listener.map_err(|why| format!("the sandbox has no port: {why}"))?;
        identity.port = listener.local_addr().map_err(|why| why.to_string())?.port();
        let kept: Option<Fakes> = read(data, STATE)?;
        let (Identity { token, key, salt, .. }, base) = (&identity, base(identity.port));
        let fakes = match kept {
            Some(fakes) => fakes.moved(&base, token, key, salt),
            None => calls::with_a_past(Fakes::new(&base, token, key, salt)),
        };
        write(data, STATE, &fakes)?;
        write(data, IDENTITY, &identity)?;
        let sandbox = Arc::new(Sandbox::new(fakes, Some(data.place(STATE))));
        let unplayed = wanted && !identity.played;
        Ok(Some(Self { identity, sandbox, listener: Mutex::new(Some(listener)), unplayed }))
    }

    /// Serves the sandbox until `stop` is over.
    pub fn serve(&self, tasks: &mut JoinSet<()>, stop: impl Future<Output = ()> + Send + 'static) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(listener) = listener else { return };
        let sandbox = Arc::clone(&self.sandbox);
        tasks.spawn(async move {
            if let Err(error) = sandbox::serve(listener, sandbox, stop).await {
                tracing::error!(%error, "the sandbox ended");
            }
        });
    }

    /// The page of the sandbox, without a slash at the end.
    pub fn page(&self) -> String {
        base(self.identity.port)
    }

    /// From now on the calls count as played.
    fn mark_played(&self, data: &Data) -> Result<(), String> {
        write(data, IDENTITY, &Identity { played: true, ..self.identity.clone() })
    }

    /// Host and port of the sandbox, for the guard.
    pub fn host(&self) -> String {
        host(self.identity.port)
    }
}

fn host(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn base(port: u16) -> String {
    format!("http://{}", host(port))
}

fn read<T: for<'de> Deserialize<'de>>(data: &Data, name: &str) -> Result<Option<T>, String> {
    let place = data.place(name);
    let told = |why: &dyn std::fmt::Display| {
        format!("{}: {why}; put it back from a back-up, or start with another data folder", place.display())
    };
    match fs::read(&place) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|why| told(&why)),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(told(&why)),
    }
}

fn write<T: Serialize>(data: &Data, name: &str, value: &T) -> Result<(), String> {
    let place = data.place(name);
    let bytes = serde_json::to_vec(value).map_err(|why| why.to_string())?;
    write_private(&place, &bytes).map_err(|why| format!("{}: {why}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demo_is_made_once_and_played_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Data::open(folder.path()).expect("open");
        let open = async |wanted| Demo::open(&data, wanted).await.expect("opened");
        assert!(open(false).await.is_none());
        let made = open(true).await.expect("a demo");
        assert!(made.unplayed);
        let token = made.identity.token.clone();
        drop(made);
        let again = open(true).await.expect("a demo");
        assert_eq!((again.unplayed, &again.identity.token), (true, &token));
        again.mark_played(&data).expect("written");
        assert_eq!(again.sandbox.change(|fakes| fakes.crm.contacts().len()).await, 1);
        let third = open(true).await.expect("a demo");
        assert!(!third.unplayed);
        assert_ne!(third.host(), again.host(), "its port is taken");
    }

    #[tokio::test]
    async fn a_folder_with_a_past_gets_no_demo() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("table.db"), "").expect("a file");
        let data = Data::open(folder.path()).expect("open");
        assert!(Demo::open(&data, true).await.expect("opened").is_none());
    }
}
