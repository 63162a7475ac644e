//! `JoinPhone`: a contact gets a number that its client wrote. Contacts cannot be made one by us, so if another one
//! has the number, a note at this one says which.

use perezvon_domain::job::{Amendment, Logged};
use perezvon_domain::{ClientId, CrmId, JobResult, Number};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, Sent, hear, id, items, text};
use super::memory::{DONE, Memory};
use super::{Made, amend, failed, request, search, write};
use crate::jobs::{Known, Outcome, PointNews, Reply, Step, Work};

/// Where the contact is kept as it was read.
const CARD: &str = "card";

/// What a change must know of a contact: all its numbers, because a change replaces them.
#[derive(Serialize, Deserialize)]
struct Card {
    name: String,
    responsible: Option<CrmId>,
    phones: Vec<Value>,
}

impl Card {
    fn read(contact: &Value) -> Option<Self> {
        id(&contact["id"])?;
        let fields = items(&contact["custom_fields_values"]).filter(|field| text(&field["field_code"]) == "PHONE");
        let phones = fields.flat_map(|field| items(&field["values"])).map(|phone| {
            let mut kept = json!({ "value": text(&phone["value"]) });
            if let Some(code) = phone["enum_code"].as_str() {
                kept["enum_code"] = code.into();
            }
            kept
        });
        let (name, responsible) = (text(&contact["name"]), id(&contact["responsible_user_id"]));
        Some(Self { name, responsible, phones: phones.collect() })
    }

    fn has(&self, number: &Number) -> bool {
        self.phones.iter().any(|phone| Number::parse(&text(&phone["value"])).as_ref() == Some(number))
    }

    /// The change that gives the contact this number as well.
    fn with(&self, number: &Number) -> Value {
        let mut phones = self.phones.clone();
        phones.push(json!({ "value": number.plus(), "enum_code": "WORK" }));
        json!({ "custom_fields_values": [{ "field_code": "PHONE", "values": phones }] })
    }
}

/// Another contact that has the number.
fn other(work: &Work, contact: &CrmId) -> Option<CrmId> {
    search::result(work)?.contact.map(|found| found.id).filter(|found| found != contact)
}

fn note(known: &Known<'_>, contact: &CrmId, number: &Number, other: &CrmId) -> Amendment {
    let number = number.plus();
    let text = format!(
        "Клиент написал в чате телефон {number}. Он уже есть у контакта {}/contacts/detail/{other}",
        known.base
    );
    let (note, entity) = (CrmId::default(), contact.clone());
    let logged = Logged { note, entity_kind: "contacts".to_owned(), entity, fallback: false };
    Amendment::Correct { logged, marker: number, text }
}

/// The next step.
pub(super) fn next(work: &Work, known: &Known<'_>, contact: &CrmId, number: &Number) -> Step {
    let Some(found) = search::result(work) else {
        return Step::Read(search::ask(work, known, &number.clone().into()));
    };
    if let Some(other) = other(work, contact) {
        return match amend::next(work, known, &note(known, contact, number, &other)) {
            Step::Done(_) => Step::Done(JobResult::PhoneJoined { elsewhere: Some(other) }),
            step => step,
        };
    }
    if work.has(DONE) || found.contact.is_some() {
        return Step::Done(JobResult::PhoneJoined { elsewhere: None });
    }
    let path = format!("contacts/{contact}");
    match work.read::<Card>(CARD).filter(|_| !work.in_doubt()) {
        Some(card) => write(request::patch(known, &path, &card.with(number)), Made::Patch),
        None => Step::Read(request::get(known, &path)),
    }
}

/// Takes an answer in.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, contact: &CrmId, number: &Number, reply: &Reply) -> Outcome {
    if search::result(work).is_none() {
        return search::absorb(work, known, &number.clone().into(), reply);
    }
    if let Some(other) = other(work, contact) {
        return amend::absorb(work, known, &note(known, contact, number, &other), reply);
    }
    match work.read::<Card>(CARD).filter(|_| !work.in_doubt()) {
        Some(card) => match hear(known, reply, Sent::Write) {
            Answer::Said(_) | Answer::Nothing => joined(work, contact, number, &card),
            Answer::Refused(refusal) => Outcome::Failed(failed(refusal.words("телефон контакта"))),
            Answer::Settled(outcome) => outcome,
        },
        None => match hear(known, reply, Sent::Read) {
            Answer::Said(body) => read(work, contact, number, &body),
            Answer::Nothing => Outcome::Failed(failed(GONE.to_owned())),
            Answer::Refused(refusal) if refusal.status == 404 => Outcome::Failed(failed(GONE.to_owned())),
            Answer::Refused(refusal) => Outcome::Failed(failed(refusal.words("контакт"))),
            Answer::Settled(outcome) => outcome,
        },
    }
}

const GONE: &str = "контакта клиента в amoCRM больше нет";

/// The contact as it is now; to a look-up it tells whether the change came through.
fn read(work: &mut Work, contact: &CrmId, number: &Number, body: &Value) -> Outcome {
    let Some(card) = Card::read(body) else { return Outcome::Failed(failed(GONE.to_owned())) };
    if card.has(number) {
        return joined(work, contact, number, &card);
    }
    work.store(CARD, &card);
    if work.unknown { Outcome::NotThere } else { Outcome::Next }
}

/// A later call of this number finds the contact, also while the search does not.
fn joined(work: &mut Work, contact: &CrmId, number: &Number, card: &Card) -> Outcome {
    work.learned.point = Some(PointNews {
        client: ClientId::from(number.clone()),
        contact: Some(contact.clone()),
        name: card.name.clone(),
        responsible: card.responsible.clone(),
        duplicates: 0,
        made: false,
    });
    work.mark(DONE);
    Outcome::Next
}
