//! Who works at the PBX is asked in two questions.

use std::collections::BTreeMap;

use perezvon_domain::{Command, Directory, EffectId, JobResult, Listed, Timestamp};

use super::{golden, ours, text};
use crate::{Jobs, Known, Learned, Outcome, Outgoing, Reply, Step, Work};

use super::super::Mango;

fn asked() -> Work {
    let (progress, learned) = (BTreeMap::new(), Learned::default());
    let (id, command) = (EffectId::from("users/main/1"), Command::ReadUsers);
    Work { id, command, progress, unknown: false, sent_at: None, learned }
}

fn with<T>(see: impl FnOnce(&Known<'_>) -> T) -> T {
    let facts = BTreeMap::new();
    let (point, recording_link, base) = (None, None, "https://app.mango-office.ru/vpbx");
    let now = Timestamp::from_seconds(1_760_000_500);
    see(&Known { now, base, secret: &ours(), facts: &facts, point, recording_link, lag: None })
}

fn read(work: &Work) -> Outgoing {
    match with(|known| Mango.next(work, known)) {
        Step::Read(request) => request,
        other => panic!("a read was expected, not {other:?}"),
    }
}

fn absorb(work: &mut Work, status: u16, body: &str) -> Outcome {
    let reply = Reply { status, headers: BTreeMap::new(), body: body.as_bytes().to_vec(), stored: None };
    with(|known| Mango.absorb(work, known, &reply))
}

fn listed(name: &str, extension: &str) -> Listed {
    Listed { name: name.to_owned(), extension: Some(extension.into()), login: None }
}

#[test]
fn employees_then_groups_become_one_list() {
    let mut work = asked();
    golden("users", &read(&work));
    assert_eq!(absorb(&mut work, 200, &text("answers/users.json")), Outcome::Next);
    golden("groups", &read(&work));
    assert_eq!(absorb(&mut work, 200, &text("answers/groups.json")), Outcome::Next);
    let users = vec![listed("Петрова Анна", "12"), listed("Сидоров Пётр", "0511")];
    let groups = vec![listed("Отдел продаж", "303")];
    assert_eq!(work.learned.directory, Some(Directory { users, groups }));
    let step = with(|known| Mango.next(&work, known));
    assert_eq!(step, Step::Done(JobResult::UsersRead { users: 2 }));
}

#[test]
fn an_employee_may_have_no_extension_or_a_number_for_one() {
    let mut work = asked();
    let users = r#"{"users":[{"general":{"name":"А","login":"a@b"},"telephony":{"extension":12}},{"general":{}}]}"#;
    assert_eq!(absorb(&mut work, 200, users), Outcome::Next);
    assert_eq!(absorb(&mut work, 200, r#"{"groups":[]}"#), Outcome::Next);
    let directory = work.learned.directory.expect("a list");
    assert_eq!(directory.users[0].extension, Some("12".into()));
    assert_eq!((directory.users[0].login.as_deref(), &directory.users[1]), (Some("a@b"), &Listed::default()));
}

#[test]
fn what_is_no_list_is_not_taken_for_an_empty_one() {
    let failed = |body| matches!(absorb(&mut asked(), 200, body), Outcome::Failed(_));
    assert!(failed(r#"{"result":3100}"#) && failed(r#"{"users":["a"]}"#));
    assert!(matches!(absorb(&mut asked(), 200, r#"{"users":{}}"#), Outcome::Unknown { .. }));
    assert!(matches!(absorb(&mut asked(), 429, ""), Outcome::Pause { .. }));
}
