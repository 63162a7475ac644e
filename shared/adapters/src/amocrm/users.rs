//! `ReadDismissed`: which users of the account do not work there any more?

use perezvon_domain::{CrmId, JobResult};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Sent, embedded, goes_on, hear, id, truth};
use super::memory::Memory;
use super::{failed, request};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// How far the list is.
const USERS: &str = "users";
/// An account with more users than 250 times this is taken to be a mistake.
const PAGES: u32 = 20;
/// So many dismissed are kept, the youngest: each decision reads them.
const KEPT: usize = 200;

#[derive(Default, Serialize, Deserialize)]
struct Users {
    /// Pages already read.
    pages: u32,
    count: u32,
    dismissed: Vec<CrmId>,
    over: bool,
}

pub(super) fn next(work: &Work, known: &Known<'_>) -> Step {
    let users: Users = work.read(USERS).unwrap_or_default();
    if users.over {
        return Step::Done(JobResult::UsersRead { users: users.count });
    }
    let list = request::with_query("users", &[("limit", "250")]);
    Step::Read(request::get(known, &request::page(&list, users.pages + 1)))
}

pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    let mut users: Users = work.read(USERS).unwrap_or_default();
    // Only administrators see the users: what nobody else needs must not stop the connection.
    if reply.status == 403 {
        users.over = true;
        work.store(USERS, &users);
        return Outcome::Next;
    }
    match hear(known, reply, Sent::Read) {
        Answer::Said(body) => {
            for user in embedded(&body, "users") {
                users.count += 1;
                let active = &user["rights"]["is_active"];
                users.dismissed.extend(id(&user["id"]).filter(|_| !active.is_null() && !truth(active)));
            }
            users.pages += 1;
            users.over = !goes_on(&body) || users.pages >= PAGES;
        }
        Answer::Nothing => users.over = true,
        Answer::Refused(refusal) => return Outcome::Failed(failed(refusal.words("список пользователей"))),
        Answer::Settled(outcome) => return outcome,
    }
    if users.over {
        let surplus = users.dismissed.len().saturating_sub(KEPT);
        work.learned.dismissed = Some(users.dismissed.split_off(surplus));
    }
    work.store(USERS, &users);
    Outcome::Next
}
