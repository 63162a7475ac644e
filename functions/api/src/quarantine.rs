//! Quarantine: refused requests with their reasons, and the way back onto the raw queue. The same
//! bytes go back: nothing ever goes round verification.

use perezvon_domain::{AccountId, ChannelId, Timestamp};
use perezvon_engine::secrets::FRESH_MS;
use perezvon_platform::Message;
use perezvon_store::items::intake::Quarantined;
use perezvon_store::table::{Query, Value};
use perezvon_store::{Row, TableError, keys};
use serde::Deserialize;
use serde_json::json;

use crate::web::{Problem, Reply, Request};
use crate::{Api, list, opaque, texts};

/// Released requests wait for this long: by then no copy of `verify` takes a key for fresh that it read before.
const AFTER_MS: i64 = FRESH_MS + 1_000;
/// Most requests that one call releases.
const MOST_RELEASED: usize = 500;
/// Most rows that one call looks at.
const MOST_LOOKED_AT: usize = 2_000;
/// Requests that go to the queue together.
const BATCH: usize = 10;

/// All that this channel still holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OfChannel"))]
pub struct Channel {
    channel: ChannelId,
}

impl Api {
    /// `GET quarantine`: newest first.
    pub(crate) async fn quarantined(&self, account: &AccountId, request: &Request) -> Result<Reply, Problem> {
        let limit = list::limit(request)?;
        let channel = request.param("channel");
        let bad = || Problem::new(400, texts::BAD_CURSOR);
        let after = request.param("cursor").map(|cursor| opaque::decode(cursor).ok_or_else(bad)).transpose()?;
        let query =
            Query { to: after.clone().map(Value::S), backward: true, ..Query::table(keys::quarantine(account)) };
        let wanted = |row: &Row| {
            let of_channel = |held: Quarantined| channel.is_none_or(|channel| held.channel.as_str() == channel);
            after.as_deref() != Some(row.key.sk()) && Quarantined::read(row).is_ok_and(of_channel)
        };
        let rows = list::rows(&*self.quarantine, query, limit + 1, MOST_LOOKED_AT, wanted).await?;
        let last = (rows.len() > limit).then(|| rows.get(limit - 1)).flatten();
        let cursor = last.map(|row| opaque::encode(row.key.sk()));
        let held: Result<Vec<_>, _> = rows.iter().take(limit).map(view).collect();
        Ok(Reply::json(200, &json!({ "requests": held?, "cursor": cursor })))
    }

    /// `POST quarantine/{id}/release`. One that came back is released again as often as a person likes.
    pub(crate) async fn release(&self, account: &AccountId, id: &str) -> Result<Reply, Problem> {
        let (at, request) = opaque::decode_place(id).ok_or_else(Problem::not_found)?;
        let row = self.quarantine.get(&keys::quarantined(account, at, &request)).await?;
        let held = Quarantined::read(&row.ok_or_else(Problem::not_found)?)?;
        if held.message.is_none() {
            return Err(Problem::new(409, texts::DIGEST_ONLY));
        }
        self.send_back(account, &[held]).await?;
        Ok(Reply::json(200, &json!({ "released": 1 })))
    }

    /// `POST quarantine/release`: all that a channel still holds, oldest first.
    pub(crate) async fn release_channel(&self, account: &AccountId, request: &Request) -> Result<Reply, Problem> {
        let Channel { channel } = request.json()?;
        let mut query = Query::table(keys::quarantine(account));
        let (mut released, mut left, mut digest_only, mut looked) = (0, 0, 0, 0);
        loop {
            let page = self.quarantine.query(query.clone()).await?;
            looked += page.rows.len();
            let held: Result<Vec<Quarantined>, TableError> = page.rows.iter().map(Quarantined::read).collect();
            let of_channel = |held: &Quarantined| held.channel == channel && held.released_at.is_none();
            let waiting = held?.into_iter().filter(of_channel);
            let (whole, only): (Vec<_>, Vec<_>) = waiting.partition(|held| held.message.is_some());
            digest_only += only.len();
            let (now, later) = whole.split_at(whole.len().min(MOST_RELEASED - released));
            for batch in now.chunks(BATCH) {
                self.send_back(account, batch).await?;
                released += batch.len();
            }
            left += later.len();
            if page.next.is_none() || looked >= MOST_LOOKED_AT {
                // Whoever was not looked at may hold more.
                let more = page.next.is_some() || left > 0;
                let body = json!({ "released": released, "left": left, "more": more, "digest_only": digest_only });
                return Ok(Reply::json(200, &body));
            }
            query.start = page.next;
        }
    }

    /// Marked first: `verify` may refuse it again before we are back, and that must be seen. A crash in
    /// between leaves it marked and kept, to be released by its id.
    async fn send_back(&self, account: &AccountId, held: &[Quarantined]) -> Result<(), Problem> {
        let mut messages = Vec::new();
        for one in held {
            self.mark(account, one, Some(self.now())).await?;
            let body = one.message.clone().unwrap_or_default();
            messages.push(Message { body, group: one.channel.0.clone(), delay_ms: AFTER_MS });
        }
        if let Err(error) = self.raw.send(messages).await {
            for one in held {
                self.mark(account, one, one.released_at).await?;
            }
            return Err(error.into());
        }
        Ok(())
    }

    async fn mark(&self, account: &AccountId, held: &Quarantined, at: Option<Timestamp>) -> Result<(), TableError> {
        let marked = Quarantined { released_at: at, ..held.clone() };
        self.quarantine.update(marked.put(account)).await.map(|_| ())
    }
}

fn view(row: &Row) -> Result<serde_json::Value, TableError> {
    let held = Quarantined::read(row)?;
    Ok(json!({
        "id": opaque::encode_place(held.received_at, &held.id),
        "channel": held.channel,
        "received_at": held.received_at,
        "reason": held.reason,
        "words": held.words,
        "path": held.message.as_deref().and_then(path),
        "bytes": held.bytes,
        "digest": held.digest,
        "releasable": held.message.is_some(),
        "released_at": held.released_at,
    }))
}

/// The path of a raw message, without reading the rest.
fn path(message: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Part {
        path: String,
    }
    serde_json::from_str(message).ok().map(|part: Part| part.path)
}

#[cfg(test)]
mod tests {
    use perezvon_store::table::Attributes;

    use super::*;

    #[test]
    fn a_refused_request_is_shown_without_its_body() {
        let held = Quarantined {
            id: "JKJaXmPLvHcESHA=".to_owned(),
            channel: ChannelId::from("main"),
            received_at: Timestamp(1_790_000_000_000),
            reason: "wrong_signature".to_owned(),
            words: "подпись не подходит к ключу канала".to_owned(),
            message: Some(r#"{"id":"1","path":"events/call","body":"c2VjcmV0"}"#.to_owned()),
            digest: "ab".to_owned(),
            bytes: 6,
            released_at: None,
        };
        let text = serde_json::to_string(&held).expect("JSON");
        let attributes = Attributes::from([("request".to_owned(), Value::S(text))]);
        let key = keys::quarantined(&AccountId::from("acme"), held.received_at, "1");
        let shown = view(&Row { key, attributes }).expect("a view");
        assert_eq!((&shown["path"], &shown["releasable"]), (&json!("events/call"), &json!(true)));
        assert!(!shown.to_string().contains("c2VjcmV0"));
        let id = shown["id"].as_str().and_then(opaque::decode_place);
        assert_eq!(id, Some((held.received_at, held.id)));
    }
}
