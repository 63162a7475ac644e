//! `ShowPopup`: who calls, on the screen of users. `ReadCards`: where the cards of a contact and of its nearest open
//! deal are.

use perezvon_domain::job::Card;
use perezvon_domain::{CrmId, JobResult, Number};
use serde_json::Value;

use super::answer::{Answer, Sent, embedded, hear, id, integer, newest_deals, truth};
use super::memory::{CARD, DEAL, DEALS, DONE, Memory};
use super::{Made, failed, marks, request, wire, write};
use crate::jobs::{Known, Outcome, Reply, Step, Work};

/// Deals in these states are over: won, lost.
const CLOSED: [i64; 2] = [142, 143];

/// The next step.
pub(super) fn next(work: &Work, known: &Known<'_>, number: &Number, users: &[CrmId]) -> Step {
    if work.has(DONE) {
        return Step::Done(JobResult::PopupShown);
    }
    write(request::post_v2(known, "events", &wire::popup(number, users)), Made::Popup)
}

/// Takes an answer in: any success will do, whatever it says.
pub(super) fn absorb(work: &mut Work, known: &Known<'_>, reply: &Reply) -> Outcome {
    if matches!(reply.status, 200..=299) {
        work.mark(DONE);
        return Outcome::Next;
    }
    match hear(known, reply, Sent::Write) {
        Answer::Refused(refusal) => Outcome::Failed(failed(refusal.words("всплывающее окно"))),
        Answer::Settled(outcome) => outcome,
        Answer::Said(_) | Answer::Nothing => Outcome::Next,
    }
}

/// The next step: the contact with the ids of its deals, then the deals.
pub(super) fn next_card(work: &Work, known: &Known<'_>, contact: &CrmId) -> Step {
    if work.has(DONE) {
        let card = |key: &str, kind: &str| {
            let id = work.id(key)?;
            Some(Card { url: format!("{}/{kind}/detail/{id}", known.base), id })
        };
        return Step::Done(JobResult::CardsRead { contact: card(CARD, "contacts"), deal: card(DEAL, "leads") });
    }
    let path = match work.read::<Vec<CrmId>>(DEALS) {
        Some(deals) => marks::deals(&deals),
        None => request::with_query(&format!("contacts/{contact}"), &[("with", "leads")]),
    };
    Step::Read(request::get(known, &path))
}

/// Takes an answer in.
pub(super) fn absorb_card(work: &mut Work, known: &Known<'_>, contact: &CrmId, reply: &Reply) -> Outcome {
    let body = match hear(known, reply, Sent::Read) {
        Answer::Said(body) => body,
        Answer::Nothing => Value::Null,
        Answer::Refused(refusal) if refusal.status == 404 => Value::Null,
        Answer::Refused(refusal) => return Outcome::Failed(failed(refusal.words("карточки клиента"))),
        Answer::Settled(outcome) => return outcome,
    };
    if let Some(deals) = work.read::<Vec<CrmId>>(DEALS) {
        if let Some(deal) = nearest(&body, &deals) {
            work.keep(DEAL, deal.0);
        }
        work.mark(DONE);
        return Outcome::Next;
    }
    if id(&body["id"]).as_ref() != Some(contact) || truth(&body["is_deleted"]) {
        work.mark(DONE);
        return Outcome::Next;
    }
    work.keep(CARD, contact.as_str());
    let deals = newest_deals(&body);
    match deals.is_empty() {
        true => work.mark(DONE),
        false => work.store(DEALS, &deals),
    }
    Outcome::Next
}

/// Of the contact's open deals the one that changed last, then the greatest id. Where the account ignores the filter,
/// other deals are in the answer too.
fn nearest(body: &Value, deals: &[CrmId]) -> Option<CrmId> {
    let open = embedded(body, "leads").filter(|lead| {
        !truth(&lead["is_deleted"]) && integer(&lead["status_id"]).is_some_and(|status| !CLOSED.contains(&status))
    });
    let own = open.filter_map(|lead| Some((lead, id(&lead["id"]).filter(|id| deals.contains(id))?)));
    let rank = |lead: &Value| (integer(&lead["updated_at"]), integer(&lead["id"]));
    own.max_by_key(|(lead, _)| rank(lead)).map(|(_, id)| id)
}
