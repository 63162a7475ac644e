//! Pop-ups of the interface before v4.

use super::*;

fn ask(world: &mut World, phone: &str, users: Value) -> Response {
    world.post("/api/v2/events", json!({ "add": [{ "type": "phone_call", "phone_number": phone, "users": users }] }))
}

#[test]
fn a_popup_is_kept_with_its_users_and_the_card_that_was_found() {
    let mut world = World::new();
    let oleg = world.crm.add_contact("Олег", "+7 999 000-11-22", 504_002);
    assert_eq!(ask(&mut world, "+79990001122", json!([504_002])).status, 200);
    let deal = world.crm.add_lead("Звонок", oleg, 504_002);
    let answer = ask(&mut world, "89990001122", json!(504_003)).json();
    let item = &answer["_embedded"]["items"][0];
    assert_eq!((item["element_id"].as_u64(), item["element_type"].as_u64()), (Some(deal), Some(2)));
    assert!(ask(&mut world, "+79995550000", json!([])).json()["_embedded"]["items"][0]["element_id"].is_null());
    let shown: Vec<_> = world.crm.popups().iter().map(|popup| (popup.users.clone(), popup.card)).collect();
    let expected = [
        (vec![504_002], Some((super::super::Kind::Contacts, oleg))),
        (vec![504_003], Some((super::super::Kind::Leads, deal))),
        (vec![], None),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_popup_needs_its_kind_and_a_number() {
    let mut world = World::new();
    assert_eq!(ask(&mut world, "", json!([1])).status, 400);
    assert_eq!(world.post("/api/v2/events", json!({})).status, 400);
    assert_eq!(world.get("/api/v2/events").status, 405);
    assert!(world.crm.popups().is_empty());
}

#[test]
fn the_page_shows_who_was_told_of_which_call() {
    let mut world = World::new();
    ask(&mut world, "+79990001122", json!([504_002]));
    let page = world.crm.handle(&Request::new("GET", "/", ""), 0);
    let page = String::from_utf8(page.body).expect("text");
    assert!(page.contains("Всплывающие окна") && page.contains("+79990001122"));
}
