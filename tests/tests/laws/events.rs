//! Recorded bytes: every provider that posts has them, and none lies about unused.

use perezvon_adapters::PROVIDERS;

use crate::obeyed;
use crate::tree::{self, File};

#[test]
fn every_provider_that_posts_has_recorded_bytes() {
    let mut offences = Vec::new();
    for provider in PROVIDERS {
        let id = provider.id;
        let mut wanted = vec!["README.md"];
        if provider.capabilities.body_limit > 0 {
            wanted.extend(["index.json", "in", "expected", "bad/index.json"]);
        }
        let missing = wanted.iter().filter(|name| !tree::at(&format!("events/{id}/{name}")).exists());
        offences.extend(missing.map(|name| format!("events/{id}/{name} is not there")));
    }
    obeyed("every provider has a folder of events", offences);
}

#[test]
fn every_sample_is_named_by_an_index_or_a_test() {
    let named: Vec<&File> = tree::files().iter().filter(|file| names_samples(file)).collect();
    let samples = tree::files().iter().filter(|file| file.path.starts_with("events/"));
    let samples = samples.filter(|file| file.name() != "README.md" && file.name() != "index.json");
    let orphans = samples.filter(|sample| !named.iter().any(|file| names(&file.text, sample.name())));
    obeyed("a sample that nothing reads is taken for a promise", orphans.map(|file| file.path.clone()).collect());
    assert!(names("[\"ping\"]", "ping.body") && names("\"in/ping.body\"", "ping.body"));
    assert!(!names("[\"pinging\"]", "ping.body"));
}

fn names_samples(file: &File) -> bool {
    let index = file.path.starts_with("events/") && file.name() == "index.json";
    index || (file.path.ends_with(".rs") && (file.is_test() || file.path.starts_with("shared/adapters/src/")))
}

/// `"ping"`, `"ping.body"`, or the end of a path in quotes.
fn names(text: &str, sample: &str) -> bool {
    let stem = sample.split('.').next().unwrap_or_default();
    [stem, sample].iter().any(|name| text.contains(&format!("\"{name}\"")) || text.contains(&format!("/{name}\"")))
}
