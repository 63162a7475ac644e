//! The guesses at the signature, over `events/avito/signatures.json`: all computed, none from a live account.

use super::*;
use crate::intake::Guess;
use crate::{Intake, RawRequest};

fn signed(body: &[u8], signature: &str) -> RawRequest {
    let headers = BTreeMap::from([("x-avito-messenger-signature".to_owned(), signature.to_owned())]);
    RawRequest { path: String::new(), headers, body: body.to_vec(), received_at: NOW }
}

fn with(name: &str, key: &str) -> Secret {
    Secret(BTreeMap::from([(name.to_owned(), key.to_owned())]))
}

#[test]
fn every_vector_fits_its_formula_under_either_name_of_the_key_and_no_other_key() {
    let vectors = file("signatures.json");
    let key = string(&vectors, "secret");
    for vector in list(&vectors["vectors"]) {
        let body = match vector["sample"].as_str() {
            Some(name) => bytes(&format!("in/{name}.body")),
            None => string(vector, "body").into_bytes(),
        };
        let push = signed(&body, &string(vector, "signature"));
        let fits = Some(string(vector, "formula"));
        for name in ["signature_secret", "client_secret"] {
            let told = match Avito.guess(&push, &[with(name, "other"), with(name, &key)]) {
                Some(Guess::Fits(formula)) => Some(formula.to_owned()),
                _ => None,
            };
            assert_eq!(told, fits, "{vector}");
        }
        assert_eq!(Avito.guess(&push, &[ours()]), Some(Guess::Misses), "{vector}");
    }
}

#[test]
fn a_push_without_a_signature_is_told_from_the_probe() {
    let text = bytes("in/text.body");
    for blank in ["", " "] {
        assert_eq!(Avito.guess(&signed(&text, blank), &[ours()]), Some(Guess::Absent));
    }
    assert_eq!(Avito.guess(&signed(b" {}\n", ""), &[ours()]), None);
    assert_eq!(Avito.guess(&signed(&text, "e66413d3"), &[]), Some(Guess::Misses));
}
