//! Section 2 of the protocol: the intent, the doubt about an outcome, pauses and new tokens.

use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::connection::UNTIL_A_PERSON_ACTS;
use perezvon_store::items::job::JobState;
use perezvon_store::{Key, Update};
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

use super::*;
use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, held, school};

fn is_pause(port: &Port<'_>) -> bool {
    port.sets("retry_at") && port.writes(&connection_key())
}

async fn answered_call(world: &mut World) {
    play(world, calls::answered(&call("x", "79991230000", 0, 30), &petrova())).await;
}

/// When requests with this method were sent to the tasks.
fn about_tasks(world: &World, method: &str) -> Vec<i64> {
    let of_tasks = |crm: &mut amocrm::AmoCrm| {
        let requests = crm.requests().into_iter();
        requests.filter(|r| r.path == "/api/v4/tasks" && r.method == method).map(|r| r.at_ms).collect()
    };
    world.crm(of_tasks)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_not_asked_about_before_its_time() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.inject(Fault::once("POST", "/api/v4/tasks", FaultKind::CarriedOutThenLost)));
    play(&mut world, calls::answered(&call("x", "79991230000", 0, 30), &petrova())).await;
    minutes(&mut world, 10).await;
    let (sent, asked) = world.crm(|crm| {
        let at = |method: &str| {
            crm.requests()
                .iter()
                .filter(|r| r.path == "/api/v4/tasks" && r.method == method)
                .map(|r| r.at_ms)
                .collect::<Vec<_>>()
        };
        (at("POST"), at("GET"))
    });
    assert_eq!((sent.len(), asked.len()), (1, 1));
    // D 30 s + lag 30 s + 2 skew 10 s.
    assert!(asked[0] - sent[0] >= 70_000, "{}", asked[0] - sent[0]);
}

#[tokio::test(start_paused = true)]
async fn the_intent_stands_in_the_table_before_its_request_leaves() {
    let mut world = school(Plan::default()).await;
    let (announced, notes) = notes();
    let table = world.table.clone();
    world.faults.watch(move |port| {
        if port.is_http("POST") {
            note(&notes, table.all().iter().any(|row| row.s("intent").is_some()));
        }
        None
    });
    answered_call(&mut world).await;
    minutes(&mut world, 5).await;
    let announced = noted(&announced);
    assert!(announced.len() >= 4 && announced.iter().all(|was| *was), "{announced:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_for_a_job_that_somebody_else_changed() {
    let mut world = school(Plan::default()).await;
    let (table, now) = (world.table.clone(), world.now());
    let intent = |port: &Port<'_>| port.sets("intent");
    let (changed, notes) = notes::<Key>();
    world.faults.watch(move |port| {
        let Port::Update(update) = port else { return None };
        if !intent(port) {
            return None;
        }
        let (account, connection) = ids();
        let mut job = JobRow::read(&account, &connection, &table.row(&update.key)?).expect("a job");
        job.state = JobState::Parked;
        table.write(job.save(now)).expect("parked");
        note(&notes, update.key.clone());
        Some(Then::GoOn)
    });
    answered_call(&mut world).await;
    minutes(&mut world, 10).await;
    assert_eq!(noted(&changed).len(), 1);
    assert_eq!(world.crm(|crm| crm.contacts().len()), 0);
}

/// The holder is frozen before it sends the task and ended by its time-out. Returns when its lease ended and
/// when the next one asked what became of the task.
async fn frozen_before_the_task(world: &mut World) -> (i64, i64) {
    let (until, notes) = notes();
    let table = world.table.clone();
    let task = |port: &Port<'_>| matches!(port, Port::Http(it) if it.method == "POST" && it.url.ends_with("/tasks"));
    world.faults.before_first(task, move || {
        note(&notes, table.row(&connection_key()).and_then(|row| row.n("until")).expect("held"));
        Then::Freeze(Duration::from_secs(3600))
    });
    answered_call(world).await;
    minutes(world, 30).await;
    assert_eq!(held(world), Held::ONE_OF_EACH);
    (noted(&until)[0], about_tasks(world, "GET")[0])
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_about_an_intent_while_its_lease_may_still_send() {
    let mut world = school(Plan::default()).await;
    let (until, asked) = frozen_before_the_task(&mut world).await;
    // D 30 s, lag 30 s, 2 skew.
    assert!(asked >= until + 70_000, "{} ms after the lease", asked - until);
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_about_an_intent_before_its_outcome_can_be_seen() {
    for (d, lag) in [(200_000, 1_000), (1_000, 200_000)] {
        let mut world = school(Plan::default()).await;
        for (name, record) in world.secrets.records.lock().expect("no panic over secrets").iter_mut() {
            if name.starts_with("connection/") {
                let mut secret: serde_json::Value = serde_json::from_str(record).expect("JSON");
                secret["times"]["carried_out_within_ms"] = d.into();
                secret["times"]["lag_ms"] = lag.into();
                *record = secret.to_string();
            }
        }
        let (until, asked) = frozen_before_the_task(&mut world).await;
        assert!(asked >= until + d + lag + 10_000, "D {d}, lag {lag}: {} ms after the lease", asked - until);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_for_an_old_token_does_not_hold_up_a_new_one() {
    let mut world = school(Plan::default()).await;
    accept_only(&world, "fresh");
    put_question(&world, 1, world.now()).await;
    let bring = bring_token(&world, "fresh");
    world.faults.before_first(is_pause, move || {
        bring();
        Then::GoOn
    });
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(connection(&world).await.retry_at, None);
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_comes_at_the_last_moment_is_not_paused_for_being_absent() {
    let mut world = school(Plan::default()).await;
    put_question(&world, 1, world.now()).await;
    let name = "connection/school.crm:main".to_owned();
    let record = world.secrets.records.lock().expect("no panic over secrets").remove(&name).expect("its secret");
    let (secrets, bring) = (world.secrets.clone(), bring_token(&world, TOKEN));
    world.faults.before_first(is_pause, move || {
        secrets.records.lock().expect("no panic over secrets").insert(name, record);
        bring();
        Then::GoOn
    });
    wake(&world).await;
    minutes(&mut world, 15).await;
    assert_eq!(connection(&world).await.retry_at, None);
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_found_by_its_due_time_when_its_wake_up_is_lost() {
    let mut world = school(Plan::default()).await;
    accept_only(&world, "fresh");
    put_question(&world, 1, world.now()).await;
    wake(&world).await;
    seconds(&mut world, 30).await;
    let before = connection(&world).await;
    assert_eq!((before.retry_at, before.code), (Some(UNTIL_A_PERSON_ACTS), 1));
    let (at_once, notes) = notes();
    world.faults.watch(move |port| {
        if port.removes("retry_at") && port.writes(&connection_key()) {
            note(&notes, port.adds("code") && port.adds("pokes") && port.sets("wake_due"));
        }
        None
    });
    world.apply(&full("school").replace(TOKEN, "fresh")).await;
    assert_eq!(noted(&at_once), [true], "all in one update");
    assert_eq!(world.crm_queue.lose_all(), 1);
    minutes(&mut world, 3).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done, "before the look at every connection");
}

#[tokio::test(start_paused = true)]
async fn a_holder_about_to_release_learns_of_a_new_token() {
    let mut world = school(Plan::default()).await;
    seconds(&mut world, 1).await; // The look at start is over.
    accept_only(&world, "fresh");
    put_question(&world, 1, world.now()).await;
    let pause = Update::new(connection_key()).set("retry_at", UNTIL_A_PERSON_ACTS.0).set("why", "test");
    world.table.write(pause).expect("paused");
    let bring = bring_token(&world, "fresh");
    world.faults.before_first(
        |port| port.removes("holder"),
        move || {
            bring();
            Then::GoOn
        },
    );
    wake(&world).await;
    seconds(&mut world, 5).await;
    assert_eq!(jobs(&world).await[0].state, JobState::Done);
}
