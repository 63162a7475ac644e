//! The call log of a domain: ordered, waited for, and downloaded as an archive.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{granted, refused};
use super::posts::HISTORY;
use super::{Account, Rostelecom, zip};
use crate::http::Response;

const COLUMNS: &str = "session_id;call_type;direction;state;orig_number;orig_pin;dest_number;answering_sipuri;\
answering_pin;start_call_date;duration;is_voicemail;is_record;is_fax;status_code;status_string";
/// The first order of a domain.
const FIRST_ORDER: usize = 100_000_001;
const MIB: usize = 1024 * 1024;

/// An export that was ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    id: String,
    /// As ordered: a second order of it is refused.
    period: (String, String),
    from_ms: i64,
    until_ms: i64,
    direction: u64,
    state: u64,
    number: Option<String>,
    polls: u32,
    ready_ms: i64,
    /// The notice that it is ready.
    notice: u64,
    gave_empty: bool,
}

impl Rostelecom {
    pub(super) fn order_history(&mut self, asked: &Value, now_ms: i64) -> Response {
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let period = (text("date_start"), text("date_end"));
        let (Some(from_ms), Some(until_ms)) = (wall_ms(&period.0), wall_ms(&period.1)) else {
            return refused("Неверный формат даты, ожидается yyyy-MM-dd HH:mm:ss");
        };
        if from_ms > until_ms {
            return refused("Начало периода позже его конца");
        }
        if self.orders.iter().any(|order| order.period == period) {
            return refused("Выгрузка за указанный период уже существует");
        }
        let id = (FIRST_ORDER + self.orders.len()).to_string();
        let ready_ms = now_ms + self.manner.history_after_ms;
        let notice = json!({ "order_id": id, "result": "0", "resultMessage": "" });
        self.orders.push(Order {
            id: id.clone(),
            period,
            from_ms,
            // The last second counts.
            until_ms: until_ms + 1000,
            direction: asked["direction"].as_u64().unwrap_or_default(),
            state: asked["state"].as_u64().unwrap_or_default(),
            number: asked["phone_number"].as_str().map(|number| number.trim_start_matches('+').to_owned()),
            polls: 0,
            ready_ms,
            notice: self.outbox.plan(HISTORY, notice.to_string(), ready_ms),
            gave_empty: false,
        });
        granted(json!({ "order_id": id }))
    }

    pub(super) fn download_history(&mut self, asked: &Value, now_ms: i64) -> Response {
        let id = asked["order_id"].as_str().unwrap_or_default();
        let Some(place) = self.orders.iter().position(|order| order.id == id) else {
            return missing(404, id);
        };
        let order = &mut self.orders[place];
        let is_ready = now_ms >= order.ready_ms || order.polls >= self.manner.history_polls;
        order.polls += 1;
        if !is_ready {
            return missing(self.manner.history_missing_status, id);
        }
        let (notice, is_empty) = (order.notice, self.manner.history_empty_first && !order.gave_empty);
        order.ready_ms = order.ready_ms.min(now_ms);
        order.gave_empty = true;
        self.outbox.hurry(notice, now_ms);
        let file = if is_empty { Vec::new() } else { self.csv(&self.orders[place], now_ms).into_bytes() };
        let name = format!("call_history_{id}.csv");
        Response::new(200, "application/octet-stream", zip::of_one(&name, &file))
            .with_header("content-disposition", &format!("attachment; filename=\"{name}.z\""))
    }

    fn csv(&self, order: &Order, now_ms: i64) -> String {
        let chosen = |call: &&Account| {
            (order.from_ms..order.until_ms).contains(&call.start_ms)
                && self.is_accounted(call, now_ms)
                && call.is_chosen(order.direction, order.state, order.number.as_deref())
        };
        let head = self.manner.history_header.then(|| COLUMNS.to_owned());
        let lines = head.into_iter().chain(self.calls.iter().filter(chosen).map(Account::line));
        let mut csv: String = lines.map(|line| line + "\n").collect();
        csv.push_str(&"\n".repeat(self.manner.history_padding_mib * MIB));
        csv
    }
}

/// A page in place of the file.
fn missing(status: u16, id: &str) -> Response {
    Response::of_html(status, format!("<html><body>File [call_history_{id}.csv.z] not found</body></html>"))
}

/// The wall clock of Moscow in Unix milliseconds.
fn wall_ms(text: &str) -> Option<i64> {
    let at = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(at.to_zoned(TimeZone::fixed(Offset::constant(3))).ok()?.timestamp().as_millisecond())
}
