//! Lists: the query string with its bracketed filters, and pages.

use serde_json::{Value, json};

use super::{Call, hal, problem};
use crate::http::Response;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 250;

/// A parsed query string.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: &str) -> Self {
        Self(form_urlencoded::parse(raw.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether `with` asks for this.
    pub(super) fn with(&self, what: &str) -> bool {
        self.get("with").is_some_and(|with| with.split(',').any(|each| each == what))
    }

    /// The values of `filter[name]`, `filter[name][]` and `filter[name][0]`; `None`: no such
    /// filter.
    pub(super) fn filter(&self, name: &str) -> Option<Vec<&str>> {
        let all = self.0.iter().filter(|(key, _)| filter_name(key) == Some(name));
        let values: Vec<&str> = all.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then_some(values)
    }

    /// Whether an entity with this value passes `filter[name]`.
    pub(super) fn passes(&self, name: &str, value: &str) -> bool {
        self.filter(name).is_none_or(|wanted| wanted.contains(&value))
    }

    /// Refuses filters and orders that this sandbox does not carry out: a silently ignored filter
    /// would let a wrong client pass its tests.
    pub(super) fn only_filters(&self, known: &[&str]) -> Result<(), Response> {
        for (key, _) in &self.0 {
            let filter = filter_name(key);
            let strange = filter.is_some_and(|name| !known.contains(&name));
            if strange || key.starts_with("order[") || (filter.is_none() && key.starts_with("filter")) {
                return Err(problem(400, &format!("the sandbox does not know {key}")));
            }
        }
        Ok(())
    }

    fn number(&self, key: &str, default: usize) -> Result<usize, Response> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(problem(400, &format!("{key} must be a positive number"))),
        }
    }

    fn with_page(&self, page: usize) -> String {
        let others = self.0.iter().filter(|(key, _)| key != "page");
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(others)
            .append_pair("page", &page.to_string())
            .finish()
    }
}

/// `entity_id` of `filter[entity_id]`, `filter[entity_id][]` or `filter[entity_id][3]`.
fn filter_name(key: &str) -> Option<&str> {
    let (name, rest) = key.strip_prefix("filter[")?.split_once(']')?;
    let index = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let plain = rest.is_empty();
    (plain || index.is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))).then_some(name)
}

/// One page of `all`; 204 when there is nothing on it.
pub(super) fn page<T>(
    call: &Call<'_>,
    base: &str,
    key: &str,
    all: &[T],
    render: impl Fn(&T) -> Value,
) -> Result<Response, Response> {
    let query = &call.query;
    let limit = query.number("limit", DEFAULT_LIMIT)?;
    if limit > MAX_LIMIT {
        return Err(problem(400, "limit must be 250 at most"));
    }
    let page = query.number("page", 1)?;
    let from = (page - 1).saturating_mul(limit);
    let items: Vec<Value> = all.iter().skip(from).take(limit).map(render).collect();
    if items.is_empty() {
        return Ok(Response::empty(204));
    }
    let path = &call.request.path;
    let mut links = json!({ "self": { "href": format!("{base}{}", call.request.target()) } });
    if all.len() > from + items.len() {
        let next = query.with_page(page + 1);
        links["next"] = json!({ "href": format!("{base}{path}?{next}") });
    }
    Ok(hal(200, &json!({ "_page": page, "_links": links, "_embedded": { key: items } })))
}
