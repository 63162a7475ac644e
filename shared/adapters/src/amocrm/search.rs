//! Who is known by this number, or by this id? Used by every command that needs a contact.

use std::collections::BTreeSet;

use perezvon_domain::{ClientId, CrmId, Number};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Sent, embedded, goes_on, hear, id, integer, items, text, truth};
use super::memory::{GONE, Memory, SEARCH};
use super::{failed, request, wire};
use crate::jobs::{Known, Outcome, Outgoing, PointNews, Reply, Work};

const PAGES: u32 = 5;

/// A contact that has exactly this number or this marker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Candidate {
    pub id: CrmId,
    pub name: String,
    pub responsible: Option<CrmId>,
    updated: i64,
}

impl Candidate {
    /// Reads a contact; `None` unless it is there and is the client.
    pub(super) fn read(contact: &Value, client: &ClientId) -> Option<Self> {
        if truth(&contact["is_deleted"]) || !has(contact, client) {
            return None;
        }
        Some(Self {
            id: id(&contact["id"])?,
            name: text(&contact["name"]),
            responsible: id(&contact["responsible_user_id"]),
            updated: integer(&contact["updated_at"]).unwrap_or_default(),
        })
    }

    /// Greater is better: the most recently active, then the youngest.
    fn rank(&self) -> (i64, u64) {
        (self.updated, self.id.as_str().parse().unwrap_or_default())
    }

    /// The better of two.
    pub(super) fn better(self, other: Self) -> Self {
        if other.rank() > self.rank() { other } else { self }
    }
}

/// A hit of amoCRM's search is only a candidate: it looks at all texts, and at any spelling.
fn has(contact: &Value, client: &ClientId) -> bool {
    let values = |code: &'static str| {
        let fields = items(&contact["custom_fields_values"]).filter(move |field| text(&field["field_code"]) == code);
        fields.flat_map(|field| items(&field["values"])).map(|value| text(&value["value"]))
    };
    match client {
        ClientId::Phone(number) => values("PHONE").any(|value| Number::parse(&value).as_ref() == Some(number)),
        ClientId::Outside { outside } => values(wire::FIELD_CODE).any(|value| value == outside.as_str()),
    }
}

/// How far a search is.
#[derive(Default, Serialize, Deserialize)]
struct Search {
    /// Pages already read.
    pages: u32,
    best: Option<Candidate>,
    equals: BTreeSet<CrmId>,
    /// The search index lags: this contact is asked for by its id.
    by_id: Option<CrmId>,
    over: bool,
}

/// What a search came to.
pub(super) struct Found {
    pub contact: Option<Candidate>,
    /// Further contacts of the same client.
    pub duplicates: u32,
}

/// The result, once the search is over.
pub(super) fn result(work: &Work) -> Option<Found> {
    let search: Search = work.read(SEARCH).filter(|search: &Search| search.over)?;
    let duplicates = search.duplicates();
    Some(Found { contact: search.best, duplicates })
}

/// Where the list of candidates is.
pub(super) fn list(client: &ClientId) -> String {
    let query = match client {
        ClientId::Phone(number) => number.last_ten(),
        ClientId::Outside { outside } => outside.as_str(),
    };
    let pairs = [("query", query), ("with", "leads"), ("limit", "50")];
    request::with_query("contacts", &pairs)
}

/// The next request of a search that is not over.
pub(super) fn ask(work: &Work, known: &Known<'_>, client: &ClientId) -> Outgoing {
    let search: Search = work.read(SEARCH).unwrap_or_default();
    match search.by_id {
        Some(contact) => request::get(known, &format!("contacts/{contact}")),
        None => request::get(known, &request::page(&list(client), search.pages + 1)),
    }
}

/// Takes the answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, client: &ClientId, reply: &Reply) -> Outcome {
    let mut search: Search = work.read(SEARCH).unwrap_or_default();
    let body = match hear(known, reply, Sent::Read) {
        Answer::Said(body) => body,
        Answer::Nothing => Value::Null,
        Answer::Refused(refusal) if refusal.status == 404 && search.by_id.is_some() => Value::Null,
        Answer::Refused(refusal) => {
            return Outcome::Failed(failed(refusal.words("поиск контакта")));
        }
        Answer::Settled(outcome) => return outcome,
    };
    if search.by_id.take().is_some() {
        search.take(Candidate::read(&body, client));
        search.over = true;
    } else {
        embedded(&body, "contacts").for_each(|one| search.take(Candidate::read(one, client)));
        search.pages += 1;
        if !goes_on(&body) || search.pages >= PAGES {
            search.by_id = just_made(work, known).filter(|_| search.best.is_none());
            search.over = search.by_id.is_none();
        }
    }
    if search.over {
        work.learned.point = Some(news(client, search.best.as_ref(), search.duplicates()));
    }
    work.store(SEARCH, &search);
    Outcome::Next
}

/// The contact we know from its row, unless it turned out to be gone.
pub(super) fn just_made(work: &Work, known: &Known<'_>) -> Option<CrmId> {
    let contact = known.point.and_then(|point| point.contact.clone())?;
    (work.id(GONE).as_ref() != Some(&contact)).then_some(contact)
}

fn news(client: &ClientId, contact: Option<&Candidate>, duplicates: u32) -> PointNews {
    PointNews {
        client: client.clone(),
        contact: contact.map(|contact| contact.id.clone()),
        name: contact.map(|contact| contact.name.clone()).unwrap_or_default(),
        responsible: contact.and_then(|contact| contact.responsible.clone()),
        duplicates,
        made: false,
    }
}

impl Search {
    fn duplicates(&self) -> u32 {
        u32::try_from(self.equals.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    fn take(&mut self, candidate: Option<Candidate>) {
        let Some(candidate) = candidate else { return };
        self.equals.insert(candidate.id.clone());
        self.best = Some(match self.best.take() {
            Some(best) => best.better(candidate),
            None => candidate,
        });
    }
}
