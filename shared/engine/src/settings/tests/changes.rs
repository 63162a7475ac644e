//! Specs of the difference that a dry run shows.

use super::super::{Document, SecretText};
use super::accepted;
use super::world::World;

async fn difference(change: fn(&mut Document)) -> Vec<String> {
    let world = World::default();
    world.applier().apply(accepted(|_| {}), "", "").await.expect("applied");
    world.applier().difference(&accepted(change)).await.expect("a difference")
}

#[tokio::test]
async fn changed_added_and_removed_values_are_shown_by_path() {
    assert_eq!(difference(|_| {}).await, [""; 0]);
    assert_eq!(difference(|it| it.fallback = "ivanov".into()).await, ["fallback: \"petrova\" -> \"ivanov\""]);
    let moved = difference(|it| {
        it.employees.remove(2);
        it.employees[1].crm_user = None;
        it.scenarios[1].lines.push("+74950000002".into());
    });
    assert_eq!(
        moved.await,
        [
            "employees[ivanov].crm_user: 504002 -> nothing",
            "employees[sidorov].active: false -> nothing",
            "employees[sidorov].id: \"sidorov\" -> nothing",
            "employees[sidorov].name: \"Пётр Сидоров\" -> nothing",
            "scenarios[Обзвон].lines: [\"+7 (495) 000-00-01\"] -> [\"+7 (495) 000-00-01\",\"+74950000002\"]",
        ]
    );
}

#[tokio::test]
async fn a_secret_is_named_and_never_shown() {
    let another = difference(|it| {
        let crm = it.crm.as_mut().expect("a CRM");
        crm.secret.insert("token".to_owned(), SecretText("fresh".to_owned()));
    });
    assert_eq!(another.await, ["crm:main: another secret"]);
    let order = difference(|it| it.employees.swap(0, 1));
    assert_eq!(order.await, ["a secret, or the order of entries"]);
}

#[tokio::test]
async fn the_first_time_everything_is_new() {
    let world = World::default();
    let lines = world.applier().difference(&accepted(|_| {})).await.expect("a difference");
    assert!(lines.contains(&"account.name: nothing -> \"ООО «Ромашка»\"".to_owned()), "{lines:?}");
    assert!(lines.contains(&"crm.secret.token: nothing -> \"***\"".to_owned()), "{lines:?}");
}
