//! A server whose certificate ends at a root that nobody trusts by itself. The certificates and the key are of this spec
//! alone, for `localhost`, and end in a hundred years.

use std::sync::Arc;

use perezvon_platform::roots::ExtraRoot;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const ROOT: &[u8] = include_bytes!("root.der");
const SERVER: &[u8] = include_bytes!("server.der");
const KEY: &[u8] = include_bytes!("server.key.der");

/// Answers each request with 200; its port.
async fn server() -> u16 {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(SERVER)], key)
        .expect("a certificate");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whoever does not trust us hangs up.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            _ = stream.read(&mut request).await;
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
            _ = stream.shutdown().await;
        }
    });
    port
}

/// What comes of a request by a client that trusts the root for these hosts.
async fn asked(hosts: &str) -> Result<u16, HttpError> {
    let port = server().await;
    let mut root = ExtraRoot::default();
    if !hosts.is_empty() {
        root = ExtraRoot::parse(&format!("{hosts}=AAEC")).expect("hosts");
        root.der = ROOT.to_vec();
    }
    let guard = Guard { allow: Allow::parse(&format!("localhost:{port}")).expect("a host") };
    let client = Client::trusting(guard, root).expect("a client");
    client.send(get(format!("https://localhost:{port}/"))).await.map(|answer| answer.status)
}

#[tokio::test]
async fn a_root_of_their_own_is_trusted_for_the_hosts_it_was_given_for() {
    assert_eq!(asked("localhost").await, Ok(200));
}

#[tokio::test]
async fn for_other_hosts_it_is_not_and_the_request_was_certainly_not_sent() {
    for hosts in ["", "api.pbx.example"] {
        let refused = asked(hosts).await.expect_err("nobody vouches for it");
        assert!(matches!(&refused, HttpError::NotSent(why) if why.contains("certificate")), "{hosts}: {refused:?}");
    }
}

#[test]
fn what_is_no_certificate_is_said_at_the_start() {
    let root = ExtraRoot::parse("localhost=AAEC").expect("bytes");
    assert!(Client::trusting(Guard::default(), root).is_err());
}
