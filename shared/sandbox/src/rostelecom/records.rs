//! Records of talks: asked for with a signature, answered with a link that works once, from one address.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::api::{granted, refused};
use super::{Rostelecom, hex};
use crate::audio;
use crate::http::Response;

/// How long a link lives, in milliseconds. The real number is not published.
const LINK_MS: i64 = 5 * 60 * 1000;

/// How often each record was asked for, and the links that were given out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Records {
    tries: BTreeMap<String, u32>,
    links: BTreeMap<String, Link>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Link {
    /// Who may download; empty: anybody.
    address: String,
    until_ms: i64,
    used: bool,
}

impl Rostelecom {
    pub(super) fn get_record(&mut self, asked: &Value, peer: &str, now_ms: i64) -> Response {
        let session = asked["session_id"].as_str().unwrap_or_default();
        let recorded = |call: &&super::Account| call.session == session && call.is_record && call.end_ms <= now_ms;
        if self.calls.iter().find(recorded).is_none() {
            return refused("Запись не найдена");
        }
        let tries = self.records.tries.entry(session.to_owned()).or_default();
        *tries += 1;
        if *tries <= self.manner.record_tries {
            return refused("Запись ещё не готова");
        }
        let address = asked["ip_adress"].as_str().unwrap_or(peer).to_owned();
        let digits: String = address.bytes().filter(u8::is_ascii_digit).map(char::from).collect();
        let count = self.records.links.len().to_string();
        let token = hex(&[session.as_bytes(), count.as_bytes(), &now_ms.to_be_bytes()])[..32].to_owned();
        let link = format!("{token}/{}", if digits.is_empty() { "0" } else { &digits });
        let url = format!("{}/records_new_scheme/record/download/{link}", self.config.public_base);
        self.records.links.insert(link, Link { address, until_ms: now_ms + LINK_MS, used: false });
        granted(json!({ "url": url }))
    }

    pub(super) fn download_record(&mut self, link: &str, peer: &str, now_ms: i64) -> Response {
        // A transport that does not know where a request comes from leaves the address open.
        let may = |link: &&mut Link| {
            let is_his = link.address.is_empty() || peer.is_empty() || link.address == peer;
            is_his && !link.used && now_ms < link.until_ms
        };
        match self.records.links.get_mut(link).filter(may) {
            Some(link) => {
                link.used = true;
                Response::new(200, "audio/wav", audio::beep())
            }
            None => Response::of_html(404, "<html><body><h1>404 Not Found</h1></body></html>"),
        }
    }
}
