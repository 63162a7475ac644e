//! Pictures that are uploaded and sent, and where a voice message can be heard.

use serde_json::json;

use super::model::sizes;
use super::{Avito, Call, Media, Uploaded, invalid};
use crate::http::Response;

/// Largest picture, in bytes.
const LARGEST: usize = 24 * 1024 * 1024;

impl Avito {
    /// One picture a request, which no chat knows yet.
    pub(super) fn upload(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let kind = call.request.headers.get("content-type").map_or("", String::as_str);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap_or_default();
        let (media_type, bytes) = part(&call.request.body, boundary)
            .ok_or_else(|| invalid("uploadfile[]", "exactly one part with a picture"))?;
        if bytes == 0 || bytes > LARGEST {
            return Err(invalid("uploadfile[]", "1 byte to 24 MB"));
        }
        let id = format!("12345.picture{:08}", self.count());
        self.uploaded.push(Uploaded { id: id.clone(), media_type, bytes });
        let told = sizes(&id);
        Ok(Response::of_json(200, &json!({ id: told })))
    }

    /// The same picture twice is two messages.
    pub(super) fn send_image(&mut self, chat: &str, call: &Call<'_>) -> Result<Response, Response> {
        self.chat(chat)?;
        let body = call.json()?;
        let image = body["image_id"].as_str().unwrap_or_default().to_owned();
        if !self.uploaded.iter().any(|known| known.id == image) {
            return Err(invalid("image_id", "there is no such picture"));
        }
        let mut sent = self.send_ours(chat, "", Some(Media::Image(image)), call.now_ms)?;
        sent["author_id"] = json!(self.config.user_id);
        Ok(Response::of_json(200, &sent))
    }

    /// A new link each time.
    pub(super) fn voices(&mut self, call: &Call<'_>) -> Result<Response, Response> {
        let asked = call.query("voice_ids").filter(|ids| !ids.is_empty());
        let asked = asked.ok_or_else(|| invalid("voice_ids", "required"))?;
        let messages = self.chats.iter().flat_map(|chat| &chat.messages).filter(|message| !message.deleted);
        let known: Vec<String> = messages
            .filter_map(|message| match &message.media {
                Some(Media::Voice(voice)) if asked.split(',').any(|id| id == voice) => Some(voice.clone()),
                _ => None,
            })
            .collect();
        let link = |voice: String| {
            let link = format!("https://voice.example.test/{voice}.mp4?n={}", self.count());
            (voice, json!(link))
        };
        let urls: serde_json::Map<String, _> = known.into_iter().map(link).collect();
        Ok(Response::of_json(200, &json!({ "voices_urls": urls })))
    }
}

/// The type of the only part of a form, and how long it is.
fn part(body: &[u8], boundary: &str) -> Option<(String, usize)> {
    let find = |bytes: &[u8], what: &str| bytes.windows(what.len()).position(|window| window == what.as_bytes());
    let rest = body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let head = find(rest, "\r\n\r\n")?;
    let (head, rest) = (std::str::from_utf8(&rest[..head]).ok()?, &rest[head + 4..]);
    let end = find(rest, &format!("\r\n--{boundary}--"))?;
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let is_ours = !boundary.is_empty() && field("Content-Disposition: ")?.contains("name=\"uploadfile[]\"");
    is_ours.then_some((field("Content-Type: ")?.to_owned(), end))
}
