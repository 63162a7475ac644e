//! Every recorded body means what stands beside it.

use super::{Rostelecom, bytes, folder, json, ours, posted, secret, sign, text, understood};
use crate::{Inbound, Intake, Lab, Refusal};

fn samples() -> Vec<(String, String)> {
    let index = json("index.json");
    let samples = index["samples"].as_array().expect("a list").clone();
    samples.iter().map(|sample| (text(sample, "name").to_owned(), text(sample, "path").to_owned())).collect()
}

#[test]
fn every_sample_means_what_is_expected() {
    let rewrite = std::env::var("UPDATE_EXPECTED").is_ok_and(|value| value == "1");
    for (name, path) in samples() {
        let means = understood(&posted(&path, &bytes(&format!("in/{name}.body"))));
        let means = means.unwrap_or_else(|why| panic!("{name}: {why}"));
        let file = format!("expected/{name}.json");
        if rewrite {
            let pretty = serde_json::to_string_pretty(&means).expect("JSON") + "\n";
            std::fs::write(folder().join(&file), pretty).expect("a writable folder");
        }
        let expected: Vec<Inbound> = serde_json::from_value(json(&file)).expect("events");
        assert_eq!(means, expected, "{name}: UPDATE_EXPECTED=1 rewrites {file}");
    }
}

#[test]
fn no_file_lies_about_unlisted() {
    let mut listed: Vec<String> = samples().into_iter().map(|(name, _)| name + ".body").collect();
    let mut found: Vec<String> = std::fs::read_dir(folder().join("in"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    listed.sort();
    found.sort();
    assert_eq!(found, listed);
}

#[test]
fn signatures_by_other_hands_are_made_and_believed() {
    let vectors = json("signature_vectors.json");
    let vectors = vectors["vectors"].as_array().expect("a list");
    assert!(vectors.len() > 20);
    for vector in vectors {
        let (id, key, right) = (text(vector, "client_id"), text(vector, "sign_key"), text(vector, "x_client_sign"));
        let secret = secret(id, key);
        let body = text(vector, "body_utf8").as_bytes();
        assert_eq!(sign::signature(body, &secret), right, "{}", text(vector, "name"));
        let signed = Rostelecom.sign(text(vector, "body_utf8"), &secret);
        let headers = signed.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let request = crate::RawRequest { headers, ..posted("call_events", body) };
        assert!(Rostelecom.verify(&request, &[secret]).is_ok(), "{}", text(vector, "name"));
    }
}

#[test]
fn both_secrets_are_good_while_they_are_changed() {
    let request = posted("call_events", b"{}");
    let other = secret("0123", "4567");
    for secrets in [[ours(), other.clone()], [other.clone(), ours()]] {
        assert!(Rostelecom.verify(&request, &secrets).is_ok());
    }
    assert_eq!(Rostelecom.verify(&request, &[other]).err(), Some(Refusal::UnknownKey));
    assert_eq!(Rostelecom.verify(&request, &[secret("0123", "")]).err(), Some(Refusal::NoSecret));
}
