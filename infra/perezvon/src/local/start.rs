//! The order of a start and of an end.

use std::future::Future;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use perezvon_domain::Timestamp;
use perezvon_platform::config::{Env, RUST_LOG};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::data::Data;
use super::front::{self, Front};
use super::say::{self, Welcome, say};
use super::wiring::{Ports, Told};
use super::{Options, address, dead, leases, settings, ticks};
use crate::demo::{Demo, Stage};

/// What running invocations and requests get to end; the process is gone within 5 s.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// Everything that is open before anything runs.
struct Opened {
    data: Data,
    ports: Ports,
    /// Bound; nobody is let in before everything else is open.
    listener: std::net::TcpListener,
    told: Told,
    trusted_proxy: Option<std::net::IpAddr>,
    demo: Option<Demo>,
    /// What became of the settings.
    notes: Vec<String>,
}

/// Runs until the process is told to end.
///
/// # Errors
/// Whatever keeps it from starting, with what to do; nothing was served then.
pub async fn run(options: Options) -> Result<(), String> {
    init_logs();
    // From here on a signal ends us in order, also in the middle of the start.
    let end = end_signal()?;
    tokio::pin!(end);
    let opened = tokio::select! {
        opened = open(&options) => opened?,
        () = &mut end => return Ok(()),
    };
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tokio::select! {
        served = serve(&opened, &mut tasks, &stopped) => served?,
        () = &mut end => {}
    }
    tracing::info!("ending: what runs has {} s", LAST_WORDS.as_secs());
    _ = stop.send(true);
    opened.ports.bus.close();
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
        tracing::warn!("something still runs; it is begun again at the next start");
    }
    Ok(())
}

/// Starts everything, says so, plays the demo; never over unless something could not be started.
async fn serve(opened: &Opened, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) -> Result<(), String> {
    let Opened { data, ports, listener, told, trusted_proxy, demo, notes } = opened;
    let listener = TcpListener::from_std(listener.try_clone().map_err(|why| why.to_string())?);
    let listener = listener.map_err(|why| why.to_string())?;
    let local = listener.local_addr().map_err(|why| why.to_string())?;
    let doors = Arc::new(ports.doors(&data.keys, told)?);
    for pump in ports.pumps(&data.keys, told)? {
        tasks.spawn(Arc::new(pump).run(stopped.clone()));
    }
    for (name, sweep) in ports.sweeps(told) {
        tasks.spawn(ticks::every_minute(name, sweep, stopped.clone()));
    }
    tasks.spawn(ticks::sweep_expired(ports.embedded.clone(), stopped.clone()));
    if let Some(demo) = demo {
        demo.serve(tasks, until(stopped));
    }
    let front = Front::new(doors.clone(), ports, data, *trusted_proxy);
    tasks.spawn(served(front::serve(listener, front, until(stopped))));

    let hooks = say::hook_urls(&doors.api, &data.keys.owner_token(), ports.clock.as_ref()).await;
    let sandbox = demo.as_ref().map(Demo::page);
    let public_url = told.public_url.as_str();
    Welcome { data, public_url, api: &doors.api, hooks: &hooks, sandbox, notes }.say();
    say(&format!("perezvon is ready on http://{local}"));
    if let Some(demo) = demo {
        let own = address::own_address(local);
        demo.play(Stage { ports, data, hooks: &hooks, public_url, own }).await;
    }
    std::future::pending().await
}

/// Locks, opens, frees what a dead process held, applies settings.
async fn open(options: &Options) -> Result<Opened, String> {
    address::check(options)?;
    let data = Data::open(&options.data)?;
    let listen = options.listen;
    let listener = std::net::TcpListener::bind(listen)
        .map_err(|why| format!("cannot listen on {listen}: {why}; name another address with --listen"))?;
    listener.set_nonblocking(true).map_err(|why| why.to_string())?;
    let local = listener.local_addr().map_err(|why| why.to_string())?;
    let demo = Demo::open(&data, options.demo && options.settings.is_empty()).await?;
    let ports = Ports::open(&data).await?;
    let now = Timestamp(ports.clock.now_ms());
    let freed = leases::free(ports.table.as_ref(), now).await.map_err(|error| error.to_string())?;
    if freed > 0 {
        tracing::info!(freed, "held by a process that is gone: these connections go on at once");
    }
    let tried_again = dead::try_again(&ports.queues, now).await.map_err(|error| error.to_string())?;
    let mut allow_hosts = options.allow_hosts.clone();
    allow_hosts.extend(demo.as_ref().map(Demo::host));
    let mut notes = settings::apply_files(&options.settings, &ports, &allow_hosts).await?;
    if let Some(demo) = &demo {
        notes.extend(demo.apply(&ports, &allow_hosts).await?);
    }
    notes.extend(tried_again);
    let public_url = address::public_url(options, local);
    let told = Told { public_url, allow_hosts, lease_ms: options.lease_ms, times: options.times };
    Ok(Opened { data, ports, listener, told, trusted_proxy: options.trusted_proxy, demo, notes })
}

/// Over when the process is to end.
fn until(stopped: &watch::Receiver<bool>) -> impl Future<Output = ()> + Send + 'static {
    let mut stopped = stopped.clone();
    async move {
        // An error means that the sender is gone: the end as well.
        _ = stopped.wait_for(|stop| *stop).await;
    }
}

async fn served(server: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = server.await {
        tracing::error!(%error, "the HTTP front ended");
    }
}

/// Over at Ctrl-C or SIGTERM.
#[cfg(unix)]
fn end_signal() -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|why| format!("cannot listen for signals: {why}"));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Over at Ctrl-C.
#[cfg(not(unix))]
fn end_signal() -> Result<impl Future<Output = ()>, String> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}

/// Logs go to stderr; `RUST_LOG` says which. Somebody may have set them up before.
fn init_logs() {
    let usual = || Targets::new().with_default(LevelFilter::WARN).with_target("perezvon", LevelFilter::INFO);
    let chosen = Env::from_process().optional(RUST_LOG).and_then(|text| text.parse().ok()).unwrap_or_else(usual);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    _ = tracing_subscriber::registry().with(chosen).with(lines.with_ansi(std::io::stderr().is_terminal())).try_init();
}
