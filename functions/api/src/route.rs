//! Routes: what they are, how they are found by the table, and the right each asks for.

use perezvon_domain::AccountId;

use crate::access::Right;
use crate::page::{self, Asset};
use crate::table::ROWS;

/// A known address with a method it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A file of the page.
    Page(&'static Asset),
    /// A recording, by the token of its link.
    Play(String),
    /// A provider's page sends the browser back.
    Authorised,
    /// A one-time link.
    OneTimeLogin,
    /// What is written here, for programs.
    OpenApi,
    Login,
    Logout,
    Me,
    Accounts,
    /// The private half of the pair of hook URLs, from whoever owns the installation.
    PutHookKey,
    /// Something of one account.
    Of(AccountId, Resource),
}

/// What belongs to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Calls,
    Call(String),
    /// Click to call.
    Order,
    Revoke {
        call: String,
        recording: String,
    },
    Quarantine,
    Release(String),
    ReleaseChannel,
    Channels,
    Disable(String),
    Authorise(String),
    Urls,
    Subscribe,
    Connections,
    RetryConnection(String),
    RetryJob {
        connection: String,
        job: String,
    },
    Jobs,
    Settings,
    PutSettings,
    MakeToken,
    Conversations,
    Conversation(String),
    Act {
        conversation: String,
        act: Act,
    },
    Message {
        conversation: String,
        message: String,
    },
    DeleteMessage {
        conversation: String,
        message: String,
    },
    Employees,
    Status(String),
    PutStatus(String),
    /// Facts as they come.
    Events,
    Users(String),
}

/// What a person does with a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Reply,
    Note,
    Assign,
    Close,
    Open,
    Voice,
    Image,
}

impl Resource {
    /// The right a person needs for it.
    pub fn right(&self) -> Right {
        match self {
            Self::Calls | Self::Call(_) => Right::Calls,
            Self::Conversations | Self::Conversation(_) | Self::Message { .. } => Right::Calls,
            Self::Employees | Self::Status(_) | Self::Events => Right::Calls,
            Self::Act { .. } | Self::DeleteMessage { .. } | Self::PutStatus(_) | Self::Order => Right::Answer,
            Self::Quarantine | Self::Channels | Self::Users(_) | Self::Connections | Self::Jobs | Self::Settings => {
                Right::Look
            }
            Self::Revoke { .. } | Self::Release(_) | Self::ReleaseChannel | Self::Urls => Right::Configure,
            Self::Subscribe | Self::Disable(_) => Right::Configure,
            Self::RetryConnection(_) | Self::RetryJob { .. } | Self::PutSettings => Right::Configure,
            Self::MakeToken => Right::GiveTokens,
            Self::Authorise(_) => Right::Authorise,
        }
    }
}

/// Why there is no route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRoute {
    UnknownPath,
    /// The methods that this path takes.
    OtherMethods(Vec<&'static str>),
}

const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];

/// Finds the route.
pub fn find(method: &str, path: &[String]) -> Result<Route, NoRoute> {
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(route) = route(method, &segments) {
        return Ok(route);
    }
    let takes = |method: &&str| route(method, &segments).is_some();
    let others: Vec<&str> = METHODS.into_iter().filter(takes).collect();
    Err(if others.is_empty() { NoRoute::UnknownPath } else { NoRoute::OtherMethods(others) })
}

fn route(method: &str, segments: &[&str]) -> Option<Route> {
    let rows = ROWS.iter().filter(|row| row.method == method);
    let known = rows.filter_map(|row| row.route(segments)).next();
    known.or_else(|| page::asset(segments).filter(|_| method == "GET").map(Route::Page))
}

#[cfg(test)]
mod tests {
    use perezvon_platform::link::Role::{self, Admin, Auditor, Integrator, Operator, Owner};

    use super::*;
    use crate::access::allows;

    fn of(method: &str, path: &str) -> Result<Route, NoRoute> {
        let path: Vec<String> = path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        find(method, &path)
    }

    /// Every route of an account, and who may use it.
    const TABLE: &[(&str, &str, &[Role])] = &[
        ("GET", "calls", &[Owner, Admin, Operator, Auditor]),
        ("GET", "calls/main:1", &[Owner, Admin, Operator, Auditor]),
        ("POST", "calls/main:1/recordings/r/revoke", &[Owner, Admin, Integrator]),
        ("GET", "quarantine", &[Owner, Admin, Integrator, Auditor]),
        ("POST", "quarantine/abc/release", &[Owner, Admin, Integrator]),
        ("POST", "quarantine/release", &[Owner, Admin, Integrator]),
        ("GET", "channels", &[Owner, Admin, Integrator, Auditor]),
        ("GET", "urls", &[Owner, Admin, Integrator]),
        ("GET", "connections", &[Owner, Admin, Integrator, Auditor]),
        ("POST", "connections/crm-main/retry", &[Owner, Admin, Integrator]),
        ("POST", "connections/crm-main/jobs/abc/retry", &[Owner, Admin, Integrator]),
        ("GET", "jobs", &[Owner, Admin, Integrator, Auditor]),
        ("GET", "settings", &[Owner, Admin, Integrator, Auditor]),
        ("PUT", "settings", &[Owner, Admin, Integrator]),
        ("POST", "tokens", &[Owner, Admin]),
        ("GET", "conversations", &[Owner, Admin, Operator, Auditor]),
        ("GET", "conversations/ads:1", &[Owner, Admin, Operator, Auditor]),
        ("POST", "conversations/ads:1/reply", ANSWER),
        ("POST", "conversations/ads:1/note", ANSWER),
        ("POST", "conversations/ads:1/assign", ANSWER),
        ("POST", "conversations/ads:1/close", ANSWER),
        ("POST", "conversations/ads:1/open", ANSWER),
        ("DELETE", "conversations/ads:1/messages/m", ANSWER),
        ("GET", "employees/anna/status", &[Owner, Admin, Operator, Auditor]),
        ("PUT", "employees/anna/status", ANSWER),
        ("POST", "urls", &[Owner, Admin, Integrator]),
        ("POST", "channels/ads/disable", &[Owner, Admin, Integrator]),
        ("GET", "channels/ads/authorise", &[Owner]),
        ("GET", "conversations/ads:1/messages/m", &[Owner, Admin, Operator, Auditor]),
        ("POST", "conversations/ads:1/voice", ANSWER),
        ("POST", "conversations/ads:1/image", ANSWER),
        ("GET", "employees", &[Owner, Admin, Operator, Auditor]),
        ("POST", "calls", ANSWER),
        ("GET", "events", &[Owner, Admin, Operator, Auditor]),
        ("GET", "channels/main/users", &[Owner, Admin, Integrator, Auditor]),
    ];
    const ANSWER: &[Role] = &[Owner, Admin, Operator];

    #[test]
    fn each_route_is_open_to_exactly_its_roles() {
        for (method, path, roles) in TABLE {
            let route = of(method, &format!("api/v1/accounts/acme/{path}"));
            let Ok(Route::Of(account, resource)) = route else { panic!("{method} {path}: {route:?}") };
            assert_eq!(account, AccountId::from("acme"));
            for role in [Owner, Admin, Integrator, Operator, Auditor] {
                let allowed = allows(role, resource.right());
                assert_eq!(allowed, roles.contains(&role), "{method} {path} as {role:?}");
            }
        }
    }

    #[test]
    fn the_table_of_roles_names_every_route() {
        // A new resource does not compile here until it has a line above.
        let line = |resource: &Resource| match resource {
            Resource::Calls => 0,
            Resource::Call(_) => 1,
            Resource::Revoke { .. } => 2,
            Resource::Quarantine => 3,
            Resource::Release(_) => 4,
            Resource::ReleaseChannel => 5,
            Resource::Channels => 6,
            Resource::Urls => 7,
            Resource::Connections => 8,
            Resource::RetryConnection(_) => 9,
            Resource::RetryJob { .. } => 10,
            Resource::Jobs => 11,
            Resource::Settings => 12,
            Resource::PutSettings => 13,
            Resource::MakeToken => 14,
            Resource::Conversations => 15,
            Resource::Conversation(_) => 16,
            Resource::Act { act: Act::Reply, .. } => 17,
            Resource::Act { act: Act::Note, .. } => 18,
            Resource::Act { act: Act::Assign, .. } => 19,
            Resource::Act { act: Act::Close, .. } => 20,
            Resource::Act { act: Act::Open, .. } => 21,
            Resource::DeleteMessage { .. } => 22,
            Resource::Status(_) => 23,
            Resource::PutStatus(_) => 24,
            Resource::Subscribe => 25,
            Resource::Disable(_) => 26,
            Resource::Authorise(_) => 27,
            Resource::Message { .. } => 28,
            Resource::Act { act: Act::Voice, .. } => 29,
            Resource::Act { act: Act::Image, .. } => 30,
            Resource::Employees => 31,
            Resource::Order => 32,
            Resource::Events => 33,
            Resource::Users(_) => 34,
        };
        for (place, (method, path, _)) in TABLE.iter().enumerate() {
            let Ok(Route::Of(_, resource)) = of(method, &format!("api/v1/accounts/acme/{path}")) else {
                panic!("{method} {path}")
            };
            assert_eq!(line(&resource), place, "{method} {path}");
        }
        assert_eq!(TABLE.len(), 35);
    }

    #[test]
    fn nobody_writes_as_an_auditor_and_an_operator_only_with_clients() {
        for (method, path, roles) in TABLE.iter().filter(|(method, ..)| *method != "GET") {
            let with_clients = path.starts_with("conversations/") || path.starts_with("employees/") || *path == "calls";
            assert!(!roles.contains(&Auditor), "{method} {path}");
            assert_eq!(roles.contains(&Operator), with_clients, "{method} {path}");
        }
    }

    #[test]
    fn an_id_of_a_chat_or_of_a_message_may_hold_a_slash() {
        let found = |method, path: &str| of(method, &format!("api/v1/accounts/acme/conversations/{path}"));
        let known = |resource| Ok(Route::Of(AccountId::from("acme"), resource));
        assert_eq!(found("GET", "ads:u/2"), known(Resource::Conversation("ads:u/2".to_owned())));
        let act = Resource::Act { conversation: "ads:u/2".to_owned(), act: Act::Reply };
        assert_eq!(found("POST", "ads:u/2/reply"), known(act));
        let delete = Resource::DeleteMessage { conversation: "ads:u/2".to_owned(), message: "m/1".to_owned() };
        assert_eq!(found("DELETE", "ads:u/2/messages/m/1"), known(delete));
        let message = Resource::Message { conversation: "ads:u/2".to_owned(), message: "m/1".to_owned() };
        assert_eq!(found("GET", "ads:u/2/messages/m/1"), known(message));
        assert_eq!(found("POST", "reply"), Err(NoRoute::OtherMethods(vec!["GET"])));
        assert_eq!(found("DELETE", "ads:1/messages"), Err(NoRoute::OtherMethods(vec!["GET"])));
    }

    #[test]
    fn an_id_of_a_call_or_of_a_recording_may_hold_a_slash() {
        let route = of("GET", "api/v1/accounts/acme/calls/main:MT/A=");
        let call = Resource::Call("main:MT/A=".to_owned());
        assert_eq!(route, Ok(Route::Of(AccountId::from("acme"), call)));
        let route = of("POST", "api/v1/accounts/acme/calls/main:MT/A=/recordings/R/C=/revoke");
        let revoke = Resource::Revoke { call: "main:MT/A=".to_owned(), recording: "R/C=".to_owned() };
        assert_eq!(route, Ok(Route::Of(AccountId::from("acme"), revoke)));
    }

    #[test]
    fn routes_without_an_account_are_found() {
        assert!(matches!(of("GET", "/"), Ok(Route::Page(_))));
        assert!(matches!(of("GET", "/app.js"), Ok(Route::Page(_))));
        assert_eq!(of("GET", "/r/abc.def"), Ok(Route::Play("abc.def".to_owned())));
        assert_eq!(of("GET", "/login"), Ok(Route::OneTimeLogin));
        assert_eq!(of("GET", "/oauth/callback"), Ok(Route::Authorised));
        assert_eq!(of("GET", "/api/v1/openapi.json"), Ok(Route::OpenApi));
        assert_eq!(of("POST", "/api/v1/login"), Ok(Route::Login));
        assert_eq!(of("POST", "/api/v1/logout"), Ok(Route::Logout));
        assert_eq!(of("GET", "/api/v1/me"), Ok(Route::Me));
        assert_eq!(of("GET", "/api/v1/accounts"), Ok(Route::Accounts));
    }

    #[test]
    fn an_unknown_path_and_a_wrong_method_are_told_apart() {
        for path in ["/nothing", "/api/v2/me", "/api/v1/accounts/acme", "/api/v1/accounts/acme/x", "/r"] {
            assert_eq!(of("GET", path), Err(NoRoute::UnknownPath), "{path}");
        }
        let settings = of("POST", "/api/v1/accounts/acme/settings");
        assert_eq!(settings, Err(NoRoute::OtherMethods(vec!["GET", "PUT"])));
        assert_eq!(of("DELETE", "/"), Err(NoRoute::OtherMethods(vec!["GET"])));
    }
}
