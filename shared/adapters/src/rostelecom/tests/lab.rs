//! Why a signature does not fit is said.

use super::{Rostelecom, ours, posted, secret, sign};
use crate::Lab;

fn fits(headers: &[(&str, &str)], body: &[u8], secrets: &[crate::Secret]) -> Vec<String> {
    let mut request = posted("call_events", body);
    for (name, value) in headers {
        request.headers.insert((*name).to_owned(), (*value).to_owned());
    }
    let attempts = Rostelecom.explain(&request, secrets);
    attempts.into_iter().filter(|attempt| attempt.fits).map(|attempt| attempt.what).collect()
}

#[test]
fn the_right_formula_fits_alone() {
    assert_eq!(fits(&[], b"{}", &[ours()]), ["sha256(id + body + key), secret 1"]);
    assert_eq!(fits(&[], b"{}", &[secret("1", "2"), ours()]), ["sha256(id + body + key), secret 2"]);
}

#[test]
fn code_and_key_in_each_others_place_are_found() {
    let (id, key) = (ours().get("client_id").to_owned(), ours().get("sign_key").to_owned());
    let swapped = secret(&key, &id);
    assert_eq!(fits(&[], b"{}", &[swapped]), ["sha256(key + body + id), secret 1"]);
}

#[test]
fn a_line_break_that_was_added_is_found() {
    let right = sign::signature(b"{}", &ours());
    let found = fits(&[("x-client-sign", &right)], b"{}\n", &[ours()]);
    assert_eq!(found, ["sha256(id + body without the last line break + key), secret 1"]);
}

#[test]
fn nothing_fits_without_headers_secrets_or_a_whole_secret() {
    assert!(fits(&[("x-client-sign", "")], b"{}", &[ours()]).is_empty());
    assert!(fits(&[], b"{}", &[]).is_empty());
    assert!(fits(&[], b"{}", &[secret("0123", "")]).is_empty());
    assert!(fits(&[("x-client-id", "0")], b"{}", &[ours()]).is_empty());
}
