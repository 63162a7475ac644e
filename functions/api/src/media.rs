//! What is no text: where a voice message can be heard.

use perezvon_domain::conversation::Conversation;
use perezvon_domain::conversation::event::MessageKind;
use perezvon_domain::{ConversationEventKind as Kind, Timestamp};
use perezvon_store::items::history::{Entry, HistoryRow};
use perezvon_store::keys;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::acts::Acting;
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    message: String,
}

/// Where a voice message can be heard, while that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VoiceView {
    pub url: Option<String>,
    pub until: Option<Timestamp>,
    /// It is being asked for.
    pub asked: bool,
}

impl VoiceView {
    /// What a row says now; `None`: there is nothing to be heard.
    pub fn of(row: &HistoryRow, asked: bool, now: Timestamp) -> Option<Self> {
        voice(row)?;
        let (url, until) = row.voice.clone().filter(|(_, until)| *until > now).unzip();
        Some(Self { url, until, asked })
    }
}

/// The provider's id of what is spoken in a message.
fn voice(row: &HistoryRow) -> Option<&str> {
    match &row.entry {
        Some(Entry::Message(message)) if message.kind == MessageKind::Voice && row.deleted_at.is_none() => {
            message.details.get("voice_id").map(String::as_str)
        }
        _ => None,
    }
}

impl Api {
    /// `POST conversations/{id}/voice`: the link that is still good, or the provider is asked for one.
    pub(crate) async fn ask_for_voice(
        &self,
        acting: &Acting,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let Asked { message } = request.json()?;
        let (id, missing) = (&acting.id, || Problem::new(404, texts::NO_VOICE));
        let row = self.table.get(&keys::message(&id.account, &id.channel, &id.entry, &message)).await?;
        let row = HistoryRow::read(&row.ok_or_else(missing)?)?;
        let spoken = voice(&row).ok_or_else(missing)?;
        let known = VoiceView::of(&row, false, self.now());
        if known.as_ref().is_some_and(|known| known.url.is_some()) {
            return Ok(Reply::json(200, &json!({ "voice": known })));
        }
        let kind = |_: &Conversation| {
            let inbox = acting.policy.channels.get(&id.channel).and_then(|rules| rules.inbox.as_ref());
            inbox.ok_or(Problem::new(409, texts::CHANNEL_OFF))?;
            Ok(Kind::VoiceAsked { by: acting.by.clone(), message: message.clone(), voice: spoken.to_owned() })
        };
        // Asked twice it is asked once, so no key is needed.
        self.done(acting, None, kind, ends_ms).await?;
        Ok(Reply::json(202, &json!({ "voice": { "url": null, "until": null, "asked": true } })))
    }
}
