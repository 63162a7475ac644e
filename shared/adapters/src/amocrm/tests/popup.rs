//! Specs of `ShowPopup` and `ReadCards`.

use super::*;
use crate::jobs::Level;
use perezvon_domain::job::Card;

fn popup() -> Play {
    Play::new(Command::ShowPopup { number: number(), users: vec![crm("504002"), crm("504003")] })
}

fn cards() -> Play {
    Play::new(Command::ReadCards { contact: crm("7143599") })
}

fn contact(leads: &[u64]) -> Value {
    let leads: Vec<Value> = leads.iter().map(|id| json!({ "id": id })).collect();
    json!({ "id": 7_143_599, "name": "Олег", "_embedded": { "leads": leads } })
}

fn deal(id: u64, status: u64, updated: u64) -> Value {
    json!({ "id": id, "status_id": status, "updated_at": updated, "is_deleted": false })
}

fn card(id: &str, kind: &str) -> Card {
    Card { id: crm(id), url: format!("https://example.amocrm.ru/{kind}/detail/{id}") }
}

/// What the cards come to when these deals are answered to a contact that has `leads`.
fn nearest(leads: &[u64], deals: &[Value]) -> Option<CrmId> {
    let mut play = cards();
    assert_eq!(play.read("", 200, &contact(leads)), Outcome::Next);
    assert_eq!(play.read("", 200, &json!({ "_embedded": { "leads": deals } })), Outcome::Next);
    let JobResult::CardsRead { contact, deal } = play.done() else { panic!("cards, not {:?}", play.done()) };
    assert_eq!(contact, Some(card("7143599", "contacts")));
    deal.map(|deal| deal.id)
}

#[test]
fn users_are_shown_who_calls_in_one_request() {
    for (status, body) in [(200, sample("popup-shown")), (202, Value::Null), (204, Value::Null)] {
        let mut play = popup();
        assert_eq!(play.write("popup", "popup", status, &body), Outcome::Next);
        assert_eq!(play.done(), JobResult::PopupShown);
    }
}

#[test]
fn nothing_is_left_of_a_popup_that_could_be_looked_up() {
    let marker = MARKERS.iter().find(|marker| marker.entity == "popup").expect("a marker");
    assert_eq!(marker.level, Level::E0);
}

#[test]
fn a_popup_that_was_refused_says_why() {
    let outcome = popup().write("", "popup", 403, &json!({ "title": "Forbidden" }));
    assert!(matches!(outcome, Outcome::Failed(JobResult::Failed { why, .. }) if why.contains("нет прав")));
    assert!(matches!(popup().write("", "popup", 502, &Value::Null), Outcome::Unknown { .. }));
}

#[test]
fn the_cards_are_the_contact_and_the_open_deal_that_changed_last() {
    let mut play = cards();
    play.read("read-cards", 200, &contact(&[3_912_170, 3_912_171]));
    let deals = [deal(3_912_170, 32_392_159, 20), deal(3_912_171, 32_392_159, 10)];
    play.read("read-cards-deals", 200, &json!({ "_embedded": { "leads": deals } }));
    let (contact, deal) = (Some(card("7143599", "contacts")), Some(card("3912170", "leads")));
    assert_eq!(play.done(), JobResult::CardsRead { contact, deal });
}

#[test]
fn of_deals_that_changed_at_once_the_greatest_id_is_nearest() {
    let deals = [deal(99, 1, 10), deal(100, 1, 10), deal(98, 1, 10)];
    assert_eq!(nearest(&[98, 99, 100], &deals), Some(crm("100")));
}

#[test]
fn a_deal_that_is_over_deleted_or_of_somebody_else_is_not_near() {
    let deleted = json!({ "id": 4, "status_id": 1, "updated_at": 99, "is_deleted": true });
    let deals = [deal(1, 142, 99), deal(2, 143, 99), deal(3, 1, 5), deleted, deal(5, 1, 99)];
    assert_eq!(nearest(&[1, 2, 3, 4], &deals), Some(crm("3")));
    assert_eq!(nearest(&[1, 2], &deals), None);
}

#[test]
fn a_contact_without_deals_costs_one_read_and_one_that_is_gone_has_no_card() {
    let mut play = cards();
    play.read("", 200, &contact(&[]));
    assert_eq!(play.done(), JobResult::CardsRead { contact: Some(card("7143599", "contacts")), deal: None });
    for (status, body) in [(204, Value::Null), (404, json!({}))] {
        let mut play = cards();
        play.read("", status, &body);
        assert_eq!(play.done(), JobResult::CardsRead { contact: None, deal: None });
    }
}
