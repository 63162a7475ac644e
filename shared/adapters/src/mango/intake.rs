//! Webhooks in: which event a path names, the check of the signature, the way into our words.

use serde_json::Value;

use super::Mango;
use super::call_back;
use super::events;
use super::form;
use super::route;
use crate::fields::Fields;
use crate::intake::{CallNews, Inbound, Intake, Malformed, RawRequest, Refusal, Verified};
use crate::secret::{Secret, same};

/// The button that checks the connection.
pub(super) const PING: &str = "ping";
/// What came of a command to call back.
const CALLED_BACK: &str = "result/callback";
/// What came of a command to take a call to somebody.
const ROUTED: &str = "result/route";
/// Changes of the address book; not all their names are documented.
const ADDRESS_BOOK: &str = "events/ab/";
/// Everything the provider is known to send.
const PATHS: &[&str] = &[
    "events/call",
    "events/summary",
    "events/recording",
    "events/record/added",
    "events/record/tagged",
    "events/recognized/offline",
    "events/dtmf",
    "events/sms",
    "events/ab/contacts",
    "events/ab/organizations",
    "events/user/status_changed",
    "events/user/session_end",
    "events/md",
    "events/md/onAppealClose",
    CALLED_BACK,
    "result/callback_group",
    "result/call/hangup",
    "result/call/hold/on",
    "result/calls_connect",
    "result/play/start",
    "result/recording/start",
    ROUTED,
    "result/sms",
    "result/stat",
    "result/stats",
    "result/transfer",
    "result/transfer_cancel",
    PING,
];
/// Events of no use to us whose further names are not all documented.
const FAMILIES: &[&str] = &["result/", ADDRESS_BOOK, "events/user/", "events/md/"];

impl Intake for Mango {
    fn verify<'a>(&self, request: &'a RawRequest, secrets: &[Secret]) -> Result<Verified<'a>, Refusal> {
        // It comes without a form, and all it can bring about is a `Ping`.
        if event_name(&request.path) == PING {
            return Ok(Verified::new(request, String::new()));
        }
        let envelope = form::open(request)?;
        if envelope.sign.is_empty() {
            return Err(Refusal::NoSignature);
        }
        let mut refusal = Refusal::NoSecret;
        for secret in secrets.iter().filter(|secret| form::is_whole(secret)) {
            if !same(envelope.key.as_bytes(), secret.get(form::KEY).as_bytes()) {
                if refusal == Refusal::NoSecret {
                    refusal = Refusal::UnknownKey;
                }
                continue;
            }
            let sign = form::signature(&envelope.json, secret);
            if same(envelope.sign.as_bytes(), sign.as_bytes()) {
                return Ok(Verified::new(request, envelope.json));
            }
            refusal = Refusal::WrongSignature;
        }
        Err(refusal)
    }

    fn normalise(&self, request: Verified<'_>) -> Result<Vec<Inbound>, Malformed> {
        let name = event_name(&request.request().path);
        let read: fn(&Fields<'_>) -> Result<CallNews, Malformed> = match name {
            "events/call" => events::leg_changed,
            "events/summary" => events::summarised,
            "events/recording" => events::recording_changed,
            "events/record/added" => events::recording_ready,
            "events/dtmf" => events::digits_pressed,
            PING => return Ok(vec![Inbound::Ping]),
            CALLED_BACK => return commanded(&request, CALLED_BACK, call_back::told),
            ROUTED => return commanded(&request, ROUTED, route::told),
            book if book.starts_with(ADDRESS_BOOK) => return Ok(vec![Inbound::UsersChanged(book.to_owned())]),
            known if is_known(known) => return Ok(vec![Inbound::Counted(known.to_owned())]),
            other => return Err(Malformed(format!("unknown event path `{other:.80}`"))),
        };
        let payload = payload(&request)?;
        let fields = Fields::of(&payload)?;
        let news = read(&fields)?;
        let order = if name == "events/call" { call_back::became(&fields, &news)? } else { None };
        Ok([Some(Inbound::Call(news)), order].into_iter().flatten().collect())
    }

    fn paths(&self) -> &'static [&'static str] {
        PATHS
    }
}

fn payload(request: &Verified<'_>) -> Result<Value, Malformed> {
    serde_json::from_str(request.payload()).map_err(|error| Malformed(format!("the payload is no JSON: {error}")))
}

/// What a command came to: of ours it is news, that of another system is counted as before.
fn commanded(
    request: &Verified<'_>,
    name: &str,
    told: fn(&Fields<'_>) -> Result<Option<CallNews>, Malformed>,
) -> Result<Vec<Inbound>, Malformed> {
    let payload = payload(request)?;
    let news = told(&Fields::of(&payload)?)?;
    Ok(vec![news.map_or_else(|| Inbound::Counted(name.to_owned()), Inbound::Call)])
}

/// The event a path names: what follows the user's own base address and any `api/v1`.
pub(super) fn event_name(path: &str) -> &str {
    let path = path.trim_matches('/');
    if path.rsplit('/').next() == Some(PING) {
        return PING;
    }
    let starts = ["events/", "result/"].iter().flat_map(|family| path.match_indices(family));
    let whole = starts.map(|(at, _)| at).filter(|at| *at == 0 || path[..*at].ends_with('/'));
    whole.max().map_or(path, |at| &path[at..])
}

fn is_known(name: &str) -> bool {
    PATHS.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}
