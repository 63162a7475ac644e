//! The demo: an account whose CRM and PBX are the sandbox, and three calls at the first start.

mod account;
mod calls;
mod outcome;
mod play;

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
}

/// The demo account and its sandbox.
pub struct Demo {
    identity: Identity,
    sandbox: Arc<Sandbox>,
    /// Taken by whoever serves it.
    listener: Mutex<Option<TcpListener>>,
    /// This is its first start: the calls are played.
    first: bool,
}

impl Identity {
    fn make() -> Result<Self, String> {
        let [token, key, salt] = [
            random_hex::<32>()?,
            random_hex::<16>()?,
            random_hex::<16>()?,
        ];
        Ok(Self {
            port: 0,
            token,
            key,
            salt,
        })
    }
}

impl Demo {
    /// The demo of this data folder; a new one if it is `wanted` and there is none yet.
    ///
    /// # Errors
    /// Its files cannot be read or written.
    pub async fn open(data: &Data, wanted: bool) -> Result<Option<Self>, String> {
        let known: Option<Identity> = read(data, IDENTITY)?;
        let (first, mut identity) = match known {
            Some(identity) => (false, identity),
            None if wanted => (true, Identity::make()?),
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
        let (
            Identity {
                token, key, salt, ..
            },
            base,
        ) = (&identity, base(identity.port));
        let fakes = match kept {
            Some(fakes) => fakes.moved(&base, token, key, salt),
            None => calls::with_a_past(Fakes::new(&base, token, key, salt)),
        };
        write(data, STATE, &fakes)?;
        write(data, IDENTITY, &identity)?;
        let sandbox = Arc::new(Sandbox::new(fakes, Some(data.place(STATE))));
        Ok(Some(Self {
            identity,
            sandbox,
            listener: Mutex::new(Some(listener)),
            first,
        }))
    }

    /// Serves the sandbox until `stop` is over.
    pub fn serve(&self, tasks: &mut JoinSet<()>, stop: impl Future<Output = ()> + Send + 'static) {
        let listener = self
            .listener
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
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
        format!(
            "{}: {why}; put it back from a back-up, or start with another data folder",
            place.display()
        )
    };
    match fs::read(&place) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|why| told(&why)),
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
    async fn the_demo_is_made_once_and_only_if_it_is_wanted() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = Data::open(folder.path()).expect("open");
        assert!(Demo::open(&data, false).await.expect("opened").is_none());
        let made = Demo::open(&data, true)
            .await
            .expect("opened")
            .expect("a demo");
        assert!(made.first);
        let (host, token) = (made.host(), made.identity.token.clone());
        drop(made);
        let again = Demo::open(&data, false)
            .await
            .expect("opened")
            .expect("a demo");
        assert_eq!((again.first, again.identity.token.clone()), (false, token));
        // Its port was free again, unless somebody took it in between.
        let third = Demo::open(&data, false)
            .await
            .expect("opened")
            .expect("a demo");
        assert_ne!(third.host(), again.host());
        assert_eq!(
            again
                .sandbox
                .change(|fakes| fakes.crm.contacts().len())
                .await,
            1
        );
        assert!(host.starts_with("127.0.0.1:"));
    }
}
