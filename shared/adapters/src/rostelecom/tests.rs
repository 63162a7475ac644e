//! What the codec promises, over the bytes in `events/rostelecom/`.

// Samples are files, and one variable rewrites the expected ones.
#![allow(clippy::disallowed_methods)]

mod account;
mod call_back;
mod corpus;
mod events;
mod history;
mod lab;
mod number_info;
mod record;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;

use perezvon_domain::{Command, EffectId, Timestamp};
use serde_json::Value;

use super::{Rostelecom, sign};
use crate::secret::Secret;
use crate::{Inbound, Intake, Jobs, Known, Learned, Outcome, Outgoing, RawRequest, Reply, Step, Work};

const NOW: Timestamp = Timestamp::from_seconds(1_772_440_000);
const BASE: &str = "https://api.cloudpbx.rt.ru";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/rostelecom")
}

fn bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).expect("a sample in JSON")
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no `{field}` in {value}"))
}

fn secret(id: &str, key: &str) -> Secret {
    let (id, key) = (("client_id".to_owned(), id.to_owned()), ("sign_key".to_owned(), key.to_owned()));
    Secret(BTreeMap::from([id, key]))
}

/// The secret all samples are signed with.
fn ours() -> Secret {
    secret("0123456789ABCDEF0123456789ABCDEF", "FEDCBA9876543210FEDCBA9876543210")
}

/// A body as the provider would post it.
fn posted(path: &str, body: &[u8]) -> RawRequest {
    let headers = sign::headers(body, &ours()).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    RawRequest { path: path.to_owned(), headers, body: body.to_vec(), received_at: NOW }
}

fn understood(request: &RawRequest) -> Result<Vec<Inbound>, String> {
    let verified = Rostelecom.verify(request, &[ours()]).map_err(|refusal| refusal.to_string())?;
    Rostelecom.normalise(verified).map_err(|malformed| malformed.to_string())
}

fn work(command: Command) -> Work {
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    Work { id: EffectId::from("call-1-0"), command, progress, unknown: false, sent_at: None, learned }
}

fn with<T>(secret: &Secret, see: impl FnOnce(&Known<'_>) -> T) -> T {
    let facts = BTreeMap::new();
    let (point, recording_link) = (None, None);
    see(&Known { now: NOW, base: BASE, secret, facts: &facts, point, recording_link, lag: None })
}

fn next(work: &Work) -> Step {
    with(&ours(), |known| Rostelecom.next(work, known))
}

fn absorb(work: &mut Work, reply: &Reply) -> Outcome {
    with(&ours(), |known| Rostelecom.absorb(work, known, reply))
}

fn read(work: &Work) -> Outgoing {
    match next(work) {
        Step::Read(request) => request,
        other => panic!("a read was expected, not {other:?}"),
    }
}

/// The body of a signed request; its signature is right.
fn signed(request: &Outgoing) -> String {
    let header = |name: &str| request.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str());
    assert_eq!((request.method, header("content-type")), ("POST", Some("application/json")));
    assert_eq!(header("x-client-id"), Some(ours().get("client_id")));
    assert_eq!(header("x-client-sign"), Some(sign::signature(&request.body, &ours()).as_str()));
    String::from_utf8(request.body.clone()).expect("UTF-8")
}

fn reply(status: u16, body: &[u8]) -> Reply {
    Reply { status, headers: BTreeMap::new(), body: body.to_vec(), stored: None }
}

fn streamed(status: u16, content_type: &str, stored: Option<u64>) -> Reply {
    let headers = BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]);
    Reply { headers, stored, ..reply(status, b"") }
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Again { why, .. } | Outcome::Unknown { why } | Outcome::Pause { why, .. } => why,
        Outcome::Failed(perezvon_domain::JobResult::Failed { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_provider_cannot_do_fails_with_words() {
    let mut job = work(Command::Subscribe { url: "https://hooks.test".to_owned() });
    assert!(matches!(next(&job), Step::Failed(_)));
    assert!(matches!(absorb(&mut job, &reply(200, b"{}")), Outcome::Failed(_)));
    assert_eq!(Rostelecom.refresh_due(&ours()), None);
    assert!(with(&ours(), |known| Rostelecom.refresh(known)).is_none());
    assert!(with(&ours(), |known| Rostelecom.refreshed(known, &reply(200, b"{}"))).is_err());
}

#[test]
fn without_a_key_nothing_is_sent() {
    let job = work(Command::ReadCall { entry: "5".to_owned(), started_at: NOW });
    let step = with(&secret("0123", ""), |known| Rostelecom.next(&job, known));
    assert!(matches!(step, Step::Wait { .. }), "{step:?}");
}
