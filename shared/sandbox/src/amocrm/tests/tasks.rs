//! Specs of tasks and of the custom field that an integration makes for itself.

use serde_json::json;

use super::{World, complaint, complaints};

#[test]
fn a_task_needs_text_and_time_and_is_listed_by_its_card() {
    let mut world = World::new();
    let deal = world.make("leads", json!({ "name": "Звонок" }));
    let nothing = world.post("/api/v4/tasks", json!([{}]));
    let missing = |key: &str| (key.to_owned(), "FieldMissing".to_owned());
    assert_eq!(complaints(&nothing), [missing("text"), missing("complete_till")]);
    let wanted = json!({
        "text": "Перезвонить",
        "complete_till": 1_760_003_600,
        "entity_type": "leads",
        "entity_id": deal,
        "responsible_user_id": 504_002,
    });
    let id = world.make("tasks", wanted.clone());
    for filter in ["filter[entity_id]", "filter[entity_id][]", "filter[entity_id][0]"] {
        let target = format!("/api/v4/tasks?filter[entity_type]=leads&{filter}={deal}");
        assert_eq!(world.get(&target).json()["_embedded"]["tasks"][0]["id"], id, "{filter}");
    }
    let other = format!("/api/v4/tasks?filter[entity_type]=contacts&filter[entity_id]={deal}");
    assert_eq!(world.get(&other).status, 204);
    let due = world.get(&format!("/api/v4/leads/{deal}")).json();
    assert_eq!(due["closest_task_at"], 1_760_003_600);
    let done = json!({ "is_completed": true, "result": { "text": "готово" } });
    world.patch(&format!("/api/v4/tasks/{id}"), done);
    let read = world.get(&format!("/api/v4/tasks/{id}")).json();
    assert_eq!((&read["is_completed"], &read["result"]), (&json!(true), &json!({ "text": "готово" })));
    let mut elsewhere = wanted;
    elsewhere["entity_id"] = json!(1);
    let answer = world.post("/api/v4/tasks", json!([elsewhere]));
    assert_eq!(complaints(&answer), complaint("entity_id", "NotSupportedChoice"));
}

#[test]
fn a_custom_field_is_made_once_and_takes_values() {
    let mut world = World::new();
    let field = json!({ "name": "Звонок АТС", "type": "text", "is_api_only": true, "code": "PEREZVON" });
    let id = world.make("leads/custom_fields", field.clone());
    let again = world.post("/api/v4/leads/custom_fields", json!([field]));
    assert_eq!(complaints(&again), complaint("code", "NotSupportedChoice"));
    let listed = world.get("/api/v4/leads/custom_fields?limit=250").json();
    let listed = listed["_embedded"]["custom_fields"].as_array().expect("fields").clone();
    let ours = listed.iter().find(|field| field["code"] == "PEREZVON").expect("ours");
    assert_eq!((&ours["id"], &ours["is_api_only"]), (&json!(id), &json!(true)));
    let value = json!([{ "field_id": id, "values": [{ "value": "entry-1" }] }]);
    world.make("leads", json!({ "name": "Звонок", "custom_fields_values": value }));
    assert_eq!(world.crm.leads()[0].text(id), Some("entry-1"));
    assert_eq!(world.crm.custom_fields().len(), 6);
}
