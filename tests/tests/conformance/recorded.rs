//! Recorded bytes mean what stands beside them, every time; bad ones end as their index says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{Recorded, bytes, headers, json, list, recorded, request, text};

#[test]
fn some_provider_posts() {
    assert!(recorded().count() > 0);
}

#[test]
fn recorded_bytes_are_believed_and_mean_what_was_recorded() {
    for recorded in recorded() {
        let samples = recorded.samples();
        assert!(samples.len() >= 5, "{}: {} samples", recorded.id, samples.len());
        for sample in samples {
            let means = recorded.meaning(&sample.request);
            assert_eq!(means, Ok(recorded.expected(&sample.name)), "{}/{}", recorded.id, sample.name);
        }
    }
}

#[test]
fn the_same_bytes_always_mean_the_same_events() {
    for recorded in recorded() {
        for sample in recorded.samples() {
            let (once, again) = (recorded.meaning(&sample.request), recorded.meaning(&sample.request));
            assert_eq!(once, again, "{}/{}", recorded.id, sample.name);
        }
    }
}

#[test]
fn when_it_came_changes_nothing_of_what_it_means() {
    for recorded in recorded() {
        for sample in recorded.samples() {
            let mut later = sample.request.clone();
            later.received_at = perezvon_domain::Timestamp(later.received_at.0 + 86_400_000);
            assert_eq!(recorded.meaning(&later), recorded.meaning(&sample.request), "{}", sample.name);
        }
    }
}

#[test]
fn bad_requests_end_as_their_index_says() {
    for recorded in recorded() {
        let index = json(&format!("{}/bad/index.json", recorded.id));
        let (mut refused, mut malformed) = (0, 0);
        for entry in list(&index["samples"]) {
            match ends(&recorded, entry) {
                End::Refused => refused += 1,
                End::Malformed => malformed += 1,
                End::Accepted => {}
            }
        }
        assert!(refused > 0 && malformed > 0, "{}: {refused} refused, {malformed} malformed", recorded.id);
    }
}

enum End {
    Refused,
    Malformed,
    Accepted,
}

fn ends(recorded: &Recorded, entry: &Value) -> End {
    let name = text(entry, "name");
    let body = bytes(&format!("{}/bad/{name}.body", recorded.id));
    let request = request(&text(entry, "path"), headers(entry, &text(entry, "content_type")), body);
    let (must, believed) = (&entry["must"], recorded.believed(&request));
    if let Some(kind) = must["refusal"].as_str() {
        let refusal = believed.expect_err(&name);
        assert!(format!("{refusal:?}").starts_with(kind), "{name}: {refusal:?}");
        assert!(refusal.to_string().contains(&text(must, "says")), "{name}: {refusal}");
        End::Refused
    } else if let Some(says) = must["malformed"].as_str() {
        assert!(believed.is_ok(), "{name}: {believed:?}");
        let why = recorded.meaning(&request).expect_err(&name);
        assert!(why.contains(says), "{name}: {why}");
        End::Malformed
    } else {
        let twin = recorded.expected(&text(must, "accepted"));
        assert_eq!(recorded.meaning(&request), Ok(twin), "{name}");
        End::Accepted
    }
}

#[test]
fn without_a_secret_nothing_that_is_signed_is_believed() {
    for recorded in recorded() {
        for sample in recorded.samples() {
            let believed = recorded.intake.verify(&sample.request, &[]);
            let unsigned = recorded.believed(&sample.request).is_ok_and(|payload| payload.is_empty());
            assert!(believed.is_err() || unsigned, "{}/{}: believed without a secret", recorded.id, sample.name);
        }
    }
}

#[test]
fn every_sample_came_by_a_path_the_provider_is_known_to_use() {
    for recorded in recorded() {
        let paths: BTreeSet<&str> = recorded.intake.paths().iter().copied().collect();
        assert!(!paths.is_empty(), "{}", recorded.id);
        let used: BTreeSet<String> = recorded.samples().into_iter().map(|sample| sample.request.path).collect();
        let known = used.iter().filter(|path| paths.contains(path.as_str())).count();
        assert!(known >= 5.min(paths.len()), "{}: only {known} of its paths are recorded", recorded.id);
    }
}
