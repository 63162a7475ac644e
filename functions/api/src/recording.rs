//! `GET /r/{token}`: plays a recording, in ranges. The link itself is the right; a setting of the channel
//! asks for a login as well.

use perezvon_domain::call::{Copy, Recording};
use perezvon_domain::{AccountId, ChannelId};
use perezvon_platform::link::{RecordingRef, open, sign};
use perezvon_store::items::call::CallItem;
use perezvon_store::{Update, keys};

use crate::access::Right;
use crate::range::{self, Part};
use crate::web::{Problem, Reply, Request};
use crate::{Api, texts};

/// The address of a recording on this site.
pub fn path(recording: &RecordingRef, key: &[u8]) -> String {
    format!("/r/{}", sign(recording, key))
}

impl Api {
    /// Plays the recording that the token leads to.
    pub(crate) async fn play(&self, token: &str, request: &Request) -> Result<Reply, Problem> {
        let missing = || Problem::new(404, texts::NO_RECORDING);
        let link = open(token, &self.config.link_key).ok_or_else(missing)?;
        let (account, channel) = (AccountId(link.account.clone()), ChannelId(link.channel.clone()));
        if self.needs_login(&account, &channel).await? {
            self.visitor(request)?.check(&account, Right::Calls)?;
        }
        let row = self.table.get(&keys::call(&account, &channel, &link.entry)).await?.ok_or_else(missing)?;
        let call = CallItem::read(&row)?.call;
        let recording = call.recordings.get(&link.recording).ok_or_else(missing)?;
        if recording.generation != link.generation {
            return Err(Problem::new(410, texts::RECORDING_REVOKED));
        }
        match &recording.copy {
            Copy::Stored { blob, bytes, media_type } => {
                let part = range::part(request.header("range"), *bytes);
                let file = request.param("download").map(|_| file_name(&link, media_type));
                let reply = match self.blobs.link(blob, playable(media_type), file.as_deref()).await? {
                    Some(direct) => Reply::redirect(302, &direct),
                    None => as_file(self.part_of(blob, media_type, part, *bytes).await?, file.as_deref()),
                };
                if matches!(part, Part::Whole | Part::Bytes { from: 0, .. }) {
                    self.count_play(&link).await;
                }
                Ok(reply)
            }
            _ => elsewhere(recording),
        }
    }

    async fn needs_login(&self, account: &AccountId, channel: &ChannelId) -> Result<bool, Problem> {
        let policy = self.policies.read(self.table.as_ref(), account).await?;
        let rules = policy.as_ref().and_then(|policy| policy.channels.get(channel));
        Ok(rules.is_some_and(|rules| rules.recordings_need_login))
    }

    async fn part_of(&self, blob: &str, media_type: &str, part: Part, total: u64) -> Result<Reply, Problem> {
        let (status, from, to) = match part {
            Part::Whole => (200, 0, None),
            Part::Bytes { from, to } => (206, from, Some(to)),
            Part::Outside => {
                let reply = Problem::new(416, texts::BAD_RANGE).reply();
                return Ok(reply.header("content-range", format!("bytes */{total}")));
            }
        };
        let found = self.blobs.get(blob, from, to).await?;
        let found = found.ok_or_else(|| Problem::new(410, texts::RECORDING_GONE))?;
        let reply = Reply::bytes(status, playable(media_type), &found.bytes);
        let last = (found.from + found.bytes.len() as u64).saturating_sub(1);
        Ok(match part {
            Part::Bytes { .. } => reply.header("content-range", range::content_range(found.from, last, found.total)),
            _ => reply,
        })
    }

    /// Best effort: a recording plays although it could not be counted.
    async fn count_play(&self, link: &RecordingRef) {
        let (account, channel) = (AccountId(link.account.clone()), ChannelId(link.channel.clone()));
        let key = keys::plays(&account, &channel, &link.entry, &link.recording);
        let count = Update::new(key).add("plays", 1).set("last_played", self.now().0);
        if let Err(error) = self.table.update(count).await {
            tracing::warn!(%error, "a play of a recording was not counted");
        }
    }
}

/// A recording that does not lie in our store.
fn elsewhere(recording: &Recording) -> Result<Reply, Problem> {
    match &recording.copy {
        Copy::Linked { url } if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(Reply::redirect(302, url))
        }
        Copy::NotAsked | Copy::Asked { .. } => {
            let reply = Problem::new(404, texts::RECORDING_NOT_READY).reply();
            Ok(reply.header("retry-after", "60"))
        }
        _ => Err(Problem::new(404, texts::RECORDING_FAILED)),
    }
}

fn as_file(reply: Reply, file: Option<&str>) -> Reply {
    let reply = reply.header("accept-ranges", "bytes");
    match file {
        Some(file) => reply.header("content-disposition", format!("attachment; filename=\"{file}\"")),
        None => reply,
    }
}

/// Nothing but sound is ever handed out as what it says it is: a page must not run on our site.
fn playable(media_type: &str) -> &str {
    if media_type.starts_with("audio/") { media_type } else { "application/octet-stream" }
}

/// A name that every file system takes.
fn file_name(link: &RecordingRef, media_type: &str) -> String {
    let usual = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = link.recording.chars().map(usual).take(60).collect();
    let extension = match media_type {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/ogg" => "ogg",
        _ => "bin",
    };
    format!("call-{stem}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_needs_no_quoting() {
        let link = RecordingRef {
            account: "acme".to_owned(),
            channel: "main".to_owned(),
            entry: "1".to_owned(),
            recording: "MT\"Iz=/../ж".to_owned(),
            generation: 0,
        };
        assert_eq!(file_name(&link, "audio/mpeg"), "call-MT-Iz------.mp3");
    }

    #[test]
    fn only_sound_keeps_its_media_type() {
        assert_eq!(playable("audio/mpeg"), "audio/mpeg");
        assert_eq!(playable("text/html"), "application/octet-stream");
    }

    #[test]
    fn a_recording_that_is_not_here_is_told_or_found_elsewhere() {
        let status = |copy| {
            let found = elsewhere(&Recording { copy, ..Recording::default() });
            found.unwrap_or_else(|problem| problem.reply()).finish()
        };
        assert_eq!(status(Copy::Linked { url: "https://pbx.example/1".to_owned() }).status_code, 302);
        assert_eq!(status(Copy::Linked { url: "javascript:alert(1)".to_owned() }).status_code, 404);
        let waiting = status(Copy::NotAsked);
        assert_eq!(waiting.status_code, 404);
        assert!(waiting.headers.contains_key("retry-after"));
    }
}
