//! The captured calls, and what must stand in the CRM after each.

use serde_json::Value;

/// A webhook of a captured call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub path: String,
    /// Compact, as it was sent.
    pub json: String,
}

/// The captured arrival orders by name.
pub fn captured(name: &str) -> Vec<Webhook> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../events/mango/scenario_arrival_orders.json");
    let text = std::fs::read_to_string(path).expect("the captured orders");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let list = all[name].as_array().unwrap_or_else(|| panic!("no captured order {name}"));
    list.iter()
        .map(|event| Webhook {
            path: event["path"].as_str().expect("a path").to_owned(),
            json: event["json"].to_string(),
        })
        .collect()
}

/// All orders of a few things; the first is the given one.
pub fn permutations<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    if things.len() <= 1 {
        return vec![things.to_vec()];
    }
    let mut all = Vec::new();
    for (place, first) in things.iter().enumerate() {
        let mut rest = things.to_vec();
        rest.remove(place);
        for mut order in permutations(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}
