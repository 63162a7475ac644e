//! What every registered provider must do, whoever it is: read off its recorded bytes.
//!
//! Nothing here knows a provider by name; the folder `events/<id>/` says what is expected.

mod facets;
mod flips;
mod lambda;
mod recorded;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use perezvon_adapters::{CODECS, Codec, Inbound, Intake, RawRequest, Secret};
use perezvon_domain::Timestamp;
use serde_json::Value;

/// A provider that posts webhooks, with its folder of recorded bytes.
struct Recorded {
    id: &'static str,
    codec: &'static Codec,
    intake: &'static dyn Intake,
    index: Value,
}

/// One recorded request.
struct Sample {
    name: String,
    request: RawRequest,
}

/// Every provider that posts.
fn recorded() -> impl Iterator<Item = Recorded> {
    let posting = CODECS.iter().filter_map(|codec| Some((*codec, codec.intake?)));
    posting.map(|(codec, intake)| {
        let id = codec.provider.id;
        Recorded { id, codec, intake, index: json(&format!("{id}/index.json")) }
    })
}

impl Recorded {
    /// The secret that all samples are signed with.
    fn secret(&self) -> Secret {
        serde_json::from_value(self.index["secret"].clone()).expect("named values")
    }

    fn samples(&self) -> Vec<Sample> {
        let content_type = text(&self.index, "content_type");
        let samples = list(&self.index["samples"]).iter().map(|entry| {
            let name = text(entry, "name");
            let body = bytes(&format!("{}/in/{name}.body", self.id));
            Sample { request: request(&text(entry, "path"), headers(entry, &content_type), body), name }
        });
        samples.collect()
    }

    /// What a sample is said to mean.
    fn expected(&self, name: &str) -> Vec<Inbound> {
        let file = format!("{}/expected/{name}.json", self.id);
        serde_json::from_value(json(&file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The text that was signed; an error says why it is not believed.
    fn believed(&self, request: &RawRequest) -> Result<String, perezvon_adapters::Refusal> {
        let verified = self.intake.verify(request, &[self.secret()])?;
        Ok(verified.payload().to_owned())
    }

    /// What a request means; an error says why it does not.
    fn meaning(&self, request: &RawRequest) -> Result<Vec<Inbound>, String> {
        let secrets = [self.secret()];
        let verified = self.intake.verify(request, &secrets).map_err(|refusal| refusal.to_string())?;
        self.intake.normalise(verified).map_err(|malformed| malformed.to_string())
    }
}

/// What a request came with: the headers beside it, the signature among them where it travels in one.
fn headers(entry: &Value, content_type: &str) -> BTreeMap<String, String> {
    let own: BTreeMap<String, String> =
        entry.get("headers").map(|headers| serde_json::from_value(headers.clone()).expect("texts")).unwrap_or_default();
    let usual = [("content-type".to_owned(), content_type.to_owned())];
    usual.into_iter().chain(own).collect()
}

fn request(path: &str, headers: BTreeMap<String, String>, body: Vec<u8>) -> RawRequest {
    RawRequest { path: path.to_owned(), headers, body, received_at: Timestamp(1_760_000_100_000) }
}

/// A file under `events/`.
fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap_or_else(|error| panic!("events/{name}: {error}"))
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no text `{field}` in {value}")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
