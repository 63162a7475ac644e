//! What the queues promise.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use perezvon_platform::{Clock, Message, Queue as _};
use tempfile::TempDir;

use super::*;

/// A clock that stands where it is put.
#[derive(Default)]
struct Hand(AtomicI64);

#[async_trait]
impl Clock for Hand {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
    fn monotonic_ms(&self) -> i64 {
        self.now_ms()
    }
    async fn sleep_ms(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

fn file(folder: &TempDir) -> std::path::PathBuf {
    folder.path().join("queue.db")
}

fn open(path: &Path) -> Queues {
    Queues::open(path, 3).expect("open")
}

fn message(group: &str, body: &str) -> Message {
    Message { body: body.to_owned(), group: group.to_owned(), delay_ms: 0 }
}

async fn send(queues: &Queues, messages: Vec<Message>) {
    queues.queue("raw", Arc::new(Hand::default())).send(messages).await.expect("send");
}

/// Bodies of what is received at this time, for 100 ms.
async fn bodies(queues: &Queues, max: usize, now_ms: i64) -> Vec<String> {
    let received = queues.receive("raw", max, 100, now_ms).await.expect("receive");
    received.into_iter().map(|message| message.body).collect()
}

#[tokio::test]
async fn a_message_is_hidden_while_it_is_worked_on_and_gone_when_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    send(&queues, vec![message("a", "one"), message("a", "two")]).await;
    let received = queues.receive("raw", 10, 100, 0).await.expect("receive");
    let counts: Vec<_> = received.iter().map(|it| (it.body.as_str(), it.receive_count)).collect();
    assert_eq!(counts, [("one", 1), ("two", 1)]);
    assert_eq!(bodies(&queues, 10, 99).await, Vec::<String>::new());
    assert_eq!(queues.next_due("raw").await, Ok(Some(100)));
    queues.ack(vec![received[0].id, 12345]).await.expect("ack");
    let again = queues.receive("raw", 10, 100, 100).await.expect("receive");
    assert_eq!((again.len(), again[0].body.as_str(), again[0].receive_count), (1, "two", 2));
    assert_eq!(queues.depth("raw").await, Ok(1));
    assert_eq!(bodies(&queues, 10, 0).await, Vec::<String>::new());
    assert_eq!(queues.depth("another").await, Ok(0));
}

#[tokio::test]
async fn messages_survive_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    send(&queues, vec![message("a", "kept")]).await;
    drop(queues);
    assert_eq!(bodies(&open(&file(&folder)), 10, 0).await, ["kept"]);
}

#[tokio::test]
async fn a_delayed_message_waits_and_an_endless_delay_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    let clock = Arc::new(Hand(AtomicI64::new(1000)));
    let queue = queues.queue("raw", clock);
    queue.send(vec![Message { delay_ms: 500, ..message("a", "later") }]).await.expect("send");
    assert_eq!(bodies(&queues, 10, 1499).await, Vec::<String>::new());
    assert_eq!(bodies(&queues, 10, 1500).await, ["later"]);
    for delay_ms in [-1, 900_001] {
        let both = vec![message("a", "fine"), Message { delay_ms, ..message("a", "not") }];
        queue.send(both).await.expect_err("a delay out of range");
    }
    assert_eq!(queues.depth("raw").await, Ok(1));
}

#[tokio::test]
async fn a_flood_of_one_group_does_not_delay_the_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    let flood = (0..50).map(|n| message("flood", &format!("f{n}"))).collect();
    send(&queues, flood).await;
    send(&queues, vec![message("calm", "c0"), message("calm", "c1"), message("zen", "z0")]).await;
    assert_eq!(bodies(&queues, 4, 0).await, ["c0", "f0", "z0", "c1"]);
    // One at a time it goes round as well: behind the group that was served last.
    send(&queues, vec![message("calm", "c2"), message("zen", "z1")]).await;
    let mut one_by_one = Vec::new();
    for _ in 0..4 {
        one_by_one.extend(bodies(&queues, 1, 0).await);
    }
    assert_eq!(one_by_one, ["f1", "z1", "c2", "f2"]);
}

#[tokio::test]
async fn a_message_received_too_often_is_dead_with_its_last_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    send(&queues, vec![message("a", "poison"), message("a", "silent"), message("a", "fine")]).await;
    for round in 0..3 {
        let received = queues.receive("raw", 10, 100, round * 100).await.expect("receive");
        for it in received {
            match it.body.as_str() {
                "poison" => queues.nack("raw", it.id, 50, &format!("error {round}"), round * 100).await.expect("nack"),
                "fine" => queues.ack(vec![it.id]).await.expect("ack"),
                _ => {}
            }
        }
    }
    assert_eq!(bodies(&queues, 10, 1000).await, Vec::<String>::new());
    assert_eq!(queues.depth("raw").await, Ok(0));
    let dead = queues.dead("raw").await.expect("dead");
    let told: Vec<_> = dead.iter().map(|it| (it.body.as_str(), it.receive_count, it.last_error.as_str())).collect();
    assert_eq!(told, [("poison", 3, "error 2"), ("silent", 3, "never acknowledged in time")]);
    assert_eq!(dead[0].died_at_ms, 1000);

    assert_eq!(queues.redrive(dead[0].id, 2000).await, Ok(true));
    assert_eq!(queues.redrive(dead[1].id, 2000).await, Ok(true));
    assert_eq!(queues.redrive(dead[1].id, 2000).await, Ok(false));
    assert_eq!(queues.dead("raw").await, Ok(Vec::new()));
    let back = queues.receive("raw", 10, 100, 2000).await.expect("receive");
    assert_eq!((back[0].body.as_str(), back[0].receive_count), ("poison", 1));
}

#[tokio::test]
async fn a_waiting_consumer_is_woken_by_each_kind_of_arrival() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    let arrivals = queues.arrivals("raw");
    send(&queues, vec![message("a", "one")]).await;
    arrivals.notified().await;
    let received = queues.receive("raw", 1, 100, 0).await.expect("receive");
    queues.nack("raw", received[0].id, 0, "busy", 0).await.expect("nack");
    arrivals.notified().await;
    for now_ms in [0, 100, 200] {
        bodies(&queues, 1, now_ms).await;
    }
    let dead = queues.dead("raw").await.expect("dead");
    queues.redrive(dead[0].id, 300).await.expect("redrive");
    arrivals.notified().await;
}

#[tokio::test]
async fn many_senders_at_once_lose_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    let sends = (0..300).map(|n| {
        let queues = queues.clone();
        async move { send(&queues, vec![message(&format!("g{}", n % 7), &n.to_string())]).await }
    });
    futures_util::future::join_all(sends).await;
    let mut all = bodies(&queues, 1000, 0).await;
    all.sort_by_key(|body| body.parse::<u32>().expect("a number"));
    assert_eq!(all, (0..300).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_failure_does_not_undo_what_others_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    let queues = open(&file(&folder));
    let bad = queues.inner.writer.run(|connection| {
        rows::send(connection, "raw", &[message("a", "half")], 0)?;
        connection.execute("INSERT INTO nowhere VALUES (1)", [])
    });
    let good = send(&queues, vec![message("a", "whole")]);
    let (bad, ()) = tokio::join!(bad, good);
    bad.expect_err("a failure");
    assert_eq!(bodies(&queues, 10, 0).await, ["whole"]);
}

#[tokio::test]
async fn a_backup_is_a_file_of_queues() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy.db");
    let queues = open(&file(&folder));
    send(&queues, vec![message("a", "before")]).await;
    queues.backup_to(&copy).await.expect("backup");
    send(&queues, vec![message("a", "after")]).await;
    queues.backup_to(&copy).await.expect_err("a backup never overwrites");
    assert_eq!(bodies(&open(&copy), 10, 0).await, ["before"]);
}

#[test]
fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(&file(&folder)));
    let connection = Connection::open(file(&folder)).expect("open");
    connection.pragma_update(None, "user_version", 99).expect("a version");
    let error = Queues::open(&file(&folder), 3).err().expect("refused").to_string();
    assert!(error.contains("newer"), "{error}");
}
