//! Conversations in lists: who waits for an employee or a group, the longest first; and all of a month, the newest
//! first. A page is one Query, however many there are.

use perezvon_domain::conversation::row::Row as ListRow;
use perezvon_domain::conversation::{Cause, Side, Writer};
use perezvon_domain::{AccountId, EmployeeId, Policy, Timestamp};
use perezvon_store::items::call::{month, month_before};
use perezvon_store::items::conversation::list_row;
use perezvon_store::table::{Query, Value};
use perezvon_store::{Index, Row, TableError, keys};
use serde::Serialize;
use serde_json::json;

use crate::web::{Problem, Reply, Request};
use crate::{Api, list, opaque, texts};

/// A conversation in a list.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationView {
    /// Channel and chat: `ads:u2i-1`.
    pub id: String,
    /// `new`: nobody but the provider wrote.
    pub state: &'static str,
    /// Why it was closed.
    cause: Option<&'static str>,
    cause_words: Option<String>,
    pub source: String,
    /// Name of the client, else what is said of somebody without one.
    pub client: String,
    pub about: Option<String>,
    /// Names.
    assignee: Option<String>,
    group: Option<String>,
    responsible: Option<String>,
    opened_at: Timestamp,
    /// From when the group has it.
    available_at: Timestamp,
    waiting: Option<WaitingView>,
    last: Option<LastView>,
    unread: bool,
    pub replies_at: Option<Timestamp>,
    pub closes_at: Option<Timestamp>,
    /// What could not be sent.
    trouble: Option<String>,
}

/// Who waits, since when.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WaitingView {
    who: &'static str,
    since: Timestamp,
}

/// The latest message in short; without a summary it was deleted.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LastView {
    at: Timestamp,
    from: &'static str,
    summary: String,
}

impl ConversationView {
    /// A row of a list with the words a person needs.
    pub fn new(row: ListRow, policy: Option<&Policy>) -> Self {
        let rules = policy.and_then(|policy| policy.channels.get(&row.channel));
        let source = rules.map_or_else(|| row.channel.0.clone(), |rules| format!("{}: {}", rules.source, rules.name));
        Self {
            id: format!("{}:{}", row.channel, row.chat),
            state: match (row.open, &row.cause) {
                (true, _) => "open",
                (false, Some(_)) => "closed",
                (false, None) => "new",
            },
            cause: row.cause.as_ref().map(cause_code),
            cause_words: row.cause.as_ref().map(|cause| cause_words(cause, policy)),
            source,
            client: row.client.unwrap_or_else(|| "без имени".to_owned()),
            about: row.about,
            assignee: row.assignee,
            group: row.group,
            responsible: row.responsible,
            opened_at: row.opened_at,
            available_at: row.available_at,
            waiting: row.waiting.map(|waiting| WaitingView {
                who: match waiting.who {
                    Side::Client => "client",
                    Side::Us => "us",
                },
                since: waiting.since,
            }),
            last: row.last.map(|last| LastView { at: last.at, from: writer(last.from), summary: last.summary }),
            unread: row.unread,
            replies_at: row.replies_at,
            closes_at: row.closes_at,
            trouble: row.trouble,
        }
    }
}

/// Who wrote, as a word of the API.
pub fn writer(from: Writer) -> &'static str {
    match from {
        Writer::Client => "client",
        Writer::Agent => "agent",
        Writer::Automatic => "automatic",
        Writer::System => "system",
    }
}

/// An employee by name.
pub fn name(id: &EmployeeId, policy: Option<&Policy>) -> String {
    let known = policy.and_then(|policy| policy.employee(id));
    known.map_or_else(|| id.0.clone(), |employee| employee.name.clone())
}

fn cause_code(cause: &Cause) -> &'static str {
    match cause {
        Cause::Agent { .. } => "agent",
        Cause::TimeOut => "time_out",
        Cause::ClientLeft => "client_left",
        Cause::ChannelDisabled => "channel_disabled",
        Cause::ChannelSuperseded => "channel_superseded",
    }
}

fn cause_words(cause: &Cause, policy: Option<&Policy>) -> String {
    match cause {
        Cause::Agent { by } => format!("закрыл {}", name(by, policy)),
        Cause::TimeOut => "закрыто по времени".to_owned(),
        Cause::ClientLeft => "клиент вышел из чата".to_owned(),
        Cause::ChannelDisabled => "канал отключён".to_owned(),
        Cause::ChannelSuperseded => "тот же аккаунт подключён в другом канале".to_owned(),
    }
}

/// A page: its rows, and where the next one begins.
struct Found {
    rows: Vec<ListRow>,
    cursor: Option<String>,
}

/// The last row of a page of those who wait, and all shown with the same moment: their order is the index's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    at: i64,
    seen: Vec<String>,
}

impl Place {
    fn read(request: &Request) -> Result<Option<Self>, Problem> {
        let read = |text: &str| serde_json::from_str(&opaque::decode(text)?).ok().map(|(at, seen)| Self { at, seen });
        let cursor = |text| read(text).ok_or(Problem::new(400, texts::BAD_CURSOR));
        request.param("cursor").map(cursor).transpose()
    }

    /// This place after some more rows.
    fn after(mut self, shown: &[Row]) -> Self {
        for row in shown {
            let at = waits_since(row);
            if at != self.at {
                self = Self { at, seen: Vec::new() };
            }
            self.seen.push(row.key.pk().to_owned());
        }
        self
    }

    fn cursor(&self) -> String {
        opaque::encode(json!((self.at, &self.seen)).to_string())
    }
}

fn waits_since(row: &Row) -> i64 {
    row.n("waiting_at").unwrap_or_default()
}

impl Api {
    /// `GET conversations`.
    pub(crate) async fn conversations(&self, account: &AccountId, request: &Request) -> Result<Reply, Problem> {
        let policy = self.policies.read(&*self.table, account).await?;
        let policy = policy.as_deref();
        let zone = policy.map_or("UTC", |policy| policy.time_zone.as_str());
        let limit = list::limit(request)?;
        let (found, mut body) = match request.param("of") {
            Some(of) => {
                let list = waiting_list(account, of).ok_or(Problem::new(400, texts::BAD_LIST))?;
                (self.waiting(list, limit, Place::read(request)?).await?, json!({ "of": of }))
            }
            None => {
                let (month, after) = self.place_in_feed(request)?;
                let older = month_before(&month);
                let found = self.of_month(keys::chat_feed(account, &month), limit, after).await?;
                (found, json!({ "month": month, "older": older }))
            }
        };
        let state = request.param("state");
        let views = found.rows.into_iter().map(|row| ConversationView::new(row, policy));
        let views: Vec<_> = views.filter(|view| state.is_none_or(|state| view.state == state)).collect();
        body["conversations"] = json!(views);
        body["cursor"] = json!(found.cursor);
        body["time_zone"] = json!(zone);
        Ok(Reply::json(200, &body))
    }

    /// Those of one list who wait, the longest first.
    async fn waiting(&self, list: String, limit: usize, after: Option<Place>) -> Result<Found, TableError> {
        let place = after.unwrap_or_default();
        let from = Some(Value::N(place.at));
        let limit_with_seen = limit + 1 + place.seen.len();
        let query = Query { from, limit: limit_with_seen, ..Query::index(Index::Waiting, list) };
        let page = self.table.query(query).await?;
        let is_new = |row: &Row| waits_since(row) != place.at || place.seen.iter().all(|seen| seen != row.key.pk());
        let mut fresh: Vec<Row> = page.rows.into_iter().filter(is_new).collect();
        let more = fresh.len() > limit || (page.next.is_some() && !fresh.is_empty());
        fresh.truncate(limit);
        let cursor = more.then(|| place.after(&fresh).cursor());
        Ok(Found { rows: shown(&fresh)?, cursor })
    }

    /// The month that is asked for, and the sort key behind which its next page begins.
    fn place_in_feed(&self, request: &Request) -> Result<(String, Option<String>), Problem> {
        if let Some(cursor) = request.param("cursor") {
            let (at, feed_at) = opaque::decode_feed_at(cursor).ok_or(Problem::new(400, texts::BAD_CURSOR))?;
            return Ok((month(at), Some(feed_at)));
        }
        match request.param("month") {
            None => Ok((month(self.now()), None)),
            Some(text) if is_month(text) => Ok((text.to_owned(), None)),
            Some(_) => Err(Problem::new(400, texts::BAD_MONTH)),
        }
    }

    /// Those that we first heard of in one month, the newest first.
    async fn of_month(&self, feed: String, limit: usize, after: Option<String>) -> Result<Found, TableError> {
        let to = after.clone().map(Value::S);
        let query = Query { to, backward: true, limit: limit + 2, ..Query::index(Index::Feed, feed) };
        let page = self.table.query(query).await?;
        let is_new = |row: &Row| row.s("feed_at") != after.as_deref();
        let mut fresh: Vec<Row> = page.rows.into_iter().filter(is_new).collect();
        let more = fresh.len() > limit || (page.next.is_some() && !fresh.is_empty());
        fresh.truncate(limit);
        let last = fresh.last().filter(|_| more).and_then(|row| row.s("feed_at"));
        Ok(Found { cursor: last.map(opaque::encode), rows: shown(&fresh)? })
    }
}

fn shown(rows: &[Row]) -> Result<Vec<ListRow>, TableError> {
    rows.iter().filter_map(|row| list_row(row).transpose()).collect()
}

/// The partition of a list: `employee:anna`, `group:Продажи`.
fn waiting_list(account: &AccountId, of: &str) -> Option<String> {
    match of.split_once(':')? {
        (_, "") => None,
        ("employee", id) => Some(keys::waiting_for_employee(account, &EmployeeId::from(id))),
        ("group", name) => Some(keys::waiting_for_group(account, name)),
        _ => None,
    }
}

/// `2026-11`.
fn is_month(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(year, month)| {
        digits(year, 4) && digits(month, 2) && (1..=12).contains(&month.parse().unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn row(at: i64, chat: &str) -> Row {
        let key = keys::chat(&"acme".into(), &"ads".into(), chat);
        Row { key, attributes: BTreeMap::from([("waiting_at".to_owned(), Value::N(at))]) }
    }

    #[test]
    fn a_cursor_names_everything_shown_of_its_moment() {
        let place = Place::default().after(&[row(5, "a"), row(7, "b"), row(7, "c")]);
        assert_eq!((place.at, place.seen.len()), (7, 2));
        let place = place.after(&[row(7, "d")]);
        assert_eq!((place.at, place.seen.len()), (7, 3), "the page before showed two of them");
        let query = BTreeMap::from([("cursor".to_owned(), place.cursor())]);
        let request = Request {
            method: "GET".to_owned(),
            path: Vec::new(),
            query,
            headers: BTreeMap::new(),
            cookies: Vec::new(),
            body: Vec::new(),
        };
        assert_eq!(Place::read(&request), Ok(Some(place)));
    }

    #[test]
    fn a_list_is_an_employees_or_a_groups_and_a_month_is_a_month() {
        let list = |of: &str| waiting_list(&"acme".into(), of);
        assert_eq!(list("employee:anna").as_deref(), Some("acme#employee#anna"));
        assert!(list("group:Продажи: юг").is_some_and(|list| list.starts_with("acme#group#")));
        assert_eq!([list("anna"), list("group:"), list("team:x")], [None, None, None]);
        assert!(is_month("2026-11") && !is_month("2026-13") && !is_month("2026-1") && !is_month("+026-11"));
    }

    #[test]
    fn a_row_says_where_it_is_and_why_it_was_closed() {
        let row = |cause| ListRow {
            cause,
            ..serde_json::from_str(r#"{"channel":"ads","chat":"u","open":false,"opened_at":1,"available_at":1}"#)
                .expect("a row")
        };
        let closed = ConversationView::new(row(Some(Cause::Agent { by: "anna".into() })), None);
        assert_eq!(
            (closed.state, closed.cause, closed.cause_words.as_deref()),
            ("closed", Some("agent"), Some("закрыл anna"))
        );
        assert_eq!((closed.id.as_str(), closed.client.as_str()), ("ads:u", "без имени"));
        assert_eq!(ConversationView::new(row(None), None).state, "new");
    }
}
