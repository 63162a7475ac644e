//! The kill test: the server is killed without a goodbye, again and again, while webhooks come in and
//! the CRM is being written to. In the end every record is there, and nothing is there twice.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::{Kind, Process, Random, Told};

const CALLS: usize = 24;
const KILLS: usize = 10;
const POSTERS: usize = 4;
/// From the last kill until all is settled.
const SETTLED: Duration = Duration::from_secs(120);

fn calls() -> Vec<Told> {
    let kinds = [Kind::MissedNew, Kind::AnsweredNew, Kind::MissedKnown, Kind::MissedNew, Kind::AnsweredNew, Kind::AnsweredKnown];
    kinds.into_iter().cycle().take(CALLS).enumerate().map(|(n, kind)| Told::new(n, kind)).collect()
}

/// Posts every `POSTERS`th call's webhooks, each until it is accepted, and then once more.
fn deliver(server: SocketAddr, hook: &str, calls: &[Told], first: usize, seed: u64, posted: &AtomicUsize) {
    let mut random = Random(seed + first as u64);
    for call in calls.iter().skip(first).step_by(POSTERS) {
        for (path, body) in &call.hooks {
            for _ in 0..2 {
                while support::post(server, hook, path, body) != Some(200) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                posted.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(random.below(250)));
        }
    }
}

/// No job is on its way any more.
fn nothing_is_open(server: SocketAddr, data: &Path) -> bool {
    let open = support::api(server, data, "jobs?state=open");
    open["jobs"].as_array().is_some_and(Vec::is_empty)
}

#[test]
#[ignore = "the kill test: .ci/run runs it by name"]
fn killed_ten_times_under_load_every_record_is_there_once() {
    let mut random = Random::from_environment();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let sandbox = Process::sandbox();
    let settings = support::settings(sandbox.address, folder.path());
    let calls = calls();
    for call in calls.iter().filter(|call| call.is_known()) {
        support::add_contact(sandbox.address, &format!("+{}", call.phone));
    }
    let (address, host) = (support::free_address(), sandbox.address.to_string());
    let arguments =
        ["--settings", settings.to_str().expect("a path"), "--allow-host", &host, "--lease-seconds", "3"];
    let mut server = Process::local(address, &data, &arguments);
    let hook = support::hook(address, &data);
    let (posted, start) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for first in 0..POSTERS {
            let (hook, calls, posted, seed) = (&hook, &calls, &posted, random.0);
            scope.spawn(move || deliver(address, hook, calls, first, seed, posted));
        }
        for kill in 1..=KILLS {
            std::thread::sleep(Duration::from_millis(200 + random.below(1_600)));
            server.kill();
            let [contacts, deals, tasks, notes] = support::counts(&support::crm(sandbox.address));
            println!(
                "kill {kill} after {:>5} ms: {} webhooks posted; CRM: {contacts} contacts, {deals} deals, {tasks} tasks, {notes} notes",
                start.elapsed().as_millis(),
                posted.load(Ordering::Relaxed),
            );
            server = Process::local(address, &data, &arguments);
        }
    });
    let last = Instant::now();
    let wanted = support::wanted(&calls);
    support::until("all is settled", SETTLED, || {
        let counts = support::counts(&support::crm(sandbox.address));
        let enough = counts.iter().zip(&wanted).all(|(there, wanted)| there >= wanted);
        enough && nothing_is_open(address, &data)
    });
    println!("settled {} ms after the last webhook", last.elapsed().as_millis());
    let state = support::crm(sandbox.address);
    support::check(&state, &calls);
    let feed = support::api(address, &data, "calls?limit=200");
    assert_eq!(feed["calls"].as_array().map(Vec::len), Some(CALLS), "the feed has each call once");
    let violations = &state["violations"];
    println!("too fast for the CRM: {violations}, at most {} requests in a second", state["max_requests_in_any_second"]);
}
