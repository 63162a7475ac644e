//! Specs of contacts, deals, tasks and plain notes.

use serde_json::{Value, json};

use super::{World, complaint, complaints};
use crate::amocrm::{AmoCrm, Config};

fn phone(number: &str) -> Value {
    json!([{ "field_code": "PHONE", "values": [{ "value": number, "enum_code": "MOB" }] }])
}

fn contact(number: &str) -> Value {
    json!({ "name": format!("Клиент {number}"), "custom_fields_values": phone(number) })
}

#[test]
fn a_contact_is_made_found_and_read() {
    let mut world = World::new();
    let answer = world.post(
        "/api/v4/contacts",
        json!([{
            "name": "Клиент Тестовый",
            "responsible_user_id": 504_002,
            "created_by": 0,
            "custom_fields_values": [
                { "field_code": "PHONE", "values": [{ "value": "+7 (999) 000-11-22", "enum_code": "MOB" }] },
                { "field_id": 700_001, "values": [{ "value": "Комментарий" }] },
            ],
            "tags_to_add": [{ "name": "звонок" }],
            "request_id": "scn-1",
        }]),
    );
    assert_eq!(
        answer.json()["_embedded"]["contacts"][0],
        json!({
            "id": 7_143_600,
            "request_id": "scn-1",
            "_links": { "self": { "href": "https://example.amocrm.ru/api/v4/contacts/7143600" } },
        })
    );
    for query in ["9990001122", "тестовый", "%D0%9A%D0%BB%D0%B8"] {
        let found = world.get(&format!("/api/v4/contacts?query={query}&with=leads")).json();
        assert_eq!(found["_embedded"]["contacts"][0]["id"], 7_143_600, "{query}");
    }
    assert_eq!(world.get("/api/v4/contacts?query=9990001123").status, 204);
    let read = world.get("/api/v4/contacts/7143600?with=leads").json();
    assert_eq!(
        read["custom_fields_values"][0],
        json!({
            "field_id": 3,
            "field_name": "Телефон",
            "field_code": "PHONE",
            "field_type": "multitext",
            "values": [{ "value": "+7 (999) 000-11-22", "enum_id": 1, "enum_code": "MOB" }],
        })
    );
    assert_eq!(
        read["_embedded"],
        json!({
            "tags": [{ "id": 1, "name": "звонок", "color": null }], "companies": [], "leads": [],
        })
    );
    let kept = &world.crm.contacts()[0];
    assert_eq!((kept.phones[0].as_str(), kept.responsible), ("+7 (999) 000-11-22", 504_002));
    assert_eq!(kept.stamp.created_at, 1_760_000_000);
}

#[test]
fn two_contacts_may_have_the_same_phone() {
    let mut world = World::new();
    world.make("contacts", contact("+79990001122"));
    world.make("contacts", contact("+79990001122"));
    let found = world.get("/api/v4/contacts?query=9990001122").json();
    assert_eq!(found["_embedded"]["contacts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn lists_come_in_pages_and_name_the_next() {
    let mut world = World::new();
    for n in 0..3 {
        world.crm.add_contact(&format!("Клиент {n}"), "+79990001122", 504_001);
    }
    let first = world.get("/api/v4/contacts?query=%D0%BA%D0%BB%D0%B8&limit=2").json();
    assert_eq!(first["_embedded"]["contacts"].as_array().map(Vec::len), Some(2));
    let next = first["_links"]["next"]["href"].as_str().expect("a next page").to_owned();
    let next = next.strip_prefix("https://example.amocrm.ru").expect("the same host").to_owned();
    let second = world.get(&next).json();
    assert_eq!((&second["_page"], second["_links"].get("next")), (&json!(2), None));
    assert_eq!(second["_embedded"]["contacts"][0]["name"], "Клиент 2");
    assert_eq!(world.get("/api/v4/contacts?page=4&limit=1").status, 204);
}

#[test]
fn a_missing_or_deleted_contact_answers_204_or_404_as_configured() {
    let mut world = World::new();
    let id = world.crm.add_contact("Клиент", "+79990001122", 504_001);
    world.crm.delete_contact(id);
    assert_eq!(world.get(&format!("/api/v4/contacts/{id}")).status, 204);
    assert_eq!(world.get("/api/v4/contacts?query=9990001122").status, 204);
    assert_eq!(world.patch(&format!("/api/v4/contacts/{id}"), json!({ "name": "А" })).status, 404);
    let mut world = World::with(Config { missing_is_404: true, ..Config::default() });
    assert_eq!(world.get("/api/v4/contacts/1").status, 404);
}

#[test]
fn arrays_and_objects_are_not_mixed_up() {
    let mut world = World::new();
    let id = world.make("contacts", contact("+79990001122"));
    assert_eq!(world.post("/api/v4/contacts", contact("+79990001122")).status, 400);
    assert_eq!(world.patch(&format!("/api/v4/contacts/{id}"), json!([{ "name": "А" }])).status, 400);
    assert_eq!(world.post("/api/v4/leads", json!([])).status, 400);
    assert_eq!(world.crm.contacts().len(), 1);
}

#[test]
fn unknown_ids_and_strange_keys_are_refused_by_path() {
    let mut world = World::new();
    let mut refused = |kind: &str, body: Value| {
        let answer = world.post(&format!("/api/v4/{kind}"), json!([body]));
        complaints(&answer)
    };
    let wrong = |path: &str| complaint(path, "NotSupportedChoice");
    assert_eq!(refused("contacts", json!({ "responsible_user_id": 1 })), wrong("responsible_user_id"));
    assert_eq!(refused("leads", json!({ "pipeline_id": 1 })), wrong("pipeline_id"));
    assert_eq!(refused("leads", json!({ "status_id": 1 })), wrong("status_id"));
    assert_eq!(
        refused("leads", json!({ "_embedded": { "contacts": [{ "id": 5 }] } })),
        wrong("_embedded.contacts.0.id")
    );
    let field = json!([{ "field_id": 1, "values": [{ "value": "А" }] }]);
    assert_eq!(refused("leads", json!({ "custom_fields_values": field })), wrong("custom_fields_values.0.field_id"));
    let echo = json!([{ "field_id": 3, "field_name": "Телефон", "values": [{ "value": "1" }] }]);
    assert_eq!(
        refused("contacts", json!({ "custom_fields_values": echo })),
        complaint("custom_fields_values.0.field_name", "FieldNotExpected")
    );
    assert_eq!(refused("contacts", json!({ "phone": "1" })), complaint("phone", "FieldNotExpected"));
    assert_eq!(refused("leads", json!({ "price": "дорого" })), complaint("price", "InvalidType"));
}

#[test]
fn one_wrong_item_refuses_the_whole_batch() {
    let mut world = World::new();
    let items = json!([{ "name": "А" }, { "name": "Б", "status_id": 7, "request_id": "second" }]);
    let answer = world.post("/api/v4/leads", items);
    assert_eq!(answer.json()["validation-errors"][0]["request_id"], "second");
    assert!(world.crm.leads().is_empty());
}

#[test]
fn a_changed_phone_field_keeps_only_what_was_sent_and_other_fields_stay() {
    let mut world = World::new();
    let mut body = contact("+79990001122");
    let other = json!({ "field_id": 700_001, "values": [{ "value": "остаётся" }] });
    body["custom_fields_values"] = json!([body["custom_fields_values"][0], other]);
    let id = world.make("contacts", body);
    let path = format!("/api/v4/contacts/{id}");
    let change = json!({
        "custom_fields_values": phone("+79990003344"),
        "responsible_user_id": 504_003,
        "tags_to_add": [{ "name": "новый" }],
    });
    assert_eq!(world.patch(&path, change).json()["id"], id);
    world.patch(&path, json!({ "tags_to_delete": [{ "name": "новый" }] }));
    let kept = &world.crm.contacts()[0];
    assert_eq!((kept.phones.join(" "), kept.fields.len()), ("+79990003344".to_owned(), 2));
    assert_eq!((kept.responsible, kept.tags.len()), (504_003, 0));
}

#[test]
fn a_deal_is_linked_to_its_contacts_and_both_sides_show_it() {
    let mut world = World::new();
    let person = world.make("contacts", contact("+79990001122"));
    let deal = world.make(
        "leads",
        json!({
            "name": "Звонок",
            "custom_fields_values": [{ "field_id": 700_010, "values": [{ "value": "+74950000001" }] }],
            "_embedded": { "contacts": [{ "id": person, "is_main": true }] },
        }),
    );
    assert_eq!(deal, 3_912_180);
    let read = world.get(&format!("/api/v4/leads/{deal}?with=contacts")).json();
    assert_eq!((&read["status_id"], &read["pipeline_id"]), (&json!(32_392_159), &json!(3_177_727)));
    assert_eq!(read["_embedded"]["contacts"][0]["id"], person);
    assert_eq!(world.crm.leads()[0].text(700_010), Some("+74950000001"));
    let card = world.get(&format!("/api/v4/contacts/{person}?with=leads")).json();
    assert_eq!(card["_embedded"]["leads"][0]["id"], deal);
}

#[test]
fn deals_are_read_by_ids_and_a_deleted_one_carries_its_flag() {
    let mut world = World::new();
    let person = world.crm.add_contact("Клиент", "+79990001122", 504_001);
    let ids: Vec<u64> = (0..3).map(|n| world.crm.add_lead(&format!("Сделка {n}"), person, 504_001)).collect();
    world.crm.delete_lead(ids[0]);
    let target = format!("/api/v4/leads?filter[id][]={}&filter[id][]={}", ids[0], ids[2]);
    let read = world.get(&target).json();
    let leads = read["_embedded"]["leads"].as_array().expect("deals").clone();
    let flags: Vec<(&Value, &Value)> = leads.iter().map(|lead| (&lead["id"], &lead["is_deleted"])).collect();
    assert_eq!(flags, [(&json!(ids[0]), &json!(true)), (&json!(ids[2]), &json!(false))]);
    let all = world.get("/api/v4/leads").json();
    assert_eq!(all["_embedded"]["leads"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.get("/api/v4/leads?filter[pipeline]=1").status, 400);
}

#[test]
fn winning_a_deal_closes_it_and_reopening_clears_that() {
    let mut world = World::new();
    let id = world.make("leads", json!({ "name": "Звонок" }));
    let path = format!("/api/v4/leads/{id}");
    world.patch(&path, json!({ "status_id": 142, "pipeline_id": 3_177_727 }));
    assert!(!world.crm.leads()[0].is_active());
    assert_eq!(world.crm.leads()[0].closed_at, Some(1_760_000_000));
    world.crm.move_lead(id, 32_392_159, world.now_ms);
    assert!(world.crm.leads()[0].is_active());
    assert_eq!(world.get(&path).json()["closed_at"], Value::Null);
}

#[test]
fn a_saved_account_goes_on_where_it_was_and_a_reset_one_from_the_start() {
    let mut world = World::new();
    world.make("contacts", contact("+79990001122"));
    world.crm = AmoCrm::load(&world.crm.save()).expect("a saved state");
    assert_eq!(world.make("contacts", contact("+79990001133")), 7_143_601);
    assert_eq!(world.post("/sandbox/reset", Value::Null).status, 204);
    assert_eq!((world.crm.contacts().len(), world.crm.requests().len()), (0, 0));
    assert_eq!(world.make("contacts", contact("+79990001122")), 7_143_600);
}
