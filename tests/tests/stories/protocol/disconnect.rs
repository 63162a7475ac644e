//! Section 2, step 10 of the protocol: disconnecting.

use perezvon_sandbox::mango::calls;
use perezvon_store::Table;
use perezvon_store::items::connection::ConnectionRow;
use perezvon_store::items::job::JobState;
use perezvon_tests::faults::Then;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::{call, minutes, petrova, play};
use crate::telling::{held, school};

async fn disconnect(world: &World) {
    let (account, id) = ids();
    world.table.update(ConnectionRow::switch_off(&account, &id, world.now())).await.expect("off");
    wake(world).await;
}

#[tokio::test(start_paused = true)]
async fn after_a_disconnect_nothing_is_created_any_more() {
    let mut world = school(Plan::default()).await;
    play(&mut world, calls::missed_new(&call("x", "79991230000", 0, 0), &petrova())).await;
    disconnect(&world).await;
    let made = held(&world);
    put_question(&world, 5, world.now()).await;
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), made);
    assert!(connection(&world).await.disconnected);
    assert!(jobs(&world).await.iter().all(|job| !job.state.is_open()));
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_waits_until_no_request_can_be_on_its_way() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    disconnect(&world).await;
    // D 30 s and 2 skew, all the same how often it is woken up.
    for second in 0..39 {
        seconds(&mut world, 1).await;
        assert!(!connection(&world).await.disconnected, "after {second} s");
        assert!(jobs(&world).await[0].state.is_open(), "after {second} s");
        wake(&world).await;
    }
    seconds(&mut world, 2).await;
    wake(&world).await;
    seconds(&mut world, 1).await;
    assert!(connection(&world).await.disconnected);
    assert_eq!(jobs(&world).await[0].state, JobState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_that_broke_off_is_taken_up_by_its_due_time() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    disconnect(&world).await;
    seconds(&mut world, 30).await;
    // It dies after it has written `disconnected`, before its jobs are ended, and its wake-up is lost.
    world.faults.before_first(|port| port.sets("result"), || Then::Die);
    while world.faults.crashes() == 0 {
        wake(&world).await;
        seconds(&mut world, 1).await;
    }
    assert!(connection(&world).await.disconnected && jobs(&world).await[0].state.is_open());
    world.crm_queue.lose_all();
    minutes(&mut world, 20).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Failed);
    assert_eq!(connection(&world).await.wake_due, None);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_comes_after_the_disconnect_fails_too() {
    let mut world = school(Plan::default()).await;
    disconnect(&world).await;
    minutes(&mut world, 10).await;
    assert!(connection(&world).await.disconnected);
    put_question(&world, 6, world.now()).await;
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Failed);
}
