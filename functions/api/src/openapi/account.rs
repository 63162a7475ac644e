//! What belongs to one account: calls, quarantine, channels, connections, jobs, settings, tokens.

use serde_json::json;

use super::answers::{
    CallStory, Calls, Channels, Connections, Faults, Jobs, Ordered, PutSettings, Quarantine, Released,
    ReleasedOfChannel, SettingsView, SwitchedOff, TokenMade, Told, Urls, Users, WayToProvider, WhatDisablingDoes,
    Woken,
};
use super::chats;
use super::operation::{Operation, Schemas};
use crate::explain::RecordingView;
use crate::jobs::JobView;
use crate::route::Resource;
use crate::{disable, order, quarantine, revoke, tokens};

/// What is said of a resource: whoever adds one adds a line here.
pub fn described(resource: &Resource, schemas: &mut Schemas) -> Operation {
    match resource {
        Resource::Calls => calls(schemas),
        Resource::Call(_) => call(schemas),
        Resource::Order => order(schemas),
        Resource::Revoke { .. } => revoke(schemas),
        Resource::Quarantine => quarantined(schemas),
        Resource::Release(_) => release(schemas),
        Resource::ReleaseChannel => release_channel(schemas),
        Resource::Channels => channels(schemas),
        Resource::Disable(_) => disable(schemas),
        Resource::Authorise(_) => authorise(schemas),
        Resource::Users(_) => users(schemas),
        Resource::Urls => urls(schemas),
        Resource::Subscribe => subscribe(schemas),
        Resource::Connections => connections(schemas),
        Resource::RetryConnection(_) => retry_connection(schemas),
        Resource::RetryJob { .. } => retry_job(schemas),
        Resource::Jobs => jobs(schemas),
        Resource::Settings => settings(schemas),
        Resource::PutSettings => put_settings(schemas),
        Resource::MakeToken => make_token(schemas),
        Resource::Events => events(),
        Resource::Conversations => chats::list(schemas),
        Resource::Conversation(_) => chats::one(schemas),
        Resource::Act { act, .. } => chats::act(*act, schemas),
        Resource::Message { .. } => chats::message(schemas),
        Resource::DeleteMessage { .. } => chats::delete_message(schemas),
        Resource::Employees => chats::employees(schemas),
        Resource::Status(_) => chats::status(schemas),
        Resource::PutStatus(_) => chats::put_status(schemas),
    }
}

fn calls(schemas: &mut Schemas) -> Operation {
    let moment = "A date of the account's time zone (2026-11-21) or milliseconds";
    Operation::new("listCalls", "Calls", "Calls, the newest first")
        .text("from", &format!("{moment}: from then on."))
        .text("until", &format!("{moment}: up to then, of a date to its end."))
        .text("number", "Of one client: a number in any usual spelling.")
        .pages()
        .answers(200, "A page.", schemas.answer::<Calls>())
}

fn call(schemas: &mut Schemas) -> Operation {
    Operation::new(
        "getCall",
        "Calls",
        "One call, explained: what was told, decided and sent, and what stands in the CRM",
    )
    .answers(200, "The call.", schemas.answer::<CallStory>())
}

fn order(schemas: &mut Schemas) -> Operation {
    let summary = "Click to call: the employee's own telephone rings first, then the client's. Nothing is waited for: what \
        comes of it stands in `order` at `GET calls/{call}`";
    Operation::new("orderCall", "Calls", summary)
        .once()
        .takes(schemas.body::<order::Asked>())
        .answers(202, "Ordered: the id of the order.", schemas.answer::<Ordered>())
        .refuses(409, "No internal number, or no channel that calls; or the channel is off.")
        .refuses(422, "Not a telephone number, or it must be said which channel; or the key was used for another call.")
}

fn revoke(schemas: &mut Schemas) -> Operation {
    Operation::new(
        "revokeRecording",
        "Calls",
        "Ends all links to a recording that were given away; the CRM gets a new one",
    )
    .takes(schemas.body::<revoke::Given>())
    .answers(200, "Revoked: the recording with its new link.", schemas.answer::<RecordingView>())
    .refuses(409, "Another generation stands there by now, or the link is none of ours.")
}

fn quarantined(schemas: &mut Schemas) -> Operation {
    Operation::new("listQuarantine", "Quarantine", "Webhooks that were refused, the newest first, without their bodies")
        .text("channel", "Of one channel.")
        .pages()
        .answers(200, "A page.", schemas.answer::<Quarantine>())
}

fn release(schemas: &mut Schemas) -> Operation {
    Operation::new("releaseRequest", "Quarantine", "Puts one back: the same bytes go through verification again")
        .answers(200, "It is on its way.", schemas.answer::<Released>())
        .refuses(409, "Only its digest was kept.")
}

fn release_channel(schemas: &mut Schemas) -> Operation {
    Operation::new(
        "releaseChannel",
        "Quarantine",
        "Puts back what a channel still holds, the oldest first, 500 at a time",
    )
    .takes(schemas.body::<quarantine::Channel>())
    .answers(200, "What is on its way, and whether there is more.", schemas.answer::<ReleasedOfChannel>())
}

fn channels(schemas: &mut Schemas) -> Operation {
    let summary =
        "Channels: what came last, and why nothing comes. Their webhook addresses for those who may configure";
    Operation::new("listChannels", "Channels", summary).answers(200, "All of them.", schemas.answer::<Channels>())
}

fn disable(schemas: &mut Schemas) -> Operation {
    Operation::new(
        "disableChannel",
        "Channels",
        "Switches a channel of chats off: first what that does, then, with the consent, does it",
    )
    .takes(schemas.body::<disable::Given>())
    .answers(200, "What it would do; nothing is changed.", schemas.answer::<WhatDisablingDoes>())
    .answers(202, "It is off; conversations are being closed.", schemas.answer::<SwitchedOff>())
    .refuses(409, "Not a channel of chats; or a consent to something else, too old, or to other settings.")
}

fn authorise(schemas: &mut Schemas) -> Operation {
    Operation::new("authoriseChannel", "Channels", "The provider's page where an account gives us access")
        .answers(200, "The page, for a program.", schemas.answer::<WayToProvider>())
        .answers_bare(303, "To that page, for a browser (`Accept: text/html`).")
        .refuses(409, "This channel has keys or tokens of its own.")
}

fn users(schemas: &mut Schemas) -> Operation {
    let summary = "Who works at the PBX of a channel, as it told last, and what does not match the settings";
    Operation::new("listUsers", "Channels", summary).answers(
        200,
        "What it told; if that was before these settings, it is asked anew.",
        schemas.answer::<Users>(),
    )
}

fn urls(schemas: &mut Schemas) -> Operation {
    Operation::new("listUrls", "Channels", "The webhook addresses, which are secrets").answers(
        200,
        "All of them.",
        schemas.answer::<Urls>(),
    )
}

fn subscribe(schemas: &mut Schemas) -> Operation {
    Operation::new("tellUrls", "Channels", "Tells the addresses to those providers that are told by a request").answers(
        202,
        "Jobs are on their way.",
        schemas.answer::<Told>(),
    )
}

fn connections(schemas: &mut Schemas) -> Operation {
    Operation::new(
        "listConnections",
        "Connections",
        "How the connections to the CRM and to providers are doing, with their jobs",
    )
    .answers(200, "All of them.", schemas.answer::<Connections>())
}

fn retry_connection(schemas: &mut Schemas) -> Operation {
    Operation::new("retryConnection", "Connections", "Ends a pause")
        .answers(202, "It is looked at.", schemas.answer::<Woken>())
        .refuses(409, "It is disconnected.")
}

fn retry_job(schemas: &mut Schemas) -> Operation {
    Operation::new("retryJob", "Connections", "Puts a failed or parked job back; it keeps what it made")
        .answers(200, "The job now.", schemas.answer::<JobView>())
        .refuses(409, "Open, done or changed meanwhile; or its connection is off, or its address in use.")
}

fn jobs(schemas: &mut Schemas) -> Operation {
    let states = json!({ "type": "string", "enum": ["open", "failed", "parked"] });
    Operation::new("listJobs", "Connections", "Jobs that wait for a person, the newest first")
        .query("state", states, "One state; `open`: those on their way.")
        .answers(200, "At most 100 of each connection.", schemas.answer::<Jobs>())
}

fn settings(schemas: &mut Schemas) -> Operation {
    Operation::new("getSettings", "Settings", "The newest settings, their secrets hidden").answers(
        200,
        "The settings.",
        schemas.answer::<SettingsView>(),
    )
}

fn put_settings(schemas: &mut Schemas) -> Operation {
    let words = "The settings as docs/settings.schema.json describes them, with all secrets.";
    let dry_run = json!({ "type": "string", "enum": ["true"] });
    Operation::new("putSettings", "Settings", "Applies settings, whole or not at all")
        .query("dry_run", dry_run, "Only says what would change.")
        .text("source", "Name of the file they come from.")
        .takes(json!({ "type": "object", "description": words }))
        .answers(200, "Applied; or what would change.", schemas.answer::<PutSettings>())
        .answers(422, "All that is wrong with them.", schemas.answer::<Faults>())
}

fn events() -> Operation {
    let summary = "Facts as they come: server-sent events, on one machine alone. docs/api.md has their names";
    let last = json!({ "name": "Last-Event-ID", "in": "header", "schema": { "type": "string" },
        "description": "The last that was read: what was missed is told first." });
    Operation::new("listen", "Events", summary)
        .parameter(last)
        .answers_media(200, "The stream; it ends after ten minutes at most.", "text/event-stream")
        .refuses(501, "The cloud does not stream: there the facts are on the bus.")
        .refuses(503, "200 readers listen already; or the store did not answer.")
}

fn make_token(schemas: &mut Schemas) -> Operation {
    Operation::new("makeToken", "Settings", "A token for an employee; nobody gives more than they have")
        .takes(schemas.body::<tokens::Wanted>())
        .answers(201, "The token.", schemas.answer::<TokenMade>())
}
