//! A backup taken under load, put into another folder, and started there: what was accepted before the
//! backup began has its records.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use support::{Kind, Process, Told};

const CALLS: usize = 16;
/// So many calls are accepted before the backup begins.
const BEFORE: usize = 6;
const SETTLED: Duration = Duration::from_secs(60);

#[test]
fn what_was_accepted_before_the_backup_is_carried_out_after_the_restore() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let (data, elsewhere, file) = (path("data"), path("elsewhere"), path("backup.tar"));
    let sandbox = Process::sandbox();
    let settings = support::settings(sandbox.address, folder.path());
    let host = sandbox.address.to_string();
    // The CRM is down until the restore, so that nothing is there which the first server wrote.
    let down = br#"{"times":1000000,"kind":{"status":{"status":503}}}"#;
    let fault = support::request(sandbox.address, "POST", "/sandbox/faults", &[], down);
    assert_eq!(fault.expect("an answer").0, 204);

    let address = support::free_address();
    let arguments = ["--settings", settings.to_str().expect("a path"), "--allow-host", &host];
    let mut server = Process::local(address, &data, &arguments);
    let hook = support::hook(address, &data);
    let calls: Vec<Told> = (0..CALLS).map(|number| Told::new(number, Kind::MissedNew)).collect();
    let accepted = AtomicUsize::new(0);
    let before = std::thread::scope(|scope| {
        scope.spawn(|| {
            for call in &calls {
                for (path, body) in &call.hooks {
                    assert_eq!(support::post(address, &hook, path, body), Some(200));
                }
                accepted.fetch_add(1, Ordering::SeqCst);
            }
        });
        support::until("calls are accepted", SETTLED, || accepted.load(Ordering::SeqCst) >= BEFORE);
        let before = accepted.load(Ordering::SeqCst);
        let output = support::perezvon()
            .args(["backup", "--server", &format!("http://{address}"), "--data"])
            .arg(&data)
            .arg(&file)
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", support::stderr(&output));
        before
    });
    server.kill();

    let output = support::perezvon().arg("restore").arg(&file).arg("--data").arg(&elsewhere).output();
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", support::stderr(&output));
    let up = support::request(sandbox.address, "POST", "/sandbox/reset", &[], b"");
    assert_eq!(up.expect("an answer").0, 204);
    let address = support::free_address();
    let _server = Process::local(address, &elsewhere, &["--allow-host", &host]);
    support::until("the records are there", SETTLED, || {
        let notes = support::crm(sandbox.address)["notes"].to_string();
        calls[..before].iter().all(|call| notes.contains(&call.entry))
    });
    support::check_each(&support::crm(sandbox.address), &calls[..before]);
    let feed = support::api(address, &elsewhere, "calls?limit=200");
    let restored = feed["calls"].as_array().map_or(0, Vec::len);
    println!("{before} of {CALLS} calls were accepted before the backup; {restored} are in it");
    assert_eq!(support::hook(address, &elsewhere)[..], hook[..], "the webhook address stays");
}
