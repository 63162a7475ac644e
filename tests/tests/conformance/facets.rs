//! What a registration promises besides its webhooks: names, limits, secrets, markers, the lab.

use std::collections::{BTreeMap, BTreeSet};

use perezvon_adapters::{CODECS, Codec, FieldSpec, Level, PROVIDERS, Role, Secret, Signature};

use crate::{recorded, request};

/// A raw message carries the body in base64: it must fit into a queue (1 MiB), and into a row of quarantine (400 KiB).
const LARGEST_BODY: u32 = 256 * 1024;

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(plain)
}

#[test]
fn every_provider_has_a_name_of_its_own() {
    let ids: BTreeSet<&str> = PROVIDERS.iter().map(|provider| provider.id).collect();
    assert_eq!(ids.len(), PROVIDERS.len());
    for provider in PROVIDERS {
        assert!(is_name(provider.id) && !provider.name.is_empty(), "{}", provider.id);
        let found = perezvon_adapters::provider(provider.id).expect("registered");
        assert!(std::ptr::eq(found, *provider));
        let codec = perezvon_adapters::codec(provider.id).expect("registered");
        assert!(std::ptr::eq(codec.provider, *provider));
    }
    assert!(perezvon_adapters::provider("nobody").is_none());
}

#[test]
fn capabilities_are_within_what_the_house_can_carry() {
    for Codec { provider, intake, jobs, .. } in CODECS {
        let (id, can) = (provider.id, &provider.capabilities);
        match intake {
            Some(_) => assert!((1024..=LARGEST_BODY).contains(&can.body_limit), "{id}: {} bytes", can.body_limit),
            None => assert_eq!(can.body_limit, 0, "{id} posts nothing"),
        }
        assert!((0..=60_000).contains(&can.pace_ms), "{id}: a gap of {} ms", can.pace_ms);
        if let Signature::UrlTokenOnly { why } = can.signature {
            assert!(why.len() > 20, "{id}: why nothing but the URL is checked is said in a sentence");
        }
        match can.role {
            Role::Telephony => {
                assert!(intake.is_some(), "{id}: calls come in as webhooks")
            }
            Role::Crm => assert!(jobs.is_some(), "{id}: records are made by jobs"),
            Role::Chat => {
                assert!(intake.is_some() && jobs.is_some(), "{id}: messages come and go");
                assert!(can.max_text > 0, "{id}: how long may a message be?");
            }
        }
    }
}

#[test]
fn whoever_waits_for_an_answer_gets_one_and_posts_to_a_path_it_is_known_to_send() {
    for Codec { provider, intake, answer, .. } in CODECS {
        let asks = provider.capabilities.synchronous;
        assert_eq!(answer.is_some(), !asks.is_empty(), "{}: {asks:?}", provider.id);
        let paths = intake.map_or(&[][..], |intake| intake.paths());
        for name in asks {
            assert!(paths.contains(name), "{}: `{name}` is not among its paths", provider.id);
            assert!(perezvon_adapters::is_asked(&format!("/h/token/{name}")), "{}: `{name}`", provider.id);
        }
    }
    assert!(!perezvon_adapters::is_asked("/h/token/events/call") && !perezvon_adapters::is_asked("/h/token"));
}

#[test]
fn every_secret_field_is_named_and_says_where_it_is_found() {
    for provider in PROVIDERS {
        let fields = provider.settings.secrets();
        assert!(!fields.is_empty(), "{}: something is secret", provider.id);
        let names: BTreeSet<&str> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), fields.len(), "{}", provider.id);
        for FieldSpec { name, about, .. } in fields {
            assert!(is_name(name), "{}: `{name}`", provider.id);
            assert!(about.chars().count() > 10, "{}: where is `{name}` found?", provider.id);
        }
    }
}

#[test]
fn addresses_are_https_and_hosts_are_suffixes() {
    for provider in PROVIDERS {
        let (id, base) = (provider.id, provider.settings.default_base());
        assert!(base.is_empty() || base.starts_with("https://"), "{id}: {base}");
        assert!(!base.ends_with('/'), "{id}: {base}");
        for host in provider.settings.hosts() {
            assert!(host.starts_with('.') && host.len() > 3, "{id}: {host}");
        }
    }
}

#[test]
fn a_problem_with_a_secret_says_what_to_write_and_never_the_value() {
    for provider in PROVIDERS {
        let odd = "  odd value\n";
        let fields = provider.settings.secrets();
        let secret: BTreeMap<String, String> =
            fields.iter().map(|field| (field.name.to_owned(), odd.to_owned())).collect();
        let problems = provider.settings.check(&secret);
        assert!(!problems.is_empty(), "{}: spaces and a line break are no secret", provider.id);
        for problem in problems {
            assert!(!problem.what.is_empty() && !problem.instead.is_empty(), "{problem:?}");
            assert!(!format!("{problem:?}").contains(odd.trim()), "{problem:?}");
        }
    }
}

#[test]
fn the_secret_of_the_samples_is_a_whole_one() {
    for recorded in recorded() {
        let Secret(secret) = recorded.secret();
        let required = recorded.codec.provider.settings.secrets().iter().filter(|field| field.required);
        for field in required {
            assert!(secret.contains_key(field.name), "{}: `{}`", recorded.id, field.name);
        }
        assert_eq!(recorded.codec.provider.settings.check(&secret), [], "{}", recorded.id);
    }
}

#[test]
fn a_secret_never_shows_its_values() {
    for recorded in recorded() {
        let secret = recorded.secret();
        let shown = format!("{secret:?}");
        assert!(secret.0.values().all(|value| !shown.contains(value)), "{shown}");
    }
}

#[test]
fn markers_say_how_sure_they_are_and_how_long_to_wait() {
    for (id, jobs) in CODECS.iter().filter_map(|codec| Some((codec.provider.id, codec.jobs?))) {
        let markers = jobs.markers();
        let entities: BTreeSet<&str> = markers.iter().map(|marker| marker.entity).collect();
        assert_eq!(entities.len(), markers.len(), "{id}: an entity has one marker");
        for marker in markers {
            assert!(is_name(marker.entity), "{id}: `{}`", marker.entity);
            assert!((0..=600_000).contains(&marker.lag.0), "{id}: a lag of {} ms", marker.lag.0);
            let waits = marker.level != Level::E1 || marker.lag.0 > 0;
            assert!(waits, "{id}: what is seen late needs a lag: {}", marker.entity);
        }
    }
}

#[test]
fn a_crm_can_find_again_what_it_makes() {
    let crms = CODECS.iter().filter(|codec| codec.provider.capabilities.role == Role::Crm);
    for Codec { provider, jobs, .. } in crms {
        let markers = jobs.expect("a CRM has jobs").markers();
        for entity in ["contact", "deal", "task", "call"] {
            let marker = markers.iter().find(|marker| marker.entity == entity);
            assert!(marker.is_some_and(|marker| marker.level != Level::E0), "{}: {entity}", provider.id);
        }
    }
}

#[test]
fn what_the_lab_signs_is_believed_and_explained() {
    for recorded in recorded() {
        let Some(lab) = recorded.codec.lab else {
            continue;
        };
        assert!(!lab.examples().is_empty(), "{}", recorded.id);
        let secret = recorded.secret();
        for example in lab.examples() {
            let signed = lab.sign(example.payload, &secret);
            let headers = signed.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            let request = request(example.path, headers, signed.body);
            assert_eq!(recorded.believed(&request).as_deref(), Ok(example.payload), "{}", example.path);
            assert!(recorded.meaning(&request).is_ok(), "{}", example.path);
            let attempts = lab.explain(&request, std::slice::from_ref(&secret));
            assert!(attempts.iter().any(|attempt| attempt.fits), "{}", example.path);
            let attempts = lab.explain(&request, &[]);
            assert!(attempts.iter().all(|attempt| !attempt.fits), "{}: fits no key", example.path);
        }
    }
}
