//! Who works at each PBX is asked when somebody looks and when it tells of changes, and compared with the settings.

use perezvon_tests::World;
use perezvon_tests::settings::vats;
use perezvon_tests::world::Plan;
use serde_json::Value;

use crate::calls::minutes;
use crate::people::{ask, of, owner};

async fn both() -> World {
    let world = World::new(Plan::default());
    world.apply(&vats()).await;
    world
}

async fn users(world: &World, channel: &str) -> Value {
    let (status, shown) = ask(world, &owner(), "GET", &of(&format!("channels/{channel}/users")), None).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

fn asked(world: &World, method: &str) -> usize {
    world.pbx(|pbx| pbx.requests().iter().filter(|request| request.path.ends_with(method)).count())
}

#[tokio::test(start_paused = true)]
async fn whoever_looks_has_a_pbx_asked_once_for_each_version_and_sees_what_does_not_match() {
    let mut world = both().await;
    minutes(&mut world, 2).await;
    for _ in 0..2 {
        let shown = users(&world, "main").await;
        assert!(shown["read_at"].is_null() && shown["asked"] == true, "{shown}");
        users(&world, "vats").await;
    }
    minutes(&mut world, 2).await;
    assert_eq!((asked(&world, "config/users/request"), asked(&world, "groups")), (1, 1), "once for a version");
    let shown = users(&world, "main").await;
    assert_eq!(shown["asked"], false);
    let (known, strangers): (Vec<_>, Vec<_>) =
        shown["users"].as_array().expect("users").iter().partition(|user| user["employee"].is_string());
    assert_eq!((known.len(), strangers.len()), (2, 2), "{shown}");
    assert_eq!(known[0]["employee"], "petrova");
    assert_eq!(shown["unknown"], serde_json::json!([{ "employee": "anna", "extension": "10" }]));
    assert_eq!(shown["groups"][0]["extension"], "303");
    let other = users(&world, "vats").await;
    assert_eq!((other["users"].as_array().map(Vec::len), &other["unknown"]), (Some(3), &serde_json::json!([])));
    assert_eq!(ask(&world, &owner(), "GET", &of("channels/none/users"), None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn changes_that_the_pbx_tells_have_it_asked_again_once_for_all_of_them() {
    let mut world = both().await;
    for _ in 0..5 {
        let changed = r#"{"action":"new","data":[{"contact_id":1}]}"#;
        assert_eq!(world.post("school", "events/ab/contacts", changed).await, 200);
    }
    minutes(&mut world, 30).await;
    assert_eq!(asked(&world, "config/users/request"), 1);
    assert_eq!(users(&world, "main").await["users"].as_array().map(Vec::len), Some(4));
    assert_eq!(world.post("school", "events/ab/organizations", "{}").await, 200);
    minutes(&mut world, 30).await;
    assert_eq!((asked(&world, "config/users/request"), world.pbx(|pbx| pbx.violations())), (2, 0));
}
