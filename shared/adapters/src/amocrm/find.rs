//! `FindClient`: who is known by this number, or by this id?

use perezvon_domain::job::FoundClient;
use perezvon_domain::{ClientId, JobResult};

use super::search;
use crate::jobs::{Known, Step, Work};

/// Searches until the search is over.
pub(super) fn next(work: &Work, known: &Known<'_>, client: &ClientId) -> Step {
    let Some(found) = search::result(work) else {
        return Step::Read(search::ask(work, known, client));
    };
    let duplicates = found.duplicates;
    Step::Done(JobResult::ClientFound(found.contact.map(|contact| FoundClient {
        contact: contact.id,
        name: contact.name,
        responsible: contact.responsible,
        duplicates,
    })))
}
