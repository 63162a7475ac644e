//! What the systems tell by themselves, posted at its time.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use perezvon_platform::{Clock as _, HttpRequest, HttpResponse};
use perezvon_sandbox::Post;
use perezvon_sandbox::avito::Push;

use super::fakes::Teller;
use super::{Fakes, Sandbox};
use crate::local::wiring::client;

/// What a push may take, in milliseconds: the messenger waits no longer for its answer.
pub(super) const PUSH_MS: i64 = 2_000;
/// A push that follows an answer comes this long after it: the answer has arrived by then.
const AFTER_ANSWER: Duration = Duration::from_millis(100);
/// The wait before a push is posted again.
const REPEAT: Duration = Duration::from_secs(1);

/// With nothing to post, it is looked again after this.
const LOOK: Duration = Duration::from_secs(60);

impl Sandbox {
    /// Posts what comes before the answer, and sees to the rest.
    pub(super) async fn tell(self: &Arc<Self>, pushes: Vec<Push>) {
        for push in pushes {
            let tried = push.before_answer;
            if tried && self.post(&push).await {
                continue;
            }
            let sandbox = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(if tried { REPEAT } else { AFTER_ANSWER }).await;
                sandbox.post_on(&push, push.repeats + u32::from(!tried)).await;
            });
        }
    }

    async fn post_on(&self, push: &Push, times: u32) {
        for _ in 0..times {
            if self.post(push).await {
                return;
            }
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// Whether the push was answered with 200.
    async fn post(&self, push: &Push) -> bool {
        let headers = vec![("content-type", "application/json".to_owned())];
        let answer = send(&push.url, headers, push.body.clone().into_bytes(), PUSH_MS).await;
        let status = answer.map_or(0, |answer| answer.status);
        self.change(|fakes| fakes.messenger.note_pushed(push, status, self.clock.now_ms())).await;
        status == 200
    }

    /// Posts what the CRM and telephone systems tell and ask, each at its time; never over.
    pub(super) async fn post_on_time(self: Arc<Self>) -> Infallible {
        loop {
            let due_ms = self.look(Fakes::next_due).await;
            let wait_ms = due_ms.map(|due_ms| (due_ms - self.clock.now_ms()).max(0).unsigned_abs());
            tokio::select! {
                () = tokio::time::sleep(wait_ms.map_or(LOOK, Duration::from_millis)) => {}
                () = self.changed.notified() => continue,
            }
            let posts = self.fakes.lock().await.take_due(self.clock.now_ms());
            for (sender, post) in posts {
                let sandbox = Arc::clone(&self);
                tokio::spawn(async move { sandbox.post_call(sender, &post).await });
            }
        }
    }

    async fn post_call(&self, sender: Teller, post: &Post) {
        let answer = send(&post.url, post.headers.clone(), post.body.clone(), post.wait_ms).await;
        let (status, body) = answer.map_or((0, Vec::new()), |answer| (answer.status, answer.body));
        let now_ms = self.clock.now_ms();
        self.change(|fakes| match sender {
            Teller::Crm => fakes.crm.note_posted(post, status, now_ms),
            Teller::Mango => fakes.pbx.note_posted(post, status, now_ms),
            Teller::Rostelecom => fakes.vats.note_posted(post, status, &body, now_ms),
        })
        .await;
    }
}

async fn send(url: &str, headers: Vec<(&'static str, String)>, body: Vec<u8>, timeout_ms: i64) -> Option<HttpResponse> {
    // The person at the keyboard named this address, wherever it is.
    let host = url.split('/').nth(2).unwrap_or_default().to_owned();
    let mut headers = headers;
    headers.push(("connection", "close".to_owned()));
    let request = HttpRequest { method: "POST", url: url.to_owned(), headers, body, timeout_ms };
    let answer = match client(&[host]).or_else(|_| client(&[])) {
        Ok(client) => client.send(request).await.map_err(|error| error.to_string()),
        Err(why) => Err(why),
    };
    answer.inspect_err(|why| tracing::warn!(why, "what a system of the sandbox tells was not posted")).ok()
}
