//! Statistics: ordered, waited for, and fetched as lines with semicolons.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{BAD_DATES, MISSING_PARAMETER, WRONG_FORMAT, text};
use super::live::Live;
use super::{Mango, digest};
use crate::http::Response;

/// Longest span that may be asked for, in seconds.
const MONTH_S: i64 = 31 * 86_400;
/// How long a result is kept, in milliseconds.
const KEPT_MS: i64 = 60_000;

const FIELDS: [&str; 13] = [
    "records",
    "start",
    "finish",
    "answer",
    "from_extension",
    "from_number",
    "to_extension",
    "to_number",
    "disconnect_reason",
    "line_number",
    "location",
    "create",
    "entry_id",
];
/// So many of them are told if nothing is chosen.
const USUAL: usize = 11;

/// What was ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    key: String,
    fields: Vec<String>,
    from_s: i64,
    to_s: i64,
    /// Filters as they were asked for.
    from: Value,
    to: Value,
    either: Value,
    ready_ms: i64,
}

impl Mango {
    pub(super) fn order_stats(&mut self, asked: &Value, now_ms: i64) -> Result<Response, u16> {
        let (from_s, to_s) = (seconds(&asked["date_from"])?, seconds(&asked["date_to"])?);
        if from_s > to_s || to_s - from_s > MONTH_S {
            return Err(BAD_DATES);
        }
        let fields = chosen(&asked["fields"])?;
        let seed = digest(&[&now_ms.to_string(), &self.stats.len().to_string()]);
        // As real ones, with characters that a form must escape.
        let key = format!("{}+/==", STANDARD.encode(&seed[..15]));
        let ready_ms = now_ms + self.manner.stats_after_ms;
        let (from, to, either) = (asked["from"].clone(), asked["to"].clone(), asked["call_party"].clone());
        self.stats.push(Order { key: key.clone(), fields, from_s, to_s, from, to, either, ready_ms });
        let mut told = json!({ "key": key });
        if let Some(id) = asked["request_id"].as_str() {
            told["request_id"] = json!(id);
        }
        self.result("result/stat", told.to_string(), ready_ms);
        Ok(Response::of_json(200, &json!({ "key": key })))
    }

    pub(super) fn stats_result(&self, asked: &Value, now_ms: i64) -> Result<Response, u16> {
        let key = text(asked, "key")?;
        let order = self.stats.iter().find(|order| order.key == key && now_ms < order.ready_ms + KEPT_MS);
        let Some(order) = order else { return Ok(Response::empty(404)) };
        if now_ms < order.ready_ms {
            return Ok(Response::empty(204));
        }
        let lines = self.calls.all.iter().flat_map(|live| order.lines(live, now_ms));
        let csv: String = lines.map(|line| line + "\n").collect();
        Ok(Response::new(200, "text/csv", csv))
    }
}

impl Order {
    /// The lines of a call, if it is over and asked for.
    fn lines(&self, live: &Live, now_ms: i64) -> Vec<String> {
        let Some((summary, recording)) = self.asked(live, now_ms) else { return Vec::new() };
        let parts = parts(&summary, talks(live, now_ms));
        parts.iter().map(|part| self.line(part, &recording)).collect()
    }

    /// What its summary says, and its recording.
    fn asked(&self, live: &Live, now_ms: i64) -> Option<(Value, String)> {
        let of = |path: &str| {
            let happened = live.hooks.iter().filter(move |hook| hook.due_ms <= now_ms);
            let hook = happened.rev().find(|hook| hook.path == path)?;
            serde_json::from_str::<Value>(&hook.json).ok()
        };
        let summary = of("events/summary")?;
        let (from, to) = (&summary["from"], &summary["to"]);
        let is_asked = within(&self.from, from) && within(&self.to, to);
        let either = within(&self.either, from) || within(&self.either, to);
        let started_s = summary["create_time"].as_i64().unwrap_or_default();
        if !is_asked || !either || !(self.from_s..=self.to_s).contains(&started_s) {
            return None;
        }
        let recording = of("events/record/added").map(|added| plain(&added["recording_id"])).unwrap_or_default();
        Some((summary, recording))
    }

    fn line(&self, part: &Value, recording: &str) -> String {
        let (from, to) = (&part["from"], &part["to"]);
        let in_menu = to.as_object().is_none_or(serde_json::Map::is_empty);
        let column = |field: &str| match field {
            "records" => format!("[{recording}]"),
            "start" => plain(&part["start_time"]),
            "create" => plain(&part["create_time"]),
            "finish" => plain(&part["end_time"]),
            "answer" => plain(&part["talk_time"]),
            "from_extension" => plain(&from["extension"]),
            "from_number" => plain(&from["number"]),
            "to_extension" => plain(&to["extension"]),
            "to_number" => plain(&to["number"]),
            "location" => if in_menu { "ivr" } else { "abonent" }.to_owned(),
            field => plain(&part[field]),
        };
        self.fields.iter().map(|field| column(field)).collect::<Vec<_>>().join(";")
    }
}

/// One talk with an employee.
#[derive(Default)]
struct Talk {
    to: Value,
    started: Value,
    answered: Value,
    ended: Value,
    reason: Value,
}

/// The talks of a call that is over, in their order.
fn talks(live: &Live, now_ms: i64) -> Vec<Talk> {
    let mut legs: BTreeMap<String, Talk> = BTreeMap::new();
    let happened = live.hooks.iter().filter(|hook| hook.path == "events/call" && hook.due_ms <= now_ms);
    for leg in happened.filter_map(|hook| serde_json::from_str::<Value>(&hook.json).ok()) {
        let talk = legs.entry(plain(&leg["call_id"])).or_default();
        let at = leg["timestamp"].clone();
        match leg["call_state"].as_str() {
            Some("Appeared") => talk.started = at,
            Some("Connected") => talk.answered = at,
            Some("Disconnected") => (talk.ended, talk.reason) = (at, leg["disconnect_reason"].clone()),
            _ => {}
        }
        talk.to = leg["to"].clone();
    }
    let is_talk = |talk: &Talk| !talk.to["extension"].is_null() && !talk.answered.is_null() && !talk.ended.is_null();
    let mut talks: Vec<Talk> = legs.into_values().filter(is_talk).collect();
    talks.sort_by_key(|talk| talk.started.as_i64());
    talks
}

/// A call that was handed over has a line for each talk.
fn parts(summary: &Value, talks: Vec<Talk>) -> Vec<Value> {
    let mut whole = summary.clone();
    whole["start_time"] = summary["create_time"].clone();
    if talks.len() < 2 {
        return vec![whole];
    }
    let part = |talk: Talk| {
        let mut part = whole.clone();
        part["to"] = talk.to;
        part["start_time"] = talk.started;
        part["talk_time"] = talk.answered;
        part["end_time"] = talk.ended;
        part["disconnect_reason"] = talk.reason;
        part
    };
    talks.into_iter().map(part).collect()
}

/// The columns: with commas, or a list.
fn chosen(asked: &Value) -> Result<Vec<String>, u16> {
    let chosen: Vec<String> = match asked {
        Value::Null => FIELDS[..USUAL].iter().map(|field| (*field).to_owned()).collect(),
        Value::String(text) => text.split(',').map(|field| field.trim().to_owned()).collect(),
        Value::Array(all) => all.iter().map(plain).collect(),
        _ => return Err(WRONG_FORMAT),
    };
    let known = chosen.iter().all(|field| FIELDS.contains(&field.as_str()));
    if known { Ok(chosen) } else { Err(WRONG_FORMAT) }
}

/// Unix seconds, as a number or as its text.
fn seconds(value: &Value) -> Result<i64, u16> {
    match value {
        Value::Null => Err(MISSING_PARAMETER),
        value => plain(value).parse().map_err(|_| WRONG_FORMAT),
    }
}

/// Whether a side is the one that a filter names.
fn within(filter: &Value, side: &Value) -> bool {
    ["extension", "number"].iter().all(|key| filter[key].is_null() || plain(&filter[key]) == plain(&side[key]))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}
