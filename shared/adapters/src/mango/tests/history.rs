//! What no event told is read off the statistics: a few hours at a time, once, and nothing early.

use std::collections::BTreeMap;

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, EffectId, JobResult, Timestamp};
use serde_json::{Value, json};

use super::super::Mango;
use super::{FORM, json as sample, ours, posted, request, string, text, verified};
use crate::{Jobs, Known, Learned, Outcome, Outgoing, Reply, Step, Work};

/// An hour after the first call of the sample.
const NOW: Timestamp = Timestamp::from_seconds(1_760_003_600);
const DAY: i64 = 24 * 60;

fn ago(minutes: i64) -> Timestamp {
    NOW.after(Millis::minutes(-minutes))
}

/// A channel that was connected then.
fn heal(since: Timestamp) -> Work {
    let (id, command) = (EffectId::from("heal/1"), Command::Heal { since });
    Work { id, command, progress: BTreeMap::new(), unknown: false, sent_at: None, learned: Learned::default() }
}

fn with<T>(at: Timestamp, facts: &BTreeMap<String, String>, see: impl FnOnce(&Known<'_>) -> T) -> T {
    let (point, recording_link, base) = (None, None, "https://app.mango-office.ru/vpbx");
    see(&Known { now: at, base, secret: &ours(), facts, point, recording_link, lag: None })
}

fn next(work: &Work, at: Timestamp) -> Step {
    with(at, &work.learned.facts, |known| Mango.next(work, known))
}

fn absorb(work: &mut Work, at: Timestamp, status: u16, body: &str) -> Outcome {
    let reply = Reply { status, headers: BTreeMap::new(), body: body.as_bytes().to_vec(), stored: None };
    with(at, &work.learned.facts.clone(), |known| Mango.absorb(work, known, &reply))
}

/// What is asked, and of which method.
fn asked(request: &Outgoing) -> (String, Value) {
    let signed = verified(&self::request("events/call", FORM, request.body.clone())).expect("a signed form");
    let method = request.url.rsplit("/vpbx/").next().unwrap_or_default().to_owned();
    (method, serde_json::from_str(&signed).expect("JSON"))
}

/// Orders the next part at the pace of the method, and answers with these lines; from when until when it goes.
fn read(work: &mut Work, at: &mut Timestamp, lines: &str) -> Option<(i64, i64)> {
    let period = loop {
        match next(work, *at) {
            Step::Read(request) => break asked(&request),
            Step::Wait { until, .. } => *at = until,
            Step::Done(result) => {
                assert_eq!(result, JobResult::Healed);
                return None;
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(period.0, "stats/request");
    assert_eq!(absorb(work, *at, 200, &text("answers/stats_request.json")), Outcome::Next);
    *at = at.after(Millis::seconds(5));
    let Step::Read(request) = next(work, *at) else { panic!("the result is asked for") };
    assert_eq!(asked(&request).0, "stats/result");
    assert_eq!(absorb(work, *at, 200, lines), Outcome::Next);
    let second = |name: &str| string(&period.1, name).parse().expect("seconds");
    Some((second("date_from"), second("date_to")))
}

/// The calls told of by these lines, read an hour after the first.
fn told(lines: &str) -> Work {
    let mut work = heal(ago(DAY));
    // All but the last hours were read before.
    work.learned.facts.insert("healed_to".to_owned(), ago(30).0.to_string());
    read(&mut work, &mut NOW.clone(), lines).expect("a part");
    work
}

#[test]
fn the_lines_of_a_period_tell_each_call_that_is_over() {
    let work = told(&text("answers/stats_period.csv"));
    let told = serde_json::to_value(&work.learned.calls).expect("JSON");
    if std::env::var("UPDATE_EXPECTED").is_ok_and(|value| value == "1") {
        let pretty = serde_json::to_string_pretty(&told).expect("JSON") + "\n";
        std::fs::write(super::folder().join("told/stats_period.json"), pretty).expect("a writable folder");
    }
    assert_eq!(told, sample("told/stats_period.json"), "UPDATE_EXPECTED=1 rewrites it");
    assert_eq!(next(&work, NOW), Step::Done(JobResult::Healed));
}

#[test]
fn a_call_is_told_as_its_webhooks_tell_it() {
    let news = sample("told/stats_period.json");
    let of = |entry: &str| news.as_array().expect("a list").iter().find(|news| news["entry"] == entry).cloned();
    let (path, summary) = ("events/summary", text("in/events_summary_in_answered.json"));
    let webhook = super::understood(&posted(path, &summary)).expect("a summary");
    let webhook = serde_json::to_value(webhook).expect("JSON");
    let kind = of("MTAwMDAwMDAwMDE=").expect("the same call")["kind"].clone();
    assert_eq!(webhook[0]["Call"]["kind"], kind);
    assert_eq!(of("MTAwMDAwMDAwMTA="), None, "it goes on");
}

#[test]
fn two_hours_are_read_once_more_and_never_more_than_thirty_days_or_a_quarter_of_a_day_at_once() {
    let asked = |healed: Timestamp, since: Timestamp| {
        let mut work = heal(since);
        work.learned.facts.insert("healed_to".to_owned(), healed.0.to_string());
        read(&mut work, &mut NOW.clone(), "").map(|(from, to)| (from - NOW.seconds(), to - NOW.seconds()))
    };
    assert_eq!(asked(ago(30), Timestamp(0)), Some((-150 * 60, 0)));
    assert_eq!(asked(ago(30), ago(20)), Some((-20 * 60, 0)), "nothing from before the connection");
    assert_eq!(asked(ago(30), ago(9)), None, "nothing of it would be over long enough");
    let oldest = -30 * DAY * 60;
    assert_eq!(asked(Timestamp(0), Timestamp(0)), Some((oldest, oldest + 6 * 3600)));
}

#[test]
fn after_a_long_outage_one_part_is_read_after_the_other_and_nothing_twice_by_the_next_job() {
    let (mut work, mut at) = (heal(ago(20 * 60)), NOW);
    let mut parts = Vec::new();
    while let Some((from, to)) = read(&mut work, &mut at, "") {
        parts.push(((from - NOW.seconds()) / 3600, (to - NOW.seconds()) / 3600));
    }
    assert_eq!(parts, [(-20, -14), (-16, -8), (-10, -2), (-4, 0)]);
    let healed: i64 = work.learned.facts["healed_to"].parse().expect("a time");
    assert!(NOW.0 <= healed && healed <= at.0, "{healed}");
    let mut later = Work { learned: work.learned, ..heal(ago(20 * 60)) };
    let (from, _) = read(&mut later, &mut at, "").expect("a part");
    assert_eq!(from, Timestamp(healed).after(Millis::minutes(-120)).seconds());
}

#[test]
fn what_ended_just_before_may_have_been_handed_over_and_is_left_to_the_next_time() {
    let line = |ended: i64, entry: &str| {
        let ended = NOW.seconds() - ended;
        format!("[];{0};{ended};{0};;79990000001;12;sip:a;1183;74950000001;abonent;{0};{entry}\n", ended - 60)
    };
    let work = told(&(line(601, "over") + &line(599, "new") + &line(700, "both") + &line(10, "both")));
    let entries: Vec<&str> = work.learned.calls.iter().map(|news| news.entry.as_str()).collect();
    assert_eq!(entries, ["over"]);
}

#[test]
fn a_line_that_cannot_be_read_keeps_nobody_from_the_other_calls_and_a_strange_answer_is_told() {
    let good = text("answers/stats_period.csv");
    let work = told(&format!("no;line;at all\n[];soon;1;2;;;;;;;;;x\n{good}"));
    assert_eq!(json!(work.learned.calls), sample("told/stats_period.json"));
    for strange in ["<html><body>Bad gateway</body></html>", "a,b,c\nd,e,f\n", "\u{0}\u{1}"] {
        let mut work = heal(ago(60));
        assert_eq!(absorb(&mut work, NOW, 200, &text("answers/stats_request.json")), Outcome::Next);
        work.learned = Learned::default();
        let outcome = absorb(&mut work, NOW, 200, strange);
        let Outcome::Failed(JobResult::Failed { why, .. }) = outcome else { panic!("{strange}: {outcome:?}") };
        assert!(why.starts_with("статистика АТС не разобрана"), "{why}");
        assert_eq!(work.learned, Learned::default(), "it is read again the next time");
    }
}

#[test]
fn a_key_that_is_forgotten_is_ordered_anew_and_given_up_in_the_end() {
    let (mut work, mut at) = (heal(ago(60)), NOW);
    let mut outcomes = Vec::new();
    for _ in 0..3 {
        if let Step::Wait { until, .. } = next(&work, at) {
            at = until;
        }
        assert_eq!(absorb(&mut work, at, 200, &text("answers/stats_request.json")), Outcome::Next);
        outcomes.push(absorb(&mut work, at, 404, ""));
    }
    assert_eq!(outcomes[..2], [Outcome::Next, Outcome::Next]);
    let Outcome::Failed(JobResult::Failed { why, .. }) = &outcomes[2] else { panic!("{outcomes:?}") };
    assert!(why.contains("3 раза"), "{why}");
    assert!(!work.learned.facts.contains_key("healed_to"));
}

#[test]
fn trouble_with_the_order_or_the_result_is_trouble_as_ever() {
    for ordered in [false, true] {
        for (status, body, what) in [
            (401, "", "pause"),
            (429, "", "pause"),
            (200, r#"{"result":3102}"#, "pause"),
            (200, r#"{"result":3105}"#, "pause"),
            (200, r#"{"result":5004}"#, "again"),
            (200, r#"{"result":3111}"#, "failed"),
            (502, "<html>", "unknown"),
        ] {
            let mut work = heal(ago(60));
            if ordered {
                assert_eq!(absorb(&mut work, NOW, 200, &text("answers/stats_request.json")), Outcome::Next);
            }
            let found = match absorb(&mut work, NOW, status, body) {
                Outcome::Pause { .. } => "pause",
                Outcome::Again { .. } => "again",
                Outcome::Failed(_) => "failed",
                Outcome::Unknown { .. } => "unknown",
                other => panic!("{status} {body}: {other:?}"),
            };
            assert_eq!(found, what, "{status} {body}");
            assert!(!work.learned.facts.contains_key("healed_to"), "nothing is lost");
        }
    }
}
