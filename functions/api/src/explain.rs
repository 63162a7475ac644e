//! One call, explained: what the provider told, what was decided and why, what was sent, what stands
//! in the CRM.

use perezvon_adapters::provider;
use perezvon_domain::call::row::Row as FeedRow;
use perezvon_domain::call::{Call, Client, Copy, LogState, Recording};
use perezvon_domain::effect::{Prev, Wanted};
use perezvon_domain::event::RecordingState;
use perezvon_domain::{AccountId, ChannelId, ConnectionId, CrmId, Policy};
use perezvon_platform::link::RecordingRef;
use perezvon_store::items::call::CallItem;
use perezvon_store::items::job::JobRow;
use perezvon_store::{TableError, keys};
use serde::Serialize;
use serde_json::json;

use crate::calls::CallView;
use crate::jobs::JobView;
use crate::order::OrderView;
use crate::settings::Settings;
use crate::web::{Problem, Reply};
use crate::{Api, recording, story, texts};

/// Most jobs of one call on one connection.
const MOST_JOBS: usize = 100;

/// An entity in the CRM.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Entity {
    pub kind: &'static str,
    pub words: &'static str,
    pub id: CrmId,
    /// Its page in the CRM, where it has one.
    pub url: Option<String>,
}

/// A recording of the call.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecordingView {
    pub id: String,
    pub state: &'static str,
    pub words: String,
    /// Where it plays; absent: it does not yet.
    pub link: Option<String>,
    /// Of its links; revoking them names it.
    pub generation: u32,
    pub bytes: Option<u64>,
    pub employee: Option<String>,
}

impl Api {
    /// `GET calls/{id}`.
    pub(crate) async fn call(&self, account: &AccountId, id: &str) -> Result<Reply, Problem> {
        let (channel, entry) = id.split_once(':').ok_or_else(Problem::not_found)?;
        let key = keys::call(account, &ChannelId::from(channel), entry);
        let item = CallItem::read(&self.table.get(&key).await?.ok_or_else(Problem::not_found)?)?;
        let settings = self.needed_settings(account).await?;
        let policy = &settings.policy;
        let row: FeedRow = item.call.row(policy);
        let entities = entities(&item.call, &row, &crm_base(&settings));
        let recordings = self.recordings(&item.call, policy);
        let told = story::told(&item.call, policy);
        let mut reasons = self.asked_about(account, &item.call).await?;
        reasons.extend(story::reasons(&item.call));
        let jobs = self.jobs_of(&item).await?;
        let mut call = CallView::new(row, Some(policy));
        let order = item.call.ordered.as_ref().map(|order| {
            let job = jobs.iter().find(|job| job.effect == order.effect.as_str());
            OrderView::of(order, &item.call.channel, job, self.now())
        });
        if let Some(order) = &order {
            call.description = texts::order(&order.number, &order.words);
        }
        let story = story::Story { call: &call, told: &told, reasons: &reasons, jobs: &jobs };
        let text = story.lines(&entities, &recordings, &policy.time_zone, self.public_url());
        let body = json!({
            "call": call,
            "order": order,
            "told": told,
            "reasons": reasons,
            "jobs": jobs,
            "entities": entities,
            "recordings": recordings,
            "time_zone": policy.time_zone,
            "text": text,
        });
        Ok(Reply::json(200, &body))
    }

    /// The jobs of a call, oldest first: each names the one before it, and the call names the last.
    async fn jobs_of(&self, item: &CallItem) -> Result<Vec<JobView>, TableError> {
        let mut jobs = Vec::new();
        for (connection, last) in &item.call.last_job {
            let mut at = Some(last.clone());
            for _ in 0..MOST_JOBS {
                let Some(place) = at else { break };
                let Some((view, before)) = self.job_at(item, connection, &place).await? else {
                    break;
                };
                jobs.push(view);
                at = before;
            }
        }
        jobs.sort_by(|one, other| (one.at, &one.effect).cmp(&(other.at, &other.effect)));
        Ok(jobs)
    }

    /// The job at this place and the one before it; not handed over yet, it stands in the outbox.
    async fn job_at(
        &self,
        item: &CallItem,
        connection: &ConnectionId,
        place: &Prev,
    ) -> Result<Option<(JobView, Option<Prev>)>, TableError> {
        let account = &item.call.account;
        if let Some(row) = self.table.get(&keys::job(account, connection, place.at, &place.id)).await? {
            let job = JobRow::read(account, connection, &row)?;
            return Ok(Some((JobView::of_row(&job), job.prev)));
        }
        Ok(item.base.outbox.iter().find(|effect| effect.id == place.id).and_then(|effect| match &effect.wanted {
            Wanted::Job(order) => Some((JobView::of_effect(effect, order), order.prev.clone())),
            _ => None,
        }))
    }

    /// The recordings of a call, each with a link where it plays.
    pub(crate) fn recordings(&self, call: &Call, policy: &Policy) -> Vec<RecordingView> {
        let view = |(id, recording): (&String, &Recording)| {
            let link = RecordingRef {
                account: call.account.0.clone(),
                channel: call.channel.0.clone(),
                entry: call.entry.clone(),
                recording: id.clone(),
                generation: recording.generation,
            };
            let link = recording::path(&link, &self.config.link_key);
            let employee = recording.employee.as_ref().map(|(_, extension)| extension);
            recording_view(id, recording, link, employee.map(|extension| story::employee(extension, policy)))
        };
        call.recordings.iter().map(view).collect()
    }
}

fn recording_view(id: &str, recording: &Recording, link: String, employee: Option<String>) -> RecordingView {
    let (state, words, link, bytes) = match (&recording.copy, recording.state) {
        (Copy::Stored { bytes, .. }, _) => ("stored", "сохранена у нас".to_owned(), Some(link), Some(*bytes)),
        (Copy::Linked { .. }, _) => ("linked", "лежит у АТС".to_owned(), Some(link), None),
        (Copy::Asked { .. }, _) => ("asked", "копируется".to_owned(), None, None),
        (Copy::Failed { why, .. }, _) => ("failed", format!("не получена: {why}"), None, None),
        (Copy::NotAsked, Some((_, RecordingState::NotKept { code }))) => {
            let code = code.map_or_else(String::new, |code| format!(" (код {code})"));
            ("not_kept", format!("АТС её не сохранила{code}"), None, None)
        }
        (Copy::NotAsked, _) => ("awaited", "ждём, пока АТС её отдаст".to_owned(), None, None),
    };
    RecordingView { id: id.to_owned(), state, words, link, generation: recording.generation, bytes, employee }
}

/// Base address of the CRM's pages, without a slash at the end.
pub(crate) fn crm_base(settings: &Settings) -> Option<String> {
    let crm = settings.document.crm.as_ref()?;
    let usual = || provider(&crm.provider).map(|known| known.settings.default_base().to_owned());
    let base = crm.base.clone().or_else(usual).filter(|base| !base.is_empty())?;
    Some(base.trim_end_matches('/').to_owned())
}

fn page(base: &Option<String>, kind: &str, id: &CrmId) -> Option<String> {
    base.as_ref().map(|base| format!("{base}/{kind}/detail/{id}"))
}

/// A contact and a deal, with their pages.
pub(crate) fn cards(contact: Option<CrmId>, deal: Option<CrmId>, base: &Option<String>) -> Vec<Entity> {
    let contact =
        contact.map(|id| Entity { kind: "contact", words: "контакт", url: page(base, "contacts", &id), id });
    let deal = deal.map(|id| Entity { kind: "deal", words: "сделка", url: page(base, "leads", &id), id });
    contact.into_iter().chain(deal).collect()
}

/// What stands in the CRM for this call.
fn entities(call: &Call, row: &FeedRow, base: &Option<String>) -> Vec<Entity> {
    let known = match &call.client {
        Client::Known(client) => Some(client.contact.clone()),
        _ => None,
    };
    let mut found = cards(row.contact.clone().or(known), row.deal.clone(), base);
    if let Some(id) = row.task.clone() {
        found.push(Entity { kind: "task", words: "задача", url: None, id });
    }
    if let LogState::Logged { logged, .. } = &call.log {
        // A note has no page of its own: it is shown on that of its entity.
        let url = page(base, &logged.entity_kind, &logged.entity);
        found.push(Entity { kind: "note", words: "запись о звонке", id: logged.note.clone(), url });
    }
    found
}

#[cfg(test)]
mod tests {
    use perezvon_domain::Timestamp;
    use perezvon_domain::job::FoundClient;

    use super::*;

    #[test]
    fn entities_have_their_pages_in_the_crm() {
        let mut call = Call::new("acme".into(), "main".into(), "1".to_owned(), Timestamp(0));
        let client =
            FoundClient { contact: "11".into(), name: "Анна".to_owned(), responsible: None, duplicates: 0 };
        call.client = Client::Known(client);
        let row = serde_json::json!({
            "channel": "main", "entry": "1", "answered": true, "ended": true, "started_at": 0, "seconds": 1,
            "deal": "12", "task": "13",
        });
        let row = serde_json::from_value(row).expect("a row");
        let found = entities(&call, &row, &Some("https://crm.example".to_owned()));
        let urls: Vec<_> = found.iter().map(|entity| (entity.kind, entity.url.as_deref())).collect();
        let expected = [
            ("contact", Some("https://crm.example/contacts/detail/11")),
            ("deal", Some("https://crm.example/leads/detail/12")),
            ("task", None),
        ];
        assert_eq!(urls, expected);
    }

    #[test]
    fn a_recording_has_a_link_only_when_it_plays() {
        let view = |copy| recording_view("1", &Recording { copy, ..Recording::default() }, "/r/t".to_owned(), None);
        let stored = Copy::Stored { blob: "b".to_owned(), bytes: 5, media_type: "audio/mpeg".to_owned() };
        assert_eq!(view(stored).link.as_deref(), Some("/r/t"));
        assert_eq!((view(Copy::NotAsked).link, view(Copy::NotAsked).state), (None, "awaited"));
    }
}
