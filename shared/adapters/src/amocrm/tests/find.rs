//! Specs of `FindClient`.

use super::*;
use perezvon_domain::job::FoundClient;

fn find() -> Play {
    Play::new(Command::FindClient { client: number().into() })
}

fn contact(id: u64, phone: &str, updated_at: u64) -> Value {
    json!({
        "id": id,
        "name": format!("Клиент {id}"),
        "updated_at": updated_at,
        "responsible_user_id": 504_001,
        "custom_fields_values": [{ "field_code": "PHONE", "values": [{ "value": phone }] }],
    })
}

fn list(contacts: &[Value], more: bool) -> Value {
    let links = if more { json!({ "next": { "href": "https://x.test" } }) } else { json!({}) };
    json!({ "_links": links, "_embedded": { "contacts": contacts } })
}

#[test]
fn a_client_is_found_by_the_last_ten_digits() {
    let mut play = find();
    assert_eq!(play.read("find-search", 200, &sample("contacts-found")), Outcome::Next);
    let found = FoundClient {
        contact: crm("7143599"),
        name: "Клиент Тестовый".into(),
        responsible: Some(crm("504002")),
        duplicates: 0,
    };
    assert_eq!(play.done(), JobResult::ClientFound(Some(found)));
    assert_eq!(play.point.contact, Some(crm("7143599")));
}

#[test]
fn an_empty_answer_means_nobody_and_is_news_too() {
    let mut play = find();
    assert_eq!(play.read("", 204, &Value::Null), Outcome::Next);
    assert_eq!(play.done(), JobResult::ClientFound(None));
    assert_eq!(play.news.map(|news| news.contact), Some(None));
}

#[test]
fn a_hit_with_another_number_or_a_deleted_one_does_not_count() {
    let mut deleted = contact(1, "89990001122", 5);
    deleted["is_deleted"] = json!(true);
    let mut play = find();
    play.read("", 200, &list(&[deleted, contact(2, "+79990001133", 6)], false));
    assert_eq!(play.done(), JobResult::ClientFound(None));
}

#[test]
fn of_several_the_most_recently_active_is_taken_and_the_others_are_counted() {
    let contacts =
        [contact(30, "8 (999) 000-11-22", 50), contact(20, "+7 999 000 11 22", 90), contact(10, "9990001122", 90)];
    let mut play = find();
    play.read("", 200, &list(&contacts, false));
    let JobResult::ClientFound(Some(found)) = play.done() else { panic!("found") };
    assert_eq!((found.contact, found.duplicates), (crm("20"), 2));
}

#[test]
fn further_pages_are_read_up_to_five() {
    let mut play = find();
    for page in 1..=5_u64 {
        let Step::Read(request) = play.next() else { panic!("a read of page {page}") };
        assert_eq!(request.url.ends_with(&format!("&page={page}")), page > 1, "{}", request.url);
        play.absorb(&reply(200, &list(&[contact(page, "+79990001122", page)], true)));
    }
    let JobResult::ClientFound(Some(found)) = play.done() else { panic!("found") };
    assert_eq!((found.contact, found.duplicates), (crm("5"), 4));
}

#[test]
fn a_contact_made_a_moment_ago_is_asked_for_by_its_id() {
    let mut play = find();
    play.point.contact = Some(crm("7143600"));
    play.read("", 204, &Value::Null);
    play.read("find-contact", 200, &contact(7_143_600, "+79990001122", 1));
    let JobResult::ClientFound(Some(found)) = play.done() else { panic!("found") };
    assert_eq!((found.contact, found.duplicates), (crm("7143600"), 0));
}

#[test]
fn a_contact_made_a_moment_ago_and_deleted_since_is_nobody() {
    let mut play = find();
    play.point.contact = Some(crm("7143600"));
    play.read("", 204, &Value::Null);
    assert_eq!(play.read("", 404, &json!({ "title": "Not Found" })), Outcome::Next);
    assert_eq!(play.done(), JobResult::ClientFound(None));
    assert_eq!(play.point.contact, None);
}

#[test]
fn ids_in_quotes_are_ids() {
    let mut one = contact(7, "+79990001122", 1);
    one["id"] = json!("7");
    one["responsible_user_id"] = json!("504001");
    let mut play = find();
    play.read("", 200, &list(&[one], false));
    let JobResult::ClientFound(Some(found)) = play.done() else { panic!("found") };
    assert_eq!((found.contact, found.responsible), (crm("7"), Some(crm("504001"))));
}
