//! `sandbox`: the make-believe CRM, providers and messenger on a port of their own.

use std::io::Write as _;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::Said;
use super::args::SandboxArgs;
use crate::local::sandbox::{Fakes, Sandbox, messenger, telephony};

/// What the CRM takes.
const TOKEN: &str = "sandbox-token";
/// What the provider signs with, and the keys of the others.
const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
const SALT: &str = "543210zyxwvutsrqponmlkjihgfedcba";

/// Serves until the process is told to stop; nothing is kept on disk.
pub async fn serve(args: &SandboxArgs) -> Result<Said, String> {
    let failed =
        |why: std::io::Error| format!("{} cannot be listened on ({why}): name another with --listen ADDR", args.listen);
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let base = format!("http://{address}");
    let sandbox = Arc::new(Sandbox::new(Fakes::for_anybody(&base, TOKEN, KEY, SALT), None));
    // The first line is for programs: where it is.
    let ready = format!(
        "sandbox ready: {base}\n\
         CRM: base {base}, token {TOKEN}\n\
         provider: base {base}/vpbx, key {KEY}, salt {SALT}\n\
         {}\n\
         {}\n\
         start the server with: perezvon local --allow-host {address}\n",
        messenger(&base, KEY, SALT),
        telephony(&base, KEY, SALT)
    );
    let mut out = std::io::stdout();
    _ = out.write_all(ready.as_bytes()).and_then(|()| out.flush());
    let stop = async { _ = tokio::signal::ctrl_c().await };
    crate::local::sandbox::serve(listener, sandbox, stop).await.map_err(failed)?;
    Ok(Said::fine(String::new()))
}
