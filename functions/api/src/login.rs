//! Logging in and out: one-time links, the cookie, and who one is.

use std::fmt::Write as _;

use perezvon_domain::AccountId;
use perezvon_platform::link::{Person, open_person, sign_person};
use perezvon_store::table::{Condition, Query};
use perezvon_store::{Update, keys};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::access::{self, EVERY_ACCOUNT, Right, Visitor};
use crate::web::{Problem, Reply, Request};
use crate::{Api, list, order, texts};

/// How long a one-time link is good, in seconds.
const LINK_SECONDS: i64 = 15 * 60;
/// How long a person stays logged in, in seconds.
const SESSION_SECONDS: i64 = 30 * 86_400;
/// Most accounts listed.
const MOST_ACCOUNTS: usize = 200;

/// A token of a person.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Login"))]
pub struct Given {
    token: String,
}

impl Api {
    /// A link that logs this person in, once, within 15 minutes.
    pub fn one_time_link(&self, person: &Person) -> String {
        let expires = self.clock.now_ms() + LINK_SECONDS * 1000;
        let token = sign_person(person, Some(expires), &self.one_time_key());
        format!("{}/login?token={token}", self.public_url())
    }

    /// A key of its own: the token of a link opens nothing but the login.
    fn one_time_key(&self) -> Vec<u8> {
        [self.config.person_key.as_slice(), b" one-time link"].concat()
    }

    /// `GET /login?token=`.
    pub(crate) async fn one_time_login(&self, request: &Request) -> Result<Reply, Problem> {
        let used = || Problem::new(401, texts::LINK_USED);
        let token = request.param("token").ok_or_else(used)?;
        let now = self.clock.now_ms();
        let person = open_person(token, &self.one_time_key(), now).ok_or_else(used)?;
        let claim = Update::new(keys::login(&digest(token)))
            .set("expires", now / 1000 + 2 * LINK_SECONDS)
            .when(Condition::Absent);
        match self.table.update(claim).await {
            Err(error) if error.is_conflict() => return Err(used()),
            other => other?,
        };
        let session = sign_person(&person, Some(now + SESSION_SECONDS * 1000), &self.config.person_key);
        Ok(Reply::redirect(303, "/").cookie(self.cookie(&session, SESSION_SECONDS)))
    }

    /// `POST login`: a token becomes the cookie.
    pub(crate) fn login(&self, request: &Request) -> Result<Reply, Problem> {
        let elsewhere = |given: &str| given != access::origin(&self.config.public_url);
        if request.header("origin").is_some_and(elsewhere) {
            return Err(Problem::new(403, texts::WRONG_ORIGIN));
        }
        let given: Given = request.json()?;
        let token = given.token.trim();
        let person = open_person(token, &self.config.person_key, self.clock.now_ms());
        let person = person.ok_or(Problem::new(401, texts::TOKEN_REFUSED))?;
        let visitor = Visitor { person, by_cookie: true };
        Ok(me(&visitor).cookie(self.cookie(token, SESSION_SECONDS)))
    }

    /// `POST logout`.
    pub(crate) fn logout(&self) -> Reply {
        Reply::empty(204).cookie(self.cookie("", 0))
    }

    fn cookie(&self, token: &str, seconds: i64) -> String {
        access::set_cookie(token, seconds, &self.config.public_url)
    }

    /// `GET accounts`: those this person may see.
    pub(crate) async fn accounts(&self, visitor: &Visitor) -> Result<Reply, Problem> {
        let mut ids = vec![AccountId(visitor.person.account.clone())];
        if visitor.owns_everything() {
            let query = Query::table(keys::all_accounts());
            let rows = list::rows(&*self.table, query, MOST_ACCOUNTS, MOST_ACCOUNTS, |_| true).await?;
            ids = rows.iter().filter_map(|row| keys::parse_account_entry(&row.key)).collect();
        }
        let mut accounts = Vec::new();
        for id in ids {
            let Some(settings) = self.settings(&id).await? else {
                continue;
            };
            let (name, zone) = (&settings.document.account.name, &settings.policy.time_zone);
            let groups: Vec<_> = settings.policy.groups.keys().collect();
            let ways = order::ways(&settings, visitor);
            let told = json!({ "id": id, "name": name, "time_zone": zone, "groups": groups, "calls_by": ways });
            accounts.push(told);
        }
        Ok(Reply::json(200, &json!({ "accounts": accounts })))
    }
}

/// `GET me`.
pub fn me(visitor: &Visitor) -> Reply {
    let Person { account, name, role } = &visitor.person;
    let may = |right| access::allows(*role, right);
    let account = Some(account).filter(|account| *account != EVERY_ACCOUNT);
    Reply::json(
        200,
        &json!({
            "account": account,
            "name": name,
            "role": role,
            "role_words": access::role_words(*role),
            "may": {
                "see_calls": may(Right::Calls),
                "answer": may(Right::Answer),
                "look": may(Right::Look),
                "configure": may(Right::Configure),
                "give_tokens": may(Right::GiveTokens),
                "authorise": may(Right::Authorise),
            },
        }),
    )
}

fn digest(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}
