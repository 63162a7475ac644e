//! Our marker fields, one of deals and one of contacts: made at the first need, then a fact of the connection.

use perezvon_domain::CrmId;

use super::answer::Refusal;
use super::memory::Memory;
use crate::jobs::{Known, Work};

/// The marker field of one kind of card, and where a job keeps what it knows of it.
pub(super) struct Field {
    /// Where the fields of these cards are.
    pub list: &'static str,
    /// What a person reads when it cannot be made.
    pub what: &'static str,
    pub advice: &'static str,
    /// The fact of the connection that holds its id.
    fact: &'static str,
    /// Its id, as this job read it.
    id: &'static str,
    /// The account has no such field yet.
    absent: &'static str,
    /// The id that we remembered is not valid any more.
    stale: &'static str,
}

pub(super) static OF_DEALS: Field = Field {
    list: "leads/custom_fields",
    what: "служебное поле сделок",
    advice: ". Поле «Perezvon ID» создаётся один раз: токен должен принадлежать \
             администратору amoCRM, или создайте поле сделки типа «текст» с кодом PEREZVON_ID сами",
    fact: "deal_marker_field",
    id: "field",
    absent: "field_absent",
    stale: "field_stale",
};

pub(super) static OF_CONTACTS: Field = Field {
    list: "contacts/custom_fields",
    what: "служебное поле контактов",
    advice: ". Поле «Perezvon ID» создаётся один раз: токен должен принадлежать \
             администратору amoCRM, или создайте поле контакта типа «текст» с кодом PEREZVON_ID сами",
    fact: "contact_marker_field",
    id: "contact_field",
    absent: "contact_field_absent",
    stale: "contact_field_stale",
};

impl Field {
    /// Its id, if it is known.
    pub(super) fn known(&self, work: &Work, known: &Known<'_>) -> Option<CrmId> {
        let fact = || known.facts.get(self.fact).filter(|_| !work.has(self.stale));
        work.id(self.id).or_else(|| fact().map(|id| CrmId(id.clone())))
    }

    pub(super) fn is_absent(&self, work: &Work) -> bool {
        work.has(self.absent)
    }

    pub(super) fn note_absent(&self, work: &mut Work) {
        work.mark(self.absent);
    }

    /// It, the first field of a card, was deleted; we knew it from an earlier job.
    pub(super) fn is_gone(&self, work: &Work, refusal: &Refusal) -> bool {
        !work.has(self.id) && !work.has(self.stale) && refusal.is_about("custom_fields_values.0.field_id")
    }

    pub(super) fn note_gone(&self, work: &mut Work) {
        work.mark(self.stale);
    }

    /// It was made, or found.
    pub(super) fn remember(&self, work: &mut Work, id: CrmId) {
        work.learned.facts.insert(self.fact.to_owned(), id.0.clone());
        work.keep(self.id, id.0);
    }
}
