//! The outside systems together: how they are set up, and which of them a request is for.

use perezvon_sandbox::amocrm::{self, AmoCrm};
use perezvon_sandbox::avito::{self, Avito};
use perezvon_sandbox::mango::{self, Mango};
use perezvon_sandbox::rostelecom::{self, Rostelecom};
use perezvon_sandbox::{Post, Request, Response};
use serde::{Deserialize, Serialize};

/// The outside systems.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fakes {
    pub crm: AmoCrm,
    pub pbx: Mango,
    #[serde(default)]
    pub messenger: Avito,
    /// The other PBX.
    #[serde(default)]
    pub vats: Rostelecom,
}

/// Who tells by itself, at its own times.
#[derive(Clone, Copy)]
pub(super) enum Teller {
    Crm,
    Mango,
    Rostelecom,
}

/// Settings of the systems.
struct Configs {
    crm: amocrm::Config,
    pbx: mango::Config,
    messenger: avito::Config,
    vats: rostelecom::Config,
}

impl Fakes {
    /// Empty systems with these secrets; `base` is the address they are served on, without a slash. Key and salt are
    /// also client_id and client_secret of the messenger, and client_id and sign_key of the other PBX.
    pub fn new(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let Configs { crm, pbx, messenger, vats } = Configs::new(base, token, key, salt);
        Self {
            crm: AmoCrm::new(crm),
            pbx: Mango::new(pbx),
            messenger: Avito::new(messenger),
            vats: Rostelecom::new(vats),
        }
    }

    /// The same, with a recording of every id: for webhooks that were made elsewhere.
    pub fn for_anybody(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let Configs { pbx, .. } = Configs::new(base, token, key, salt);
        let pbx = Mango::new(mango::Config { every_recording: true, ..pbx });
        Self { pbx, ..Self::new(base, token, key, salt) }
    }

    /// The same systems, served somewhere else.
    pub fn moved(mut self, base: &str, token: &str, key: &str, salt: &str) -> Self {
        let Configs { crm, pbx, messenger, vats } = Configs::new(base, token, key, salt);
        self.crm.configure(crm);
        self.pbx.configure(pbx);
        self.messenger.configure(messenger);
        self.vats.configure(vats);
        self
    }

    /// Whichever system the path belongs to answers.
    pub(super) fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        if let Some(request) = below(request, "/avito") {
            self.messenger.handle(&request, now_ms)
        } else if let Some(request) = below(request, "/rostelecom") {
            self.vats.handle(&request, now_ms)
        } else if let Some(request) = for_pbx(request) {
            self.pbx.handle(&request, now_ms)
        } else {
            self.crm.handle(request, now_ms)
        }
    }

    /// When the next post is due, in Unix milliseconds.
    pub(super) fn next_due(&self) -> Option<i64> {
        [self.crm.next_due(), self.pbx.next_due(), self.vats.next_due()].into_iter().flatten().min()
    }

    /// What is to be posted by now, and by whom.
    pub(super) fn take_due(&mut self, now_ms: i64) -> Vec<(Teller, Post)> {
        let crm = self.crm.take_due(now_ms).into_iter().map(|post| (Teller::Crm, post));
        let pbx = self.pbx.take_due(now_ms).into_iter().map(|post| (Teller::Mango, post));
        let vats = self.vats.take_due(now_ms).into_iter().map(|post| (Teller::Rostelecom, post));
        crm.chain(pbx).chain(vats).collect()
    }
}

impl Configs {
    fn new(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let pbx = mango::Config {
            key: key.to_owned(),
            salt: salt.to_owned(),
            public_base: base.to_owned(),
            ..mango::Config::default()
        };
        let vats = rostelecom::Config {
            client_id: key.to_owned(),
            sign_key: salt.to_owned(),
            public_base: format!("{base}/rostelecom"),
            ..rostelecom::Config::default()
        };
        let (client_id, client_secret) = (key.to_owned(), salt.to_owned());
        let tokens = vec![token.to_owned()];
        Self {
            crm: amocrm::Config { base: base.to_owned(), tokens, ..amocrm::Config::default() },
            pbx,
            messenger: avito::Config { client_id, client_secret, ..avito::Config::default() },
            vats,
        }
    }
}

/// How a person reaches the messenger, as a channel of it and as a client who writes.
pub fn messenger(base: &str, key: &str, salt: &str) -> String {
    let user = avito::Config::default().user_id;
    format!(
        "messenger: base {base}/avito, user_id {user}, client_id {key}, client_secret {salt}\n\
         write to it as a client: curl -d '{{\"text\":\"Ещё продаёте?\"}}' {base}/avito/sandbox/messages"
    )
}

/// How a person reaches the PBX that asks before it routes.
pub fn telephony(base: &str, key: &str, salt: &str) -> String {
    let domain = rostelecom::Config::default().domain;
    format!(
        "telephony: base {base}/rostelecom, domain {domain}, client_id {key}, sign_key {salt}\n\
         place calls in it, once it knows your address: {base}/rostelecom/"
    )
}

/// What is below this folder belongs to one system.
fn below(request: &Request, folder: &str) -> Option<Request> {
    let path = request.path.strip_prefix(folder).filter(|path| path.starts_with('/'))?;
    Some(Request { path: path.to_owned(), ..request.clone() })
}

/// `/vpbx/` and `/files/` belong to the PBX; its levers are below `/vpbx/sandbox/`.
fn for_pbx(request: &Request) -> Option<Request> {
    let path = request.path.as_str();
    if path.starts_with("/vpbx/sandbox/") {
        return below(request, "/vpbx");
    }
    (path.starts_with("/vpbx/") || path.starts_with("/files/")).then(|| request.clone())
}
