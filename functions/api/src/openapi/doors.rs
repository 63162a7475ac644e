//! What stands beside the table of routes, because other functions answer it: webhooks, what a PBX asks and waits for; and
//! the back-up, which one machine alone can make.

use perezvon_adapters::PROVIDERS;
use serde_json::{Value, json};

use super::operation::Operation;

const WEBHOOKS: &str = "Webhooks";
/// Who answers, where that is not `api`.
pub const ANSWERED_BY: &str = "x-answered-by";

/// All of them: path, method, what is said of it.
pub fn all() -> Vec<(String, &'static str, Value)> {
    let mut doors = Vec::new();
    for method in ["POST", "GET"] {
        doors.push(("/h/{token}".to_owned(), method, webhook("Webhook", method, &["token"])));
        let names = &["token", "event"];
        doors.push(("/h/{token}/{event}".to_owned(), method, webhook("WebhookEvent", method, names)));
    }
    for name in PROVIDERS.iter().flat_map(|provider| provider.capabilities.synchronous) {
        doors.push((format!("/h/{{token}}/{name}"), "POST", question(name)));
    }
    doors.push(("/api/v1/backup".to_owned(), "POST", backup()));
    doors
}

fn open(mut it: Operation, answered_by: &str) -> Operation {
    it.0["security"] = json!([]);
    it.0[ANSWERED_BY] = json!(answered_by);
    it
}

fn webhook(id: &str, method: &str, names: &[&str]) -> Value {
    let summary = "A webhook of a provider, under the address that `GET urls` shows. The token names account, channel \
        and generation; what follows is the provider's own and may have slashes. The signature is looked at later: what \
        is refused then waits in quarantine";
    let id = format!("{}{id}", method.to_lowercase());
    let mut it = open(Operation::new(&id, WEBHOOKS, summary), "ingest").of_names(names);
    if method == "POST" {
        it = it.takes_media("*/*", json!({}));
    }
    turned_away(it.answers_bare(200, "The exact bytes lie on the queue."))
        .answers_bare(503, "The queue did not take it: post it again. Or there are no keys yet: `perezvon keys`.")
        .0
}

fn question(name: &str) -> Value {
    let summary = "A PBX asks who calls and whom to ring, and waits; asked by a POST, signed. Question and answer are the \
        provider's own";
    let own = || json!({ "type": "object" });
    let it = open(Operation::new(&format!("question_{name}"), WEBHOOKS, summary), "answer").of_names(&["token"]);
    turned_away(it.takes(own()).answers(200, "Whom to ring, or nobody: then the PBX's own rules decide.", own()))
        .answers(403, "The signature, the address or the channel is not believed: nothing is said.", own())
        .answers(503, "It could not be checked in time: nothing is said.", own())
        .0
}

fn turned_away(it: Operation) -> Operation {
    it.answers_bare(400, "The body cannot be read.")
        .answers_bare(404, "The token is not one of this installation.")
        .answers_bare(405, "Neither POST nor GET.")
        .answers_bare(413, "The body is larger than this provider's webhooks are.")
}

fn backup() -> Value {
    let summary = "One archive of everything, on one machine alone; the cloud answers 404";
    let mut it = open(Operation::new("backup", "Settings", summary), "one machine");
    it.0["security"] = json!([{ "token": [] }]);
    it.0["x-roles"] = json!(["owner"]);
    it.answers_media(200, "The archive.", "application/x-tar")
        .refuses(401, "No token.")
        .refuses(403, "Not the token of the installation's owner.")
        .refuses(404, "This is the cloud.")
        .refuses(405, "Not POST.")
        .refuses(500, "No archive was made: the log says why.")
        .0
}
