//! A job row: a command on its way to the outside, with state, step and retry time.

use std::collections::BTreeMap;

use perezvon_domain::effect::{JobOrder, Prev};
use perezvon_domain::{AccountId, Command, ConnectionId, EffectId, JobResult, Point, Timestamp};
use serde::{Deserialize, Serialize};

use super::pack::packed;
use super::{SCHEMA, json, json_or_default, text};
use crate::keys::{self, Key};
use crate::table::{Condition, Row, TableError, Update, Value};

/// How long a row stays after its job has ended, in seconds: a late hand-over must find it.
const KEPT_SECONDS: i64 = 30 * 86_400;

/// State of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Ready,
    /// Not before `retry_at`.
    Waiting,
    Done,
    /// Given up with a reason.
    Failed,
    /// For a person to decide.
    Parked,
}

impl JobState {
    /// Still to be worked on.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Waiting)
    }
}

/// A request was announced and has no receipt yet: its outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The lease it was sent under.
    pub lease: i64,
    /// When it was announced, just before it was sent.
    #[serde(default)]
    pub sent_at: Timestamp,
    /// Not before this may anybody ask what became of it.
    pub ask_at: Timestamp,
    /// Index of its marker in the adapter's list.
    pub marker: usize,
}

/// A job as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub account: AccountId,
    pub connection: ConnectionId,
    pub at: Timestamp,
    pub id: EffectId,
    pub command: Command,
    pub points: Vec<Point>,
    pub prev: Option<Prev>,
    pub state: JobState,
    /// Raised by every write; a worker with an old one is refused.
    pub rev: i64,
    pub progress: BTreeMap<String, String>,
    pub intent: Option<Intent>,
    pub retry_at: Option<Timestamp>,
    /// Why it waits or failed.
    pub why: Option<String>,
    /// How often it was put off in a row.
    pub tries: i64,
    pub result: Option<JobResult>,
}

/// Where an open job stands in line.
fn open_place(command: &Command, at: Timestamp, id: &EffectId) -> String {
    match command {
        _ if command.is_of_the_moment() => keys::first_place(at, id),
        _ if command.is_in_no_hurry() => keys::last_place(at, id),
        _ => keys::job_place(at, id),
    }
}

impl JobRow {
    /// The row's key.
    pub fn key(&self) -> Key {
        keys::job(&self.account, &self.connection, self.at, &self.id)
    }

    /// The write that puts the job there unless it is there already (!14). A job too old to be sent unseen is parked.
    pub fn put(account: &AccountId, at: Timestamp, id: &EffectId, order: &JobOrder, parked: bool) -> Update {
        let key = keys::job(account, &order.connection, at, id);
        let state = if parked { JobState::Parked } else { JobState::Ready };
        let update = Update::new(key)
            .set("schema", SCHEMA)
            .set("at", at.0)
            .set("id", id.0.clone())
            .set("job_state", text(&state))
            .set("rev", 0)
            .set("command", packed(&order.command))
            .set("points", text(&order.points))
            .set("prev", text(&order.prev))
            .when(Condition::Absent);
        if parked {
            let why = "слишком долго ждало передачи: след прежней попытки мог стереться, решите сами, повторить ли";
            return update.set("why", why).set("open", keys::stopped_place(at, id));
        }
        update.set("open", open_place(&order.command, at, id))
    }

    /// The same, and nothing is done about it before this time.
    pub fn put_for(account: &AccountId, at: Timestamp, id: &EffectId, order: &JobOrder) -> Update {
        Self::put(account, at, id, order, false).set("retry_at", at.0)
    }

    /// Reads the row.
    pub fn read(account: &AccountId, connection: &ConnectionId, row: &Row) -> Result<Self, TableError> {
        Ok(Self {
            account: account.clone(),
            connection: connection.clone(),
            at: Timestamp(row.n("at").unwrap_or_default()),
            id: EffectId(row.s("id").unwrap_or_default().to_owned()),
            command: json(row, "command")?,
            points: json(row, "points")?,
            prev: json_or_default(row, "prev")?,
            state: json(row, "job_state")?,
            rev: row.n("rev").unwrap_or_default(),
            progress: json_or_default(row, "progress")?,
            intent: json_or_default(row, "intent")?,
            retry_at: row.n("retry_at").map(Timestamp),
            why: row.s("why").map(str::to_owned),
            tries: row.n("tries").unwrap_or_default(),
            result: json_or_default(row, "result")?,
        })
    }

    /// Writes what can change, under the `rev` that was read (!41), and raises it.
    pub fn save(&mut self, now: Timestamp) -> Update {
        let seen = self.rev;
        self.rev += 1;
        let mut update = Update::new(self.key())
            .set("rev", self.rev)
            .set("job_state", text(&self.state))
            .set("progress", text(&self.progress))
            .set("tries", self.tries)
            .when(Condition::Eq("rev".to_owned(), Value::N(seen)));
        update = match &self.intent {
            Some(intent) => update.set("intent", text(intent)),
            None => update.remove("intent"),
        };
        update = match self.retry_at {
            Some(at) => update.set("retry_at", at.0),
            None => update.remove("retry_at"),
        };
        update = match &self.why {
            Some(why) => update.set("why", why.clone()),
            None => update.remove("why"),
        };
        if let Some(result) = &self.result {
            update = update.set("result", packed(result));
        }
        if self.state.is_open() {
            // Opened again by a person: back into the index, and it must not expire.
            return update.set("open", open_place(&self.command, self.at, &self.id)).remove("expires");
        }
        // The time to live is set when a job ends, never at the put (!14).
        let update = update.set("expires", now.seconds() + KEPT_SECONDS);
        match self.state {
            // Found by people, and behind everything that a worker looks at.
            JobState::Failed | JobState::Parked => update.set("open", keys::stopped_place(self.at, &self.id)),
            _ => update.remove("open"),
        }
    }

    /// When it can be worked on: now if ready, else its retry or ask time.
    pub fn due(&self) -> Timestamp {
        let ask = self.intent.as_ref().map_or(Timestamp::default(), |intent| intent.ask_at);
        self.retry_at.unwrap_or_default().max(ask)
    }
}
