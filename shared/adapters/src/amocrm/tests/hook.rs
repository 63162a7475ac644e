//! Webhooks: the recorded ones, and odd ones.

use perezvon_domain::ClientId;

use super::*;
use crate::amocrm::hook::AmoHook;
use crate::{ACCOUNT_ID, ClientChange, Inbound, Intake, RawRequest, Refusal, SUBDOMAIN};

const OURS: [(&str, &str); 2] = [("account[subdomain]", "example"), ("account[id]", "30000001")];

fn file(name: &str) -> Vec<u8> {
    std::fs::read(folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn ours() -> Secret {
    let pairs = [(ACCOUNT_ID, "30000001"), (SUBDOMAIN, "example")];
    Secret(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

fn request(body: Vec<u8>) -> RawRequest {
    RawRequest { path: String::new(), headers: BTreeMap::new(), body, received_at: NOW }
}

fn form(pairs: &[(&str, &str)]) -> RawRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(pairs).extend_pairs(OURS);
    request(form.finish().into_bytes())
}

fn meaning(request: &RawRequest) -> Result<Vec<Inbound>, String> {
    let verified = AmoHook.verify(request, &[ours()]).map_err(|refusal| refusal.to_string())?;
    AmoHook.normalise(verified).map_err(|malformed| malformed.to_string())
}

#[test]
fn every_recorded_webhook_is_named_and_means_what_is_expected() {
    let index: Value = serde_json::from_slice(&file("index.json")).expect("JSON");
    let names = index["samples"].as_array().expect("a list").iter().map(|sample| sample["name"].as_str());
    let names: BTreeSet<&str> = names.map(|name| name.expect("a name")).collect();
    for name in &names {
        let expected = serde_json::from_slice(&file(&format!("expected/{name}.json"))).expect("JSON");
        assert_eq!(meaning(&request(file(&format!("in/{name}.body")))), Ok(expected), "{name}");
    }
    let files = std::fs::read_dir(folder("in")).expect("a folder");
    let files = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    assert_eq!(files.filter(|name| name.ends_with(".body")).count(), names.len());
}

#[test]
fn one_contact_that_comes_twice_is_one_and_an_odd_number_is_none() {
    let card = |place: &str, phone: &'static str| {
        let name = |rest: &str| format!("contacts[update][{place}]{rest}");
        let fields = "[custom_fields][0]";
        [
            (name("[id]"), "7"),
            (name(&format!("{fields}[code]")), "PHONE"),
            (name(&format!("{fields}[values][0][value]")), phone),
            (name(&format!("{fields}[values][1][value]")), "нет номера"),
        ]
    };
    let pairs = [card("0", "89990001122"), card("1", "+7 999 000-11-22")].concat();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let clients = vec![ClientId::from(Number::parse("79990001122").expect("a number"))];
    assert_eq!(meaning(&form(&pairs)), Ok(vec![Inbound::ClientChanged(ClientChange { contact: crm("7"), clients })]));
}

#[test]
fn a_flood_of_contacts_in_one_webhook_is_cut() {
    let pairs: Vec<(String, String)> =
        (1..500).map(|n| (format!("contacts[update][{n}][id]"), n.to_string())).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(meaning(&form(&pairs)).map(|all| all.len()), Ok(50));
}

#[test]
fn without_the_number_of_the_account_nobody_is_believed() {
    let webhook = form(&[("contacts[update][0][id]", "7")]);
    for secrets in [vec![], vec![Secret::default()]] {
        assert_eq!(AmoHook.verify(&webhook, &secrets).err(), Some(Refusal::NoSecret));
    }
    let other = Secret([(ACCOUNT_ID.to_owned(), "30000009".to_owned())].into());
    assert!(AmoHook.verify(&webhook, &[other.clone(), ours()]).is_ok());
    assert_eq!(AmoHook.verify(&webhook, &[other]).err(), Some(Refusal::OtherAccount));
}
