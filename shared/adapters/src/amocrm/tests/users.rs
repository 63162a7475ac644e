//! Specs of `ReadDismissed`.

use super::*;

fn page(users: &[(u64, Value)], more: bool) -> Value {
    let users: Vec<Value> =
        users.iter().map(|(id, active)| json!({ "id": id, "rights": { "is_active": active } })).collect();
    let links = if more { json!({ "next": { "href": "https://x.test" } }) } else { json!({}) };
    json!({ "_links": links, "_embedded": { "users": users } })
}

#[test]
fn the_dismissed_are_those_whom_the_crm_calls_inactive_on_any_page() {
    let mut play = Play::new(Command::ReadDismissed);
    let first = page(&[(504_001, json!(true)), (504_002, json!(false)), (504_003, Value::Null)], true);
    assert_eq!(play.read("read-users", 200, &first), Outcome::Next);
    assert_eq!(play.read("read-users-further", 200, &page(&[(504_004, json!(0))], false)), Outcome::Next);
    assert_eq!(play.done(), JobResult::UsersRead { users: 4 });
    assert_eq!(play.dismissed, Some(vec![crm("504002"), crm("504004")]));
}

#[test]
fn a_token_that_may_not_see_users_stops_nothing_and_keeps_what_is_known() {
    let mut play = Play::new(Command::ReadDismissed);
    assert_eq!(play.read("read-users", 403, &json!({ "title": "Forbidden" })), Outcome::Next);
    assert_eq!(play.done(), JobResult::UsersRead { users: 0 });
    assert_eq!(play.dismissed, None);
}

#[test]
fn two_hundred_of_the_dismissed_are_kept_at_most() {
    let mut play = Play::new(Command::ReadDismissed);
    let users: Vec<(u64, Value)> = (1..=300).map(|id| (id, json!(false))).collect();
    assert_eq!(play.read("read-users", 200, &page(&users, false)), Outcome::Next);
    let kept = play.dismissed.expect("the dismissed");
    assert_eq!((kept.len(), &kept[0]), (200, &crm("101")));
}
