//! Going back by one version: what the next one wrote is read, though this one does not know all of it.

use std::collections::BTreeMap;

use perezvon_store::items::pack::{packed_text, unpacked};
use perezvon_store::{Row, Value as Stored};
use perezvon_tests::World;
use perezvon_tests::scenario::captured;
use perezvon_tests::world::Plan;
use serde_json::{Value, json};

use crate::calls::minutes;
use crate::people::{ask, of, owner};
use crate::telling::{Held, held, post_all, school};

/// What no version of ours knows.
const NEW: &str = "from_the_next_version";

/// Structures of the records in which people must not write unknown fields, and some others.
const PLACES: &[(&str, &[&str])] = &[
    ("policy", &["", "/waits", "/employees/0", "/scenarios/0", "/channels/main"]),
    ("document", &["", "/account", "/waits", "/employees/0", "/channels/0", "/channels/0/times", "/crm", "/crm/times"]),
    ("state", &["", "/asked"]),
    ("summary", &[""]),
];

/// The text with one more field in each of the places that it has; how many those are.
fn grown(text: &str, places: &[&str]) -> (String, usize) {
    let mut value: Value = serde_json::from_str(text).expect("JSON");
    let mut count = 0;
    for place in places {
        if let Some(Value::Object(fields)) = value.pointer_mut(place) {
            fields.insert(NEW.to_owned(), json!({"more": [1, null]}));
            count += 1;
        }
    }
    (value.to_string(), count)
}

/// Every row and every secret as the next version might have written it; what grew, and how often.
fn upgraded(world: &World) -> BTreeMap<String, usize> {
    let mut grew = BTreeMap::new();
    for Row { key, mut attributes } in world.table.all() {
        for (name, places) in PLACES {
            let Some(value) = attributes.get(*name) else { continue };
            let (text, count) = grown(&unpacked(value).expect("JSON"), places);
            let was_text = matches!(value, Stored::S(_));
            attributes.insert((*name).to_owned(), if was_text { Stored::S(text) } else { packed_text(text) });
            *grew.entry((*name).to_owned()).or_default() += count;
        }
        if attributes.contains_key("schema") {
            attributes.insert("schema".to_owned(), Stored::N(2));
        }
        attributes.insert(NEW.to_owned(), Stored::S("x".to_owned()));
        world.table.put_back(Row { key, attributes });
    }
    let mut records = world.secrets.records.lock().expect("the secrets");
    for (name, text) in records.iter_mut().filter(|(_, text)| text.starts_with('{')) {
        let (text_now, count) = grown(text, &["", "/times"]);
        *text = text_now;
        *grew.entry(name.split('/').next().unwrap_or_default().to_owned()).or_default() += count;
    }
    grew
}

#[tokio::test(start_paused = true)]
async fn what_the_next_version_wrote_is_read_and_worked_on() {
    let mut world = school(Plan::default()).await;
    let webhooks = captured("inbound_normal");
    let (first, rest) = webhooks.split_at(webhooks.len() / 2);
    post_all(&mut world, first, 1).await;
    let grew = upgraded(&world);
    for (name, least) in
        [("policy", 5), ("document", 8), ("state", 1), ("summary", 1), ("channel", 1), ("connection", 4)]
    {
        assert!(grew.get(name).is_some_and(|count| *count >= least), "{name}: {grew:?}");
    }
    // Another process, which remembers nothing.
    world.restart();
    post_all(&mut world, rest, 1).await;
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    for path in ["settings", "connections", "calls"] {
        let (status, body) = ask(&world, &owner(), "GET", &of(path), None).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
}
