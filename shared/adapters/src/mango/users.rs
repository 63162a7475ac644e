//! Who works at the PBX: its employees, then its groups.

use perezvon_domain::{Directory, Extension, JobResult, Listed};
use serde::Serialize;
use serde_json::Value;

use super::query;
use crate::fields::Fields;
use crate::intake::Malformed;
use crate::jobs::{Known, Outcome, Reply, Step, Work};

use super::answer::failed;

const USERS: &str = "config/users/request";
const GROUPS: &str = "groups";
/// The employees, until the groups are there too.
const LISTED: &str = "users";
/// How many there are, until the job ends.
const TOLD: &str = "told";

#[derive(Serialize)]
struct Users {
    /// Without it no login is told.
    ext_fields: [&'static str; 1],
}

#[derive(Serialize)]
struct Groups {
    show_users: u8,
}

/// What to ask next.
pub(super) fn next(work: &Work, known: &Known<'_>) -> Step {
    if let Some(users) = work.progress.get(TOLD) {
        return Step::Done(JobResult::UsersRead { users: users.parse().unwrap_or_default() });
    }
    if work.progress.contains_key(LISTED) {
        return Step::Read(query::post(GROUPS, &Groups { show_users: 0 }, known));
    }
    query::slow(USERS, &Users { ext_fields: ["general.login"] }, known)
}

/// What an answer means.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let users = work.progress.get(LISTED).and_then(|users| serde_json::from_str(users).ok());
    let name = if users.is_some() { "groups" } else { "users" };
    if users.is_none() {
        query::asked(USERS, work, known);
    }
    let Some(list) = answer[name].as_array().filter(|_| reply.status == 200) else {
        return query::refused(work, known, reply);
    };
    let read = if users.is_some() { group } else { user };
    let listed: Vec<Listed> = match list.iter().map(read).collect() {
        Ok(listed) => listed,
        Err(Malformed(why)) => return Outcome::Failed(failed(format!("список сотрудников АТС не разобран: {why}"))),
    };
    match users {
        None => {
            // Our own words always have a JSON form.
            work.progress.insert(LISTED.to_owned(), serde_json::to_string(&listed).unwrap_or_default());
        }
        Some(users) => {
            let directory = Directory { users, groups: listed }.bounded();
            work.progress.insert(TOLD.to_owned(), directory.users.len().to_string());
            work.progress.remove(LISTED);
            work.learned.directory = Some(directory);
        }
    }
    Outcome::Next
}

fn user(user: &Value) -> Result<Listed, Malformed> {
    let fields = Fields::of(user)?;
    let general = fields.object("general")?;
    let extension = fields.object("telephony")?.text("extension")?.map(Extension);
    Ok(Listed { name: general.text("name")?.unwrap_or_default(), extension, login: general.text("login")? })
}

fn group(group: &Value) -> Result<Listed, Malformed> {
    let fields = Fields::of(group)?;
    let extension = fields.text("extension")?.map(Extension);
    Ok(Listed { name: fields.text("name")?.unwrap_or_default(), extension, login: None })
}
