//! Who may do what: tokens, cookies, the table of roles.

use perezvon_domain::AccountId;
use perezvon_platform::link::{Person, Role, open_person};

use crate::texts;
use crate::web::{Problem, Request};

/// The cookie of the page.
pub const COOKIE: &str = "perezvon";
/// The account of whoever owns the installation: every account is his.
pub const EVERY_ACCOUNT: &str = "*";

/// The name of an owner, who need not be an employee of the settings.
pub const OWNER: &str = "owner";

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Calls and conversations, with their explanations: to look at them.
    Calls,
    /// To answer clients, and whatever else is done with conversations.
    Answer,
    /// Quarantine, channels, connections, jobs, settings: to look at them.
    Look,
    /// The same, to change them; and hook URLs, which are secrets.
    Configure,
    /// Tokens for people.
    GiveTokens,
    /// To let an account of a provider give us access.
    Authorise,
}

/// Whether a role has a right.
pub fn allows(role: Role, right: Right) -> bool {
    match role {
        Role::Owner => true,
        Role::Admin => right != Right::Authorise,
        Role::Integrator => matches!(right, Right::Look | Right::Configure),
        Role::Operator => matches!(right, Right::Calls | Right::Answer),
        Role::Auditor => matches!(right, Right::Calls | Right::Look),
    }
}

/// Whether a person of this role may make a token with that one: nobody gives more than he has.
pub fn may_give(own: Role, given: Role) -> bool {
    match own {
        Role::Owner => true,
        Role::Admin => given != Role::Owner,
        Role::Integrator | Role::Operator | Role::Auditor => false,
    }
}

/// The role in Russian.
pub fn role_words(role: Role) -> &'static str {
    match role {
        Role::Owner => "владелец",
        Role::Admin => "администратор",
        Role::Integrator => "интегратор",
        Role::Operator => "оператор",
        Role::Auditor => "аудитор",
    }
}

/// A person and how he came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub person: Person,
    /// By the cookie: a browser sends it by itself, so writes must prove where they come from.
    pub by_cookie: bool,
}

impl Visitor {
    /// Owns the installation.
    pub fn owns_everything(&self) -> bool {
        self.person.account == EVERY_ACCOUNT && self.person.role == Role::Owner
    }

    /// Another account's id is as good as none (404); a missing right is told (403).
    pub fn check(&self, account: &AccountId, right: Right) -> Result<(), Problem> {
        if !self.owns_everything() && self.person.account != account.as_str() {
            return Err(Problem::not_found());
        }
        if allows(self.person.role, right) { Ok(()) } else { Err(Problem::new(403, texts::NO_RIGHT)) }
    }

    /// A write by cookie must come from our own page.
    pub fn check_origin(&self, request: &Request, public_url: &str) -> Result<(), Problem> {
        let writes = !matches!(request.method.as_str(), "GET" | "HEAD");
        let ours = request.header("origin").is_some_and(|given| given == origin(public_url));
        if writes && self.by_cookie && !ours {
            return Err(Problem::new(403, texts::WRONG_ORIGIN));
        }
        Ok(())
    }
}

/// Who asks. `None`: no token, or one that does not open any more.
pub fn visitor(request: &Request, key: &[u8], now_ms: i64) -> Option<Visitor> {
    let (token, by_cookie) = match bearer(request) {
        Some(token) => (token, false),
        None => (cookie(request)?, true),
    };
    Some(Visitor { person: open_person(token, key, now_ms)?, by_cookie })
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(request: &Request) -> Option<&str> {
    request.cookies.iter().find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The cookie that keeps a person logged in for this many seconds; 0 ends it.
pub fn set_cookie(token: &str, seconds: i64, public_url: &str) -> String {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// Scheme and authority of a URL: what a browser sends as `Origin`.
pub fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use perezvon_platform::link::sign_person;

    use super::*;

    const KEY: &[u8] = b"an invented key of enough length";

    fn person(account: &str, role: Role) -> Person {
        Person { account: account.to_owned(), name: "petrova".to_owned(), role }
    }

    fn request(method: &str, headers: &[(&str, &str)], cookies: &[&str]) -> Request {
        Request {
            method: method.to_owned(),
            path: Vec::new(),
            query: BTreeMap::new(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            cookies: cookies.iter().map(|cookie| (*cookie).to_owned()).collect(),
            body: Vec::new(),
        }
    }

    #[test]
    fn a_token_is_taken_from_the_header_before_the_cookie() {
        let (anna, ivan) = (person("acme", Role::Admin), person("acme", Role::Operator));
        let header = format!("bearer {}", sign_person(&anna, None, KEY));
        let cookie = format!("perezvon={}", sign_person(&ivan, None, KEY));
        let both = request("GET", &[("authorization", &header)], &["x=1", &cookie]);
        assert_eq!(visitor(&both, KEY, 0), Some(Visitor { person: anna, by_cookie: false }));
        let one = request("GET", &[], &["perezvon2=a", &cookie]);
        assert_eq!(visitor(&one, KEY, 0), Some(Visitor { person: ivan, by_cookie: true }));
    }

    #[test]
    fn an_expired_or_foreign_token_is_nobody() {
        let token = sign_person(&person("acme", Role::Admin), Some(10), KEY);
        let header = format!("Bearer {token}");
        let asked = request("GET", &[("authorization", &header)], &[]);
        assert!(visitor(&asked, KEY, 9).is_some());
        assert_eq!(visitor(&asked, KEY, 10), None);
        assert_eq!(visitor(&asked, b"another key of enough length", 9), None);
        assert_eq!(visitor(&request("GET", &[], &[]), KEY, 9), None);
    }

    #[test]
    fn another_account_is_not_found_and_a_missing_right_is_told() {
        let status = |account: &str, role, right| {
            let visitor = Visitor { person: person(account, role), by_cookie: false };
            visitor.check(&AccountId::from("acme"), right).map_err(|problem| problem.status)
        };
        assert_eq!(status("acme", Role::Operator, Right::Calls), Ok(()));
        assert_eq!(status("acme", Role::Operator, Right::Look), Err(403));
        assert_eq!(status("other", Role::Owner, Right::Calls), Err(404));
        assert_eq!(status("*", Role::Owner, Right::GiveTokens), Ok(()));
        assert_eq!(status("*", Role::Admin, Right::Calls), Err(404));
    }

    #[test]
    fn a_write_by_cookie_must_come_from_our_own_page() {
        let check = |method, headers: &[(&str, &str)], by_cookie| {
            let visitor = Visitor { person: person("acme", Role::Admin), by_cookie };
            visitor.check_origin(&request(method, headers, &[]), "https://pbx.example/x").is_ok()
        };
        assert!(check("PUT", &[("origin", "https://pbx.example")], true));
        assert!(!check("PUT", &[("origin", "https://evil.example")], true));
        assert!(!check("PUT", &[("origin", "https://pbx.example.evil")], true));
        assert!(!check("POST", &[], true));
        assert!(check("POST", &[], false));
        assert!(check("GET", &[], true));
    }

    #[test]
    fn the_cookie_is_secure_behind_https_only() {
        assert!(set_cookie("t", 60, "https://pbx.example").ends_with("Max-Age=60; Secure"));
        let plain = set_cookie("t", 0, "http://127.0.0.1:8080");
        assert_eq!(plain, "perezvon=t; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn nobody_gives_more_than_he_has() {
        assert!(may_give(Role::Owner, Role::Owner));
        assert!(may_give(Role::Admin, Role::Admin) && !may_give(Role::Admin, Role::Owner));
        assert!(!may_give(Role::Integrator, Role::Operator));
    }
}
