//! What the provider's refusals mean. Its codes come with any status, as numbers or as texts.

use std::collections::BTreeMap;

use perezvon_domain::time::Millis;
use perezvon_domain::{JobResult, Timestamp};
use serde_json::Value;

use crate::jobs::{Outcome, Reply};

/// Wait before the same is asked again.
const RETRY: Millis = Millis::minutes(1);
/// Wait before a recording that is not ready is asked for again. By the letter of the reference "no such
/// recording" is a bad request too, and a second one within two minutes shuts the API for everything.
const NOT_READY: Millis = Millis::seconds(125);
/// More than one bad request in two minutes shuts the API for that long.
const LOCKED: Millis = Millis::minutes(2);
/// Wait after "too often" where no time is told.
const SLOW_DOWN: Millis = Millis::seconds(5);
/// How often a recording is asked for before it is given up.
const PATIENCE: u32 = 30;
/// Where the count of askings is kept.
const ATTEMPTS: &str = "attempts";

/// A job given up, nothing made.
pub(super) fn failed(why: impl Into<String>) -> JobResult {
    JobResult::Failed { why: why.into(), made: None }
}

/// What an answer means that did not bring what was asked for.
pub(super) fn refused(reply: &Reply, progress: &mut BTreeMap<String, String>, now: Timestamp) -> Outcome {
    match (reply.status, code(&reply.body)) {
        (401, _) => Outcome::Pause {
            until: Some(now.after(LOCKED)),
            why: "АТС закрыла доступ на две минуты из-за ошибочных запросов (HTTP 401)".to_owned(),
        },
        (429 | 503, _) => slow_down(reply, now),
        (_, Some(code)) => by_code(code, reply, progress, now),
        (status, None) => by_status(status, progress, now),
    }
}

fn by_code(code: u64, reply: &Reply, progress: &mut BTreeMap<String, String>, now: Timestamp) -> Outcome {
    match code {
        3300 | 3320 | 3340 => not_ready(&format!("код {code}"), progress, now),
        3102 | 3105 => Outcome::Pause {
            until: None,
            why: format!("АТС не приняла ключ или подпись (код {code}): проверьте в настройках канала ключ и соль"),
        },
        4290 | 5001 | 5008 => slow_down(reply, now),
        // Not repeated: a second bad request within two minutes would shut the API for everything.
        2000..=4999 | 6000..=6999 => Outcome::Failed(failed(in_words(code))),
        5000..=5999 => again(now, format!("сбой на стороне АТС (код {code})")),
        _ => again(now, format!("АТС ответила кодом {code}, но ссылки на запись не дала")),
    }
}

fn by_status(status: u16, progress: &mut BTreeMap<String, String>, now: Timestamp) -> Outcome {
    match status {
        404 => not_ready("HTTP 404", progress, now),
        403 => Outcome::Pause {
            until: None,
            why: "АТС отказала в доступе (HTTP 403): проверьте в её кабинете список разрешённых адресов".to_owned(),
        },
        400..=499 => Outcome::Failed(failed(format!("АТС отклонила запрос записи (HTTP {status})"))),
        500.. => Outcome::Unknown { why: format!("сбой на стороне АТС (HTTP {status})") },
        _ => again(now, format!("АТС ответила не тем, чего от неё ждали (HTTP {status})")),
    }
}

/// A recording is usually there a minute or two after the call; one that was deleted never is.
fn not_ready(what: &str, progress: &mut BTreeMap<String, String>, now: Timestamp) -> Outcome {
    let before: u32 = progress.get(ATTEMPTS).and_then(|count| count.parse().ok()).unwrap_or(0);
    let attempts = before.saturating_add(1);
    progress.insert(ATTEMPTS.to_owned(), attempts.to_string());
    if attempts < PATIENCE {
        return Outcome::Again {
            until: now.after(NOT_READY), why: format!("запись ещё не готова ({what})")
        };
    }
    Outcome::Failed(failed(format!(
        "АТС не отдаёт запись: попыток было {attempts} ({what}). \
         Проверьте в её кабинете, что записи хранятся в облаке и эта не удалена"
    )))
}

fn again(now: Timestamp, why: String) -> Outcome {
    Outcome::Again { until: now.after(RETRY), why }
}

fn slow_down(reply: &Reply, now: Timestamp) -> Outcome {
    let told = reply.headers.get("retry-after").and_then(|value| value.trim().parse::<u32>().ok());
    let wait = told.map_or(SLOW_DOWN, |seconds| Millis::seconds(i64::from(seconds.max(1))));
    let why = "АТС просит обращаться к ней реже".to_owned();
    Outcome::Pause { until: Some(now.after(wait)), why }
}

/// What a refusal of a command means. Its outcome cannot be looked up, so it is never repeated on a guess: only what
/// the provider says it did not look at goes out again.
pub(super) fn refused_command(reply: &Reply, now: Timestamp) -> Outcome {
    match (reply.status, code(&reply.body)) {
        (401 | 429, _) | (403, None) | (_, Some(3102 | 3105 | 4290 | 5001 | 5008)) => {
            refused(reply, &mut BTreeMap::new(), now)
        }
        (_, Some(code @ 2000..=6999)) => Outcome::Failed(failed(in_words(code))),
        (status @ 400..=499, None) => {
            Outcome::Failed(failed(format!("АТС отклонила команду (HTTP {status}): попробуйте ещё раз")))
        }
        (status, _) => Outcome::Unknown { why: format!("АТС ответила непонятно (HTTP {status})") },
    }
}

/// A code for people.
pub(super) fn in_words(code: u64) -> String {
    format!("АТС отказала: {} (код {code})", words(code))
}

/// The code in an answer: `result` or `code`, a number or a text.
pub(super) fn code(body: &[u8]) -> Option<u64> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    ["result", "code"].iter().find_map(|name| answer.get(name).and_then(number))
}

/// A code in words; an unknown one in the words of its subclass, then of its class.
fn words(code: u64) -> &'static str {
    [code, code / 10 * 10, code / 100 * 100, code / 1000 * 1000]
        .into_iter()
        .find_map(known_words)
        .unwrap_or("причина не названа")
}

fn known_words(code: u64) -> Option<&'static str> {
    Some(match code {
        2000 => "ограничение лицевого счёта",
        2100 => "нет доступа к лицевому счёту",
        2110 => "лицевой счёт заблокирован",
        2120 => "лицевой счёт закрыт",
        2130 => "лицевой счёт заморожен",
        2200 => "действует ограничение лицевого счёта",
        2210 => "исчерпан лимит за период",
        2230 => "услуга не подключена",
        2240 => "на лицевом счёте нет средств",
        2250 => "исчерпан лимит услуги",
        3000 => "запрос неверен",
        3100 => "неверные параметры запроса",
        3200 => "неверный номер абонента",
        3400 => "АТС не разобрала запрос",
        4000 => "действие невозможно",
        4001 => "такая команда не поддерживается",
        4002 => "запись слишком коротка и не сохранена",
        4100 => "действие не разрешено логикой АТС",
        4200 => "телефон сейчас недоступен",
        4500 => "запрещено настройками безопасности",
        5000 => "сбой на стороне АТС",
        6000 => "ошибка факса",
        _ => return None,
    })
}
