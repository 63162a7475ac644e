//! The PBXs and the CRM beside the world: what goes on in them, and their notices on their way to `ingest`.

use std::sync::PoisonError;
use std::time::Duration;

use aws_lambda_events::encodings::Body;
use perezvon_sandbox::Post;
use perezvon_sandbox::mango::Mango;
use perezvon_sandbox::rostelecom::{Config, Employee, Manner, Rostelecom};

use super::{World, gateway_request};

/// A domain whose employees are those of the world's settings.
pub(super) fn fake() -> Rostelecom {
    let employees = [("10", "anna"), ("12", "petrova"), ("23", "sidorov")];
    let employees = employees.map(|(pin, login)| Employee::new(pin, login, login)).to_vec();
    let mut vats = Rostelecom::new(Config { employees, ..Config::default() });
    vats.behave(Manner { asks: false, ..Manner::default() });
    vats
}

impl World {
    /// The sandbox PBX.
    pub fn pbx<T>(&self, look: impl FnOnce(&mut Mango) -> T) -> T {
        look(&mut self.http.pbx.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sandbox Rostelecom.
    pub fn vats<T>(&self, look: impl FnOnce(&mut Rostelecom) -> T) -> T {
        look(&mut self.http.vats.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives the sandbox Rostelecom the address of this channel.
    pub fn tell_vats(&self, account: &str, channel: &str) {
        let path = self.hook_path(account, channel, 1, "");
        self.vats(|vats| vats.tell(&format!("https://calls.test{path}")));
    }

    /// Gives the sandbox CRM the address of this account's connection: without one it tells nobody of changes.
    pub fn tell_crm(&self, account: &str) {
        let path = self.hook_path(account, "crm:main", 1, "");
        self.crm(|crm| crm.tell(&format!("https://calls.test{path}")));
    }

    /// Gives the sandbox Mango the address of this channel: without one it tells nobody of the calls that go on in it.
    pub fn tell_pbx(&self, account: &str, channel: &str) {
        let path = self.hook_path(account, channel, 1, "");
        self.pbx(|pbx| pbx.tell(&format!("https://calls.test{path}")));
    }

    /// Posts what is due through processes that may crash: a notice whose process died is lost, as with this
    /// provider. False: nothing was due.
    pub(super) async fn post_due(&mut self) -> bool {
        let now_ms = self.clock.now_ms();
        let of_pbx = self.pbx(|pbx| pbx.take_due(now_ms));
        let of_crm = self.crm(|crm| crm.take_due(now_ms));
        let due = self.vats(|vats| vats.take_due(now_ms));
        let any = !due.is_empty() || !of_pbx.is_empty() || !of_crm.is_empty();
        for post in of_crm {
            let status = self.post_notice(&post).await.unwrap_or_default();
            let now_ms = self.clock.now_ms();
            self.crm(|crm| crm.note_posted(&post, u16::try_from(status).unwrap_or_default(), now_ms));
        }
        for post in of_pbx {
            let status = self.post_notice(&post).await.unwrap_or_default();
            let now_ms = self.clock.now_ms();
            self.pbx(|pbx| pbx.note_posted(&post, u16::try_from(status).unwrap_or_default(), now_ms));
        }
        for post in due {
            let (status, answer) = if post.method == "get_number_info" {
                self.ask_in_time(&post).await.unwrap_or_default()
            } else {
                (self.post_notice(&post).await.unwrap_or_default(), Vec::new())
            };
            let (status, now_ms) = (u16::try_from(status).unwrap_or_default(), self.clock.now_ms());
            self.vats(|vats| vats.note_posted(&post, status, &answer, now_ms));
        }
        any
    }

    /// Asks the function `answer` as long as the PBX waits for it; `None`: it answered later, or never.
    async fn ask_in_time(&mut self, post: &Post) -> Option<(i64, Vec<u8>)> {
        let path = post.url.strip_prefix("https://calls.test").expect("only the world is asked");
        let request = self.question(path, &post.headers, &post.body);
        let (asking, wait) = (self.asking(), Duration::from_millis(post.wait_ms.unsigned_abs()));
        let (response, _) = tokio::time::timeout(wait, asking.ask(request)).await.ok()?;
        let answer = match response.body {
            Some(Body::Text(text)) => text.into_bytes(),
            _ => Vec::new(),
        };
        Some((response.status_code, answer))
    }

    async fn post_notice(&mut self, post: &Post) -> Option<i64> {
        let path = post.url.strip_prefix("https://calls.test").expect("only the world is told");
        self.requests += 1;
        let mut request = gateway_request(path, "", &post.body, self.requests, self.clock.now_ms());
        for (name, value) in &post.headers {
            request.headers.insert(*name, value.parse().expect("a header"));
        }
        self.request_surviving(request).await
    }
}
