//! Section 2 of the protocol: which jobs are open, and which of them is next.

use perezvon_domain::effect::Prev;
use perezvon_domain::{Lane, Timestamp};
use perezvon_sandbox::mango::calls;
use perezvon_store::Update;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::JobState;
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::{call, minutes, petrova, play};
use crate::telling::school;

#[tokio::test(start_paused = true)]
async fn a_job_is_found_although_the_indexes_lag_behind() {
    let mut world = school(Plan::default()).await;
    world.table.lag();
    put_question(&world, 1, world.now()).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_job_row_stays_for_thirty_days_from_its_end() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The look at start is over.
    let at = world.now();
    put_question(&world, 1, at).await;
    let (account, id) = ids();
    let key = keys::job(&account, &id, at, &question_id(1));
    assert_eq!(world.table.row(&key).expect("the job").n("expires"), None, "an open job never expires");
    seconds(&mut world, 100).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    let row = world.table.row(&key).expect("the job");
    assert!(row.s("open").is_none());
    assert_eq!(row.n("expires"), Some(at.seconds() + 100 + 30 * 86_400));
}

#[tokio::test(start_paused = true)]
async fn the_connection_is_looked_at_before_every_job() {
    let (account, id) = ids();
    let off = ConnectionRow::switch_off(&account, &id, Timestamp(EPOCH_MS));
    let taken = Update::new(connection_key()).set("holder", "other").add("lease", 1).set("until", EPOCH_MS + 60_000);
    let paused = Update::new(connection_key()).set("retry_at", EPOCH_MS + 3_600_000).set("why", "test");
    for meanwhile in [off, taken, paused] {
        let mut world = school(Plan::default()).await;
        let (table, what) = (world.table.clone(), meanwhile.clone());
        for n in 0..2 {
            put_question(&world, n, Timestamp(EPOCH_MS + n)).await;
        }
        let request = |port: &Port<'_>| port.is_http("GET");
        world.faults.before_first(request, move || {
            table.write(what).expect("written");
            Then::GoOn
        });
        wake(&world).await;
        seconds(&mut world, 5).await;
        assert_eq!(world.crm(|crm| crm.requests().len()), 1, "{meanwhile:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_an_older_one_with_the_same_number_and_for_no_other() {
    let mut world = school(Plan::default()).await;
    let now = world.now();
    put_question(&world, 1, Timestamp(now.0 - 3)).await;
    let mut older = jobs(&world).await.remove(0);
    (older.state, older.retry_at) = (JobState::Waiting, Some(Timestamp(now.0 + 60_000)));
    world.table.write(older.save(now)).expect("put off");
    let (account, _) = ids();
    let same = JobRow::put(&account, Timestamp(now.0 - 2), &question_id(2), &question(1), false);
    world.table.write(same).expect("put");
    put_question(&world, 3, Timestamp(now.0 - 1)).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    let states = |jobs: Vec<JobRow>| jobs.iter().map(|job| job.state).collect::<Vec<_>>();
    assert_eq!(states(jobs(&world).await), [JobState::Waiting, JobState::Ready, JobState::Done]);
    minutes(&mut world, 3).await;
    assert_eq!(states(jobs(&world).await), [JobState::Done; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_its_predecessor_even_if_the_query_did_not_see_it() {
    let mut world = school(Plan::default()).await;
    let prev = Prev { at: Timestamp(EPOCH_MS + 1), id: question_id(1) };
    put_question_after(&world, 2, Timestamp(EPOCH_MS + 2), prev).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(world.crm(|crm| crm.requests().len()), 0, "its predecessor was not seen to end");
    put_question(&world, 1, Timestamp(EPOCH_MS + 1)).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    let asked: Vec<String> = world.crm(|crm| crm.requests().iter().map(|request| request.query.clone()).collect());
    let about = |n| asked.iter().position(|query| query.contains(number(n).last_ten()));
    assert_eq!((asked.len(), about(1), about(2)), (2, Some(0), Some(1)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_step_costs_the_same_with_many_done_jobs() {
    let mut costs = Vec::new();
    for done in [2, 40] {
        let world = &mut school(Plan::default()).await;
        for n in 0..done {
            put_question(world, n, Timestamp(EPOCH_MS + n)).await;
        }
        wake(world).await;
        world.run_for(Duration::from_secs(130)).await; // Between two sweeps.
        let before = world.table.units();
        put_question(world, 1000, world.now()).await;
        wake(world).await;
        world.run_for(Duration::from_secs(5)).await;
        let after = world.table.units();
        costs.push((after.reads - before.reads, after.writes - before.writes));
    }
    assert_eq!(costs[0], costs[1], "{costs:?}");
}

#[tokio::test(start_paused = true)]
async fn lanes_are_kept_apart() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.add_recording("rec", EPOCH_MS));
    let recorded = calls::Call { recording: Some("rec".to_owned()), ..call("x", "79991230000", 0, 30) };
    play(&mut world, calls::answered(&recorded, &petrova())).await;
    minutes(&mut world, 10).await;
    assert!(jobs(&world).await.iter().all(|job| job.command.lane() == Lane::Crm));
    assert_eq!(world.crm(|crm| crm.requests().iter().filter(|r| r.path.contains("vpbx")).count()), 0);
}
