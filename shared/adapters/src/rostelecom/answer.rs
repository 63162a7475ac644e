//! What the provider's answers mean. A `result` of 0 is success; it comes as a number or as a text, with HTTP 200.

use perezvon_domain::JobResult;
use perezvon_domain::time::Millis;
use serde_json::Value;

use crate::jobs::{Known, Outcome, Reply};

/// Wait before the same is asked again.
pub(super) const RETRY: Millis = Millis::minutes(1);
/// Wait after "too often" where no time is told.
const SLOW_DOWN: Millis = Millis::seconds(5);
/// The longest of the provider's words that is passed on, in characters.
const WORDS: usize = 200;

/// What an answer says.
pub(super) enum Answer {
    Done(Value),
    /// A `result` other than 0, and the provider's words for it.
    Refused {
        code: String,
        words: String,
    },
    /// It means something for this job or for the whole connection.
    Trouble(Outcome),
}

/// A job given up, nothing made.
pub(super) fn failed(why: impl Into<String>) -> JobResult {
    JobResult::Failed { why: why.into(), made: None }
}

/// Reads an answer to a signed request.
pub(super) fn read(reply: &Reply, known: &Known<'_>) -> Answer {
    match (reply.status, serde_json::from_slice::<Value>(&reply.body)) {
        (200, Ok(answer)) => judged(answer, known),
        (200, Err(_)) => trouble(Outcome::Again {
            until: known.now.after(RETRY),
            why: "АТС ответила не тем, чего от неё ждали (не JSON)".to_owned(),
        }),
        (401, _) => trouble(Outcome::Pause {
            until: None,
            why: "АТС не приняла код идентификации или подпись (HTTP 401): проверьте их в настройках канала".to_owned(),
        }),
        (403, _) => trouble(Outcome::Failed(failed(
            "АТС отказала в доступе (HTTP 403): проверьте в её кабинете права API и список адресов",
        ))),
        // What a domain without the option gets: a page of the web server.
        (404, _) => trouble(Outcome::Failed(failed(
            "этот метод API домену не подключён (HTTP 404): его включает администратор домена",
        ))),
        (429, _) => trouble(slow_down(reply, known)),
        (500.., _) => {
            trouble(Outcome::Unknown { why: format!("сбой на стороне АТС (HTTP {})", reply.status) })
        }
        (status, _) => trouble(Outcome::Failed(failed(format!("АТС отклонила запрос (HTTP {status})")))),
    }
}

fn trouble(outcome: Outcome) -> Answer {
    Answer::Trouble(outcome)
}

fn judged(answer: Value, known: &Known<'_>) -> Answer {
    let code = match &answer["result"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => {
            let why = "в ответе АТС нет поля `result`".to_owned();
            return trouble(Outcome::Again { until: known.now.after(RETRY), why });
        }
    };
    if code == "0" {
        return Answer::Done(answer);
    }
    let words = answer["resultMessage"].as_str().unwrap_or_default().trim();
    Answer::Refused { code, words: words.chars().take(WORDS).collect() }
}

/// A refusal in words.
pub(super) fn refusal(code: &str, words: &str) -> String {
    if words.is_empty() {
        format!("АТС отказала (код {code})")
    } else {
        format!("АТС отказала: {words} (код {code})")
    }
}

fn slow_down(reply: &Reply, known: &Known<'_>) -> Outcome {
    let told = reply.headers.get("retry-after").and_then(|value| value.trim().parse::<u32>().ok());
    let wait = told.map_or(SLOW_DOWN, |seconds| Millis::seconds(i64::from(seconds.max(1))));
    Outcome::Pause {
        until: Some(known.now.after(wait)), why: "АТС просит обращаться к ней реже".to_owned()
    }
}
