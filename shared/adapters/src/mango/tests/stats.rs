//! The account of a call: ordered, waited for, and told as its summary would have been.

use std::collections::BTreeMap;

use perezvon_domain::event::{Direction, Summary};
use perezvon_domain::{CallEventKind, Command, EffectId, JobResult, Timestamp};

use super::{golden, ours, text};
use crate::{Jobs, Known, Learned, Outcome, Outgoing, Reply, Step, Work};

use super::super::Mango;

const NOW: Timestamp = Timestamp::from_seconds(1_760_000_500);
const ANSWERED: &str = "MTAwMDAwMDAwMDE=";
const IN_MENU: &str = "MTAwMDAwMDAwMDU=";

fn asked(entry: &str) -> Work {
    let (entry, started_at) = (entry.to_owned(), Timestamp::from_seconds(1_760_000_003));
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    let command = Command::ReadCall { entry, started_at };
    Work { id: EffectId::from("call-1-0"), command, progress, unknown: false, sent_at: None, learned }
}

/// The job at this many seconds, with what the connection learned.
struct At<'a>(i64, &'a BTreeMap<String, String>);

impl At<'_> {
    fn with<T>(&self, see: impl FnOnce(&Known<'_>) -> T) -> T {
        let (point, recording_link, base) = (None, None, "https://app.mango-office.ru/vpbx");
        let now = Timestamp(NOW.0 + self.0 * 1000);
        see(&Known { now, base, secret: &ours(), facts: self.1, point, recording_link, lag: None })
    }

    fn next(&self, work: &Work) -> Step {
        self.with(|known| Mango.next(work, known))
    }

    fn absorb(&self, work: &mut Work, status: u16, body: &str) -> Outcome {
        let reply = Reply { status, headers: BTreeMap::new(), body: body.as_bytes().to_vec(), stored: None };
        self.with(|known| Mango.absorb(work, known, &reply))
    }

    fn read(&self, work: &Work) -> Outgoing {
        match self.next(work) {
            Step::Read(request) => request,
            other => panic!("a read was expected, not {other:?}"),
        }
    }

    /// So many seconds are waited for.
    fn wait(&self, work: &Work) -> i64 {
        match self.next(work) {
            Step::Wait { until, .. } => until.since(NOW).0 / 1000 - self.0,
            other => panic!("a wait was expected, not {other:?}"),
        }
    }
}

fn none() -> BTreeMap<String, String> {
    BTreeMap::new()
}

/// A job whose statistics are ordered.
fn ordered(entry: &str) -> Work {
    let mut work = asked(entry);
    let answer = text("answers/stats_request.json");
    assert_eq!(At(0, &none()).absorb(&mut work, 200, &answer), Outcome::Next);
    work
}

/// What a result means.
fn told(entry: &str, lines: &str) -> Vec<CallEventKind> {
    let mut work = ordered(entry);
    assert_eq!(At(5, &none()).absorb(&mut work, 200, lines), Outcome::Next);
    match At(5, &none()).next(&work) {
        Step::Done(JobResult::CallRead { news }) => news,
        other => panic!("{other:?}"),
    }
}

fn summary(news: &[CallEventKind]) -> &Summary {
    match news.first() {
        Some(CallEventKind::Summarised(summary)) => summary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn statistics_of_the_hours_around_are_ordered_and_asked_for_five_seconds_later() {
    golden("stats-request", &At(0, &none()).read(&asked(ANSWERED)));
    let work = ordered(ANSWERED);
    assert_eq!(At(0, &none()).wait(&work), 5);
    golden("stats-result", &At(5, &none()).read(&work));
}

#[test]
fn the_next_order_waits_its_turn_whoever_asks() {
    let facts = ordered(ANSWERED).learned.facts;
    assert_eq!(At(1, &facts).wait(&asked(IN_MENU)), 2);
    At(3, &facts).read(&asked(IN_MENU));
}

#[test]
fn what_is_not_ready_is_asked_for_with_growing_pauses_then_ordered_anew_later() {
    let mut work = ordered(ANSWERED);
    let mut pauses = Vec::new();
    let mut at = 5;
    while let Outcome::Again { until, .. } = At(at, &none()).absorb(&mut work, 204, "") {
        pauses.push(until.since(NOW).0 / 1000 - at);
        at += pauses.last().copied().unwrap_or_default();
        At(at, &none()).read(&work);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 40, 40, 40, 40]);
    assert_eq!(At(at, &none()).next(&work), Step::Done(JobResult::CallRead { news: Vec::new() }));
    let mut forgotten = ordered(ANSWERED);
    assert_eq!(At(5, &none()).absorb(&mut forgotten, 404, "<html>"), Outcome::Next);
    assert_eq!(At(5, &none()).next(&forgotten), Step::Done(JobResult::CallRead { news: Vec::new() }));
}

#[test]
fn an_answered_call_says_what_its_summary_says_and_names_its_recording() {
    let news = told(ANSWERED, &text("answers/stats_result.csv"));
    let posted: serde_json::Value =
        serde_json::from_str(&text("expected/events_summary_in_answered.json")).expect("JSON");
    let account = summary(&news);
    assert_eq!((account.direction, account.line.as_deref()), (Direction::Incoming, Some("74950000001")));
    assert_eq!(account.client.as_ref().map(|number| number.plus()).as_deref(), Some("+79990000001"));
    assert_eq!(account.employee, Some("12".into()));
    assert_eq!(account.ended_at.since(account.talked_at.expect("a talk")).0, 42_000);
    let recording = "MToxMDAwMDAwMToxMDAwMDAwMDAwMTow".to_owned();
    assert_eq!(news[1..], [CallEventKind::RecordingReady { recording }]);
    let same = serde_json::to_value(account).expect("JSON");
    assert_eq!(posted[0]["Call"]["kind"]["Summarised"], same, "one call, told by both");
}

#[test]
fn a_call_that_ended_in_the_menu_was_missed_by_nobody() {
    let news = told(IN_MENU, &text("answers/stats_result.csv").replace('\n', "\r\n"));
    let account = summary(&news);
    assert_eq!((account.talked_at, account.employee.clone(), news.len()), (None, None, 1));
}

#[test]
fn parts_of_a_call_are_told_as_one() {
    let lines = "[r1];100;130;110;;79990000001;12;sip:a;1183;74950000001;abonent;100;e\n\
                 [r1,r2];130;190;140;;79990000001;23;sip:b;1110;74950000001;abonent;100;e\n\
                 [];100;120;0;;79990000002;12;sip:a;1111;74950000001;abonent;100;other\n";
    let news = told("e", lines);
    let account = summary(&news);
    assert_eq!(account.employee, Some("23".into()), "who talked last");
    let times = [Some(account.started_at), account.talked_at, Some(account.ended_at)];
    assert_eq!(times.map(|time| time.map(Timestamp::seconds)), [Some(100), Some(110), Some(190)]);
    assert_eq!(news.len(), 3, "each recording once");
}

#[test]
fn outgoing_and_internal_calls_are_told_by_who_has_an_extension() {
    let outgoing = told("e", "[];100;160;110;23;sip:b;;79990000001;1110;74950000001;abonent;;e");
    let account = summary(&outgoing);
    assert_eq!((account.direction, account.employee.clone()), (Direction::Outgoing, Some("23".into())));
    assert_eq!(account.client.as_ref().map(|number| number.plus()).as_deref(), Some("+79990000001"));
    let internal = told("e", "[];100;160;110;23;sip:b;12;sip:a;1110;;abonent;100;e");
    assert_eq!((summary(&internal).direction, summary(&internal).client.clone()), (Direction::Internal, None));
    let busy = told("e", "[];100;160;0;23;sip:b;;79990000001;1121;74950000001;abonent;100;e");
    assert!(summary(&busy).busy && summary(&busy).talked_at.is_none());
}

#[test]
fn a_call_back_that_rings_the_employee_first_is_outgoing() {
    let ring = "[r1];100;107;104;;79990000001;12;sip:a;1000;74950000001;abonent;100;e\n";
    for (answered, seconds) in [(114, Some(114)), (0, None)] {
        let lines = format!("{ring}[r1];107;160;{answered};12;sip:a;;79990000001;1110;74950000001;abonent;100;e\n");
        let news = told("e", &lines);
        let account = summary(&news);
        assert_eq!((account.direction, account.employee.clone()), (Direction::Outgoing, Some("12".into())));
        assert_eq!(account.client.as_ref().map(|number| number.plus()).as_deref(), Some("+79990000001"));
        let times = (account.started_at.seconds(), account.talked_at.map(Timestamp::seconds));
        assert_eq!(times, (100, seconds), "who talks with nobody waits for the client");
    }
}

#[test]
fn a_call_that_goes_on_or_is_not_there_has_no_account_yet() {
    for lines in ["", "\n", "[];100;0;110;;79990000001;12;sip:a;;74950000001;abonent;100;e\n"] {
        assert_eq!(told("e", lines), [], "{lines}");
    }
}

#[test]
fn lines_that_nobody_understands_are_given_up_with_the_reason() {
    for lines in ["<html>", "[];100;160\n", "[];soon;160;110;23;a;;b;1110;c;abonent;;e"] {
        let outcome = At(5, &none()).absorb(&mut ordered("e"), 200, lines);
        let Outcome::Failed(JobResult::Failed { why, made: None }) = outcome else { panic!("{lines}: {outcome:?}") };
        assert!(why.starts_with("статистика АТС не разобрана"), "{why}");
    }
}

#[test]
fn a_bad_request_is_given_up_and_holds_all_questions_back_until_it_cannot_shut_the_api() {
    let mut work = asked(ANSWERED);
    let outcome = At(0, &none()).absorb(&mut work, 200, r#"{"result":3104}"#);
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(At(1, &work.learned.facts).wait(&asked(IN_MENU)), 124);
    At(125, &work.learned.facts).read(&asked(IN_MENU));
}

#[test]
fn every_other_answer_to_an_order_leads_somewhere() {
    for (status, body, what) in [
        (200, r#"{"result":3102}"#, "pause"),
        (401, "", "pause"),
        (429, "", "pause"),
        (200, r#"{"result":5008}"#, "pause"),
        (200, r#"{"result":5004}"#, "again"),
        (420, r#"{"code":3111}"#, "failed"),
        (404, "<html>", "failed"),
        (200, "<html>", "unknown"),
        (200, r#"{"key":""}"#, "unknown"),
        (502, "", "unknown"),
    ] {
        let found = match At(0, &none()).absorb(&mut asked(ANSWERED), status, body) {
            Outcome::Pause { .. } => "pause",
            Outcome::Again { .. } => "again",
            Outcome::Failed(_) => "failed",
            Outcome::Unknown { .. } => "unknown",
            other => panic!("{status} {body}: {other:?}"),
        };
        assert_eq!(found, what, "{status} {body}");
    }
}
