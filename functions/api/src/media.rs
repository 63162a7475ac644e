//! What is no text: a reply that is a picture, and where a voice message can be heard.

use perezvon_domain::conversation::Conversation;
use perezvon_domain::conversation::event::MessageKind;
use perezvon_domain::{ConversationEventKind as Kind, Image, Timestamp};
use perezvon_engine::commit::Once;
use perezvon_platform::whole;
use perezvon_store::items::history::{Entry, HistoryRow};
use perezvon_store::keys;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::acts::{Acting, not_replied};
use crate::once::once_or_now;
use crate::web::{LARGEST_IMAGE, Problem, Reply, Request};
use crate::{Api, opaque, texts};

/// Which voice message, as the provider names it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "VoiceAsked"))]
pub struct Asked {
    message: String,
}

/// Where a voice message can be heard, while that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// `POST conversations/{id}/image`: the body is the picture. It waits in the blob store before anybody is told.
    pub(crate) async fn reply_with_image(
        &self,
        acting: &Acting,
        once: Option<Once>,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let media_type = media_type(&request.body).ok_or(Problem::new(415, texts::NOT_AN_IMAGE))?;
        // The same request finds it in the same place, any other one makes a place of its own.
        let name = once_or_now(request, &acting.by, self.now())?;
        let name = Sha256::digest(format!("{}\n{}\n{}", acting.id.entry, name.key, name.digest));
        let blob = format!("{}/{}/images/{}", acting.id.account, acting.id.channel, opaque::encode(name));
        let image = Image { blob, media_type: media_type.to_owned() };
        self.blobs.put(&image.blob, media_type, whole(request.body.clone()), LARGEST_IMAGE as u64).await?;
        let kind = |state: &Conversation| {
            state.may_reply_with_image(&acting.policy).map_err(not_replied)?;
            Ok(Kind::ImageReplied { by: acting.by.clone(), image: image.clone() })
        };
        self.done(acting, once, kind, ends_ms).await
    }

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

/// What a picture is: its first bytes tell, whatever it is called.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => "image/png",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => "image/bmp",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand.get(..4)? {
            b"heic" | b"heix" | b"heim" | b"heis" | b"mif1" | b"msf1" => "image/heic",
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_first_bytes() {
        let known: [(&[u8], &str); 5] = [
            (b"\xFF\xD8\xFF\xE0..", "image/jpeg"),
            (b"\x89PNG\r\n\x1A\n..", "image/png"),
            (b"GIF89a..", "image/gif"),
            (b"BM\x36\0\x0C\0\0\0\0\0..", "image/bmp"),
            (b"\0\0\0\x18ftypheic..", "image/heic"),
        ];
        for (bytes, media_type) in known {
            assert_eq!(super::media_type(bytes), Some(media_type));
        }
        let others: [&[u8]; 6] = [b"", b"\xFF\xD8", b"<svg/>", b"GIF80a", b"\0\0\0\x18ftypisom", b"BMW is a car"];
        assert!(others.iter().all(|bytes| media_type(bytes).is_none()));
    }
}
