//! The front over a real socket: who answers what, and what is not even read.

use perezvon_platform::link::{Person, sign_person};
use perezvon_platform::{HttpRequest, HttpResponse};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::local::wiring::{Told, client};

struct World {
    _folder: tempfile::TempDir,
    data: Data,
    host: String,
}

async fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let data = Data::open(&folder.path().join("data")).expect("open");
    let ports = Ports::open(&data).await.expect("open");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let told = Told {
        public_url: format!("http://{host}"),
        allow_hosts: Vec::new(),
        lease_ms: 60_000,
        times: perezvon_engine::Times::one_machine(),
    };
    let doors = ports.doors(&data.keys, &told).expect("the functions");
    let front = Front::new(Arc::new(doors), &ports, &data);
    tokio::spawn(serve(listener, front, std::future::pending()));
    World { _folder: folder, data, host }
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
    assert!(archive.body.starts_with(b"perezvon-backup.json\0"));
    let left = std::fs::read_dir(world.data.place("backup")).expect("a folder").count();
    assert_eq!(left, 0, "the archive is gone when it was sent");
}
