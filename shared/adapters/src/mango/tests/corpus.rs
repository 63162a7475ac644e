//! Every recorded body means what stands beside it.

use serde_json::Value;

use super::{FORM, bytes, folder, json, list, ours, posted, request, string, text, understood, verified};
use crate::{Inbound, Intake, Lab};

use super::super::Mango;

fn samples() -> Vec<(String, String)> {
    let index = json("index.json");
    list(&index["samples"]).iter().map(|s| (string(s, "name"), string(s, "path"))).collect()
}

fn body(name: &str) -> Vec<u8> {
    bytes(&format!("in/{name}.body"))
}

#[test]
fn every_sample_means_what_is_expected() {
    let rewrite = std::env::var("UPDATE_EXPECTED").is_ok_and(|value| value == "1");
    for (name, path) in samples() {
        let means = understood(&request(&path, FORM, body(&name)));
        let means = means.unwrap_or_else(|why| panic!("{name}: {why}"));
        let file = format!("expected/{name}.json");
        if rewrite {
            let pretty = serde_json::to_string_pretty(&means).expect("JSON") + "\n";
            std::fs::write(folder().join(&file), pretty).expect("a writable folder");
        }
        let expected: Vec<Inbound> = serde_json::from_str(&text(&file)).expect("events");
        assert_eq!(means, expected, "{name}: UPDATE_EXPECTED=1 rewrites {file}");
    }
}

#[test]
fn every_body_is_the_signed_form_of_its_payload() {
    for (name, path) in samples().into_iter().filter(|(name, _)| name != "ping") {
        let payload = text(&format!("in/{name}.json"));
        let signed = Mango.sign(&payload, &ours());
        assert_eq!(String::from_utf8_lossy(&signed.body), String::from_utf8_lossy(&body(&name)));
        assert_eq!(signed.headers, [("content-type", FORM.to_owned())]);
        assert_eq!(verified(&request(&path, FORM, body(&name))), Ok(payload), "{name}");
    }
}

#[test]
fn no_file_lies_about_unlisted() {
    let mut listed: Vec<String> = samples().into_iter().map(|(name, _)| name + ".body").collect();
    let mut found: Vec<String> = std::fs::read_dir(folder().join("in"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".body"))
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(found, listed);
}

#[test]
fn the_same_request_always_means_the_same() {
    for (name, path) in samples() {
        let request = request(&path, FORM, body(&name));
        assert_eq!(understood(&request), understood(&request), "{name}");
    }
}

#[test]
fn the_users_own_base_address_and_a_last_slash_do_not_matter() {
    for (name, path) in samples() {
        let plain = understood(&request(&path, FORM, body(&name)));
        for odd in [format!("{path}/"), format!("mango/{path}"), format!("x/events/y/api/v1/{path}")] {
            assert_eq!(understood(&request(&odd, FORM, body(&name))), plain, "{odd}");
        }
    }
}

#[test]
fn every_bad_body_ends_as_its_index_says() {
    let index = json("bad/index.json");
    for sample in list(&index["samples"]) {
        let name = string(sample, "name");
        let body = bytes(&format!("bad/{name}.body"));
        let request = request(&string(sample, "path"), &string(sample, "content_type"), body);
        let (must, refusal) = (&sample["must"], verified(&request).err());
        if let Some(kind) = must["refusal"].as_str() {
            let refusal = refusal.unwrap_or_else(|| panic!("{name}: it was believed"));
            assert!(format!("{refusal:?}").starts_with(kind), "{name}: {refusal:?}");
            assert!(refusal.to_string().contains(&string(must, "says")), "{name}: {refusal}");
        } else if let Some(says) = must["malformed"].as_str() {
            assert_eq!(refusal, None, "{name}");
            let why = understood(&request).expect_err(&name);
            assert!(why.contains(says), "{name}: {why}");
        } else {
            let twin = format!("expected/{}.json", string(must, "accepted"));
            let expected: Vec<Inbound> = serde_json::from_str(&text(&twin)).expect("events");
            assert_eq!(understood(&request), Ok(expected), "{name}");
        }
    }
}

#[test]
fn every_event_of_the_recorded_arrival_orders_is_understood() {
    let orders = json("scenario_arrival_orders.json");
    let orders = orders.as_object().expect("an object");
    let mut events = 0;
    for event in orders.values().filter_map(Value::as_array).flatten() {
        let means = understood(&posted(&string(event, "path"), &event["json"].to_string()));
        assert!(matches!(means.as_deref(), Ok([Inbound::Call(_)])), "{event}: {means:?}");
        events += 1;
    }
    assert_eq!(events, 16);
}

#[test]
fn every_path_the_provider_is_known_to_send_is_known() {
    for path in Mango.paths() {
        let means = understood(&posted(path, "{}"));
        let why = means.err().unwrap_or_default();
        assert!(!why.contains("unknown event path"), "{path}: {why}");
    }
}
