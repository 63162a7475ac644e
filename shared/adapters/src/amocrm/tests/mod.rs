//! Specs of the amoCRM adapter: a small engine plays jobs against scripted answers.
//!
//! Requests are compared with the golden files in `events/amocrm/out`; `UPDATE_EXPECTED=1`
//! rewrites them.

// Golden requests are files, and one variable rewrites them.
#![allow(clippy::disallowed_methods)]

mod amend;
mod answers;
mod broken;
mod calls;
mod find;
mod hook;
mod join;
mod outside;
mod popup;
mod records;
mod settings;
mod users;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use perezvon_domain::time::Millis;
use perezvon_domain::{Command, CrmId, EffectId, JobResult, Number, Timestamp};
use serde_json::{Value, json};

use super::{AmoJobs, MARKERS};
use crate::jobs::{Jobs, Known, Outcome, Outgoing, PointKnown, PointNews, Reply, Step, Work};
use crate::secret::Secret;

const BASE: &str = "https://example.amocrm.ru";
const NOW: Timestamp = Timestamp::from_seconds(1_736_936_430);
const EFFECT: &str = "call/pbx-1/entry-1/3/0";

/// The golden requests, all of them.
const GOLDEN: [&str; 39] = [
    "amend-complete",
    "amend-complete-look",
    "amend-correct",
    "amend-correct-look",
    "amend-reassign-contact",
    "amend-reassign-contact-look",
    "amend-reassign-deal",
    "amend-reassign-task",
    "amend-recording",
    "amend-recording-look",
    "amend-recording-note",
    "find-contact",
    "find-outside",
    "find-search",
    "join-change",
    "join-note",
    "join-note-look",
    "join-read",
    "log-call",
    "log-call-look-contact",
    "log-call-look-deal",
    "log-call-look-further",
    "log-call-note",
    "make-contact",
    "make-contact-field",
    "make-contact-field-list",
    "make-contact-outside",
    "make-deal",
    "make-deal-look",
    "make-deal-look-contact",
    "make-field",
    "make-field-list",
    "make-task",
    "make-task-look",
    "popup",
    "read-cards",
    "read-cards-deals",
    "read-users",
    "read-users-further",
];

/// The sample answers, all of them.
const SAMPLES: [&str; 11] = [
    "call-nobody",
    "call-placed",
    "contact-created",
    "contacts-found",
    "deal-created",
    "error-unauthorized",
    "error-validation",
    "notes-created",
    "popup-shown",
    "task-created",
    "token",
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events/amocrm").join(name)
}

fn sample(name: &str) -> Value {
    assert!(SAMPLES.contains(&name), "{name} is not in the list of samples");
    let path = folder("in").join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).expect("a sample")).expect("JSON")
}

fn golden(name: &str, request: &Outgoing) {
    assert!(GOLDEN.contains(&name), "{name} is not in the list of golden files");
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let path = request.url.strip_prefix(BASE).expect("our base");
    let shown = json!({ "method": request.method, "path": path, "body": body });
    let file = folder("out").join(format!("{name}.json"));
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = serde_json::to_string_pretty(&shown).expect("text") + "\n";
        std::fs::write(&file, text).expect("written");
    }
    let bytes = std::fs::read(&file).expect("a golden file; UPDATE_EXPECTED=1 makes it");
    let expected: Value = serde_json::from_slice(&bytes).expect("JSON");
    assert_eq!(shown, expected, "{name}");
}

fn number() -> Number {
    Number::parse("+79990001122").expect("a number")
}

fn reply(status: u16, body: &Value) -> Reply {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    Reply { status, headers: BTreeMap::new(), body, stored: None }
}

/// A job and what the engine knows about it. Strict: what is learned is kept only after `Next`.
struct Play {
    work: Work,
    facts: BTreeMap<String, String>,
    point: PointKnown,
    news: Option<PointNews>,
    dismissed: Option<Vec<CrmId>>,
    secret: Secret,
    now: Timestamp,
    link: Option<String>,
    lag: Option<Millis>,
}

impl Play {
    fn new(command: Command) -> Self {
        let work = Work {
            id: EffectId::from(EFFECT),
            command,
            progress: BTreeMap::new(),
            unknown: false,
            sent_at: None,
            learned: Default::default(),
        };
        let secret = Secret(BTreeMap::from([("token".into(), "TEST-TOKEN".into())]));
        Self {
            work,
            facts: BTreeMap::new(),
            point: PointKnown::default(),
            news: None,
            dismissed: None,
            secret,
            now: NOW,
            link: None,
            lag: None,
        }
    }

    fn known(&self) -> Known<'_> {
        Known {
            now: self.now,
            base: BASE,
            secret: &self.secret,
            facts: &self.facts,
            point: Some(&self.point),
            recording_link: self.link.as_deref(),
            lag: self.lag,
        }
    }

    fn next(&self) -> Step {
        AmoJobs.next(&self.work, &self.known())
    }

    /// Gives an answer to whatever was sent and does what the engine does with its meaning.
    fn absorb(&mut self, reply: &Reply) -> Outcome {
        let mut work = self.work.clone();
        let outcome = AmoJobs.absorb(&mut work, &self.known(), reply);
        match &outcome {
            Outcome::Next => {
                let learned = std::mem::take(&mut work.learned);
                self.facts.extend(learned.facts);
                self.dismissed = learned.dismissed.or(self.dismissed.take());
                if let Some(news) = learned.point {
                    self.point.contact = news.contact.clone();
                    self.news = Some(news);
                }
                let row = serde_json::to_string(&work).expect("a row");
                self.work = serde_json::from_str(&row).expect("the same work");
                self.work.unknown = false;
            }
            Outcome::NotThere => self.work.unknown = false,
            Outcome::Unknown { .. } => self.work.unknown = true,
            _ => {}
        }
        outcome
    }

    /// A read is next; compares it with its golden file and answers it.
    fn read(&mut self, name: &str, status: u16, body: &Value) -> Outcome {
        let Step::Read(request) = self.next() else {
            panic!("{name}: a read, not {:?}", self.next());
        };
        if !name.is_empty() {
            golden(name, &request);
        }
        self.absorb(&reply(status, body))
    }

    /// A write with this marker is next; compares it with its golden file and answers it.
    fn write(&mut self, name: &str, entity: &str, status: u16, body: &Value) -> Outcome {
        let Step::Write { request, marker } = self.next() else {
            panic!("{name}: a write, not {:?}", self.next());
        };
        assert_eq!(MARKERS[marker].entity, entity, "{name}");
        if !name.is_empty() {
            golden(name, &request);
        }
        self.absorb(&reply(status, body))
    }

    /// A write with this marker is next, and its answer never comes.
    fn lose(&mut self, entity: &str) {
        let Step::Write { marker, .. } = self.next() else {
            panic!("a write, not {:?}", self.next());
        };
        assert_eq!(MARKERS[marker].entity, entity);
        self.work.unknown = true;
    }

    fn done(&self) -> JobResult {
        match self.next() {
            Step::Done(result) => result,
            other => panic!("done, not {other:?}"),
        }
    }
}

fn crm(id: &str) -> CrmId {
    CrmId::from(id)
}

#[test]
fn every_file_in_the_events_folder_is_used() {
    for (name, expected) in [("in", &SAMPLES[..]), ("out", &GOLDEN[..])] {
        let files = std::fs::read_dir(folder(name)).expect("a folder");
        let found: BTreeSet<String> =
            files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        // Webhooks have an index of their own.
        let found: BTreeSet<String> = found.into_iter().filter(|name| !name.ends_with(".body")).collect();
        let expected: BTreeSet<String> = expected.iter().map(|name| format!("{name}.json")).collect();
        let orphans: Vec<_> = found.difference(&expected).collect();
        assert!(orphans.is_empty(), "nothing uses {orphans:?}");
    }
}

#[test]
fn markers_stand_where_their_kinds_say() {
    let kinds: Vec<&str> = AmoJobs.markers().iter().map(|marker| marker.entity).collect();
    assert_eq!(kinds, ["contact", "deal", "task", "call", "field", "note", "patch", "popup"]);
}
