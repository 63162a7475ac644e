//! Specs of calls and of the notes that record them.

use serde_json::{Value, json};

use super::{World, complaint, complaints};

fn call(phone: &str) -> Value {
    json!({
        "direction": "inbound",
        "uniq": "entry-1",
        "duration": 60,
        "source": "Перезвон",
        "link": "https://hub.example.test/rec/1",
        "phone": phone,
        "call_result": "Разговор состоялся",
        "call_status": 4,
        "call_responsible": 504_002,
        "request_id": "call-1",
    })
}

#[test]
fn a_call_of_an_unknown_number_is_not_kept() {
    let mut world = World::new();
    world.crm.add_contact("Клиент", "+79990001133", 504_001);
    let answer = world.post("/api/v4/calls", json!([call("+79990001122")]));
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "_total_items": 0,
            "errors": [{
                "title": "Entity not found", "status": 263, "detail": "", "request_id": "call-1",
            }],
            "_embedded": { "calls": [] },
        })
    );
    assert!(world.crm.notes().is_empty());
}

#[test]
fn a_call_lands_on_the_only_active_deal_and_else_on_the_contact() {
    let mut world = World::new();
    let person = world.crm.add_contact("Клиент", "8 (999) 000-11-22", 504_001);
    let place = |world: &mut World| {
        let answer = world.post("/api/v4/calls", json!([call("+79990001122")])).json();
        let made = answer["_embedded"]["calls"][0].clone();
        (made["entity_type"].as_str().map(str::to_owned), made["entity_id"].as_u64())
    };
    let at = |kind: &str, id: u64| (Some(kind.to_owned()), Some(id));
    assert_eq!(place(&mut world), at("contact", person));
    let first = world.crm.add_lead("Первая", person, 504_001);
    assert_eq!(place(&mut world), at("lead", first));
    let second = world.crm.add_lead("Вторая", person, 504_001);
    assert_eq!(place(&mut world), at("contact", person));
    world.crm.move_lead(first, 143, 0);
    assert_eq!(place(&mut world), at("lead", second));
    world.crm.delete_lead(second);
    assert_eq!(place(&mut world), at("contact", person));
}

#[test]
fn a_call_becomes_a_note_with_its_params() {
    let mut world = World::new();
    let person = world.crm.add_contact("Клиент", "+79990001122", 504_001);
    let mut outgoing = call("79990001122");
    outgoing["direction"] = json!("outbound");
    world.post("/api/v4/calls", json!([call("79990001122"), outgoing]));
    let target = format!("/api/v4/contacts/{person}/notes?filter[note_type][]=call_in");
    let read = world.get(&target).json();
    let notes = read["_embedded"]["notes"].as_array().expect("notes").clone();
    assert_eq!(notes.len(), 1);
    assert_eq!(
        notes[0]["params"],
        json!({
            "uniq": "entry-1",
            "duration": 60,
            "source": "Перезвон",
            "link": "https://hub.example.test/rec/1",
            "phone": "79990001122",
            "call_result": "Разговор состоялся",
            "call_status": 4,
            "call_responsible": 504_002,
        })
    );
    assert_eq!((notes[0]["id"].as_u64(), world.crm.notes().len()), (Some(42_888_817), 2));
    let both = format!("{target}&filter[note_type][]=call_out");
    assert_eq!(world.get(&both).json()["_embedded"]["notes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_same_uniq_twice_makes_two_notes() {
    let mut world = World::new();
    world.crm.add_contact("Клиент", "+79990001122", 504_001);
    world.post("/api/v4/calls", json!([call("+79990001122")]));
    world.post("/api/v4/calls", json!([call("+79990001122")]));
    assert_eq!(world.crm.notes().len(), 2);
}

#[test]
fn a_call_with_nulls_gaps_or_strangers_is_refused() {
    let mut world = World::new();
    world.crm.add_contact("Клиент", "+79990001122", 504_001);
    let mut refused = |key: &str, value: Value| {
        let mut body = call("+79990001122");
        body[key] = value;
        complaints(&world.post("/api/v4/calls", json!([body])))
    };
    assert_eq!(refused("link", Value::Null), complaint("link", "NotNullable"));
    assert_eq!(refused("call_status", json!(9)), complaint("call_status", "NotSupportedChoice"));
    assert_eq!(refused("call_responsible", json!(1)), complaint("call_responsible", "NotSupportedChoice"));
    assert_eq!(refused("direction", json!("in")), complaint("direction", "NotSupportedChoice"));
    let empty = world.post("/api/v4/calls", json!([{ "phone": "1" }]));
    assert_eq!(complaints(&empty).len(), 3);
    assert!(world.crm.notes().is_empty());
}

#[test]
fn calls_cannot_be_read() {
    let mut world = World::new();
    assert_eq!(world.get("/api/v4/calls").status, 405);
    assert_eq!(world.get("/api/v4/nothing").status, 404);
}

#[test]
fn a_note_is_made_read_and_changed_on_its_card() {
    let mut world = World::new();
    let deal = world.make("leads", json!({ "name": "Звонок" }));
    let mut params = json!({ "uniq": "entry-1", "duration": 0, "phone": "+79990001122", "call_status": 6 });
    let by_kind = json!({ "entity_id": deal, "note_type": "call_in", "params": params });
    let note = world.make("leads/notes", by_kind);
    let common = json!({ "note_type": "common", "params": { "text": "Привет" } });
    let second = world.make(&format!("leads/{deal}/notes"), common);
    assert_eq!((note, second), (42_888_817, 42_888_818));
    let path = format!("/api/v4/leads/{deal}/notes/{note}");
    params["link"] = json!("https://hub.example.test/rec/1");
    world.patch(&path, json!({ "note_type": "call_in", "params": params }));
    assert_eq!(world.get(&path).json()["params"], params);
    assert_eq!(world.get(&format!("/api/v4/leads/notes/{second}")).json()["params"]["text"], "Привет");
    assert_eq!(world.get(&format!("/api/v4/contacts/notes/{note}")).status, 204);
}

#[test]
fn a_note_without_text_or_with_a_null_link_or_without_a_card_is_refused() {
    let mut world = World::new();
    let deal = world.make("leads", json!({ "name": "Звонок" }));
    let mut refused = |body: Value| complaints(&world.post("/api/v4/leads/notes", json!([body])));
    assert_eq!(
        refused(json!({ "entity_id": deal, "note_type": "common", "params": {} })),
        complaint("params.text", "FieldMissing")
    );
    assert_eq!(
        refused(json!({ "entity_id": deal, "note_type": "call_in", "params": { "link": null } })),
        complaint("params.link", "NotNullable")
    );
    assert_eq!(
        refused(json!({ "entity_id": 1, "note_type": "common", "params": { "text": "А" } })),
        complaint("entity_id", "NotSupportedChoice")
    );
    assert_eq!(
        refused(json!({ "entity_id": deal, "note_type": "letter", "params": {} })),
        complaint("note_type", "NotSupportedChoice")
    );
}
