//! A recording is fetched by its one-shot link, and asked for again until it is there.

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, JobResult};

use super::{NOW, absorb, bytes, next, read, reply, signed, streamed, why, work};
use crate::{Expect, Outcome, Step, Work};

const FILE: &str =
    "https://api.cloudpbx.rt.ru/records_new_scheme/record/download/00000000000000000000000000000001/203000113010";

fn copy(link_only: bool) -> Work {
    let (recording, blob) = ("5f0c".to_owned(), "blob-1".to_owned());
    work(Command::CopyRecording { recording, blob, link_only })
}

/// A job that has its link.
fn linked() -> Work {
    let mut job = copy(false);
    assert_eq!(absorb(&mut job, &reply(200, &bytes("answers/get_record_ok.json"))), Outcome::Next);
    job
}

#[test]
fn a_recording_is_copied_through_its_link() {
    let asked = read(&copy(false));
    assert_eq!(asked.url, "https://api.cloudpbx.rt.ru/get_record");
    assert_eq!(signed(&asked), r#"{"session_id":"5f0c"}"#);
    let mut job = linked();
    let fetched = read(&job);
    assert_eq!((fetched.method, fetched.url.as_str(), fetched.headers.len()), ("GET", FILE, 0));
    assert_eq!(fetched.expect, Expect::Blob { key: "blob-1".to_owned() });
    assert_eq!(absorb(&mut job, &streamed(200, "audio/mpeg", Some(48_000))), Outcome::Next);
    let (blob, media_type) = ("blob-1".to_owned(), "audio/mpeg".to_owned());
    assert_eq!(next(&job), Step::Done(JobResult::RecordingStored { blob, bytes: 48_000, media_type }));
}

#[test]
fn a_link_is_used_once_and_what_is_too_small_is_no_recording() {
    for bad in [
        streamed(200, "audio/mpeg", Some(999)),
        streamed(200, "text/html", Some(48_000)),
        streamed(404, "text/html", None),
        streamed(500, "", None),
    ] {
        let mut job = linked();
        let outcome = absorb(&mut job, &bad);
        let until = NOW.after(Millis::seconds(30));
        assert!(matches!(&outcome, Outcome::Again { until: then, .. } if *then == until), "{outcome:?}");
        assert!(read(&job).url.ends_with("/get_record"), "another link is asked for");
    }
}

#[test]
fn one_that_is_not_there_yet_is_asked_for_sooner_first_and_given_up_after_thirty_times() {
    let mut job = copy(false);
    let mut pauses = Vec::new();
    loop {
        match absorb(&mut job, &reply(200, br#"{"result": "-5", "resultMessage": "no record"}"#)) {
            Outcome::Again { until, why } => {
                assert!(why.contains("no record (код -5)"), "{why}");
                pauses.push(until.since(NOW).0 / 1000);
            }
            outcome => {
                assert!(why(&outcome).contains("попыток было 30"), "{outcome:?}");
                break;
            }
        }
    }
    assert_eq!(pauses, [vec![30; 9], vec![300; 20]].concat());
}

#[test]
fn an_answer_without_a_link_is_asked_again() {
    for body in [&br#"{"result": "0", "url": null}"#[..], br#"{"result": 0}"#, br#"{"result": 0, "url": " "}"#] {
        assert!(matches!(absorb(&mut copy(false), &reply(200, body)), Outcome::Again { .. }));
    }
}

#[test]
fn a_link_that_lasts_does_not_exist() {
    assert!(matches!(next(&copy(true)), Step::Failed(_)));
}
