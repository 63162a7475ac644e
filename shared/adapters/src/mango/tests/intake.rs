//! The signature, the reading of fields, and that nothing makes it panic.

use super::{FORM, bytes, json, list, ours, posted, request, secret, string, text, understood, verified};
use crate::{Intake, Lab, Refusal};

use super::super::{Mango, form};

const SAMPLE: &str = "in/events_call_in_01_ivr_appeared";

fn vectors() -> Vec<(String, String, String, String)> {
    let file = json("signature_vectors.json");
    let (key, salt) = (string(&file, "api_key"), string(&file, "salt"));
    let ours = list(&file["vectors"]).iter().map(|v| (key.clone(), salt.clone(), v));
    let official = list(&file["official"]).iter().map(|v| (string(v, "api_key"), string(v, "salt"), v));
    ours.chain(official).map(|(k, s, v)| (k, s, string(v, "json"), string(v, "sign"))).collect()
}

#[test]
fn all_signature_vectors_are_computed_and_believed() {
    assert_eq!(vectors().len(), 9);
    for (key, salt, json, sign) in vectors() {
        let secret = secret(&key, &salt);
        let signed = Mango.sign(&json, &secret);
        assert_eq!(signed.signature, sign, "{json}");
        let request = request("events/call", FORM, signed.body);
        let payload = Mango.verify(&request, &[secret]).expect("believed").payload().to_owned();
        assert_eq!(payload, json);
    }
}

#[test]
fn an_hmac_is_not_what_we_compute() {
    let hmac = string(&json("signature_vectors.json")["must_not_match"], "sign");
    for (key, salt, json, sign) in vectors() {
        assert_ne!(sign, hmac);
        let secret = secret(&key, &salt);
        let body = Mango.sign(&json, &secret).body;
        let forged = String::from_utf8(body).expect("ASCII").replace(&sign, &hmac);
        let request = request("events/call", FORM, forged.into_bytes());
        assert_eq!(Mango.verify(&request, &[secret]).err(), Some(Refusal::WrongSignature));
    }
}

#[test]
fn the_link_vectors_are_computed_too() {
    let file = json("signature_vectors.json");
    let mine = (string(&file, "api_key"), string(&file, "salt"), &file["recording_links"][0]);
    let other = &file["from_client_tests"][0];
    let theirs = (string(other, "api_key"), string(other, "salt"), other);
    for (key, salt, vector) in [mine, theirs] {
        let (expires, id) = (string(vector, "expires"), string(vector, "recording_id"));
        assert_eq!(form::digest(&[&key, &expires, &id, &salt]), string(vector, "sign"));
    }
}

#[test]
fn one_flipped_bit_anywhere_in_the_json_is_refused() {
    let payload = bytes(&format!("{SAMPLE}.json"));
    let sign = form::signature(&text(&format!("{SAMPLE}.json")), &ours());
    for at in 0..payload.len() {
        for bit in 0..8 {
            let mut flipped = payload.clone();
            flipped[at] ^= 1 << bit;
            let json: String = form_urlencoded::byte_serialize(&flipped).collect();
            let key = ours().get("key").to_owned();
            let body = format!("vpbx_api_key={key}&sign={sign}&json={json}");
            let refusal = verified(&request("events/call", FORM, body.into_bytes()));
            assert_eq!(refusal, Err(Refusal::WrongSignature), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn during_a_rotation_both_secrets_are_good() {
    let request = request("events/call", FORM, bytes(&format!("{SAMPLE}.body")));
    let new = secret("newkey", "newsalt");
    let same_key = secret(ours().get("key"), "newsalt");
    for secrets in [vec![new.clone(), ours()], vec![ours(), new.clone()], vec![same_key.clone(), ours()]] {
        assert!(Mango.verify(&request, &secrets).is_ok());
    }
    assert_eq!(Mango.verify(&request, std::slice::from_ref(&new)).err(), Some(Refusal::UnknownKey));
    let refusal = Mango.verify(&request, &[same_key, new]).err();
    assert_eq!(refusal, Some(Refusal::WrongSignature));
}

#[test]
fn a_channel_without_a_whole_secret_believes_nobody() {
    let saltless = secret(ours().get("key"), "");
    let body = form::seal("{}", &saltless).1;
    let request = request("events/call", FORM, body);
    for secrets in [vec![], vec![saltless], vec![secret("", "")]] {
        assert_eq!(Mango.verify(&request, &secrets).err(), Some(Refusal::NoSecret));
    }
}

#[test]
fn a_ping_needs_no_signature_whatever_it_carries() {
    for body in [&b""[..], b"hello", b"json=%7B%7D&sign=x", b"\xff\xfe"] {
        for path in ["ping", "ping/", "mango/ping"] {
            let request = request(path, "text/plain", body.to_vec());
            assert_eq!(verified(&request), Ok(String::new()));
            assert_eq!(understood(&request), Ok(vec![crate::Inbound::Ping]));
        }
    }
}

#[test]
fn a_complaint_shows_no_telephone_number() {
    let why = understood(&posted("events/call", r#"{"entry_id":"e","from":"79990000001"}"#));
    assert_eq!(why, Err("field `from` is a text: an object was expected".to_owned()));
}

#[test]
fn a_complaint_says_which_field_and_what_was_there() {
    let why = |payload| understood(&posted("events/summary", payload)).expect_err("malformed");
    assert_eq!(why("{}"), "field `call_direction` is missing or empty");
    let seven = why(r#"{"call_direction":"7"}"#);
    assert_eq!(seven, "field `call_direction` is `7`: 0, 1 or 2 was expected");
    let list = why(r#"{"call_direction":1,"to":{"extension":[]}}"#);
    assert_eq!(list, "field `to.extension` is a list: a text was expected");
}

#[test]
fn a_summary_without_a_result_goes_by_its_talk_time() {
    let start = r#"{"entry_id":"e","call_direction":"1","end_time":"1760000045""#;
    let talked = |rest: &str| {
        let means = understood(&posted("events/summary", &format!("{start}{rest}}}")));
        format!("{means:?}").contains("talked_at: Some")
    };
    assert!(talked(r#","talk_time":1760000003"#));
    assert!(talked(r#","talk_time":"1760000003","entry_result":"1""#));
    assert!(!talked(r#","talk_time":1760000003,"entry_result":0"#));
    assert!(!talked(r#","talk_time":"0""#));
    assert!(!talked(""));
}

/// A tiny generator of numbers: the same on every machine.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("small")
    }

    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let piece = [&b"\""[..], b"{", b"[]", b"null", b"-1", b"1e99", b"\xd0", b"%", b"\\u"];
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.truncate(at),
                3 => {
                    let end = (at + self.below(12)).min(bytes.len());
                    bytes.splice(at..end, piece[self.below(piece.len())].iter().copied());
                }
                _ => bytes.extend_from_within(at..),
            }
        }
    }
}

#[test]
fn thousands_of_spoiled_bodies_and_payloads_never_panic() {
    let index = json("index.json");
    let (mut random, mut believed) = (Xorshift(0x9e37_79b9_7f4a_7c15), 0);
    for sample in list(&index["samples"]) {
        let (name, path) = (string(sample, "name"), string(sample, "path"));
        let (body, payload) = (bytes(&format!("in/{name}.body")), payload_of(&name));
        for _ in 0..60 {
            let mut spoiled = body.clone();
            random.mutate(&mut spoiled);
            let charset = ["", "; charset=cp1251", "; charset=utf-16", "; charset=gbk"];
            let content_type = format!("{FORM}{}", charset[random.below(charset.len())]);
            let request = request(&path, &content_type, spoiled);
            drop(understood(&request));
            drop(Mango.explain(&request, &[ours()]));
            let mut spoiled = payload.clone();
            random.mutate(&mut spoiled);
            let signed = posted(&path, &String::from_utf8_lossy(&spoiled));
            believed += usize::from(verified(&signed).is_ok());
            drop(understood(&signed));
        }
    }
    assert_eq!(believed, 60 * list(&index["samples"]).len());
}

fn payload_of(name: &str) -> Vec<u8> {
    if name == "ping" { Vec::new() } else { bytes(&format!("in/{name}.json")) }
}
