//! `Idempotency-Key`: what a person asks for twice under one key is done once, for a day.

use perezvon_domain::{EmployeeId, Timestamp};
use perezvon_engine::commit::Once;
use sha2::{Digest as _, Sha256};

use crate::web::{Problem, Request};
use crate::{opaque, texts};

const HEADER: &str = "idempotency-key";
/// Longest key, in bytes: the item of a conversation holds the last ones.
const LONGEST: usize = 100;
/// Bytes of a digest that are kept.
const KEPT: usize = 16;

/// The key of a request, if it has one. It is its person's: two people may choose the same.
pub fn once(request: &Request, by: &EmployeeId) -> Result<Option<Once>, Problem> {
    let Some(key) = request.header(HEADER).map(str::trim).filter(|key| !key.is_empty()) else { return Ok(None) };
    if key.len() > LONGEST {
        return Err(Problem::new(400, texts::LONG_KEY));
    }
    Ok(Some(Once { key: format!("{by}:{key}"), digest: digest(request) }))
}

/// The key, or one of this moment: a row of the history stands under it.
pub fn once_or_now(request: &Request, by: &EmployeeId, now: Timestamp) -> Result<Once, Problem> {
    let digest = digest(request);
    let own = || Once { key: format!("{by}:{}.{digest}", now.0), digest: digest.clone() };
    Ok(once(request, by)?.unwrap_or_else(own))
}

/// Of what is asked for: method, path and body.
fn digest(request: &Request) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&request.method).chain(&request.path) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(&request.body);
    let whole = hash.finalize();
    opaque::encode(&whole[..KEPT])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn request(key: &str, path: &str, body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: path.split('/').map(str::to_owned).collect(),
            query: BTreeMap::new(),
            headers: BTreeMap::from([(HEADER.to_owned(), key.to_owned())]),
            cookies: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn another_person_another_path_and_another_body_are_told_apart() {
        let read = |key: &str, path: &str, body: &str, by: &str| once(&request(key, path, body), &by.into());
        let first = read(" k1 ", "ads:1/reply", "{}", "anna").expect("fine").expect("a key");
        assert_eq!(read("k1", "ads:1/reply", "{}", "anna"), Ok(Some(first.clone())));
        for (path, body) in [("ads:1/note", "{}"), ("ads:1/reply", "{ }")] {
            let other = read("k1", path, body, "anna").expect("fine").expect("a key");
            assert!(other.key == first.key && other.digest != first.digest, "{path} {body}");
        }
        assert_ne!(read("k1", "ads:1/reply", "{}", "ivan").expect("fine").expect("a key").key, first.key);
        assert_eq!(read("  ", "ads:1/reply", "{}", "anna"), Ok(None));
        let long = read(&"k".repeat(LONGEST + 1), "ads:1/reply", "{}", "anna");
        assert_eq!(long.map_err(|problem| problem.status), Err(400));
    }
}
