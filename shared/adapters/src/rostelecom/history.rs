//! Healing: calls that no event told of are read off the log of the domain, which is ordered as a file and fetched
//! when it is there. Nothing here changes anything at the provider.

use perezvon_domain::event::{Direction, Summary};
use perezvon_domain::time::Millis;
use perezvon_domain::{CallEventKind, JobResult, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{self, Answer, failed};
use super::archive::{self, Content};
use super::{account, events, request};
use crate::fields::Fields;
use crate::healing::{Log, Part};
use crate::intake::CallNews;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Where its state is kept.
const STATE: &str = "history";
/// Calls stand there by their beginning. 30 days at most, a day at a time.
const LOG: Log =
    Log { overlap: Millis::minutes(60), oldest: Millis::minutes(30 * 24 * 60), part: Millis::minutes(24 * 60) };
/// A file takes some five minutes: looked for each minute, for so many.
const POLL: Millis = Millis::minutes(1);
const PATIENCE: u32 = 40;
/// An empty file may come before the real one.
const EMPTY_TIMES: u32 = 3;
/// In a refusal: the same log was ordered before.
const ORDERED_BEFORE: &str = "уже существует";
/// The columns of the file, in their order.
const COLUMNS: &[&str] = &[
    "session_id",
    "call_type",
    "direction",
    "state",
    "orig_number",
    "orig_pin",
    "dest_number",
    "answering_sipuri",
    "answering_pin",
    "start_call_date",
    "duration",
    "is_voicemail",
    "is_record",
    "is_fax",
    "status_code",
    "status_string",
];

/// How far it is.
#[derive(Default, Serialize, Deserialize)]
struct History {
    /// From when on, and up to when, the log goes; `None`: not settled yet.
    part: Option<Part>,
    order: Option<String>,
    /// So often the same log had been ordered before.
    moved: i64,
    polls: u32,
    empty: u32,
    done: bool,
}

/// Key order as documented; 0 is all.
#[derive(Serialize)]
struct Order {
    date_start: String,
    date_end: String,
    direction: u8,
    state: u8,
}

#[derive(Serialize)]
struct Download<'a> {
    order_id: &'a str,
}

fn state(work: &Work) -> History {
    work.progress.get(STATE).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Orders the log, then asks for it.
pub(super) fn next(work: &Work, known: &Known<'_>, since: Timestamp) -> Step {
    let history = state(work);
    if history.done {
        return Step::Done(JobResult::Healed);
    }
    match &history.order {
        Some(order_id) => Step::Read(request::post("download_call_history", &Download { order_id }, known)),
        None => {
            let (from, until) = history.part(known, since);
            // A second more each time: another log than the one that was ordered before.
            let until = until.after(Millis::seconds(history.moved));
            let (date_start, date_end) = (events::wall(from), events::wall(until));
            let order = Order { date_start, date_end, direction: 0, state: 0 };
            Step::Read(request::post("domain_call_history", &order, known))
        }
    }
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply, since: Timestamp) -> Outcome {
    let mut history = state(work);
    let outcome = match history.order {
        None => history.ordered(known, reply, since),
        Some(_) => history.downloaded(work, known, reply),
    };
    work.progress.insert(STATE.to_owned(), serde_json::to_string(&history).unwrap_or_default());
    outcome
}

impl History {
    fn part(&self, known: &Known<'_>, since: Timestamp) -> Part {
        self.part.unwrap_or_else(|| LOG.first(known, since))
    }

    fn ordered(&mut self, known: &Known<'_>, reply: &Reply, since: Timestamp) -> Outcome {
        let why = match answer::read(reply, known) {
            Answer::Trouble(outcome) => return outcome,
            Answer::Refused { words, .. } if words.contains(ORDERED_BEFORE) && self.moved < 5 => {
                self.moved += 1;
                return Outcome::Next;
            }
            Answer::Refused { code, words } => answer::refusal(&code, &words),
            Answer::Done(answer) => match text(&answer["order_id"]) {
                Some(order) => {
                    (self.part, self.order) = (Some(self.part(known, since)), Some(order));
                    return Outcome::Again {
                        until: known.now.after(POLL),
                        why: "АТС готовит журнал звонков".to_owned(),
                    };
                }
                None => "в ответе АТС нет номера заказа".to_owned(),
            },
        };
        Outcome::Failed(failed(format!("журнал звонков не заказан: {why}")))
    }

    fn downloaded(&mut self, work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
        // Not there yet: a page under 200 or 404, or a refusal.
        if !matches!(reply.status, 200 | 404) {
            return match answer::read(reply, known) {
                Answer::Trouble(outcome) => outcome,
                Answer::Done(_) | Answer::Refused { .. } => self.not_there(known),
            };
        }
        let file = match archive::content(&reply.body) {
            Ok(Content::File(file)) if reply.status == 200 => file,
            Ok(_) => return self.not_there(known),
            Err(why) => return Outcome::Failed(failed(format!("журнал звонков не прочитан: {why}"))),
        };
        let read = rows(&file);
        if read.rows == 0 && self.empty < EMPTY_TIMES {
            self.empty += 1;
            return self.not_there(known);
        }
        if read.rows > 0 && read.unread == read.rows {
            return Outcome::Failed(failed("журнал звонков не прочитан: в нём другие столбцы"));
        }
        work.learned.calls = read.news;
        let until = self.part.map_or(known.now, |(_, until)| until);
        // What began while the file was made is left to the next time; a day that is over is followed by the next one.
        let part = LOG.next(work, known, until);
        *self = Self { part, done: part.is_none(), ..Self::default() };
        Outcome::Next
    }

    fn not_there(&mut self, known: &Known<'_>) -> Outcome {
        self.polls += 1;
        if self.polls < PATIENCE {
            return Outcome::Again {
                until: known.now.after(POLL), why: "АТС готовит журнал звонков".to_owned()
            };
        }
        Outcome::Failed(failed(format!("журнал звонков не пришёл: за ним обращались {} раз", self.polls)))
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[derive(Default)]
struct Rows {
    news: Vec<CallNews>,
    rows: usize,
    unread: usize,
}

/// What the rows tell; one that cannot be read keeps nobody from the others.
fn rows(file: &[u8]) -> Rows {
    let mut read = Rows::default();
    let file = String::from_utf8_lossy(file);
    for line in file.lines() {
        let cells: Vec<&str> = line.split(';').map(|cell| cell.trim().trim_matches('"')).collect();
        let is_header = cells.first().is_some_and(|cell| cell.trim_start_matches('\u{feff}') == COLUMNS[0]);
        if is_header || cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        read.rows += 1;
        match news(&cells) {
            Some(news) => read.news.extend(news),
            None => read.unread += 1,
        }
    }
    read
}

/// What one row tells: nothing of calls between employees.
fn news(cells: &[&str]) -> Option<Vec<CallNews>> {
    let fields: Map<String, Value> =
        COLUMNS.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), Value::from(*cell))).collect();
    let row = Value::Object(fields);
    let fields = Fields::of(&row).ok()?;
    let entry = fields.required_text("session_id").ok()?;
    let news = account::read(&fields, &entry).ok()?;
    let started_at = match news.first() {
        Some(CallEventKind::Summarised(Summary { direction: Direction::Internal, .. })) | None => {
            return Some(Vec::new());
        }
        Some(CallEventKind::Summarised(summary)) => summary.started_at,
        Some(_) => return None,
    };
    Some(news.into_iter().map(|kind| CallNews { entry: entry.clone(), occurred_at: started_at, kind }).collect())
}
