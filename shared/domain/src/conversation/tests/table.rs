//! The table of ARCHITECTURE.md, made by the code: every state, every event, what comes of it.

use super::*;

const BEGIN: &str = "<!-- state x event: begin -->\n";
const END: &str = "<!-- state x event: end -->";

/// States by name, each in an example.
fn states() -> Vec<(&'static str, Life)> {
    let mut waits = Life::new();
    waits.client(at(12, 0));
    waits.timers(at(12, 5));
    let mut sending = Life::new();
    sending.it = waits.it.clone();
    waits.deliver(at(12, 5));
    let mut answered = Life::new();
    answered.client(at(12, 0));
    answered.reply(at(12, 10));
    answered.deliver(at(12, 10));
    let mut closed = Life::new();
    closed.it = answered.it.clone();
    closed.close(at(12, 11));
    closed.deliver(at(12, 11));
    vec![
        ("New", Life::new()),
        ("Open, the client waits", waits),
        ("Open, a send has no result", sending),
        ("Open, answered", answered),
        ("Closed", closed),
    ]
}

/// Events by name: when each occurred, when it is received, what it is.
fn events() -> Vec<(&'static str, Timestamp, Timestamp, Kind)> {
    let now = at(12, 15);
    let by = || EmployeeId::from("anna");
    let sent = JobResult::Chat(ChatResult::Sent { message: "ours".into() });
    let first = EffectId("chat/ads/u2i-1/2/0".into());
    vec![
        ("MessageReceived (client)", now, now, message("c", Author::Client)),
        ("MessageReceived (client), over 15 minutes late", at(11, 59), now, message("c", Author::Client)),
        ("MessageReceived (agent outside)", now, now, message("o", Author::Agent)),
        ("MessageReceived (system)", now, now, message("s", Author::System)),
        ("MessageDeleted", now, now, Kind::MessageDeleted { message: "elsewhere".into() }),
        ("ClientKnown", now, now, Kind::ClientKnown(ClientFacts { name: Some("Олег".into()), ..Default::default() })),
        ("ClientLeft", now, now, Kind::ClientLeft),
        ("ReplyWritten", now, now, reply("Да")),
        ("ImageReplied", now, now, Kind::ImageReplied { by: by(), image: image() }),
        ("NoteWritten", now, now, Kind::NoteWritten { by: by(), text: "Важно".into() }),
        ("Assigned", now, now, Kind::Assigned { by: by(), to: Some(by()) }),
        ("ClosedByAgent", now, now, Kind::ClosedByAgent { by: by() }),
        ("Opened", now, now, Kind::Opened { by: by() }),
        ("DeletionAsked", now, now, Kind::DeletionAsked { by: by(), message: "ours".into() }),
        ("VoiceAsked", now, now, Kind::VoiceAsked { by: by(), message: "v".into(), voice: "v-1".into() }),
        ("ChannelDisabled", now, now, Kind::ChannelDisabled),
        ("ChannelSuperseded", now, now, Kind::ChannelSuperseded),
        ("JobEnded (sent)", now, now, Kind::JobEnded { effect: first, result: sent }),
        ("ReplyDue, early", now, now, Kind::ReplyDue),
        ("ReplyDue", at(12, 20), at(12, 20), Kind::ReplyDue),
        ("CloseDue, early", now, now, Kind::CloseDue),
        ("CloseDue", at(60, 15), at(60, 15), Kind::CloseDue),
    ]
}

fn table() -> String {
    let states = states();
    let names: Vec<&str> = states.iter().map(|(name, _)| *name).collect();
    let mut table = format!("| event | {} |\n|{}\n", names.join(" | "), " --- |".repeat(names.len() + 1));
    for (name, occurred, received, kind) in events() {
        let cells: Vec<String> =
            states.iter().map(|(_, life)| cell(life, event(occurred, received, kind.clone()))).collect();
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    table
}

fn cell(life: &Life, event: ConversationEvent) -> String {
    let decision = decide(&life.it, std::slice::from_ref(&event), &life.policy, event.received_at);
    if !decision.changed {
        return "-".to_owned();
    }
    let next = decision.next;
    let mut parts = Vec::new();
    if std::mem::discriminant(&next.state) != std::mem::discriminant(&life.it.state) {
        parts.push(format!("**{}**", if next.state == State::Open { "Open" } else { "Closed" }));
    }
    parts.extend(decision.effects.iter().map(describe));
    parts.extend(moved("reply_due", reply_due(&life.it, &life.policy), decision.reply_due));
    parts.extend(moved("close_due", close_due(&life.it, &life.policy), decision.close_due));
    if parts.is_empty() { "noted".to_owned() } else { parts.join(", ") }
}

fn moved(name: &str, before: Option<Timestamp>, after: Option<Timestamp>) -> Option<String> {
    let sign = match (before, after) {
        (before, after) if before == after => return None,
        (_, None) => "-",
        (None, Some(_)) => "+",
        (Some(_), Some(_)) => "~",
    };
    Some(format!("{sign}{name}"))
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a golden file: this test reads it, and rewrites it on demand")]
fn the_table_in_architecture_is_what_the_code_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
    let paper = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let (head, rest) = paper.split_once(BEGIN).expect("the mark where the table begins");
    let (kept, tail) = rest.split_once(END).expect("the mark where the table ends");
    let table = table();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(path, format!("{head}{BEGIN}{table}{END}{tail}")).expect("a writable file");
        return;
    }
    assert!(kept == table, "UPDATE_EXPECTED=1 rewrites the table; the code says:\n{table}");
}

#[test]
fn every_event_stands_in_the_table() {
    let table = table();
    let kinds = [
        message("c", Author::Client),
        Kind::ClientLeft,
        reply("Да"),
        Kind::ReplyDue,
        Kind::CloseDue,
        Kind::ChannelDisabled,
    ];
    assert!(kinds.iter().all(|kind| table.contains(kind.name())));
    for (name, _, _, kind) in events() {
        assert!(name.starts_with(kind.name()), "{name}");
    }
}
