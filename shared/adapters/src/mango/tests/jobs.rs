//! A recording is copied or linked, and every refusal of the provider leads somewhere sensible.

use std::collections::BTreeMap;

use perezvon_domain::{Command, EffectId, JobResult, Number, Timestamp};

use super::{ours, secret, verified};
use crate::secret::Secret;
use crate::{Expect, Jobs, Known, Learned, Outcome, Outgoing, Reply, Step, Work};

use super::super::Mango;

const NOW: Timestamp = Timestamp::from_seconds(1_760_000_100);
const BASE: &str = "https://app.mango-office.ru/vpbx";
const FILE: &str = "https://files.mango-office.ru/token";
const RECORDING: &str = "MToxMDAwMDAwMToxMDAwMDAwMDAwMTow=+/";

fn work(command: Command) -> Work {
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    Work { id: EffectId::from("call-1-0"), command, progress, unknown: false, sent_at: None, learned }
}

fn copy(link_only: bool) -> Work {
    let (recording, blob) = (RECORDING.to_owned(), "blob-1".to_owned());
    work(Command::CopyRecording { recording, blob, link_only })
}

fn with<T>(secret: &Secret, see: impl FnOnce(&Known<'_>) -> T) -> T {
    let facts = BTreeMap::new();
    let (point, recording_link) = (None, None);
    see(&Known { now: NOW, base: BASE, secret, facts: &facts, point, recording_link, lag: None })
}

fn next(work: &Work) -> Step {
    with(&ours(), |known| Mango.next(work, known))
}

fn absorb(work: &mut Work, reply: &Reply) -> Outcome {
    with(&ours(), |known| Mango.absorb(work, known, reply))
}

fn read(work: &Work) -> Outgoing {
    match next(work) {
        Step::Read(request) => request,
        other => panic!("a read was expected, not {other:?}"),
    }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Reply { status, headers, body: body.as_bytes().to_vec(), stored: None }
}

fn streamed(status: u16, content_type: &str, stored: Option<u64>) -> Reply {
    Reply { stored, ..reply(status, &[("content-type", content_type)], "") }
}

fn redirected(target: &str) -> Work {
    let mut work = copy(false);
    assert_eq!(absorb(&mut work, &reply(302, &[("location", target)], "")), Outcome::Next);
    work
}

fn seconds(until: Timestamp) -> i64 {
    until.since(NOW).0 / 1000
}

/// What an answer to the first step leads to: what, after how many seconds.
fn after(status: u16, headers: &[(&str, &str)], body: &str) -> (&'static str, Option<i64>) {
    match absorb(&mut copy(false), &reply(status, headers, body)) {
        Outcome::Next => ("next", None),
        Outcome::Again { until, .. } => ("again", Some(seconds(until))),
        Outcome::Pause { until, .. } => ("pause", until.map(seconds)),
        Outcome::Unknown { .. } => ("unknown", None),
        Outcome::Failed(JobResult::Failed { made: None, .. }) => ("failed", None),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recording_is_copied_in_two_reads() {
    let mut work = copy(false);
    let request = read(&work);
    assert_eq!((request.method, request.expect), ("POST", Expect::Small));
    assert_eq!(request.url, format!("{BASE}/queries/recording/post"));
    let content_type = "application/x-www-form-urlencoded".to_owned();
    assert_eq!(request.headers, [("content-type", content_type.clone())]);
    let json = verified(&super::request("events/call", &content_type, request.body));
    assert_eq!(json, Ok(format!(r#"{{"recording_id":"{RECORDING}","action":"download"}}"#)));

    assert_eq!(absorb(&mut work, &reply(302, &[("location", FILE)], "")), Outcome::Next);
    let request = read(&work);
    assert_eq!((request.method, request.url.as_str()), ("GET", FILE));
    assert_eq!(request.expect, Expect::Blob { key: "blob-1".to_owned() });
    assert!(request.headers.is_empty() && request.body.is_empty());

    assert_eq!(absorb(&mut work, &streamed(200, "Audio/MP3; x=1", Some(4096))), Outcome::Next);
    let (blob, media_type) = ("blob-1".to_owned(), "audio/mp3".to_owned());
    let stored = JobResult::RecordingStored { blob, bytes: 4096, media_type };
    assert_eq!(next(&work), Step::Done(stored));
}

#[test]
fn a_file_without_a_media_type_is_the_usual_one() {
    let mut work = redirected(FILE);
    assert_eq!(absorb(&mut work, &streamed(200, "", Some(1))), Outcome::Next);
    assert!(
        matches!(next(&work), Step::Done(JobResult::RecordingStored { media_type, .. }) if media_type == "audio/mpeg")
    );
}

#[test]
fn a_one_shot_link_that_brought_nothing_is_asked_for_anew() {
    let bad = [
        streamed(404, "text/html", None),
        streamed(500, "", None),
        streamed(302, "", None),
        streamed(200, "audio/mpeg", None),
        streamed(200, "audio/mpeg", Some(0)),
        streamed(200, "text/html; charset=utf-8", Some(900)),
        streamed(200, "application/json", Some(20)),
    ];
    for reply in bad {
        let mut work = redirected(FILE);
        let outcome = absorb(&mut work, &reply);
        assert!(matches!(outcome, Outcome::Again { until, .. } if seconds(until) == 60), "{reply:?}");
        assert_eq!(read(&work).method, "POST", "{reply:?}");
    }
}

#[test]
fn a_location_is_resolved_and_otherwise_passed_on() {
    for (location, url) in [
        ("/files/1", "https://app.mango-office.ru/files/1"),
        ("//files.mango-office.ru/1", "https://files.mango-office.ru/1"),
        ("1?t=a:b", "https://app.mango-office.ru/vpbx/queries/recording/1?t=a:b"),
        (" http://plain.example/1 ", "http://plain.example/1"),
        ("ftp://odd.example/1", "ftp://odd.example/1"),
        ("http://169.254.169.254/latest", "http://169.254.169.254/latest"),
    ] {
        assert_eq!(read(&redirected(location)).url, url);
    }
    assert_eq!(after(302, &[("location", " ")], ""), ("again", Some(60)));
    assert_eq!(after(302, &[], ""), ("again", Some(60)));
}

#[test]
fn a_link_is_signed_without_any_request() {
    let Step::Done(JobResult::RecordingLinked { url }) = next(&copy(true)) else {
        panic!("a link was expected");
    };
    let (key, expires) = ("abcdefghijklmnopqrstuvwxyz012345", "2075576100");
    let sign = super::super::form::digest(&[key, expires, RECORDING, ours().get("salt")]);
    let id = "MToxMDAwMDAwMToxMDAwMDAwMDAwMTow%3D%2B%2F";
    assert_eq!(url, format!("{BASE}/queries/recording/link/{id}/play/{key}/{expires}/{sign}"));
}

#[test]
fn a_recording_that_is_never_found_is_given_up_after_thirty_attempts() {
    let mut work = copy(false);
    let missing = reply(200, &[], r#"{"result":3320}"#);
    for attempt in 1..30 {
        let outcome = absorb(&mut work, &missing);
        let later = matches!(outcome, Outcome::Again { until, .. } if seconds(until) == 125);
        assert!(later, "attempt {attempt}");
        assert_eq!(read(&work).method, "POST");
    }
    let Outcome::Failed(JobResult::Failed { why, made: None }) = absorb(&mut work, &missing) else {
        panic!("it was not given up");
    };
    assert!(why.starts_with("АТС не отдаёт запись"), "{why}");
}

#[test]
fn every_code_leads_somewhere() {
    let json = |body: &str| after(200, &[], body);
    for missing in [r#"{"result":3300}"#, r#"{"code":"3320"}"#, r#"{"result":"3340"}"#] {
        assert_eq!(json(missing), ("again", Some(125)), "{missing}");
    }
    assert_eq!(json(r#"{"result":3102}"#), ("pause", None));
    assert_eq!(after(420, &[], r#"{"code":3105}"#), ("pause", None));
    assert_eq!(after(420, &[], r#"{"code":3104}"#), ("failed", None));
    for given_up in [2219, 2240, 2999, 3000, 3100, 3400, 3999, 4002, 4501, 6010] {
        assert_eq!(json(&format!(r#"{{"result":{given_up}}}"#)), ("failed", None), "{given_up}");
    }
    for busy in [4290, 5001, 5008] {
        assert_eq!(json(&format!(r#"{{"result":{busy}}}"#)), ("pause", Some(5)), "{busy}");
    }
    for later in [1000, 5000, 5004, 5302, 77, 99_999] {
        assert_eq!(json(&format!(r#"{{"result":{later}}}"#)), ("again", Some(60)), "{later}");
    }
}

#[test]
fn every_status_leads_somewhere() {
    let limited = r#"{"name":"Service Unavailable","message":"Rate limit exceeded.","code":0,"status":429}"#;
    assert_eq!(after(429, &[], limited), ("pause", Some(5)));
    assert_eq!(after(429, &[("retry-after", "17")], ""), ("pause", Some(17)));
    assert_eq!(after(503, &[("retry-after", "soon")], "<html>"), ("pause", Some(5)));
    assert_eq!(after(503, &[("retry-after", "0")], ""), ("pause", Some(1)));
    assert_eq!(after(401, &[], r#"{"result":3102}"#), ("pause", Some(120)));
    assert_eq!(after(403, &[], "<html>"), ("pause", None));
    assert_eq!(after(404, &[], ""), ("again", Some(125)));
    assert_eq!(after(418, &[], ""), ("failed", None));
    assert_eq!(after(500, &[], r#"{"code":5004}"#), ("again", Some(60)));
    assert_eq!(after(502, &[], "<html>"), ("unknown", None));
    for garbage in ["", "<html></html>", "[1000]", r#"{"result":{}}"#, "\u{0}", "null"] {
        assert_eq!(after(200, &[], garbage), ("again", Some(60)), "{garbage}");
    }
}

#[test]
fn a_refusal_for_money_says_so_in_words() {
    let outcome = absorb(&mut copy(false), &reply(200, &[], r#"{"result":2242}"#));
    let why = "АТС отказала: на лицевом счёте нет средств (код 2242)".to_owned();
    assert_eq!(outcome, Outcome::Failed(JobResult::Failed { why, made: None }));
}

#[test]
fn other_commands_are_refused_and_a_missing_secret_waits() {
    let number = Number::parse("79990000001").expect("a number");
    let step = next(&work(Command::FindClient { client: number.into() }));
    assert!(matches!(step, Step::Failed(JobResult::Failed { made: None, .. })), "{step:?}");
    for link_only in [true, false] {
        let step = with(&secret("key", ""), |known| Mango.next(&copy(link_only), known));
        assert!(matches!(step, Step::Wait { until, .. } if seconds(until) == 60), "{step:?}");
    }
}

#[test]
fn there_are_no_tokens_to_refresh() {
    assert_eq!(Mango.refresh_due(&ours()), None);
    with(&ours(), |known| {
        assert_eq!(Mango.refresh(known), None);
        assert!(Mango.refreshed(known, &reply(200, &[], "")).is_err());
    });
}
