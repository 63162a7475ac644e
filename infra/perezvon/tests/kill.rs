//! The kill test: the server is killed without a goodbye, again and again, while webhooks come in and
//! the CRM is being written to. In the end every record is there, and nothing is there twice.

mod support;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use support::calls::{Kind, Told, check, counts, post, wanted};
use support::{Process, Random, World};

const CALLS: usize = 24;
const KILLS: usize = 10;
const POSTERS: usize = 4;
/// From the last kill until all is settled.
const SETTLED: Duration = Duration::from_secs(120);

fn calls() -> Vec<Told> {
    let kinds = [
        Kind::MissedNew,
        Kind::AnsweredNew,
        Kind::MissedKnown,
        Kind::MissedNew,
        Kind::AnsweredNew,
        Kind::AnsweredKnown,
    ];
    kinds.into_iter().cycle().take(CALLS).enumerate().map(|(n, kind)| Told::new(n, kind)).collect()
}

/// Posts every `POSTERS`th call's webhooks, each until it is accepted, and then once more.
fn deliver(server: SocketAddr, hook: &str, calls: &[Told], first: usize, seed: u64, posted: &AtomicUsize) {
    let mut random = Random(seed + first as u64);
    for call in calls.iter().skip(first).step_by(POSTERS) {
        for (path, body) in &call.hooks {
            for _ in 0..2 {
                support::until("the webhook is accepted", SETTLED, || post(server, hook, path, body) == Some(200));
                posted.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(random.below(450)));
        }
    }
}

/// Kills the server at random moments and starts it again at once; returns the last one.
fn kill_again_and_again(world: &World, mut server: Process, random: &mut Random, posted: &AtomicUsize) -> Process {
    let start = Instant::now();
    for kill in 1..=KILLS {
        std::thread::sleep(Duration::from_millis(300 + random.below(2_400)));
        server.kill();
        let at = start.elapsed().as_millis();
        let posted = posted.load(Ordering::Relaxed);
        let [contacts, deals, tasks, notes] = counts(&support::crm(world.sandbox.address));
        println!(
            "kill {kill} after {at:>5} ms: {posted} webhooks posted; \
             CRM: {contacts} contacts, {deals} deals, {tasks} tasks, {notes} notes"
        );
        server = serve(world, server.address);
    }
    server
}

fn serve(world: &World, address: SocketAddr) -> Process {
    world.serve(address, &world.path("data"), &["--lease-seconds", "3"])
}

/// The CRM has enough of everything, and no job is on its way any more.
fn is_settled(world: &World, server: SocketAddr, wanted: &[usize; 4]) -> bool {
    let counts = counts(&support::crm(world.sandbox.address));
    let enough = counts.iter().zip(wanted).all(|(there, wanted)| there >= wanted);
    let open = || support::api(server, &world.path("data"), "jobs?state=open");
    enough && open()["jobs"].as_array().is_some_and(Vec::is_empty)
}

#[test]
#[ignore = "the kill test: .ci/run runs it by name"]
fn killed_ten_times_under_load_every_record_is_there_once() {
    let mut random = Random::from_environment();
    let (world, calls) = (World::new(), calls());
    let known = calls.iter().filter(|call| call.is_known());
    support::add_contacts(world.sandbox.address, known.map(|call| call.phone.as_str()));
    let (address, data) = (support::free_address(), world.path("data"));
    let server = serve(&world, address);
    let hook = support::hook(address, &data);
    let posted = AtomicUsize::new(0);
    let _server = std::thread::scope(|scope| {
        for first in 0..POSTERS {
            let (hook, calls, posted, seed) = (&hook, &calls, &posted, random.0);
            scope.spawn(move || deliver(address, hook, calls, first, seed, posted));
        }
        kill_again_and_again(&world, server, &mut random, &posted)
    });
    let (last, wanted) = (Instant::now(), wanted(&calls));
    support::until("all is settled", SETTLED, || is_settled(&world, address, &wanted));
    println!("settled {} ms after the last kill and webhook", last.elapsed().as_millis());
    // Whatever is still on its way would show now.
    std::thread::sleep(Duration::from_secs(2));
    let crm = support::crm(world.sandbox.address);
    check(&crm, &calls);
    let feed = support::api(address, &data, "calls?limit=200");
    assert_eq!(feed["calls"].as_array().map(Vec::len), Some(CALLS), "the feed has each call once");
    let (violations, most) = (&crm["violations"], &crm["max_requests_in_any_second"]);
    println!("too fast for the CRM: {violations} times; at most {most} requests in a second");
}
