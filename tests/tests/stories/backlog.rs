//! However much waits or has ended: nobody is held up by it, and nothing is hidden by it.

use perezvon_domain::effect::{Command, JobOrder};
use perezvon_domain::{AccountId, ConnectionId, EffectId, Number, Point, Timestamp};
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::Queue;
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_store::{Table, keys};
use perezvon_tests::World;
use perezvon_tests::world::Plan;

use crate::calls::minutes;
use crate::people::{ask, of, owner};
use crate::telling::school;

fn ids() -> (AccountId, ConnectionId) {
    (AccountId::from("school"), ConnectionId::from("crm:main"))
}

/// The `n`th question to the CRM, one second after the one before.
fn place(n: i64, start: Timestamp) -> (Timestamp, EffectId) {
    (Timestamp(start.0 + n * 1000), EffectId(format!("call/main/entry-{n}/1/0")))
}

async fn job(world: &World, (at, id): &(Timestamp, EffectId)) -> JobRow {
    let (account, connection) = ids();
    let row = Table::get(world.table.as_ref(), &keys::job(&account, &connection, *at, id)).await;
    JobRow::read(&account, &connection, &row.expect("the model answers").expect("a job")).expect("a job can be read")
}

/// Puts the `n`th question to the CRM there, as nobody was told of it.
pub async fn put(world: &World, n: i64, start: Timestamp, change: impl FnOnce(&mut JobRow)) {
    let (account, connection) = ids();
    let number = Number::parse(&format!("7999{n:07}")).expect("a number");
    let (at, id) = place(n, start);
    let command = Command::FindClient { client: number.clone().into() };
    let order = JobOrder { connection, command, points: vec![Point::Phone(number)], prev: None };
    world.table.update(JobRow::put(&account, at, &id, &order, false)).await.expect("put");
    let mut row = job(world, &(at, id)).await;
    change(&mut row);
    world.table.update(row.save(world.now())).await.expect("saved");
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_jobs_that_wait_on_their_own_hold_no_younger_one_up() {
    let mut world = school(Plan::default()).await;
    let start = Timestamp(world.now().0 - 3_600_000);
    let later = Timestamp(world.now().0 + 3_600_000);
    for n in 0..250 {
        put(&world, n, start, |job| {
            job.state = JobState::Waiting;
            job.retry_at = Some(later);
        })
        .await;
    }
    put(&world, 250, start, |_| {}).await;
    let (account, connection) = ids();
    world.crm_queue.send(vec![WakeUp { account, connection }.message(0)]).await.expect("sent");
    minutes(&mut world, 1).await;
    assert_eq!(job(&world, &place(250, start)).await.state, JobState::Done);
    assert_eq!(job(&world, &place(0, start)).await.state, JobState::Waiting);
}

#[tokio::test(start_paused = true)]
async fn a_failed_job_is_listed_however_many_ended_after_it() {
    let world = school(Plan::default()).await;
    let start = Timestamp(world.now().0 - 3_600_000);
    put(&world, 0, start, |job| job.state = JobState::Failed).await;
    for n in 1..300 {
        put(&world, n, start, |job| job.state = JobState::Done).await;
    }
    let (_, listed) = ask(&world, &owner(), "GET", &of("jobs"), None).await;
    let listed: Vec<_> = listed["jobs"].as_array().expect("jobs").iter().map(|job| job["effect"].clone()).collect();
    assert_eq!(listed, ["call/main/entry-0/1/0"]);
}

#[tokio::test(start_paused = true)]
async fn a_parked_job_is_listed_behind_more_failed_ones_than_a_list_holds() {
    let world = school(Plan::default()).await;
    let start = Timestamp(world.now().0 - 3_600_000);
    put(&world, 0, start, |job| job.state = JobState::Parked).await;
    for n in 1..150 {
        put(&world, n, start, |job| job.state = JobState::Failed).await;
    }
    let (_, parked) = ask(&world, &owner(), "GET", &of("jobs?state=parked"), None).await;
    let effects: Vec<_> = parked["jobs"].as_array().expect("jobs").iter().map(|job| job["effect"].clone()).collect();
    assert_eq!((effects, &parked["more"]), (vec![place(0, start).1.0.into()], &false.into()));
    let (_, failed) = ask(&world, &owner(), "GET", &of("jobs?state=failed"), None).await;
    assert_eq!((failed["jobs"].as_array().map(Vec::len), &failed["more"]), (Some(100), &true.into()));
    let (_, shown) = ask(&world, &owner(), "GET", &of("connections"), None).await;
    let counts = &shown["connections"][0]["counts"];
    assert_eq!((&counts["stopped_at_least"], &counts["open_at_least"]), (&true.into(), &false.into()));
}
