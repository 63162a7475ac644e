//! Avito beside the world: its pushes on their way to `ingest`, and what stands in its chats.

use std::sync::PoisonError;

use perezvon_engine::secrets::HOOK_KEY;
use perezvon_sandbox::avito::{Avito, Config, Push};

use super::{World, gateway_request};
use crate::ports::SandboxHttp;

impl SandboxHttp {
    /// A push was answered so (0: not at all); what is to be repeated waits again.
    pub(super) fn note_pushed(&self, push: Push, status: i64, now_ms: i64) {
        let status = u16::try_from(status).unwrap_or_default();
        self.ads.lock().unwrap_or_else(PoisonError::into_inner).note_pushed(&push, status, now_ms);
        if status != 200 && push.repeats > 0 {
            let again = Push { repeats: push.repeats - 1, ..push };
            self.pushes.lock().unwrap_or_else(PoisonError::into_inner).push_back(again);
        }
    }
}

impl World {
    /// The sandbox Avito.
    pub fn ads<T>(&self, look: impl FnOnce(&mut Avito) -> T) -> T {
        look(&mut self.http.ads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings the key that addresses are made with, and lets the schedule ask conversations.
    pub fn open_for_chats(&mut self) {
        self.has_chats = true;
        let mut records = self.secrets.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.insert(HOOK_KEY.to_owned(), self.hook_key.clone());
    }

    /// What we have written into a chat of the sandbox Avito, oldest first.
    pub fn written_in(&self, chat: &str) -> Vec<String> {
        let ours = Config::default().user_id;
        self.ads(|ads| {
            let chat = ads.chats().iter().find(|known| known.id == chat).expect("a chat of the sandbox");
            let messages = chat.messages.iter().filter(|message| message.author_id == ours && !message.deleted);
            messages.map(|message| message.text.clone()).collect()
        })
    }

    /// The next push to be posted, if there is any.
    pub(super) fn next_push(&self) -> Option<Push> {
        let told = self.ads(Avito::take_pushes);
        let mut waiting = self.http.pushes.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend(told);
        waiting.pop_front()
    }

    /// Posts a push to the account's channel, with this signature.
    pub async fn push_signed(&mut self, body: &[u8], signature: &str) -> i64 {
        let path = self.hook_path("school", "ads", 1, "");
        self.requests += 1;
        let (path, id, now_ms) = (path.trim_end_matches('/'), self.requests, self.clock.now_ms());
        let mut request = gateway_request(path, "application/json", body, id, now_ms);
        request.headers.insert("x-avito-messenger-signature", signature.parse().expect("a header"));
        self.functions().ingest.handle(request).await.status_code
    }

    /// Posts the next push through a process that may crash; false: there is none.
    pub(super) async fn push(&mut self) -> bool {
        let Some(push) = self.next_push() else { return false };
        let status = self.bytes_surviving(path_of(&push), "application/json", push.body.as_bytes()).await;
        self.http.note_pushed(push, status.unwrap_or_default(), self.clock.now_ms());
        true
    }
}

/// The path of the subscribed address.
pub(super) fn path_of(push: &Push) -> &str {
    push.url.strip_prefix("https://calls.test").expect("only the world is subscribed")
}
