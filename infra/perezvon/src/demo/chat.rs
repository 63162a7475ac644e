//! The chat of the demo: a client of the messenger writes, and the autoreply reaches them.

use perezvon_platform::{Clock, Http, HttpRequest};
use perezvon_sandbox::avito::{Avito, Chat};
use serde_json::json;

use super::Demo;

const TEXT: &str = "Здравствуйте! Объявление ещё актуально?";
const LOOK_EVERY_MS: i64 = 50;
const TIMEOUT_MS: i64 = 5_000;

impl Demo {
    /// Once the messenger knows where to post, a client writes; over when the answer stands in the chat.
    pub(super) async fn play_chat(&self, http: &dyn Http, clock: &dyn Clock) -> Result<(), String> {
        while !self.sandbox.look(|fakes| fakes.messenger.is_subscribed()).await {
            clock.sleep_ms(LOOK_EVERY_MS).await;
        }
        let request = HttpRequest {
            method: "POST",
            url: format!("{}/avito/sandbox/messages", self.page()),
            headers: Vec::new(),
            body: json!({ "text": TEXT }).to_string().into_bytes(),
            timeout_ms: TIMEOUT_MS,
        };
        let answer = http.send(request).await.map_err(|error| format!("Чат демонстрации не начат: {error}"))?;
        if answer.status >= 300 {
            return Err(format!("Чат демонстрации не начат: ответ {}", answer.status));
        }
        while !self.sandbox.look(|fakes| last(&fakes.messenger).is_some_and(is_answered)).await {
            clock.sleep_ms(LOOK_EVERY_MS).await;
        }
        Ok(())
    }

    /// What stands in the chat, and its id; `None`: no chat was begun.
    pub(super) async fn chat(&self) -> Option<(String, Vec<String>)> {
        let chat = self.sandbox.look(|fakes| last(&fakes.messenger).cloned()).await?;
        Some((chat.id.clone(), lines(&chat)))
    }
}

fn last(messenger: &Avito) -> Option<&Chat> {
    messenger.chats().last()
}

fn is_answered(chat: &Chat) -> bool {
    chat.messages.iter().any(|message| message.author_id != chat.client.id)
}

fn lines(chat: &Chat) -> Vec<String> {
    let says = |message: &perezvon_sandbox::avito::Message| {
        let who = if message.author_id == chat.client.id { "клиент" } else { "автоответ" };
        format!("    {who}: {}", message.text)
    };
    let mut lines = vec![format!("Чат: {}, {}", chat.client.name, chat.item.title)];
    lines.extend(chat.messages.iter().map(says));
    if !is_answered(chat) {
        lines.push("    за 10 секунд не готово: автоответ не пришёл".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_told_with_what_is_missing() {
        let mut messenger = Avito::default();
        let (id, _) = messenger.begin(TEXT, 1_795_262_645_000);
        let told = lines(last(&messenger).expect("a chat"));
        assert_eq!(told[1], format!("    клиент: {TEXT}"));
        assert!(told[2].contains("не готово"), "{told:?}");
        messenger.we_write(&id, "Да!", 1_795_262_646_000);
        assert_eq!(lines(last(&messenger).expect("a chat"))[2], "    автоответ: Да!");
    }
}
