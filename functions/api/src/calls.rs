//! The feed: calls newest first, of all numbers or of one (FEED-02, FEED-03, FEED-11).

use perezvon_domain::call::row::Row as FeedRow;
use perezvon_domain::{AccountId, Number, Policy, Timestamp};
use perezvon_store::items::call::{feed_row, month, month_before};
use perezvon_store::table::{Query, Value};
use perezvon_store::{Index, Row, TableError, keys};
use serde::Serialize;

use crate::web::{Problem, Reply, Request};
use crate::{Api, list, opaque, texts, words};

/// Months without a call after which the feed is taken to be at its end.
const EMPTY_MONTHS: u32 = 24;
/// A call may carry a time a little ahead of this host's clock.
const AHEAD_MS: i64 = 3_600_000;

/// A call in a list.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallView {
    /// Channel and entry: `main:MTg0OTk=`.
    pub id: String,
    #[serde(flatten)]
    row: FeedRow,
    /// Which badge it gets.
    kind: &'static str,
    pub description: String,
    /// Name of the client, else the number (FEED-03, FEED-07).
    object: String,
    /// Why nothing in the CRM belongs to it, in words.
    unlinked_words: Option<String>,
    pub source: String,
}

impl CallView {
    /// A row of the feed with the words a person needs.
    pub fn new(row: FeedRow, policy: Option<&Policy>) -> Self {
        let name = row.name.clone().filter(|name| !name.is_empty());
        Self {
            id: format!("{}:{}", row.channel, row.entry),
            kind: words::kind(&row),
            description: words::description(&row),
            object: name.or_else(|| row.number.clone()).unwrap_or_else(|| "номер скрыт".to_owned()),
            unlinked_words: row.unlinked.as_ref().map(perezvon_domain::Reason::words),
            source: policy.map_or_else(String::new, |policy| words::source(policy, &row.channel)),
            row,
        }
    }
}

/// What a request asks for.
struct Filter {
    from: Timestamp,
    /// The newest moment to look at.
    top: Timestamp,
    /// Greatest sort key.
    to: String,
    /// Sort key of the last row of the page before.
    after: Option<String>,
    number: Option<Number>,
    limit: usize,
}

impl Filter {
    fn read(request: &Request, zone: &str, now: Timestamp) -> Result<Self, Problem> {
        let time = |name, end| {
            let read = |text| moment(text, zone, end).ok_or_else(|| Problem::bad(texts::not_a_time(name, text)));
            request.param(name).map(read).transpose()
        };
        let number = |text| Number::parse(text).ok_or(Problem::new(400, texts::BAD_NUMBER));
        let number = request.param("number").map(number).transpose()?;
        let cursor = |text| opaque::decode_feed_at(text).ok_or(Problem::new(400, texts::BAD_CURSOR));
        let cursor = request.param("cursor").map(cursor).transpose()?;
        let until = time("until", true)?.unwrap_or(Timestamp(now.0 + AHEAD_MS));
        let top = cursor.as_ref().map_or(until, |(at, _)| (*at).min(until));
        let after = cursor.map(|(_, feed_at)| feed_at);
        let bound = format!("{:015}", until.0.max(0));
        Ok(Self {
            from: time("from", false)?.unwrap_or_default(),
            top,
            to: after.clone().filter(|after| *after < bound).unwrap_or(bound),
            after,
            number,
            limit: list::limit(request)?,
        })
    }

    fn query(&self, index: Index, partition: String) -> Query {
        Query {
            from: Some(Value::S(format!("{:015}", self.from.0.max(0)))),
            to: Some(Value::S(self.to.clone())),
            backward: true,
            limit: self.limit + 2,
            ..Query::index(index, partition)
        }
    }
}

/// Milliseconds since the epoch, or a date in this time zone: its first moment, or the first after it.
fn moment(text: &str, zone: &str, end: bool) -> Option<Timestamp> {
    if let Ok(ms) = text.parse() {
        return Some(Timestamp(ms));
    }
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let date: jiff::civil::Date = text.parse().ok()?;
    let date = if end { date.tomorrow().ok()? } else { date };
    Some(Timestamp(date.to_zoned(zone).ok()?.timestamp().as_millisecond()))
}

impl Api {
    /// `GET calls`.
    pub(crate) async fn calls(&self, account: &AccountId, request: &Request) -> Result<Reply, Problem> {
        let policy = self.policies.read(&*self.table, account).await?;
        let zone = policy.as_ref().map_or("UTC", |policy| policy.time_zone.as_str());
        let filter = Filter::read(request, zone, self.now())?;
        let found = match &filter.number {
            Some(number) => self.of_number(account, number, &filter).await?,
            None => self.of_months(account, &filter).await?,
        };
        // One row more than asked for was read: there is another page.
        let last = (found.len() > filter.limit).then(|| found.get(filter.limit - 1)).flatten();
        let next = last.map(|(feed_at, _)| opaque::encode(feed_at));
        let rows = found.into_iter().take(filter.limit);
        let calls: Vec<CallView> = rows.map(|(_, row)| CallView::new(row, policy.as_deref())).collect();
        Ok(Reply::json(200, &serde_json::json!({ "calls": calls, "cursor": next, "time_zone": zone })))
    }

    /// The feed's partitions, month by month backwards.
    async fn of_months(&self, account: &AccountId, filter: &Filter) -> Result<Vec<(String, FeedRow)>, TableError> {
        let lowest = month(filter.from);
        let (mut at, mut found, mut empty) = (Some(month(filter.top)), Vec::new(), 0);
        while let Some(name) = at.filter(|name| *name >= lowest && empty < EMPTY_MONTHS) {
            let query = filter.query(Index::Feed, keys::feed(account, &name));
            let want = filter.limit + 1 - found.len();
            let rows = list::rows(&*self.table, query, want, usize::MAX, |row| is_new(row, filter)).await?;
            empty = if rows.is_empty() { empty + 1 } else { 0 };
            for row in rows {
                found.extend(shown(&row)?);
            }
            if found.len() > filter.limit {
                break;
            }
            at = month_before(&name);
        }
        Ok(found)
    }

    /// The calls of one number; the index has keys only.
    async fn of_number(
        &self,
        account: &AccountId,
        number: &Number,
        filter: &Filter,
    ) -> Result<Vec<(String, FeedRow)>, TableError> {
        let query = filter.query(Index::Phone, keys::phone(account, number));
        let want = filter.limit + 1;
        let rows = list::rows(&*self.table, query, want, usize::MAX, |row| is_new(row, filter)).await?;
        let mut found = Vec::new();
        for row in rows {
            if let Some(item) = self.table.get(&row.key).await? {
                found.extend(shown(&item)?);
            }
        }
        Ok(found)
    }
}

fn is_new(row: &Row, filter: &Filter) -> bool {
    row.s("feed_at").is_some_and(|at| filter.after.as_deref() != Some(at))
}

/// The place of a row and what the feed shows of it.
fn shown(row: &Row) -> Result<Option<(String, FeedRow)>, TableError> {
    Ok(row.s("feed_at").map(str::to_owned).zip(feed_row(row)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn filter(query: &[(&str, &str)]) -> Result<Filter, Problem> {
        let request = Request {
            method: "GET".to_owned(),
            path: Vec::new(),
            query: query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            headers: BTreeMap::new(),
            cookies: Vec::new(),
            body: Vec::new(),
        };
        Filter::read(&request, "Europe/Moscow", Timestamp(1_795_262_645_000))
    }

    #[test]
    fn a_date_is_the_whole_day_of_the_account() {
        let filter = filter(&[("from", "2026-11-21"), ("until", "2026-11-21")]).expect("a filter");
        assert_eq!(filter.from, Timestamp(1_795_208_400_000));
        assert_eq!(filter.top, Timestamp(1_795_208_400_000 + 86_400_000));
        assert_eq!(filter.to, "001795294800000");
    }

    #[test]
    fn a_cursor_goes_on_where_the_page_before_ended() {
        let feed_at = "001795200000000#main#x";
        let cursor = opaque::encode(feed_at);
        let filter = filter(&[("cursor", &cursor), ("limit", "5000")]).expect("a filter");
        assert_eq!((filter.to.as_str(), filter.after.as_deref()), (feed_at, Some(feed_at)));
        assert_eq!((filter.top, filter.limit), (Timestamp(1_795_200_000_000), 200));
    }

    #[test]
    fn what_cannot_be_read_is_a_bad_request() {
        let wrong = [("cursor", "?"), ("number", "12"), ("from", "yesterday"), ("limit", "all")];
        for one in wrong {
            assert_eq!(filter(&[one]).err().map(|problem| problem.status), Some(400), "{one:?}");
        }
    }
}
