//! What belongs to no account: logging in, the page, links to recordings.

use serde_json::json;

use super::answers::{Accounts, HookKeyTaken, Me};
use super::operation::{Operation, Schemas};
use crate::page::Asset;
use crate::{keys, login};

const ENTRY: &str = "Logging in";
const PAGE: &str = "The page";
const HTML: &str = "text/html";

pub fn file(asset: &Asset) -> Operation {
    let name = if asset.path.is_empty() { "index.html" } else { asset.path };
    let id = format!("file_{}", name.replace('.', "_"));
    let media_type = asset.media_type.split(';').next().unwrap_or_default();
    Operation::new(&id, PAGE, "A file of the page").answers_media(200, "The file.", media_type)
}

pub fn openapi() -> Operation {
    Operation::new("openApi", PAGE, "This document").answers(200, "The document.", json!({ "type": "object" }))
}

pub fn play() -> Operation {
    let summary = "Plays a recording. The link is the right; a channel may ask for a login besides";
    let download = "Anything: as a file to keep.";
    let mut it = Operation::new("playRecording", "Recordings", summary).text("download", download);
    for (status, words) in [(200, "All of it."), (206, "The part that `Range` asks for, at most 4 MiB.")] {
        it = it.answers_media(status, words, "audio/*");
    }
    it.answers_bare(302, "It lies elsewhere.")
        .refuses(403, "The channel asks for a login, and the role may not hear calls.")
        .refuses(404, "No such recording, or not yet: `Retry-After` says when to ask again.")
        .refuses(410, "The link was revoked, or the file is gone.")
        .refuses(416, "There is no such part.")
}

pub fn authorised() -> Operation {
    let summary =
        "A provider's page sends the browser back here; `state` says for which channel. Its answers are pages";
    let mut it = Operation::new("authorised", ENTRY, summary)
        .text("state", "What `GET authorise` made.")
        .text("code", "What the provider gave.")
        .text("error", "Why it gave none.");
    let answers = [
        (200, "The code is kept; the connection shows what becomes of it."),
        (400, "A `state` that is forged or too old; no code."),
        (403, "Access was refused there."),
        (409, "The `state` was used, a younger one was, or the channel is gone."),
        (503, "Open the same address again."),
    ];
    for (status, words) in answers {
        it = it.answers_media(status, words, HTML);
    }
    it
}

pub fn one_time_login() -> Operation {
    Operation::new("oneTimeLogin", ENTRY, "Logs in by a link that is good once, for 15 minutes")
        .text("token", "Of the link.")
        .answers_bare(303, "Logged in: the cookie is set; on to the page.")
        .refuses(401, "Used already, or too old.")
        .refuses(503, "The store did not answer: ask again.")
}

pub fn login(schemas: &mut Schemas) -> Operation {
    Operation::new("login", ENTRY, "Makes a token the cookie of the page, for 30 days")
        .takes(schemas.body::<login::Given>())
        .answers(200, "The cookie is set.", schemas.answer::<Me>())
        .refuses(401, "No token of this installation, or one that has expired.")
        .refuses(403, "Asked from another page than ours.")
}

pub fn logout() -> Operation {
    Operation::new("logout", ENTRY, "Ends the cookie").answers_bare(204, "Logged out.")
}

pub fn me(schemas: &mut Schemas) -> Operation {
    Operation::new("me", ENTRY, "Who one is, and what one may do").answers(200, "You.", schemas.answer::<Me>())
}

pub fn accounts(schemas: &mut Schemas) -> Operation {
    Operation::new("accounts", ENTRY, "The accounts one may see").answers(
        200,
        "Those with settings.",
        schemas.answer::<Accounts>(),
    )
}

pub fn put_hook_key(schemas: &mut Schemas) -> Operation {
    let summary = "Brings the private half of the pair that signs hook URLs; of the installation's owner alone";
    Operation::new("putHookKey", "Settings", summary)
        .takes(schemas.body::<keys::Given>())
        .answers(200, "Kept.", schemas.answer::<HookKeyTaken>())
        .refuses(400, "Not such a key.")
        .refuses(409, "This installation made a key of its own.")
}
