//! The three calls of the demo, and who was in the CRM before them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use perezvon_sandbox::mango::calls::{self, Call, Employee, MENU_S, RECORDED_S, RING_S};

use crate::local::sandbox::Fakes;

/// Whose telephony the demo has.
const PROVIDER: &str = "mango";
/// The company's number.
const LINE: &str = "74950000001";
/// How many times faster than life the calls are played.
const FASTER: i64 = 40;
/// The calls begin this long after one another, in milliseconds.
const APART_MS: i64 = 100;

/// A client who calls.
struct Client {
    number: &'static str,
    name: &'static str,
}

const KNOWN: Client = Client { number: "79990000003", name: "Мария Иванова" };
/// The user of the CRM who takes care of her.
const HER_MANAGER: u64 = 504_002;

/// A call of the demo, with what it must come to.
pub(super) struct DemoCall {
    pub title: &'static str,
    /// The provider's id of the call.
    pub entry: String,
    pub recording: Option<String>,
    pub webhooks: Vec<calls::Webhook>,
    pub expects: Expected,
}

/// What there must be in the end besides a contact, a deal and the record of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub task: bool,
    pub recording: bool,
}

/// A webhook with the moment it is posted, in milliseconds after the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timed {
    pub at_ms: i64,
    pub path: &'static str,
    pub json: String,
}

/// Somebody is in the CRM already.
pub(super) fn with_a_past(mut fakes: Fakes) -> Fakes {
    fakes.crm.add_contact(KNOWN.name, &format!("+{}", KNOWN.number), HER_MANAGER);
    fakes
}

/// The calls as if they had just ended: `now_s` is now in Unix seconds.
pub(super) fn all(now_s: i64) -> [DemoCall; 3] {
    let petrova = Employee::new("12", "petrova");
    let sidorov = Employee::new("23", "sidorov");
    let missed = call(1, "79990000001", now_s, 0, None);
    let recording = STANDARD.encode(format!("{now_s}02"));
    let answered = call(2, "79990000002", now_s, 24, Some(recording));
    let known = call(3, KNOWN.number, now_s, 18, None);
    let demo = |title, call: Call, webhooks, task| DemoCall {
        title,
        expects: Expected { task, recording: call.recording.is_some() },
        entry: call.entry,
        recording: call.recording,
        webhooks,
    };
    let told =
        [calls::missed_new(&missed, &petrova), calls::answered(&answered, &sidorov), calls::answered(&known, &petrova)];
    let [first, second, third] = told;
    [
        demo("пропущен, клиент новый", missed, first, true),
        demo("отвечен, клиент новый", answered, second, false),
        demo("отвечен, клиент из базы", known, third, false),
    ]
}

/// All moments of a call lie in the past: it ends, with its recording, now.
fn call(n: i64, client: &str, now_s: i64, talk_s: i64, recording: Option<String>) -> Call {
    let lasts_s = MENU_S + if talk_s > 0 { talk_s } else { RING_S } + RECORDED_S;
    Call {
        // Digits only, a multiple of three of them: letters and digits, easy to copy.
        entry: STANDARD.encode(format!("{:012}", now_s * 10 + n)),
        client: client.to_owned(),
        line: LINE.to_owned(),
        recording,
        start_s: now_s - lasts_s,
        talk_s,
    }
}

/// A webhook of the demo for whoever posts it himself: not signed yet.
pub struct Webhook {
    /// From 1.
    pub call: usize,
    pub entry: String,
    /// After the first one.
    pub at_ms: i64,
    pub path: &'static str,
    pub payload: String,
}

/// The demo's calls, one after another, if this is the provider of its telephony.
pub fn calls_of(provider: &str, now_s: i64) -> Option<Vec<Webhook>> {
    (provider == PROVIDER).then(|| {
        let told = (1..).zip(all(now_s)).flat_map(|(number, call)| {
            call.webhooks.into_iter().map(move |hook| Webhook {
                call: number,
                entry: call.entry.clone(),
                at_ms: hook.after_ms / FASTER,
                path: hook.path,
                payload: hook.json,
            })
        });
        told.collect()
    })
}

/// All webhooks of all calls in the order in which they are posted.
pub(super) fn timeline(calls: &[DemoCall]) -> Vec<Timed> {
    let mut all: Vec<Timed> = (0..)
        .zip(calls)
        .flat_map(|(n, call)| {
            call.webhooks.iter().map(move |hook| Timed {
                at_ms: n * APART_MS + hook.after_ms / FASTER,
                path: hook.path,
                json: hook.json.clone(),
            })
        })
        .collect();
    all.sort_by_key(|timed| timed.at_ms);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_are_over_in_a_moment_and_none_lies_in_the_future() {
        let now_s = 1_795_262_645;
        let calls = all(now_s);
        let timeline = timeline(&calls);
        assert!(timeline.iter().all(|timed| (0..2_000).contains(&timed.at_ms)));
        assert!(timeline.is_sorted_by_key(|timed| timed.at_ms));
        for timed in &timeline {
            let event: serde_json::Value = serde_json::from_str(&timed.json).expect("json");
            let at = event["timestamp"].as_i64().or(event["end_time"].as_i64()).expect("a time");
            assert!((now_s - 60..=now_s).contains(&at), "{event}");
        }
    }

    #[test]
    fn ids_need_no_quoting() {
        for call in all(1_795_262_645) {
            assert!(call.entry.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{}", call.entry);
        }
    }
}
