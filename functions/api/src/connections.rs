//! Connections: who holds them, what pauses them, what waits; and the button that ends a pause.

use perezvon_adapters::provider;
use perezvon_domain::{AccountId, ConnectionId, Lane, Timestamp};
use perezvon_engine::settings::{channel_connection, crm_connection};
use perezvon_store::items::connection::{ACCOUNT, ConnectionRow, TROUBLE, UNTIL_A_PERSON_ACTS};
use perezvon_store::items::due::Due;
use perezvon_store::items::job::JobState;
use perezvon_store::table::Condition;
use perezvon_store::{Update, keys};
use serde_json::{Value, json};

use crate::jobs::{JobView, Listed};
use crate::settings::Settings;
use crate::web::{Problem, Reply};
use crate::{Api, texts, words};

/// A connection that the settings name.
pub struct KnownConnection {
    pub connection: ConnectionId,
    pub name: String,
    pub lane: Lane,
}

impl Settings {
    /// The connections of the CRM and of all channels.
    pub fn connections(&self) -> Vec<KnownConnection> {
        let crm = self.document.crm.iter().map(|crm| KnownConnection {
            connection: crm_connection(&crm.id),
            name: provider(&crm.provider).map_or_else(|| crm.provider.clone(), |known| known.name.to_owned()),
            lane: Lane::Crm,
        });
        let channels = self.document.channels.iter().map(|channel| KnownConnection {
            connection: channel_connection(&channel.id),
            name: channel.name.clone(),
            lane: Lane::Outbound,
        });
        crm.chain(channels).collect()
    }
}

impl Api {
    /// `GET connections`.
    pub(crate) async fn connections(&self, account: &AccountId) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let zone = &settings.policy.time_zone;
        let mut connections = Vec::new();
        for known in settings.connections() {
            let row = self.table.get(&keys::connection(account, &known.connection)).await?;
            let row = row.as_ref().map(ConnectionRow::read).transpose()?.unwrap_or_default();
            let open = self.open_jobs(account, &known.connection).await?;
            let stopped = self.stopped_jobs(account, &known.connection, |_| true).await?;
            connections.push(view(&known, &row, &open, &stopped, self.now(), zone));
        }
        Ok(Reply::json(200, &json!({ "connections": connections, "time_zone": zone })))
    }

    /// `POST connections/{id}/retry`: a person ends the pause.
    pub(crate) async fn retry_connection(
        &self,
        account: &AccountId,
        connection: &ConnectionId,
    ) -> Result<Reply, Problem> {
        let lane = self.lane(account, connection).await?;
        let connected = Condition::And(vec![Condition::Present, Condition::NotExists("off".to_owned())]);
        let update = Update::new(keys::connection(account, connection))
            .remove("retry_at")
            .remove("why")
            .add("pokes", 1)
            .when(connected);
        match self.table.update(Due::Set(self.now()).apply(update)).await {
            Err(error) if error.is_conflict() => {
                return Err(Problem::new(409, texts::CONNECTION_OFF));
            }
            other => other?,
        };
        self.wake(account, connection, lane).await?;
        Ok(Reply::json(202, &json!({ "connection": connection, "status": "разбужено" })))
    }
}

fn view(
    known: &KnownConnection,
    row: &ConnectionRow,
    open: &Listed,
    stopped: &Listed,
    now: Timestamp,
    zone: &str,
) -> Value {
    let of = |listed: &Listed| listed.jobs.iter().map(JobView::of_row).collect::<Vec<_>>();
    let count = |state| stopped.jobs.iter().filter(|job| job.state == state).count();
    let paused = row.is_paused(now, 0);
    let mood = mood(row, open.jobs.len(), stopped.jobs.len(), now);
    json!({
        "id": known.connection,
        "name": known.name,
        "lane": known.lane,
        "off": row.off,
        "paused": paused,
        "paused_until": row.retry_at.filter(|until| paused && *until != UNTIL_A_PERSON_ACTS),
        "why": row.why.as_ref().filter(|_| paused),
        "held": held(row, now),
        "last_sent": Some(row.last_sent).filter(|at| at.0 > 0),
        "authorisation": row.page.is_some().then(|| authorisation(row)),
        "mood": mood,
        "status": sentence(row, open.jobs.len(), stopped.jobs.len(), now, zone),
        "counts": {
            "open": open.jobs.len(),
            "open_at_least": open.more,
            "failed": count(JobState::Failed),
            "parked": count(JobState::Parked),
            "stopped_at_least": stopped.more,
        },
        "open": of(open),
        "stopped": of(stopped),
    })
}

/// Who gave access in the browser, and why the last attempt to came to nothing.
fn authorisation(row: &ConnectionRow) -> Value {
    let account = row.facts.get(ACCOUNT).and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({ "account": account, "asked": row.grant.is_some(), "trouble": row.facts.get(TROUBLE) })
}

fn held(row: &ConnectionRow, now: Timestamp) -> bool {
    row.holder.is_some() && row.until > now
}

fn mood(row: &ConnectionRow, open: usize, stopped: usize, now: Timestamp) -> &'static str {
    match () {
        () if row.off => "off",
        () if row.superseded.is_some() => "superseded",
        () if row.is_paused(now, 0) => "paused",
        () if stopped > 0 => "stopped",
        () if open > 0 || held(row, now) => "working",
        () => "fine",
    }
}

/// How a connection is doing, in one sentence.
fn sentence(row: &ConnectionRow, open: usize, stopped: usize, now: Timestamp, zone: &str) -> String {
    let why = row.why.as_deref().map_or_else(String::new, |why| format!(": {why}"));
    let waiting = if open > 0 { format!(" В очереди: {open}.") } else { String::new() };
    match mood(row, open, stopped, now) {
        "off" if row.disconnected => "Отключено.".to_owned(),
        "off" => "Отключается.".to_owned(),
        "superseded" => texts::superseded(row.superseded.as_ref().map(|it| &it.by)),
        "paused" if row.retry_at == Some(UNTIL_A_PERSON_ACTS) && row.page.is_some() => {
            format!("Остановлено{why}.{waiting}")
        }
        "paused" if row.retry_at == Some(UNTIL_A_PERSON_ACTS) => {
            format!("Остановлено до нового токена{why}.{waiting}")
        }
        "paused" => {
            let until = row.retry_at.map_or_else(String::new, |at| words::moment(at, zone));
            format!("Пауза до {until}{why}.{waiting}")
        }
        "stopped" => format!("Ждут решения человека: {stopped}.{waiting}"),
        "working" => format!("Идёт отправка.{waiting}"),
        _ => "Всё отправлено.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_262_645_000);

    fn row(retry_at: Option<Timestamp>, why: &str) -> ConnectionRow {
        let why = Some(why.to_owned()).filter(|why| !why.is_empty());
        ConnectionRow { retry_at, why, ..ConnectionRow::default() }
    }

    #[test]
    fn a_connection_says_how_it_is_doing() {
        let revoked = row(Some(UNTIL_A_PERSON_ACTS), "токен отозван");
        let paused = row(Some(Timestamp(NOW.0 + 60_000)), "слишком много запросов");
        let past = row(Some(Timestamp(NOW.0 - 1)), "слишком много запросов");
        let off = ConnectionRow { off: true, ..row(None, "") };
        let cases = [
            (&revoked, 3, 0, "Остановлено до нового токена: токен отозван. В очереди: 3."),
            (&paused, 0, 0, "Пауза до 21.11.2026 15:05:05: слишком много запросов."),
            (&past, 2, 0, "Идёт отправка. В очереди: 2."),
            (&past, 2, 1, "Ждут решения человека: 1. В очереди: 2."),
            (&past, 0, 0, "Всё отправлено."),
            (&off, 9, 9, "Отключается."),
        ];
        for (row, open, stopped, expected) in cases {
            assert_eq!(sentence(row, open, stopped, NOW, "Europe/Moscow"), expected);
        }
    }

    #[test]
    fn a_lease_that_ran_out_holds_nothing() {
        let lease = |until| ConnectionRow {
            holder: Some("worker".to_owned()),
            until: Timestamp(until),
            ..ConnectionRow::default()
        };
        assert!(held(&lease(NOW.0 + 1), NOW));
        assert!(!held(&lease(NOW.0), NOW));
    }

    #[test]
    fn a_pause_without_an_end_names_no_time() {
        let known = KnownConnection { connection: "crm:main".into(), name: "CRM".to_owned(), lane: Lane::Crm };
        let none = Listed::default();
        let shown = view(&known, &row(Some(UNTIL_A_PERSON_ACTS), "токен отозван"), &none, &none, NOW, "UTC");
        assert_eq!((&shown["paused"], &shown["paused_until"]), (&json!(true), &Value::Null));
        assert_eq!((&shown["mood"], &shown["why"]), (&json!("paused"), &json!("токен отозван")));
    }
}
