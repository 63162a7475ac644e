//! Sending: the pace, the request, the answer; and what an answer teaches others.

use perezvon_adapters::{Expect, Known, Outgoing, Reply, Work};
use perezvon_domain::effect::Command;
use perezvon_domain::job::{Amendment, FoundClient, RecordingLink};
use perezvon_domain::{
    CallEventKind, ChatCommand, ClientId, ConversationEventKind, CrmId, Envelope, JobResult, Timestamp, call,
    conversation,
};
use perezvon_platform::link::{self, RecordingRef};
use perezvon_platform::{HttpError, HttpRequest};
use perezvon_store::items::call::CallItem;
use perezvon_store::items::contact;
use perezvon_store::items::conversation::ConversationItem;
use perezvon_store::items::directory::DirectoryRow;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::items::point::PointRow;
use perezvon_store::items::settings::SettingsHead;
use perezvon_store::items::text;
use perezvon_store::keys;
use perezvon_store::table::{Condition, Update, Value};

use super::Links;
use super::hold::Hold;
use super::step::known_point;
use crate::commit::{Aggregate, ItemId, event_message};
use crate::failure::Failure;
use crate::wakeup::WakeUp;

/// Largest recording that is kept, in bytes.
const RECORDING_LIMIT: u64 = 256 * 1024 * 1024;

/// What sending came to.
pub(super) enum Sent {
    Answer(Reply),
    /// Certainly not carried out.
    Not(String),
    /// Perhaps carried out.
    Unknown(String),
}

impl Hold<'_> {
    /// Waits until the connection's gap since the last request is over.
    pub(super) async fn wait_for_pace(&self) {
        let wait = self.next_send_ms - self.worker.clock.monotonic_ms();
        if wait > 0 {
            self.worker.clock.sleep_ms(wait).await;
        }
    }

    /// Sends one request at the connection's pace.
    pub(super) async fn send(&mut self, request: Outgoing) -> Result<Sent, Failure> {
        let timeout_ms = self.secret.times.request_timeout_ms;
        self.send_within(request, timeout_ms).await
    }

    /// Sends one request with a blob in its body, with the time-out of large bodies. `None`: the blob is not there.
    pub(super) async fn upload(
        &mut self,
        mut request: Outgoing,
        blob: &str,
        at: usize,
    ) -> Result<Option<Sent>, Failure> {
        let Some(blobs) = &self.worker.blobs else {
            return Ok(Some(Sent::Not("this function has no blob store".to_owned())));
        };
        let found = match blobs.get(blob, 0, None).await {
            Ok(found) => found.filter(|found| found.total == found.bytes.len() as u64),
            Err(error) => return Ok(Some(Sent::Not(error.to_string()))),
        };
        let Some(found) = found else { return Ok(None) };
        let timeout_ms = self.secret.times.recording_timeout_ms;
        if self.left_ms() < timeout_ms + 2 * self.worker.times.skew_ms {
            return Ok(Some(Sent::Not("too little time was left to upload".to_owned())));
        }
        let at = at.min(request.body.len());
        request.body.splice(at..at, found.bytes);
        self.send_within(request, timeout_ms).await.map(Some)
    }

    async fn send_within(&mut self, request: Outgoing, timeout_ms: i64) -> Result<Sent, Failure> {
        self.wait_for_pace().await;
        self.last_sent = self.now();
        self.next_send_ms = self.worker.clock.monotonic_ms() + self.pace_ms();
        let http = HttpRequest {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            timeout_ms,
        };
        match request.expect {
            Expect::Small => Ok(match self.worker.http.send(http).await {
                Ok(answer) => Sent::Answer(Reply {
                    status: answer.status,
                    headers: answer.headers,
                    body: answer.body,
                    stored: None,
                }),
                Err(HttpError::NotSent(why)) => Sent::Not(why),
                Err(HttpError::Unknown(why)) => Sent::Unknown(why),
            }),
            Expect::Blob { key } => self.fetch(http, &key).await,
        }
    }

    /// A read that streams: into the blob store, with a time-out of its own.
    async fn fetch(&mut self, mut request: HttpRequest, key: &str) -> Result<Sent, Failure> {
        let timeout_ms = self.secret.times.recording_timeout_ms;
        if self.left_ms() < timeout_ms + 2 * self.worker.times.skew_ms {
            return Ok(Sent::Not("too little time was left to fetch a recording".to_owned()));
        }
        let Some(blobs) = &self.worker.blobs else {
            return Ok(Sent::Not("this function has no blob store".to_owned()));
        };
        request.timeout_ms = timeout_ms;
        let answer = match self.worker.http.fetch(request).await {
            Ok(answer) => answer,
            Err(HttpError::NotSent(why)) => return Ok(Sent::Not(why)),
            Err(HttpError::Unknown(why)) => return Ok(Sent::Unknown(why)),
        };
        let mut reply = Reply { status: answer.status, headers: answer.headers, body: Vec::new(), stored: None };
        if reply.status == 200 {
            let media_type = reply.headers.get("content-type").map_or("audio/mpeg", String::as_str);
            match blobs.put(key, media_type, answer.chunks, RECORDING_LIMIT).await {
                Ok(bytes) => reply.stored = Some(bytes),
                Err(error) => return Ok(Sent::Unknown(error.to_string())),
            }
        }
        Ok(Sent::Answer(reply))
    }

    /// A picture that was sent need not wait any longer. One that was not may be put back by a person.
    pub(super) async fn tidy_up(&self, job: &JobRow) {
        let (Command::Chat(ChatCommand::SendImage { image, .. }), JobState::Done) = (&job.command, job.state) else {
            return;
        };
        if let Some(blobs) = &self.worker.blobs
            && let Err(failure) = blobs.remove(&image.blob).await
        {
            tracing::warn!(%failure, "a picture that was sent stays in the blob store until it expires");
        }
    }

    /// Stores what an answer taught: news of chats, facts of the connection, whose number it is.
    pub(super) async fn learn(&mut self, job: &JobRow, work: &mut Work, known: &Known<'_>) -> Result<(), Failure> {
        let learned = std::mem::take(&mut work.learned);
        // Before the facts say that they were taken in.
        self.tell_chats(learned.chats).await?;
        self.tell_calls(learned.calls).await?;
        if !learned.facts.is_empty() {
            self.row.facts.extend(learned.facts);
            let key = keys::connection(&self.wake_up.account, &self.wake_up.connection);
            let mine = Condition::Eq("lease".to_owned(), Value::N(self.lease));
            let update = Update::new(key).set("facts", text(&self.row.facts)).when(mine);
            match self.worker.table.update(update).await {
                Err(error) if !error.is_conflict() => return Err(error.into()),
                _ => {}
            }
        }
        if let Some(directory) = learned.directory {
            let WakeUp { account, connection } = self.wake_up;
            let put = DirectoryRow::put(account, connection, &directory, self.now());
            self.worker.table.update(put).await?;
        }
        if let Some(dismissed) = learned.dismissed {
            let update = SettingsHead::dismissed(&self.wake_up.account, &dismissed);
            self.worker.table.update(update).await?;
        }
        if let Some(news) = learned.point {
            let is_new = news.contact.is_some() || known.point.is_none_or(|point| point.contact.is_some());
            if !is_new && !matches!(job.command, Command::ReadClient { .. }) {
                return Ok(()); // Nobody has the number, and the row says so.
            }
            if let Some(contact) = news.contact.as_ref().filter(|_| self.row.hears) {
                self.note_contact(contact, &news.client).await?;
            }
            let (responsible, duplicates) = (news.responsible, news.duplicates);
            let found = news.contact.map(|contact| FoundClient { contact, name: news.name, responsible, duplicates });
            let mut update = PointRow::news(&job.account, &news.client, found.as_ref(), self.now());
            if news.made {
                update = update.set("made_by", job.id.0.clone());
            }
            let row = self.worker.table.update(update).await?;
            self.point = Some(known_point(job, &PointRow::read(&row)));
        }
        Ok(())
    }

    /// Before the point says whose it is: a change of the contact that comes next finds it.
    async fn note_contact(&self, contact: &CrmId, client: &ClientId) -> Result<(), Failure> {
        let account = &self.wake_up.account;
        let row = self.worker.table.get(&keys::contact(account, contact)).await?;
        if !row.is_some_and(|row| contact::has(&row, client)) {
            self.worker.table.update(contact::add(account, contact, client)).await?;
        }
        Ok(())
    }

    /// The result of a job goes to its call as an event; the same result twice changes nothing there.
    pub(super) async fn tell_result(&self, job: &JobRow, result: &JobResult) -> Result<(), Failure> {
        let Some(message) = result_message(job, result, self.now()) else { return Ok(()) };
        Ok(self.worker.events.send(vec![message]).await?)
    }
}

/// The result of a job as a message for the event queue: to the call or the conversation that asked for it.
pub(super) fn result_message(job: &JobRow, result: &JobResult, now: Timestamp) -> Option<perezvon_platform::Message> {
    let id = |(channel, entry)| ItemId { account: job.account.clone(), channel, entry };
    let (effect, result) = (job.id.clone(), result.clone());
    if let Some(id) = call::of_effect(&job.id).map(id) {
        let kind = CallEventKind::JobEnded { effect, result };
        return Some(told::<CallItem>(&id, now, kind));
    }
    let id = conversation::of_effect(&job.id).map(id)?;
    let kind = ConversationEventKind::JobEnded { effect, result };
    Some(told::<ConversationItem>(&id, now, kind))
}

/// An event for an item, as a message for the event queue.
pub(super) fn told<A: Aggregate>(id: &ItemId, now: Timestamp, kind: A::Kind) -> perezvon_platform::Message {
    let event = A::event(id, now, kind);
    event_message(&Envelope { account: id.account.clone(), received_at: now, event }, 0)
}

/// Our permanent link to the recording that a command names; `None` where the provider's own is used.
pub(super) fn recording_link(links: &Links, command: &Command, job: &JobRow) -> Option<String> {
    let recording = match command {
        Command::LogCall(log) => log.recording.as_ref(),
        Command::Amend(Amendment::AddRecording { log, .. }) => log.recording.as_ref(),
        _ => None,
    }?;
    let RecordingLink { recording, generation, outside: None } = recording else { return None };
    let (channel, entry) = call::of_effect(&job.id)?;
    let reference = RecordingRef {
        account: job.account.0.clone(),
        channel: channel.0,
        entry,
        recording: recording.clone(),
        generation: *generation,
    };
    Some(format!("{}/r/{}", links.public_url, link::sign(&reference, &links.key)))
}
