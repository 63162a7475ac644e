//! Statistics, the provider's own account of calls: ordered, waited for, and fetched as lines of columns.

use std::collections::BTreeMap;

use perezvon_domain::time::Millis;
use perezvon_domain::{CallEventKind, JobResult, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{self, failed};
use super::{events, query};
use crate::fields::Fields;
use crate::healing::Part;
use crate::intake::Malformed;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

const REQUEST: &str = "stats/request";
const RESULT: &str = "stats/result";
/// Columns are told in this order. The usual ones lack the call's id.
const FIELDS: &str = "records,start,finish,answer,from_extension,from_number,to_extension,to_number,\
                      disconnect_reason,line_number,location,create,entry_id";
/// So far from its supposed begin a call is looked for.
const AROUND: Millis = Millis::minutes(60);
/// A result is asked for no sooner and no faster than this.
const FIRST_WAIT: Millis = Millis::seconds(5);
/// Shorter than the time for which a result is kept.
const LONGEST_WAIT: Millis = Millis::seconds(40);
/// How often a result is asked for before a new one is ordered.
const PATIENCE: u32 = 8;

/// The name of what was ordered, kept until it is there.
const KEY: &str = "stats";
/// When it may be asked for.
const READY_AT: &str = "stats_at";
/// How often it was not there.
const TIMES: &str = "stats_times";
/// What it told, kept until the job ends.
const ACCOUNT: &str = "account";

#[derive(Serialize)]
struct Order<'a> {
    date_from: String,
    date_to: String,
    fields: &'a str,
}

#[derive(Serialize)]
struct Ordered<'a> {
    key: &'a str,
}

/// What to ask about a call that began about then.
pub(super) fn next(work: &Work, known: &Known<'_>, started_at: Timestamp) -> Step {
    if let Some(news) = work.progress.get(ACCOUNT) {
        // Written by `absorb`: it is read again as it was written.
        return Step::Done(JobResult::CallRead { news: serde_json::from_str(news).unwrap_or_default() });
    }
    let from = Timestamp(started_at.0.saturating_sub(AROUND.0));
    ask(work, known, (from, started_at.after(AROUND).min(known.now).max(from)))
}

/// Orders what began in this time, then asks for it.
pub(super) fn ask(work: &Work, known: &Known<'_>, part: Part) -> Step {
    let Some(key) = work.progress.get(KEY) else {
        let [date_from, date_to] = <[Timestamp; 2]>::from(part).map(|time| time.seconds().to_string());
        return query::slow(REQUEST, &Order { date_from, date_to, fields: FIELDS }, known);
    };
    match work.progress.get(READY_AT).and_then(|at| at.parse().ok()).map(Timestamp) {
        Some(until) if until > known.now => {
            Step::Wait { until, why: "АТС готовит статистику".to_owned() }
        }
        _ => Step::Read(query::post(RESULT, &Ordered { key }, known)),
    }
}

/// What an answer means.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, entry: &str) -> Outcome {
    match answered(work, known, reply) {
        Answered::Lines(lines) => match told(&lines, entry) {
            Ok(news) => done(work, &news),
            Err(odd) => not_understood(&odd),
        },
        // It is ordered anew later.
        Answered::Nothing => done(work, &[]),
        Answered::NotYet(outcome) => outcome,
    }
}

/// What an order came to.
pub(super) enum Answered {
    Lines(String),
    /// It never became ready, or its key is not known any more.
    Nothing,
    NotYet(Outcome),
}

/// Takes an answer to the order, or to the question for it, in.
pub(super) fn answered(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Answered {
    if !work.progress.contains_key(KEY) {
        return Answered::NotYet(ordered(work, known, reply));
    }
    match (reply.status, answer::code(&reply.body)) {
        (200, None) => Answered::Lines(String::from_utf8_lossy(&reply.body).into_owned()),
        (204, _) => not_ready(work, known),
        (404, _) => Answered::Nothing,
        _ => Answered::NotYet(query::refused(work, known, reply)),
    }
}

/// The next question is an order again.
pub(super) fn forget(work: &mut Work) {
    for name in [KEY, READY_AT, TIMES] {
        work.progress.remove(name);
    }
}

/// Lines of which nothing can be used.
pub(super) fn not_understood(Malformed(why): &Malformed) -> Outcome {
    Outcome::Failed(failed(format!("статистика АТС не разобрана: {why}")))
}

fn ordered(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    query::asked(REQUEST, work, known);
    let answer: Option<Value> = serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200);
    let Some(key) = answer.as_ref().and_then(|answer| answer["key"].as_str()).filter(|key| !key.is_empty()) else {
        return query::refused(work, known, reply);
    };
    work.progress.insert(KEY.to_owned(), key.to_owned());
    work.progress.insert(READY_AT.to_owned(), known.now.after(FIRST_WAIT).0.to_string());
    Outcome::Next
}

fn not_ready(work: &mut Work, known: &Known<'_>) -> Answered {
    let times: u32 = work.progress.get(TIMES).and_then(|times| times.parse().ok()).unwrap_or(0);
    if times >= PATIENCE {
        return Answered::Nothing;
    }
    work.progress.insert(TIMES.to_owned(), (times + 1).to_string());
    let wait = FIRST_WAIT.0.saturating_mul(1 << times).min(LONGEST_WAIT.0);
    Answered::NotYet(Outcome::Again {
        until: known.now.after(Millis(wait)),
        why: "статистика ещё не готова".to_owned(),
    })
}

/// No news: the provider has no account of the call yet.
fn done(work: &mut Work, news: &[CallEventKind]) -> Outcome {
    // The words of events always have a JSON form.
    work.progress.insert(ACCOUNT.to_owned(), serde_json::to_string(news).unwrap_or_default());
    Outcome::Next
}

/// What the lines tell about this call; nothing if there is none of it, or it goes on.
fn told(lines: &str, entry: &str) -> Result<Vec<CallEventKind>, Malformed> {
    let mut read = read(lines);
    match read.odd {
        Some(odd) => Err(odd),
        None => read.calls.remove(entry).map_or(Ok(Vec::new()), |rows| account(entry, rows)),
    }
}

/// One part of a call: its way to one employee.
pub(super) struct Row<'a> {
    recordings: &'a str,
    started: u64,
    finished: u64,
    /// 0: nobody answered.
    answered: u64,
    from: Value,
    to: Value,
    reason: &'a str,
    line: &'a str,
}

impl Row<'_> {
    /// It had ended by then.
    pub(super) fn is_over_by(&self, then: Timestamp) -> bool {
        (1..=then.seconds()).contains(&i64::try_from(self.finished).unwrap_or_default())
    }
}

/// All lines, by call.
#[derive(Default)]
pub(super) struct Lines<'a> {
    pub(super) calls: BTreeMap<&'a str, Vec<Row<'a>>>,
    /// The first one that cannot be read.
    pub(super) odd: Option<Malformed>,
}

/// Reads all lines.
pub(super) fn read(lines: &str) -> Lines<'_> {
    let mut read = Lines::default();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        match row(line) {
            Ok((entry, row)) => read.calls.entry(entry).or_default().push(row),
            Err(odd) => read.odd = read.odd.or(Some(odd)),
        }
    }
    read
}

fn row(line: &str) -> Result<(&str, Row<'_>), Malformed> {
    let columns: Vec<&str> = line.split(';').map(str::trim).collect();
    let [recordings, start, finish, answer, from_extension, from, to_extension, to, reason, line, _, create, entry] =
        columns[..]
    else {
        return Err(Malformed(format!("a line has {} columns, {FIELDS} were asked for", columns.len())));
    };
    let created = seconds("create", create)?;
    let row = Row {
        recordings,
        started: if created > 0 { created } else { seconds("start", start)? },
        finished: seconds("finish", finish)?,
        answered: seconds("answer", answer)?,
        from: json!({ "extension": from_extension, "number": from }),
        to: json!({ "extension": to_extension, "number": to }),
        reason,
        line,
    };
    Ok((entry, row))
}

fn seconds(column: &str, value: &str) -> Result<u64, Malformed> {
    let odd = || Malformed(format!("column `{column}` is `{value:.40}`: a time in seconds was expected"));
    if value.is_empty() { Ok(0) } else { value.parse().map_err(|_| odd()) }
}

/// The parts of a call together say what its summary would have said.
pub(super) fn account(entry: &str, mut rows: Vec<Row<'_>>) -> Result<Vec<CallEventKind>, Malformed> {
    rows.sort_by_key(|row| (row.started, row.finished, row.answered));
    let (Some(first), Some(last)) = (rows.first(), rows.iter().max_by_key(|row| row.finished)) else {
        return Ok(Vec::new());
    };
    if rows.iter().any(|row| row.finished == 0) {
        return Ok(Vec::new());
    }
    let is_employee = |side: &Value| side["extension"] != "";
    let calls_back =
        |row: &&Row<'_>| is_employee(&row.from) && !is_employee(&row.to) && row.to["number"] == first.from["number"];
    // A call-back rings at the employee as if the client called; then the client is called, and that part tells.
    let back = rows.iter().find(calls_back);
    let first = back.unwrap_or(first);
    let tells = |row: &&Row<'_>| row.answered > 0 && (back.is_none() || is_employee(&row.from));
    let talked = rows.iter().filter(tells).max_by_key(|row| row.answered);
    let direction = match (is_employee(&first.from), is_employee(&first.to)) {
        (true, false) => 2,
        (true, true) => 0,
        (false, _) => 1,
    };
    let to = if direction == 1 { &talked.unwrap_or(first).to } else { &first.to };
    let summary = json!({
        "entry_id": entry,
        "call_direction": direction,
        "from": first.from,
        "to": to,
        "line_number": rows.iter().map(|row| row.line).find(|line| !line.is_empty()),
        "create_time": rows.iter().map(|row| row.started).min(),
        "talk_time": rows.iter().filter(tells).map(|row| row.answered).min(),
        "end_time": last.finished,
        "entry_result": u8::from(talked.is_some()),
        "disconnect_reason": last.reason,
    });
    let mut news = vec![events::summarised(&Fields::of(&summary)?)?.kind];
    let lists = rows.iter().flat_map(|row| row.recordings.trim_matches(['[', ']']).split(','));
    for recording in lists.map(str::trim).filter(|recording| !recording.is_empty()) {
        let ready = json!({ "entry_id": entry, "recording_id": recording, "timestamp": last.finished });
        let ready = events::recording_ready(&Fields::of(&ready)?)?.kind;
        if !news.contains(&ready) {
            news.push(ready);
        }
    }
    Ok(news)
}
