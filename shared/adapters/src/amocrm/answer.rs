//! What answers have in common: statuses, lists, ids, complaints. Strings may stand for numbers.

use perezvon_domain::CrmId;
use perezvon_domain::time::Millis;
use serde_json::Value;

use crate::jobs::{Known, Outcome, Reply};

/// Whether the request changed something: then an unclear answer leaves its outcome unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Read,
    Write,
}

/// An answer, sorted.
pub(super) enum Answer {
    /// A success with content.
    Said(Value),
    /// A success without content; to a read: there is no such thing.
    Nothing,
    /// Not carried out, and repeating would not help.
    Refused(Refusal),
    /// Means the same to every step.
    Settled(Outcome),
}

/// A permanent refusal.
pub(super) struct Refusal {
    pub status: u16,
    pub body: Value,
}

/// Sorts an answer.
pub(super) fn hear(known: &Known<'_>, reply: &Reply, sent: Sent) -> Answer {
    let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
    let body = body.filter(|body| body.is_object() || body.is_array());
    match (reply.status, body) {
        (204, _) => Answer::Nothing,
        (200..=299, None) if reply.body.iter().all(u8::is_ascii_whitespace) => Answer::Nothing,
        (200..=299, Some(body)) => Answer::Said(body),
        (401, _) => Answer::Settled(Outcome::TokenRefused),
        (402, _) => pause(known, Millis::minutes(15), "amoCRM: счёт не оплачен"),
        (403, Some(body)) if sent == Sent::Write => Answer::Refused(Refusal { status: 403, body }),
        (403, Some(_)) => pause(known, Millis::minutes(5), NO_RIGHTS_TO_READ),
        (403, None) => pause(known, Millis::minutes(5), BLOCKED),
        (429, _) => pause(known, retry_after(reply), "amoCRM просит слать запросы реже (429)"),
        (300..=399, _) => pause(known, Millis::minutes(15), MOVED),
        (408, _) => unclear(reply),
        (400..=499, body) => Answer::Refused(Refusal { status: reply.status, body: body.unwrap_or_default() }),
        _ => unclear(reply),
    }
}

const NO_RIGHTS_TO_READ: &str = "amoCRM не даёт читать данные (403): проверьте права пользователя, \
     чьим токеном ходит интеграция, тариф и список разрешённых IP";
const BLOCKED: &str = "amoCRM временно закрыла доступ (403)";
const MOVED: &str = "amoCRM ответила перенаправлением: вероятно, изменился адрес аккаунта; \
     укажите новый в настройках подключения";

fn pause(known: &Known<'_>, wait: Millis, why: &str) -> Answer {
    let until = Some(known.now.after(wait));
    Answer::Settled(Outcome::Pause { until, why: why.to_owned() })
}

/// One second at least, an hour at most.
fn retry_after(reply: &Reply) -> Millis {
    let told = reply.headers.get("retry-after").and_then(|text| text.trim().parse::<i64>().ok());
    Millis::seconds(told.unwrap_or(1).clamp(1, 3600))
}

fn unclear(reply: &Reply) -> Answer {
    let why = match reply.status {
        200..=299 => "amoCRM ответила не по-своему (не JSON)".to_owned(),
        status => format!("amoCRM ответила {status}"),
    };
    Answer::Settled(Outcome::Unknown { why })
}

impl Refusal {
    /// The reason for a person; `what` is the thing in question: `сделка`.
    pub(super) fn words(&self, what: &str) -> String {
        let told = self.complaints();
        let told = if told.is_empty() { String::new() } else { format!(": {}", told.join("; ")) };
        let text = match self.status {
            400 | 422 => format!("{what}: amoCRM не приняла данные{told}. Исправьте это значение в настройках"),
            403 => format!("{what}: нет прав{told}. Дайте их в amoCRM пользователю, чьим токеном ходит интеграция"),
            404 => format!("{what}: в amoCRM этого больше нет (404){told}"),
            status => format!("{what}: amoCRM ответила {status}{told}"),
        };
        text.chars().take(600).collect()
    }

    /// Whether a complaint is about a value whose path contains this.
    pub(super) fn is_about(&self, part: &str) -> bool {
        errors(&self.body).any(|error| text(&error["path"]).contains(part))
    }

    fn complaints(&self) -> Vec<String> {
        let listed: Vec<String> = errors(&self.body).take(3).map(complaint).collect();
        if !listed.is_empty() {
            return listed;
        }
        let further = items(&self.body["errors"]).next().unwrap_or(&Value::Null);
        let told = [&self.body["detail"], &self.body["title"], &further["detail"], &further["title"]];
        told.into_iter().map(text).find(|text| !text.is_empty()).into_iter().collect()
    }
}

fn errors(body: &Value) -> impl Iterator<Item = &Value> {
    items(&body["validation-errors"]).flat_map(|one| items(&one["errors"]))
}

fn complaint(error: &Value) -> String {
    let path = text(&error["path"]);
    let name = NAMES.iter().find(|(part, _)| path.contains(part)).map_or("данные", |(_, name)| name);
    format!("{name} ({path}): {} {}", text(&error["code"]), text(&error["detail"]))
}

/// Parts of paths, the special ones first, and what people call them.
const NAMES: [(&str, &str); 9] = [
    ("custom_fields_values", "поле карточки"),
    ("pipeline_id", "воронка"),
    ("status_id", "этап воронки"),
    ("responsible", "ответственный"),
    ("task_type", "тип задачи"),
    ("tags", "теги"),
    ("contacts", "контакт"),
    ("entity_id", "карточка"),
    ("name", "название"),
];

/// The elements of an array; none for anything else.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The entities of a list or of a creation.
pub(super) fn embedded<'a>(body: &'a Value, kind: &str) -> impl Iterator<Item = &'a Value> {
    items(&body["_embedded"][kind])
}

/// The id of the one entity a creation made.
pub(super) fn created(body: &Value, kind: &str) -> Option<CrmId> {
    embedded(body, kind).find_map(|entity| id(&entity["id"]))
}

/// Whether a list goes on.
pub(super) fn goes_on(body: &Value) -> bool {
    !text(&body["_links"]["next"]["href"]).is_empty()
}

/// The deals of a contact that was asked for `with=leads`, the newest first.
pub(super) fn newest_deals(contact: &Value) -> Vec<CrmId> {
    let mut ids: Vec<i64> = embedded(contact, "leads").filter_map(|lead| integer(&lead["id"])).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.into_iter().map(|id| CrmId(id.to_string())).collect()
}

/// An id; zero is none.
pub(super) fn id(value: &Value) -> Option<CrmId> {
    integer(value).filter(|id| *id > 0).map(|id| CrmId(id.to_string()))
}

/// A whole number, also in quotes.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A text; numbers are read out, everything else is empty.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// True in any of the spellings met.
pub(super) fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| integer(value).is_some_and(|number| number != 0))
}
