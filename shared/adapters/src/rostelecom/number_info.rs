//! `get_number_info`: the provider asks who calls before anybody's telephone rings, and waits.

use perezvon_domain::answer::{Answered, Question};
use serde::Serialize;

use super::intake::event_name;
use super::{Rostelecom, party, sign};
use crate::answer::{Answer, Answering};
use crate::fields::Fields;
use crate::intake::{Malformed, Verified};
use crate::secret::Secret;

/// Where it asks.
pub(super) const PATHS: &[&str] = &["get_number_info"];

/// The answer; `PIN` is who is to ring, and empty where the domain's own rules decide.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberInfo<'a> {
    result: &'a str,
    result_message: &'a str,
    display_name: &'a str,
    #[serde(rename = "PIN")]
    pin: &'a str,
}

impl NumberInfo<'_> {
    fn bytes(&self) -> Vec<u8> {
        // Texts always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Answer for Rostelecom {
    fn question(&self, request: &Verified<'_>) -> Result<Question, Malformed> {
        let name = event_name(&request.request().path);
        if !PATHS.contains(&name) {
            return Err(Malformed(format!("`{name:.80}` asks nothing")));
        }
        let payload = serde_json::from_str(request.payload())
            .map_err(|error| Malformed(format!("the payload is no JSON: {error}")))?;
        let fields = Fields::of(&payload)?;
        let line = party::line(&fields.required_text("request_number")?);
        let caller = fields.text("from_number")?.unwrap_or_default();
        let caller = party::number(&caller).map(|number| number.plus()).unwrap_or_default();
        Ok(Question { line: fields.required("request_number", line)?, caller })
    }

    fn reply(&self, answered: &Answered, secret: &Secret) -> Answering {
        let pin = answered.extension.as_ref().map_or("", |extension| extension.as_str());
        let info = NumberInfo { result: "0", result_message: "", display_name: &answered.display_name, pin };
        let body = info.bytes();
        Answering { headers: sign::headers(&body, secret), body }
    }

    fn refusal(&self) -> Answering {
        let info = NumberInfo { result: "1", result_message: "refused", display_name: "", pin: "" };
        Answering { headers: vec![("content-type", "application/json".to_owned())], body: info.bytes() }
    }
}
