//! `users_info`: who works in the domain.

use perezvon_domain::{Directory, Extension, JobResult, Listed};
use serde::Serialize;
use serde_json::Value;

use super::answer::{self, Answer, failed};
use super::request;
use crate::fields::Fields;
use crate::intake::Malformed;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// How many there are, until the job ends.
const TOLD: &str = "told";

/// Everybody of the domain whose key signs.
#[derive(Serialize)]
struct All {}

pub(super) fn next(work: &Work, known: &Known<'_>) -> Step {
    match work.progress.get(TOLD) {
        Some(users) => Step::Done(JobResult::UsersRead { users: users.parse().unwrap_or_default() }),
        None => Step::Read(request::post("users_info", &All {}, known)),
    }
}

pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    let answer = match answer::read(reply, known) {
        Answer::Trouble(outcome) => return outcome,
        Answer::Refused { code, words } => return Outcome::Failed(failed(answer::refusal(&code, &words))),
        Answer::Done(answer) => answer,
    };
    // One alone comes without a list around it.
    let listed: Result<Vec<Listed>, Malformed> = match &answer["users"] {
        Value::Array(users) => users.iter().map(user).collect(),
        Value::Null => Ok(Vec::new()),
        one => user(one).map(|user| vec![user]),
    };
    match listed {
        Ok(users) => {
            let directory = Directory { users, groups: Vec::new() }.bounded();
            work.progress.insert(TOLD.to_owned(), directory.users.len().to_string());
            work.learned.directory = Some(directory);
            Outcome::Next
        }
        Err(Malformed(why)) => Outcome::Failed(failed(format!("список сотрудников АТС не разобран: {why}"))),
    }
}

fn user(user: &Value) -> Result<Listed, Malformed> {
    let fields = Fields::of(user)?;
    let login = fields.text("name")?;
    let name = fields.text("display_name")?.or_else(|| login.clone()).unwrap_or_default();
    Ok(Listed { name, extension: fields.text("pin")?.map(Extension), login })
}
