//! Server-sent events over real HTTP: a call as a page hears of it, from a signed webhook to the fact with its links.

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use support::calls::{Kind, Told, post};
use support::{World, crm, free_address, hook, request, until};

const EVENTS: &str = "/api/v1/accounts/acme/events";

/// Reads the facts of a stream as they come.
struct Facts(BufReader<TcpStream>);

impl Facts {
    fn listen(server: SocketAddr, token: &str) -> Self {
        let mut stream = TcpStream::connect(server).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let head = format!("GET {EVENTS} HTTP/1.1\r\nhost: {server}\r\nauthorization: Bearer {token}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("sent");
        let mut facts = Self(BufReader::new(stream));
        assert_eq!(facts.line(), "HTTP/1.1 200 OK");
        while facts.line() != "retry: 3000" {}
        facts
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).expect("a line in time") > 0, "the stream ended");
        line.trim_end().to_owned()
    }

    /// The next fact of this name.
    fn next(&mut self, name: &str) -> Value {
        loop {
            if let Some(data) = self.line().strip_prefix("data: ") {
                let fact: Value = serde_json::from_str(data).expect("JSON");
                if fact["name"] == name {
                    return fact["detail"].clone();
                }
            }
        }
    }
}

#[test]
fn a_page_hears_of_a_call_while_it_goes_on() {
    let world = World::with_popups();
    let (address, data) = (free_address(), world.path("data"));
    let server = world.serve(address, &data, &[]);
    let call = Told::begun(1, Kind::AnsweredKnown, 0);
    support::add_contacts(world.sandbox.address, std::iter::once(call.phone.as_str()));
    let owner = std::fs::read_to_string(data.join("owner.token")).expect("the owner's token");
    let mut facts = Facts::listen(server.address, owner.trim());
    let hook = hook(server.address, &data);
    let tell = |(path, body): &(&str, String)| assert_eq!(post(server.address, &hook, path, body), Some(200));
    let (rings, rest) = call.hooks.split_at(2);
    rings.iter().for_each(tell);
    let ringing = facts.next("CallRinging");
    assert_eq!((&ringing["direction"], &ringing["employee"]), (&"Incoming".into(), &"petrova".into()));
    assert_eq!(ringing["client"].as_str(), Some(call.phone.as_str()));
    until("the CRM shows who calls", Duration::from_secs(20), || {
        crm(world.sandbox.address)["popups"].as_array().is_some_and(|popups| popups.len() == 1)
    });
    rest.iter().for_each(tell);
    assert_eq!(facts.next("CallAnswered")["line"], "74950000001");
    let notified = facts.next("ManagerNotified");
    let contact = notified["contact"]["url"].as_str().expect("a link");
    assert!(contact.starts_with(&format!("http://{}/contacts/detail/", world.sandbox.address)), "{contact}");
    assert_eq!(notified["name"], "Давний клиент");
}

#[test]
fn nobody_listens_without_a_token() {
    let world = World::with_popups();
    let server = world.serve(free_address(), &world.path("data"), &[]);
    let (status, body) = request(server.address, "GET", EVENTS, &[], b"").expect("an answer");
    assert_eq!(status, 401, "{}", String::from_utf8_lossy(&body));
}
