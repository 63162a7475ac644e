//! The front over a real socket: who answers what, and what is not even read.

use perezvon_platform::link::{Person, sign_person};
use perezvon_platform::{Bus, BusEvent, HttpRequest, HttpResponse};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::local::wiring::{Told, client};

struct World {
    _folder: tempfile::TempDir,
    data: Data,
    host: String,
    bus: Arc<LocalBus>,
}

async fn world() -> World {
    world_with(LocalBus::default()).await
}

async fn world_with(bus: LocalBus) -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let data = Data::open(&folder.path().join("data")).expect("open");
    let mut ports = Ports::open(&data).await.expect("open");
    ports.bus = Arc::new(bus);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let told = Told {
        public_url: format!("http://{host}"),
        allow_hosts: Vec::new(),
        lease_ms: 60_000,
        times: perezvon_engine::Times::one_machine(),
    };
    let doors = ports.doors(&data.keys, &told).expect("the functions");
    let front = Front::new(Arc::new(doors), &ports, &data, None);
    tokio::spawn(serve(listener, front, std::future::pending()));
    World { _folder: folder, data, host, bus: ports.bus }
}

impl World {
    async fn ask(&self, method: &'static str, path: &str, token: &str) -> HttpResponse {
        let request = HttpRequest {
            method,
            url: format!("http://{}{path}", self.host),
            headers: vec![("authorization", format!("Bearer {token}"))],
            body: Vec::new(),
            timeout_ms: 10_000,
        };
        let http = client(std::slice::from_ref(&self.host)).expect("a client");
        http.send(request).await.expect("an answer")
    }
}

#[tokio::test]
async fn hooks_go_to_ingest_and_all_else_to_the_api() {
    let world = world().await;
    let owner = world.data.keys.owner_token();
    let status = async |path: &str, token: &str| world.ask("GET", path, token).await.status;
    assert_eq!(status("/", "").await, 200);
    assert_eq!(status("/api/v1/me", "").await, 401);
    assert_eq!(status("/api/v1/me", &owner).await, 200);
    let stranger = world.ask("POST", "/h/h1guessed/events/call", "").await;
    assert_eq!((stranger.status, stranger.body.as_slice()), (404, &b"{}"[..]));
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_before_it_is_sent() {
    let world = world().await;
    let mut stream = TcpStream::connect(&world.host).await.expect("a connection");
    let head = format!("POST /h/x HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n\r\n", world.host, BODY_LIMIT + 1);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_refused_when_it_does() {
    let world = world().await;
    let mut stream = TcpStream::connect(&world.host).await.expect("a connection");
    let head = format!("POST / HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n", world.host);
    stream.write_all(head.as_bytes()).await.expect("sent");
    let chunk = [b"100000\r\n".as_slice(), &vec![b'x'; BODY_LIMIT], b"\r\n1\r\nx\r\n"].concat();
    stream.write_all(&chunk).await.expect("sent");
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 413");
}

#[tokio::test]
async fn only_the_owner_of_the_installation_gets_a_back_up() {
    let world = world().await;
    let somebody = Person { account: "acme".to_owned(), name: "petrova".to_owned(), role: Role::Owner };
    let somebody = sign_person(&somebody, None, &world.data.keys.person);
    let owner = world.data.keys.owner_token();
    for (method, token, status) in [("POST", "", 401), ("POST", somebody.as_str(), 403), ("GET", owner.as_str(), 405)] {
        assert_eq!(world.ask(method, BACKUP, token).await.status, status);
    }
    let archive = world.ask("POST", BACKUP, &owner).await;
    assert_eq!(archive.status, 200);
    let document: serde_json::Value =
        serde_json::from_str(include_str!("../../../../../docs/openapi.json")).expect("JSON");
    assert_eq!(document["paths"][BACKUP]["post"]["operationId"], "backup", "it is described like the routes of `api`");
    assert!(archive.body.starts_with(b"perezvon-backup.json\0"));
    let left = std::fs::read_dir(world.data.place("backup")).expect("a folder").count();
    assert_eq!(left, 0, "the archive is gone when it was sent");
}

fn fact(account: &str, number: usize, detail: &str) -> BusEvent {
    let (account, name) = (account.to_owned(), "CallRinging".to_owned());
    BusEvent { id: format!("call/{number}"), account, name, detail: format!("{{\"text\":\"{detail}\"}}") }
}

impl World {
    /// Listens to facts of the account `acme`; returns behind the head of the answer.
    async fn listen(&self, last: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.host).await.expect("a connection");
        let token = self.data.keys.owner_token();
        let head = format!(
            "GET /api/v1/accounts/acme/events HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n{last}\r\n",
            self.host
        );
        stream.write_all(head.as_bytes()).await.expect("sent");
        let head = read_until(&mut stream, "\n\n").await;
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/event-stream"), "{head}");
        stream
    }

    /// Tells facts until nobody listens any more; how many that took.
    async fn tell_until_dropped(&self) -> usize {
        let detail = "x".repeat(16_384);
        for number in 0..100_000 {
            if self.bus.readers() == 0 {
                return number;
            }
            self.bus.publish(vec![fact("acme", number, &detail)]).await.expect("told");
            tokio::task::yield_now().await;
        }
        panic!("a reader that never reads is never dropped");
    }
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = stream.read_u8().await.expect("more");
        text.push(char::from(byte));
    }
    text
}

#[tokio::test]
async fn a_reader_hears_the_facts_of_its_account_and_what_it_missed_when_it_comes_again() {
    let world = world().await;
    let mut first = world.listen("").await;
    let facts = [("acme", 1), ("other", 2), ("acme", 3)].map(|(account, number)| fact(account, number, "a"));
    world.bus.publish(facts.to_vec()).await.expect("told");
    let one = read_until(&mut first, "}}\n\n").await;
    assert!(
        one.contains("event: CallRinging")
            && one.contains(r#"{"id":"call/1","name":"CallRinging","detail":{"text":"a"}}"#)
    );
    let two = read_until(&mut first, "}}\n\n").await;
    assert!(two.contains("call/3"), "nothing of others: {two}");
    let id = |frame: &str| {
        let line = frame.lines().find_map(|line| line.strip_prefix("id: "));
        line.expect("an id").to_owned()
    };
    let mut again = world.listen(&format!("last-event-id: {}\r\n", id(&one))).await;
    assert!(read_until(&mut again, "}}\n\n").await.contains("call/3"));
    let mut stranger = world.listen("last-event-id: 1-1\r\n").await;
    assert!(read_until(&mut stranger, "{}\n\n").await.contains("event: gap"), "of another life of the process");
}

#[tokio::test]
async fn a_reader_that_never_reads_is_dropped_and_its_connection_is_cut() {
    let world = world_with(LocalBus::with_grace(std::time::Duration::ZERO)).await;
    let mut stream = world.listen("").await;
    let told = world.tell_until_dropped().await;
    println!("dropped after {told} facts of 16 KB");
    let cut = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), cut).await.expect("the connection is cut");
    let mut next = world.listen("").await;
    world.bus.publish(vec![fact("acme", 1, "b")]).await.expect("told");
    assert!(read_until(&mut next, "}}\n\n").await.contains("call/1"), "others hear on");
}

#[tokio::test]
async fn a_reader_that_was_only_slow_reads_why_it_was_dropped() {
    let world = world_with(LocalBus::with_grace(std::time::Duration::from_secs(60))).await;
    let mut stream = world.listen("").await;
    world.tell_until_dropped().await;
    let mut read = Vec::new();
    stream.read_to_end(&mut read).await.expect("the end");
    let text = String::from_utf8_lossy(&read);
    let last = text.rsplit("event: ").next().expect("an event");
    assert!(last.starts_with("dropped") && last.contains("Подключитесь снова"), "{last}");
}

#[tokio::test]
async fn facts_are_told_to_whoever_may_see_calls_and_to_a_bounded_number_of_readers() {
    let world = world().await;
    let token = |account: &str, role| {
        let person = Person { account: account.to_owned(), name: "petrova".to_owned(), role };
        sign_person(&person, None, &world.data.keys.person)
    };
    let status = async |token: &str| world.ask("GET", "/api/v1/accounts/acme/events", token).await.status;
    assert_eq!(status("").await, 401);
    assert_eq!(status(&token("acme", Role::Integrator)).await, 403);
    assert_eq!(status(&token("other", Role::Owner)).await, 404);
    assert_eq!(world.ask("POST", "/api/v1/accounts/acme/events", &world.data.keys.owner_token()).await.status, 405);
    let held: Vec<_> = (0..200).map(|_| world.bus.listen("acme", None, Default::default())).collect();
    assert!(held.iter().all(Option::is_some));
    let refused = world.ask("GET", "/api/v1/accounts/acme/events", &world.data.keys.owner_token()).await;
    assert_eq!(refused.status, 503);
    drop(held);
    world.listen("").await;
    world.bus.close();
    assert_eq!(world.bus.readers(), 0, "the process ends, and nobody holds it up");
}
