//! Answers while something hangs, is broken or busy: in time all the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use perezvon_domain::effect::{Command, JobOrder};
use perezvon_domain::{AccountId, ClientId, ConnectionId, EffectId, Point, Timestamp};
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::Queue;
use perezvon_sandbox::fault::{Fault, FaultKind};
use perezvon_store::Table;
use perezvon_store::items::job::JobRow;
use perezvon_store::items::point::PointRow;
use perezvon_tests::World;
use perezvon_tests::faults::{Port, Then};

use crate::answering_who_calls::{
    CALLER, ask, asked_once, asks_of, decisions, hangs, number, told, why, with_client, world_with,
};

#[tokio::test(start_paused = true)]
async fn every_answer_leaves_in_time_while_the_crm_hangs() {
    let mut world = with_client().await;
    hangs(&world);
    let asking = world.asking();
    for n in 0..200 {
        let request = asks_of(&mut world, "school", &format!("7999{n:07}"));
        // A process that starts cold has used some of the time up already.
        let cold = Duration::from_millis(n % 4 * 100);
        tokio::time::sleep(cold).await;
        let answer = told(&asking, request).await;
        assert_eq!(answer.said(), ("", ""), "question {n}");
        assert!(answer.took_ms <= 500, "question {n}: {answer:?}");
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    let kept = decisions(&world, "school", "79990000000").await;
    assert_eq!(kept[0].answered.because[0].code, "answer_late");
}

#[tokio::test(start_paused = true)]
async fn a_table_or_a_secret_store_that_hangs_makes_no_answer_late() {
    for nth in 0..14 {
        let mut world = with_client().await;
        let mut seen = 0;
        world.faults.watch(move |_| {
            seen += 1;
            (seen == nth + 1).then_some(Then::Freeze(Duration::from_secs(30)))
        });
        let answer = ask(&mut world, CALLER).await;
        assert!(answer.took_ms <= 500, "port call {nth}: {answer:?}");
        assert!(["", "12"].contains(&answer.pin.as_str()), "port call {nth}: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_cached_answer_goes_out_with_its_age() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    hangs(&world);
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("Ольга Иванова", "12"));
    assert!(answer.took_ms <= 500, "{answer:?}");
    assert_eq!(why(&world, CALLER).await, ["answer_late", "answer_cached", "answer_name", "answer_responsible"]);
    let kept = decisions(&world, "school", CALLER).await.pop().expect("a decision");
    assert!(kept.age.is_some_and(|age| (2_000..=3_000).contains(&age.0)), "{:?}", kept.age);
}

#[tokio::test(start_paused = true)]
async fn how_long_the_pbx_waits_is_a_setting_of_its_channel() {
    let set = "base = \"https://pbx.test\"\nanswer_within_ms = 250";
    let mut world = world_with(|it| it.replace("base = \"https://pbx.test\"\n", &format!("{set}\n"))).await;
    hangs(&world);
    let answer = ask(&mut world, CALLER).await;
    assert!((100..=250).contains(&answer.took_ms), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_crm_that_answers_html_or_errors_leaves_the_cached_answer() {
    let down = |status| FaultKind::Status { status, body: String::new(), retry_after: None };
    for kind in [FaultKind::Html200, down(503), down(429), down(401)] {
        let mut world = with_client().await;
        asked_once(&mut world).await;
        world.crm(|crm| crm.inject(Fault::once("GET", "/contacts", kind.clone())));
        let answer = ask(&mut world, CALLER).await;
        assert_eq!(answer.said(), ("Ольга Иванова", "12"), "{kind:?}");
        assert_eq!(why(&world, CALLER).await[..2], ["answer_failed", "answer_cached"], "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_crm_answers_after_the_deadline_is_not_waited_for() {
    let mut world = with_client().await;
    let late = |port: &Port<'_>| port.is_http("GET").then_some(Then::Freeze(Duration::from_millis(600)));
    world.faults.watch(late);
    let answer = ask(&mut world, CALLER).await;
    assert_eq!(answer.said(), ("", ""));
    assert!(answer.took_ms <= 500, "{answer:?}");
    assert_eq!(why(&world, CALLER).await, ["answer_late", "answer_nothing"]);
}

#[tokio::test(start_paused = true)]
async fn a_card_that_changed_while_the_crm_is_down_is_used_as_it_was() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    hangs(&world);
    let changed = PointRow::changed(&"school".into(), &ClientId::from(number(CALLER)), world.now());
    world.table.update(changed).await.expect("marked");
    assert_eq!(ask(&mut world, CALLER).await.said(), ("Ольга Иванова", "12"));
    assert!(why(&world, CALLER).await.contains(&"answer_stale".to_owned()));
}

/// So many questions to the CRM wait as jobs.
async fn backlog(world: &World, count: i64) {
    let (account, connection) = (AccountId::from("school"), ConnectionId::from("crm:main"));
    for n in 0..count {
        let number = number(&format!("7888{n:07}"));
        let at = Timestamp(world.now().0 - 3_600_000 + n);
        let (id, points) = (EffectId(format!("call/main/b-{n}/1/0")), vec![Point::Phone(number.clone())]);
        let command = Command::FindClient { client: number.into() };
        let order = JobOrder { connection: connection.clone(), command, points, prev: None };
        world.table.update(JobRow::put(&account, at, &id, &order, false)).await.expect("put");
    }
    world.crm_queue.send(vec![WakeUp { account, connection }.message(0)]).await.expect("sent");
}

#[tokio::test(start_paused = true)]
async fn twenty_answers_in_a_second_beside_a_draining_backlog_never_ask_the_crm_eight_times_a_second() {
    let mut world = with_client().await;
    asked_once(&mut world).await;
    backlog(&world, 60).await;
    let asking = world.asking();
    let mut questions = Vec::new();
    for n in 0..20 {
        let mut request = asks_of(&mut world, "school", CALLER);
        let (asking, wait) = (asking.clone(), 3_000 + n * 50);
        request.request_context.time_epoch += wait;
        questions.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
            told(&asking, request).await
        }));
    }
    let times: Arc<Mutex<Vec<i64>>> = Arc::default();
    let (seen, clock) = (times.clone(), world.clock.clone());
    world.faults.watch(move |port| {
        if port.is_http("GET") {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(clock.now_ms());
        }
        None
    });
    world.run_for(Duration::from_secs(30)).await;
    for question in questions {
        let answer = question.await.expect("answered");
        assert_eq!(answer.said(), ("Ольга Иванова", "12"));
        assert!(answer.took_ms <= 500, "{answer:?}");
    }
    let times = times.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let most = times.iter().map(|from| times.iter().filter(|at| (*from..from + 1000).contains(at)).count()).max();
    assert!(most.is_some_and(|most| (5..8).contains(&most)), "{most:?} in one second, {} in all", times.len());
    assert!(times.len() > 60, "the backlog drained, and some questions were asked: {}", times.len());
    let live =
        decisions(&world, "school", CALLER).await.iter().filter(|it| it.age.is_some_and(|age| age.0 < 400)).count();
    assert!(live >= 2, "{live} of the twenty had a slot");
}
