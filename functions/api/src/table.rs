//! Every route, as one table: the router finds its way by it, and the OpenAPI document is written from it. A path that
//! does not stand here leads nowhere.

use perezvon_domain::AccountId;

use crate::route::{Act, Resource, Route};

/// Before the path of whatever belongs to an account.
pub const OF_ACCOUNT: &str = "/api/v1/accounts/{account}/";

/// One method of one address.
pub struct Row {
    pub method: &'static str,
    /// `{name}` is one segment. `{name+}` is one or more: a gateway may decode a path before we see it, and an id of a
    /// call, a chat or a message may hold a slash.
    path: &'static str,
    leads: Leads,
}

/// Makes the route of the values in the path, in their order.
enum Leads {
    To(fn(&mut Values) -> Route),
    /// Of the account that the path begins with.
    Of(fn(&mut Values) -> Resource),
}

/// What stood in the places of the names of a path.
pub struct Values(std::vec::IntoIter<String>);

impl Values {
    fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }
}

const fn to(method: &'static str, path: &'static str, route: fn(&mut Values) -> Route) -> Row {
    Row { method, path, leads: Leads::To(route) }
}

const fn of(method: &'static str, path: &'static str, resource: fn(&mut Values) -> Resource) -> Row {
    Row { method, path, leads: Leads::Of(resource) }
}

fn act(values: &mut Values, act: Act) -> Resource {
    Resource::Act { conversation: values.next(), act }
}

/// The first that fits is taken. Files of the page are beside it: [`crate::page::asset`].
pub const ROWS: &[Row] = &[
    to("GET", "/login", |_| Route::OneTimeLogin),
    to("GET", "/oauth/callback", |_| Route::Authorised),
    to("GET", "/r/{token}", |it| Route::Play(it.next())),
    to("GET", "/api/v1/openapi.json", |_| Route::OpenApi),
    to("POST", "/api/v1/login", |_| Route::Login),
    to("POST", "/api/v1/logout", |_| Route::Logout),
    to("GET", "/api/v1/me", |_| Route::Me),
    to("GET", "/api/v1/accounts", |_| Route::Accounts),
    to("PUT", "/api/v1/keys/hook", |_| Route::PutHookKey),
    of("GET", "calls", |_| Resource::Calls),
    of("POST", "calls", |_| Resource::Order),
    of("GET", "calls/{call+}", |it| Resource::Call(it.next())),
    of("POST", "calls/{call+}/recordings/{recording+}/revoke", |it| Resource::Revoke {
        call: it.next(),
        recording: it.next(),
    }),
    of("GET", "quarantine", |_| Resource::Quarantine),
    of("POST", "quarantine/release", |_| Resource::ReleaseChannel),
    of("POST", "quarantine/{request}/release", |it| Resource::Release(it.next())),
    of("GET", "channels", |_| Resource::Channels),
    of("POST", "channels/{channel}/disable", |it| Resource::Disable(it.next())),
    of("GET", "channels/{channel}/authorise", |it| Resource::Authorise(it.next())),
    of("GET", "channels/{channel}/users", |it| Resource::Users(it.next())),
    of("GET", "urls", |_| Resource::Urls),
    of("POST", "urls", |_| Resource::Subscribe),
    of("GET", "connections", |_| Resource::Connections),
    of("POST", "connections/{connection}/retry", |it| Resource::RetryConnection(it.next())),
    of("POST", "connections/{connection}/jobs/{job}/retry", |it| Resource::RetryJob {
        connection: it.next(),
        job: it.next(),
    }),
    of("GET", "jobs", |_| Resource::Jobs),
    of("GET", "settings", |_| Resource::Settings),
    of("PUT", "settings", |_| Resource::PutSettings),
    of("POST", "tokens", |_| Resource::MakeToken),
    of("GET", "events", |_| Resource::Events),
    of("GET", "employees", |_| Resource::Employees),
    of("GET", "employees/{employee}/status", |it| Resource::Status(it.next())),
    of("PUT", "employees/{employee}/status", |it| Resource::PutStatus(it.next())),
    of("GET", "conversations", |_| Resource::Conversations),
    of("GET", "conversations/{conversation+}/messages/{message+}", |it| Resource::Message {
        conversation: it.next(),
        message: it.next(),
    }),
    of("GET", "conversations/{conversation+}", |it| Resource::Conversation(it.next())),
    of("POST", "conversations/{conversation+}/reply", |it| act(it, Act::Reply)),
    of("POST", "conversations/{conversation+}/image", |it| act(it, Act::Image)),
    of("POST", "conversations/{conversation+}/note", |it| act(it, Act::Note)),
    of("POST", "conversations/{conversation+}/assign", |it| act(it, Act::Assign)),
    of("POST", "conversations/{conversation+}/close", |it| act(it, Act::Close)),
    of("POST", "conversations/{conversation+}/open", |it| act(it, Act::Open)),
    of("POST", "conversations/{conversation+}/voice", |it| act(it, Act::Voice)),
    of("DELETE", "conversations/{conversation+}/messages/{message+}", |it| Resource::DeleteMessage {
        conversation: it.next(),
        message: it.next(),
    }),
];

impl Row {
    /// Whether the path is one of an account's.
    fn prefix(&self) -> &'static str {
        match self.leads {
            Leads::To(_) => "",
            Leads::Of(_) => OF_ACCOUNT,
        }
    }

    /// The route of these segments, if this row is theirs.
    pub fn route(&self, segments: &[&str]) -> Option<Route> {
        let pattern = self.prefix().split('/').chain(self.path.split('/')).filter(|part| !part.is_empty());
        let pattern: Vec<&str> = pattern.collect();
        let mut values = Vec::new();
        fits(&pattern, segments, &mut values).then(|| self.leads_to(values))
    }

    fn leads_to(&self, values: Vec<String>) -> Route {
        let mut values = Values(values.into_iter());
        match self.leads {
            Leads::To(route) => route(&mut values),
            Leads::Of(resource) => Route::Of(AccountId(values.next()), resource(&mut values)),
        }
    }
}

/// Whether segments fit a pattern; what stood in the places of its names. Of several ways the one that keeps the first
/// names short.
fn fits(pattern: &[&str], segments: &[&str], values: &mut Vec<String>) -> bool {
    let Some((part, rest)) = pattern.split_first() else { return segments.is_empty() };
    let most = match part.strip_prefix('{') {
        None => {
            return segments.split_first().is_some_and(|(segment, more)| segment == part && fits(rest, more, values));
        }
        Some(name) if name.ends_with("+}") => segments.len(),
        Some(_) => segments.len().min(1),
    };
    let known = values.len();
    (1..=most).any(|taken| {
        values.truncate(known);
        values.push(segments[..taken].join("/"));
        fits(rest, &segments[taken..], values)
    })
}

#[cfg(feature = "schema")]
impl Row {
    /// The path as OpenAPI writes it, the names in it, and what it leads to.
    pub fn described(&self) -> (String, Vec<&'static str>, Route) {
        let path = format!("{}{}", self.prefix(), self.path).replace("+}", "}");
        let names = self.prefix().split('/').chain(self.path.split('/'));
        let names = names.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let names: Vec<&str> = names.map(|name| name.trim_end_matches('+')).collect();
        let route = self.leads_to(names.iter().map(|name| (*name).to_owned()).collect());
        (path, names, route)
    }
}
