//! What a channel of this provider needs: the account's number and the keys of its API.

use std::collections::BTreeMap;

use super::intake::USER_ID;
use super::signature::SIGNATURE_SECRET;
use super::token::{ACCESS, CLIENT_ID, CLIENT_SECRET, EXPIRES_AT, ISSUED_AT, REFRESH};
use super::{Avito, request};
use crate::secret::Secret;
use crate::settings::{FieldSpec, Problem, Settings, problem};

const OF_A_PAIR: &str =
    "only if somebody else's account authorised your application (OAuth): the pair that was given then";
const OF_SIGNATURES: &str = "only if Avito told you a secret for the signatures of its pushes";
const IN_BROWSER: &str = "`browser` if the account authorises your application in the browser; leave it out otherwise";
const KEPT: &str = "kept by the program: Unix seconds";

/// The name among the secrets of how access is given; it is no secret itself.
const AUTHORISE: &str = "authorise";
const BROWSER: &str = "browser";

/// The page stands on another host than the API. Behind any other base it is looked for there.
const PAGE: &str = "https://avito.ru/oauth";
/// What a channel needs: to read, to write and delete, and to learn whose account it is.
pub(super) const RIGHTS: [&str; 3] = ["messenger:read", "messenger:write", "user:read"];

/// The account authorises the application in the browser, so there is nothing before it did.
pub(super) fn is_by_browser(secret: &Secret) -> bool {
    !secret.get(AUTHORISE).is_empty()
}

static SECRETS: [FieldSpec; 9] = [
    required(USER_ID, "Avito, profile: \"Номер профиля\", digits only"),
    required(CLIENT_ID, "Avito, cabinet: \"Настройки -> API\": Client_id"),
    required(CLIENT_SECRET, "Avito, cabinet: \"Настройки -> API\": Client_secret"),
    FieldSpec { required: false, ..required(AUTHORISE, IN_BROWSER) },
    FieldSpec { required: false, ..required(SIGNATURE_SECRET, OF_SIGNATURES) },
    FieldSpec { required: false, ..required(ACCESS, OF_A_PAIR) },
    FieldSpec { required: false, single_use: true, ..required(REFRESH, OF_A_PAIR) },
    FieldSpec { required: false, ..required(ISSUED_AT, KEPT) },
    FieldSpec { required: false, ..required(EXPIRES_AT, KEPT) },
];

const fn required(name: &'static str, about: &'static str) -> FieldSpec {
    FieldSpec { name, required: true, single_use: false, about }
}

impl Settings for Avito {
    fn secrets(&self) -> &'static [FieldSpec] {
        &SECRETS
    }

    fn default_base(&self) -> &'static str {
        "https://api.avito.ru"
    }

    fn hosts(&self) -> &'static [&'static str] {
        &[".avito.ru"]
    }

    fn own_id(&self) -> Option<&'static str> {
        Some(USER_ID)
    }

    fn page(&self, base: &str, secret: &Secret) -> Option<String> {
        if !is_by_browser(secret) {
            return None;
        }
        let page = if base == self.default_base() { PAGE.to_owned() } else { format!("{base}/oauth") };
        let (id, rights) = (request::escape(secret.get(CLIENT_ID)), RIGHTS.join(","));
        Some(format!("{page}?response_type=code&pro_users_flow=true&client_id={id}&scope={rights}"))
    }

    fn signature_secret(&self) -> Option<&'static str> {
        Some(SIGNATURE_SECRET)
    }

    fn check(&self, secret: &BTreeMap<String, String>) -> Vec<Problem> {
        let given = secret.get(AUTHORISE).is_some_and(|how| !how.is_empty());
        let wrong = |spec: &FieldSpec| match secret.get(spec.name)? {
            token if given && !token.is_empty() && [ACCESS, REFRESH].contains(&spec.name) => {
                Some("the browser brings it, because of `authorise`: take one of the two out")
            }
            value => wrong(spec, value),
        };
        SECRETS.iter().filter_map(|spec| Some(problem(spec, wrong(spec)?))).collect()
    }
}

fn wrong(spec: &FieldSpec, value: &str) -> Option<&'static str> {
    let is_number = [USER_ID, ISSUED_AT, EXPIRES_AT].contains(&spec.name);
    if value.is_empty() {
        spec.required.then_some("empty")
    } else if value.contains(char::is_whitespace) {
        Some("there is a space or a line break in it")
    } else if spec.name == AUTHORISE && value != BROWSER {
        Some("there is no such way")
    } else if is_number && !value.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("it is no number")
    } else {
        None
    }
}
