//! A backup taken under load, put into another folder, and started there: what was accepted before the
//! backup began has its records.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::calls::{Kind, Told, check_each, post};
use support::{Process, World, perezvon, stderr};

const CALLS: usize = 16;
/// So many calls are accepted before the backup begins.
const BEFORE: usize = 6;
/// What was begun before the kill may be looked at after the lease: a short one makes a short test.
const LEASE: [&str; 2] = ["--lease-seconds", "3"];
const SETTLED: Duration = Duration::from_secs(60);

/// One of the levers of the sandbox.
fn pull(sandbox: SocketAddr, lever: &str, body: &[u8]) {
    let answer = support::request(sandbox, "POST", &format!("/sandbox/{lever}"), &[], body);
    assert_eq!(answer.expect("an answer").0, 204);
}

/// Posts all calls, and takes a backup while it does; returns how many calls were accepted before.
fn back_up_under_load(server: SocketAddr, data: &Path, calls: &[Told], file: &Path) -> usize {
    let hook = support::hook(server, data);
    let accepted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for call in calls {
                for (path, body) in &call.hooks {
                    assert_eq!(post(server, &hook, path, body), Some(200));
                }
                accepted.fetch_add(1, Ordering::SeqCst);
            }
        });
        support::until("calls are accepted", SETTLED, || accepted.load(Ordering::SeqCst) >= BEFORE);
        let before = accepted.load(Ordering::SeqCst);
        let mut command = perezvon();
        command.args(["backup", "--server", &format!("http://{server}")]);
        let output = command.arg("--data").arg(data).arg(file).output().expect("the program runs");
        assert!(output.status.success(), "{}", stderr(&output));
        before
    })
}

#[test]
fn what_was_accepted_before_the_backup_is_carried_out_after_the_restore() {
    let world = World::new();
    let sandbox = world.sandbox.address;
    let (data, elsewhere, file) = (world.path("data"), world.path("elsewhere"), world.path("backup.tar"));
    // The CRM is down until the restore, so that nothing is there which the first server wrote.
    pull(sandbox, "faults", br#"{"times":1000000,"kind":{"status":{"status":503}}}"#);
    let calls: Vec<Told> = (0..CALLS).map(|number| Told::new(number, Kind::MissedNew)).collect();
    let mut server = world.serve(support::free_address(), &data, &LEASE);
    let hook = support::hook(server.address, &data);
    let before = back_up_under_load(server.address, &data, &calls, &file);
    server.kill();

    let output = perezvon().arg("restore").arg(&file).arg("--data").arg(&elsewhere).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", stderr(&output));
    pull(sandbox, "reset", b"");
    let host = sandbox.to_string();
    let arguments = [&["--allow-host", host.as_str()][..], &LEASE].concat();
    let server = Process::local(support::free_address(), &elsewhere, &arguments);
    support::until("the records are there", SETTLED, || {
        let notes = support::crm(sandbox)["notes"].to_string();
        calls[..before].iter().all(|call| notes.contains(&call.entry))
    });
    check_each(&support::crm(sandbox), &calls[..before]);
    let feed = support::api(server.address, &elsewhere, "calls?limit=200");
    let restored = feed["calls"].as_array().map_or(0, Vec::len);
    println!("{before} of {CALLS} calls were accepted before the backup; {restored} are in it");
    assert_eq!(support::hook(server.address, &elsewhere), hook, "the webhook address stays");
}
