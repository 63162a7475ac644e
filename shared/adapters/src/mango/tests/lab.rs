//! The lab finds out why a signature does not fit; the settings find out what was pasted wrongly.

use super::{FORM, ours, posted, request, secret, understood};
use crate::{Lab, Secret, Settings};

use super::super::{Mango, form};

const SPACED: &str = r#"{"a": "x \" y\\", "b": [1, 2]}"#;

/// Which tries fit, by their numbers.
fn fitting(json: &str, signed: &str, secrets: &[Secret]) -> Vec<usize> {
    let sign = form::signature(signed, &ours());
    let json: String = form_urlencoded::byte_serialize(json.as_bytes()).collect();
    let body = format!("vpbx_api_key={}&sign={sign}&json={json}", ours().get("key"));
    let attempts = Mango.explain(&request("events/call", FORM, body.into_bytes()), secrets);
    (0..attempts.len()).filter(|at| attempts[*at].fits).collect()
}

#[test]
fn the_right_secret_is_found_among_several() {
    assert_eq!(fitting("{}", "{}", &[ours()]), [0]);
    assert_eq!(fitting("{}", "{}", &[secret("k", "s"), ours()]), [3]);
    assert_eq!(fitting("{}", "{ }", &[ours()]), [0_usize; 0]);
}

#[test]
fn a_key_and_a_salt_in_each_others_place_are_noticed() {
    let swapped = secret(ours().get("salt"), ours().get("key"));
    assert_eq!(fitting("{}", "{}", &[swapped]), [1]);
}

#[test]
fn json_that_was_spaced_on_the_way_is_noticed() {
    let compact = r#"{"a":"x \" y\\","b":[1,2]}"#;
    assert_eq!(fitting(SPACED, compact, &[ours()]), [2]);
    assert_eq!(fitting(SPACED, SPACED, &[ours()]), [0]);
}

#[test]
fn what_is_no_signed_form_is_said_to_be_none() {
    let explain = |path, body: &[u8], secrets: &[Secret]| {
        let attempts = Mango.explain(&request(path, FORM, body.to_vec()), secrets);
        (attempts.len(), attempts[0].fits, attempts[0].what.clone())
    };
    assert_eq!(explain("ping", b"", &[]), (1, true, "ping".to_owned()));
    assert!(explain("events/call", b"x", &[ours()]).2.contains("no field `json`"));
    assert_eq!(explain("events/call", b"json={}", &[]).2, "no secret to try");
    assert_eq!(explain("events/call", b"json={}", &[secret("k", "")]).2, "secret 1 is incomplete");
}

#[test]
fn advice_never_shows_a_secret() {
    let attempts = Mango.explain(&posted("events/call", "{}"), &[ours(), secret("kkkkkk", "ssssss")]);
    let said = format!("{attempts:?}");
    for hidden in [ours().get("key"), ours().get("salt"), "kkkkkk", "ssssss"] {
        assert!(!said.contains(hidden));
    }
}

#[test]
fn every_example_is_understood() {
    for example in Mango.examples() {
        let means = understood(&posted(example.path, example.payload));
        assert!(means.is_ok(), "{}: {means:?}", example.payload);
    }
}

#[test]
fn wrongly_pasted_secrets_are_told_apart() {
    let check = |key, salt| {
        let problems = Mango.check(&secret(key, salt).0);
        problems.into_iter().map(|p| (p.field, p.what)).collect::<Vec<_>>()
    };
    assert_eq!(check("key", "salt"), []);
    assert_eq!(check("", "salt"), [("key".into(), "empty".into())]);
    let space = "there is a space or a line break in it".to_owned();
    assert_eq!(check("key", "sa lt"), [("salt".into(), space.clone())]);
    assert_eq!(check(" ", "salt\n"), [("key".into(), "empty".into()), ("salt".into(), space)]);
    assert_eq!(check("one", "one"), [("salt".into(), "the same value as `key`".into())]);
    assert_eq!(Mango.check(&std::collections::BTreeMap::new()), []);
}
