//! What no event told is read off the log of the domain: ordered, waited for, unpacked.

use std::io::Write as _;

use perezvon_domain::time::Millis;
use perezvon_domain::{CallEventKind, Command, JobResult, Timestamp};

use super::{NOW, absorb, bytes, next, ours, read, reply, signed, why, with, work};
use crate::{Jobs as _, Outcome, Reply, Step, Work};

use super::Rostelecom;

/// An hour before [`NOW`], which is 2026-03-02 11:26:40 in Moscow.
const SINCE: Timestamp = Timestamp::from_seconds(1_772_436_400);

fn heal() -> Work {
    work(Command::Heal { since: SINCE })
}

fn ordered() -> Work {
    let mut job = heal();
    let outcome = absorb(&mut job, &reply(200, &bytes("answers/domain_call_history_ok.json")));
    let until = NOW.after(Millis::minutes(1));
    assert!(matches!(outcome, Outcome::Again { until: then, .. } if then == until), "{outcome:?}");
    job
}

fn zipped(file: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut output);
    let named = archive.new_file("history.csv.z").compression_method(rawzip::CompressionMethod::DEFLATE);
    let (mut entry, config) = named.start().expect("a file");
    let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::default()));
    writer.write_all(file).expect("written");
    let (encoder, descriptor) = writer.finish().expect("written");
    encoder.finish().expect("written");
    entry.finish(descriptor).expect("written");
    archive.finish().expect("an archive");
    output
}

fn file(body: Vec<u8>) -> Reply {
    reply(200, &body)
}

#[test]
fn the_log_is_ordered_from_where_nothing_is_missing_in_moscows_time() {
    let request = read(&heal());
    assert_eq!(request.url, "https://api.cloudpbx.rt.ru/domain_call_history");
    let body = r#"{"date_start":"2026-03-02 10:26:40","date_end":"2026-03-02 11:26:40","direction":0,"state":0}"#;
    assert_eq!(signed(&request), body);
    let request = read(&ordered());
    assert_eq!(request.url, "https://api.cloudpbx.rt.ru/download_call_history");
    assert_eq!(signed(&request), r#"{"order_id":"100000001"}"#);
}

#[test]
fn an_hour_is_read_once_more_and_never_more_than_thirty_days_or_a_day_at_once() {
    let asked = |healed: i64, since: Timestamp| {
        let facts = [("healed_to".to_owned(), healed.to_string())].into();
        let job = work(Command::Heal { since });
        with(&ours(), |known| match Rostelecom.next(&job, &crate::Known { facts: &facts, ..known.clone() }) {
            Step::Read(request) => String::from_utf8(request.body).expect("UTF-8"),
            other => panic!("{other:?}"),
        })
    };
    let healed = NOW.after(Millis::minutes(-10)).0;
    assert!(asked(healed, Timestamp(0)).contains(r#""date_start":"2026-03-02 10:16:40""#));
    assert!(asked(healed, NOW.after(Millis::minutes(-5))).contains(r#""date_start":"2026-03-02 11:21:40""#));
    let oldest = asked(0, Timestamp(0));
    assert!(oldest.contains(r#""date_start":"2026-01-31 11:26:40","date_end":"2026-02-01 11:26:40""#), "{oldest}");
}

#[test]
fn a_zip_a_gzip_and_a_plain_file_tell_the_same_calls() {
    let csv = bytes("answers/call_history.csv");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&csv).expect("written");
    for body in [zipped(&csv), gzip.finish().expect("a gzip"), csv.clone()] {
        let mut job = ordered();
        assert_eq!(absorb(&mut job, &file(body)), Outcome::Next);
        let entries: Vec<&str> = job.learned.calls.iter().map(|news| news.entry.as_str()).collect();
        let id = |last: u8| format!("5f0c1e2a-0000-4000-8000-00000000000{last}");
        assert_eq!(entries, [id(1), id(1), id(2), id(2), id(3), id(3)], "an account and whether it was recorded");
        let CallEventKind::Summarised(summary) = &job.learned.calls[4].kind else { panic!("{:?}", job.learned.calls) };
        assert_eq!((summary.seconds, summary.employee.clone()), (Some(45), Some("101".into())));
        assert_eq!(job.learned.facts.get("healed_to"), Some(&NOW.0.to_string()));
        assert_eq!(next(&job), Step::Done(JobResult::Healed));
    }
}

#[test]
fn a_line_of_names_and_calls_between_employees_tell_nothing() {
    let csv =
        "session_id;call_type;direction;state;orig_number\n\nx;1;3;1;sip:a@b;101;sip:c@b;;102;1772435700;5;0;0;0;0;\n";
    let mut job = ordered();
    assert_eq!(absorb(&mut job, &file(zipped(csv.as_bytes()))), Outcome::Next);
    assert_eq!(job.learned.calls, []);
}

#[test]
fn a_row_that_cannot_be_read_keeps_nobody_from_the_others_and_a_strange_file_is_told() {
    let good = bytes("answers/call_history.csv");
    let mut odd = b"no;row;at all\n\xff\xfe;1\n".to_vec();
    odd.extend(&good);
    let mut job = ordered();
    assert_eq!(absorb(&mut job, &file(odd)), Outcome::Next);
    assert_eq!(job.learned.calls.len(), 6);
    let outcome = absorb(&mut ordered(), &file(b"a,b,c\nd,e,f\n".to_vec()));
    assert!(why(&outcome).contains("столбцы"), "{outcome:?}");
}

#[test]
fn a_file_that_is_not_there_yet_is_asked_for_each_minute_and_given_up_in_the_end() {
    for missing in [
        reply(404, b"<html>File [1] not found</html>"),
        reply(200, b"  <html>File [1] not found</html>"),
        reply(200, br#"{"result": "-1"}"#),
        reply(404, b""),
    ] {
        let mut job = ordered();
        for _ in 1..40 {
            let outcome = absorb(&mut job, &missing);
            assert!(matches!(outcome, Outcome::Again { .. }), "{outcome:?}");
        }
        assert!(why(&absorb(&mut job, &missing)).contains("40 раз"));
    }
}

#[test]
fn an_empty_file_may_come_first_and_is_believed_in_the_end() {
    let mut job = ordered();
    for empty in [zipped(b""), Vec::new(), zipped(b"\n")] {
        assert!(matches!(absorb(&mut job, &file(empty)), Outcome::Again { .. }));
    }
    assert_eq!(absorb(&mut job, &file(zipped(b""))), Outcome::Next);
    assert_eq!(next(&job), Step::Done(JobResult::Healed));
}

#[test]
fn a_log_that_was_ordered_before_is_ordered_a_second_longer() {
    let mut job = heal();
    let before = reply(200, "{\"result\": \"-7\", \"resultMessage\": \"Заказ уже существует\"}".as_bytes());
    for second in 1..=5 {
        assert_eq!(absorb(&mut job, &before), Outcome::Next);
        assert!(signed(&read(&job)).contains(&format!("11:26:4{second}")));
    }
    assert!(why(&absorb(&mut job, &before)).contains("уже существует"));
}

#[test]
fn a_bomb_and_a_broken_archive_fail_with_a_reason() {
    let bomb = zipped(&vec![b'\n'; 65 * 1024 * 1024]);
    assert!(bomb.len() < 1024 * 1024);
    let outcome = absorb(&mut ordered(), &file(bomb));
    assert!(why(&outcome).contains("64 МиБ"), "{outcome:?}");
    let cut = zipped(&bytes("answers/call_history.csv"))[..100].to_vec();
    assert!(matches!(absorb(&mut ordered(), &file(cut)), Outcome::Failed(_)));
    assert!(matches!(absorb(&mut ordered(), &file(vec![0x1f, 0x8b, 9])), Outcome::Failed(_)));
}

#[test]
fn trouble_with_the_download_is_trouble_as_ever() {
    assert!(matches!(absorb(&mut ordered(), &reply(401, b"{}")), Outcome::Pause { .. }));
    assert!(matches!(absorb(&mut ordered(), &reply(503, b"")), Outcome::Unknown { .. }));
}

#[test]
fn after_a_long_outage_one_day_is_read_after_the_other() {
    let mut job = work(Command::Heal { since: NOW.after(Millis::minutes(-36 * 60)) });
    let answer = reply(200, &bytes("answers/domain_call_history_ok.json"));
    let mut parts = Vec::new();
    while let Step::Read(request) = next(&job) {
        parts.push(signed(&request));
        assert!(matches!(absorb(&mut job, &answer), Outcome::Again { .. }));
        assert_eq!(absorb(&mut job, &file(zipped(&bytes("answers/call_history.csv")))), Outcome::Next);
    }
    let part = |start, end| format!(r#"{{"date_start":"{start}","date_end":"{end}","direction":0,"state":0}}"#);
    let first = part("2026-02-28 23:26:40", "2026-03-01 23:26:40");
    assert_eq!(parts, [first, part("2026-03-01 23:26:40", "2026-03-02 11:26:40")]);
    assert_eq!(job.learned.facts.get("healed_to"), Some(&NOW.0.to_string()));
}
