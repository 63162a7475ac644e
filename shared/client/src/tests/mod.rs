//! Specs of the outgoing client, against a server on this machine.

use futures_util::TryStreamExt as _;

use super::*;
#[cfg(feature = "aws")]
mod roots;

use perezvon_platform::guard::Allow;
use perezvon_platform::testing::{Server, answer};

fn client(allow: &str) -> Client {
    Client::new(Guard { allow: Allow::parse(allow).expect("hosts") }).expect("a client")
}

fn get(url: String) -> HttpRequest {
    HttpRequest { method: "GET", url, headers: Vec::new(), body: Vec::new(), timeout_ms: 10_000 }
}

#[tokio::test]
async fn a_request_goes_out_and_its_answer_comes_back() {
    let server = Server::start(vec![answer("201 Created", "X-Trace: a\r\nx-trace: b\r\n", "made")]).await;
    let request = HttpRequest {
        method: "POST",
        headers: vec![("accept", "application/json".into())],
        body: b"call=1".to_vec(),
        ..get(format!("http://{}/calls?x=1", server.address))
    };
    let answer = client(&server.address).send(request).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (201, b"made".as_slice()));
    assert_eq!(answer.headers["x-trace"], "a, b");
    let seen = server.requests().remove(0);
    assert!(seen.starts_with("POST /calls?x=1 HTTP/1.1\r\n") && seen.ends_with("\r\n\r\ncall=1"), "{seen}");
    assert!(seen.contains("accept: application/json\r\n"), "{seen}");
    assert!(seen.contains(concat!("user-agent: perezvon/", env!("CARGO_PKG_VERSION"), "\r\n")), "{seen}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let server = Server::start(vec![answer("302 Found", "location: /elsewhere\r\n", "")]).await;
    let answer = client(&server.address).send(get(format!("http://{}/", server.address))).await.expect("an answer");
    assert_eq!((answer.status, answer.headers["location"].as_str()), (302, "/elsewhere"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_of_one_mebibyte_is_read_and_one_byte_more_is_not() {
    let answers = vec![answer("200 OK", "", &"x".repeat(LARGEST)), answer("200 OK", "", &"x".repeat(LARGEST + 1))];
    let server = Server::start(answers).await;
    let client = client(&server.address);
    let url = format!("http://{}/", server.address);
    assert_eq!(client.send(get(url.clone())).await.expect("an answer").body.len(), LARGEST);
    assert_eq!(client.send(get(url)).await, Err(HttpError::Unknown("answer too large".into())));
}

#[tokio::test]
async fn a_large_body_can_be_fetched_in_pieces() {
    let server = Server::start(vec![answer("200 OK", "", &"x".repeat(3 * LARGEST))]).await;
    let streamed = client(&server.address).fetch(get(format!("http://{}/", server.address))).await.expect("an answer");
    assert_eq!((streamed.status, streamed.headers["content-length"].as_str()), (200, "3145728"));
    let pieces: Vec<Vec<u8>> = streamed.chunks.try_collect().await.expect("the body");
    assert_eq!(pieces.concat().len(), 3 * LARGEST);
}

#[tokio::test]
async fn a_server_that_never_answers_leaves_the_outcome_unknown() {
    let server = Server::start(Vec::new()).await;
    let request = HttpRequest { timeout_ms: 50, ..get(format!("http://{}/?token=secret", server.address)) };
    let error = client(&server.address).send(request).await.expect_err("no answer");
    assert!(matches!(&error, HttpError::Unknown(_)), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_the_outcome_unknown() {
    let torn = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_owned();
    let server = Server::start(vec![torn.clone(), torn]).await;
    let client = client(&server.address);
    let url = format!("http://{}/", server.address);
    let error = client.send(get(url.clone())).await.expect_err("half a body");
    assert!(matches!(&error, HttpError::Unknown(_)), "{error}");
    let streamed = client.fetch(get(url)).await.expect("a head");
    assert!(streamed.chunks.try_collect::<Vec<_>>().await.is_err());
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    // Bound and not listening: nobody else can take the port meanwhile.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("an address").to_string();
    let error = client(&address).send(get(format!("http://{address}/"))).await.expect_err("nobody there");
    assert!(matches!(&error, HttpError::NotSent(_)), "{error}");
}

#[tokio::test]
async fn a_private_address_is_refused_without_the_switch() {
    let server = Server::start(vec![answer("200 OK", "", "")]).await;
    let port = server.address.rsplit_once(':').expect("a port").1;
    for client in [client(""), client("127.0.0.1:1")] {
        for url in [format!("http://{}/", server.address), format!("https://{}/", server.address)] {
            let error = client.send(get(url)).await.expect_err("private");
            assert!(matches!(&error, HttpError::NotSent(_)), "{error}");
        }
        let error = client.send(get(format!("https://localhost:{port}/"))).await.expect_err("private");
        assert!(error.to_string().ends_with("localhost has no public address"), "{error}");
        assert!(matches!(&error, HttpError::NotSent(_)), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_request_that_cannot_be_built_is_not_sent() {
    let url = "https://example.com/".to_owned();
    let bad = [
        HttpRequest { timeout_ms: 0, ..get(url.clone()) },
        HttpRequest { method: "NO METHOD", ..get(url.clone()) },
        HttpRequest { headers: vec![("x-a", "a\r\nb".into())], ..get(url) },
    ];
    for request in bad {
        let error = client("").send(request).await.expect_err("unbuildable");
        assert!(matches!(&error, HttpError::NotSent(_)), "{error}");
    }
}

#[test]
fn a_url_that_the_client_reads_otherwise_is_noticed() {
    let guard = Guard::default();
    for url in ["https://example.com/", "https://EXAMPLE.com:8443/x", "https://8.8.8.8/", "https://[2a00::0:1]/"] {
        let target = guard.check_url(url).expect("public");
        assert!(leads_to(&Url::parse(url).expect("a URL"), &target), "{url}");
        assert!(!leads_to(&Url::parse("https://example.org/").expect("a URL"), &target));
    }
}
