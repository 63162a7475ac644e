//! Who works in the domain: a list, or one alone.

use perezvon_domain::{Command, JobResult, Listed};

use super::{absorb, bytes, next, read, reply, signed, work};
use crate::{Outcome, Step};

#[test]
fn everybody_of_the_domain_is_asked_for_and_listed() {
    let mut job = work(Command::ReadUsers);
    let request = read(&job);
    assert!(request.url.ends_with("/users_info") && signed(&request) == "{}");
    assert_eq!(absorb(&mut job, &reply(200, &bytes("answers/users_info.json"))), Outcome::Next);
    let users = job.learned.directory.clone().expect("a list").users;
    let login = Some("ivanov".to_owned());
    assert_eq!(users[0], Listed { name: "Иванов Сергей".to_owned(), extension: Some("101".into()), login });
    assert_eq!(next(&job), Step::Done(JobResult::UsersRead { users: 2 }));
}

#[test]
fn one_alone_comes_without_a_list_and_a_refusal_is_none() {
    let mut job = work(Command::ReadUsers);
    let one = br#"{"result":"0","users":{"name":"petrova","pin":102}}"#;
    assert_eq!(absorb(&mut job, &reply(200, one)), Outcome::Next);
    let users = job.learned.directory.clone().expect("a list").users;
    assert_eq!((users.len(), users[0].name.as_str(), users[0].extension.clone()), (1, "petrova", Some("102".into())));
    let refused = absorb(&mut work(Command::ReadUsers), &reply(200, br#"{"result":-1,"resultMessage":"no"}"#));
    assert!(matches!(refused, Outcome::Failed(_)), "{refused:?}");
}
