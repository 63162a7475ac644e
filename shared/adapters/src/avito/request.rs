//! Requests to the messenger: address, headers, body.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::intake::USER_ID;
use crate::jobs::{Expect, Known, Outgoing};

/// What may stand in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Messages, or chats, of one page: the most there are.
pub(super) const PAGE: usize = 100;

pub(super) fn escape(segment: &str) -> String {
    utf8_percent_encode(segment, SEGMENT).to_string()
}

fn outgoing(known: &Known<'_>, method: &'static str, path: &str) -> Outgoing {
    let bearer = format!("Bearer {}", known.secret.get("access_token"));
    Outgoing {
        method,
        url: format!("{}/messenger/{path}", known.base),
        headers: vec![("authorization", bearer), ("accept", "application/json".to_owned())],
        body: Vec::new(),
        expect: Expect::Small,
    }
}

/// Whose tokens these are.
pub(super) fn own_account(known: &Known<'_>) -> Outgoing {
    Outgoing { url: format!("{}/core/v1/accounts/self", known.base), ..outgoing(known, "GET", "") }
}

/// What follows the version: our account.
fn ours(known: &Known<'_>) -> String {
    format!("accounts/{}", escape(known.secret.get(USER_ID).trim()))
}

/// Our account's chats.
fn chats(known: &Known<'_>) -> String {
    format!("{}/chats", ours(known))
}

/// Where a voice message can be heard.
pub(super) fn voice(known: &Known<'_>, voice: &str) -> Outgoing {
    outgoing(known, "GET", &format!("v1/{}/getVoiceFiles?voice_ids={}", ours(known), escape(voice)))
}

/// Where pushes go from now on.
pub(super) fn subscribe(known: &Known<'_>, url: &str) -> Outgoing {
    with_body(outgoing(known, "POST", "v3/webhook"), &json!({ "url": url }))
}

/// And where they go no more.
pub(super) fn unsubscribe(known: &Known<'_>, url: &str) -> Outgoing {
    with_body(outgoing(known, "POST", "v1/webhook/unsubscribe"), &json!({ "url": url }))
}

/// A read about one chat.
pub(super) fn chat(known: &Known<'_>, chat: &str) -> Outgoing {
    outgoing(known, "GET", &format!("v2/{}/{}", chats(known), escape(chat)))
}

/// The smallest read about the whole account.
pub(super) fn account(known: &Known<'_>) -> Outgoing {
    outgoing(known, "GET", &format!("v2/{}?limit=1", chats(known)))
}

/// A page of the chats, without those with the provider itself.
pub(super) fn list(known: &Known<'_>, offset: usize) -> Outgoing {
    let path = format!("v2/{}?chat_types=u2i,u2u&limit={PAGE}&offset={offset}", chats(known));
    outgoing(known, "GET", &path)
}

/// A page of the messages of a chat.
pub(super) fn messages(known: &Known<'_>, chat: &str, offset: usize) -> Outgoing {
    let path = format!("v3/{}/{}/messages/?limit={PAGE}&offset={offset}", chats(known), escape(chat));
    outgoing(known, "GET", &path)
}

/// A command to one chat; `path` is what follows the chat, every segment of it escaped.
pub(super) fn command(known: &Known<'_>, chat: &str, path: &[&str], body: Option<&Value>) -> Outgoing {
    let tail: Vec<String> = path.iter().map(|segment| escape(segment)).collect();
    let path = format!("v1/{}/{}/{}", chats(known), escape(chat), tail.join("/"));
    let request = outgoing(known, "POST", &path);
    match body {
        Some(body) => with_body(request, body),
        None => request,
    }
}

/// A picture that no chat knows yet: all around its bytes, and where they go.
pub(super) fn upload(known: &Known<'_>, media_type: &str, boundary: &str) -> (Outgoing, usize) {
    let mut request = outgoing(known, "POST", &format!("v1/{}/uploadImages", ours(known)));
    let name = media_type.rsplit('/').next().unwrap_or_default();
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"uploadfile[]\"; filename=\"picture.{name}\"\r\n\
         Content-Type: {media_type}\r\n\r\n"
    );
    request.headers.push(("content-type", format!("multipart/form-data; boundary={boundary}")));
    request.body = format!("{head}\r\n--{boundary}--\r\n").into_bytes();
    (request, head.len())
}

fn with_body(mut request: Outgoing, body: &Value) -> Outgoing {
    request.headers.push(("content-type", "application/json".to_owned()));
    request.body = body.to_string().into_bytes();
    request
}
