//! What no webhook told of a call is made good by the statistics of the PBX, once.

use std::time::Duration;

use perezvon_domain::call::{Call, Reading};
use perezvon_sandbox::mango::Manner;
use perezvon_sandbox::mango::calls::{self, Webhook};
use perezvon_tests::World;
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, at_every_crash, held, school};

const ENTRY: &str = "MTAwMDAwMDAwMDk=";
/// Longer than a call that seems to go on is left alone.
const LONG_ENOUGH: Duration = Duration::from_secs(3 * 3600);

/// A call of so many seconds that the PBX knows, and what it posts of it in the end: `is_lost` says what is not.
fn known(world: &World, talk_s: i64, is_lost: impl Fn(&Webhook) -> bool) -> Vec<Webhook> {
    let call = call(ENTRY, "79990001234", 0, talk_s);
    let whole = if talk_s > 0 { calls::answered(&call, &petrova()) } else { calls::missed_new(&call, &petrova()) };
    world.pbx(|pbx| pbx.knows(&call, &whole));
    whole.into_iter().filter(|webhook| !is_lost(webhook)).collect()
}

fn is_summary(webhook: &Webhook) -> bool {
    webhook.path == "events/summary"
}

/// The summary, and that the telephone was hung up.
fn is_the_end(webhook: &Webhook) -> bool {
    let hung_up = webhook.json.contains("\"Disconnected\"") && webhook.json.contains("\"location\":\"abonent\"");
    is_summary(webhook) || hung_up
}

async fn told(world: &World) -> Call {
    world.call("school", ENTRY).await.expect("the call").call
}

/// How often the API was asked for this.
fn asked(world: &World, method: &str) -> usize {
    world.pbx(|pbx| pbx.requests().iter().filter(|request| request.path.ends_with(method)).count())
}

#[tokio::test(start_paused = true)]
async fn a_call_without_its_summary_or_its_end_is_completed_by_the_statistics_once() {
    for (talk_s, lost) in [30, 0]
        .into_iter()
        .flat_map(|talk_s| [is_summary as fn(&Webhook) -> bool, is_the_end].map(|lost| (talk_s, lost)))
    {
        let mut world = school(Plan::default()).await;
        let webhooks = known(&world, talk_s, lost);
        play(&mut world, webhooks).await;
        world.run_for(LONG_ENOUGH).await;
        assert_eq!(held(&world), Held::ONE_OF_EACH, "{talk_s} s");
        let call = told(&world).await;
        assert_eq!((call.answered(), call.talk_seconds()), (talk_s > 0, talk_s));
        assert_eq!((call.reading, asked(&world, "stats/request")), (Reading::Told, 1), "{talk_s} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_told_everything_is_never_asked_about() {
    let mut world = school(Plan::default()).await;
    let webhooks = known(&world, 30, |_| false);
    play(&mut world, webhooks).await;
    world.run_for(LONG_ENOUGH).await;
    assert_eq!((held(&world), asked(&world, "stats/request")), (Held::ONE_OF_EACH, 0));
}

#[tokio::test(start_paused = true)]
async fn the_summary_that_comes_after_the_statistics_changes_nothing() {
    let mut world = school(Plan::default()).await;
    let (late, early): (Vec<_>, Vec<_>) = known(&world, 0, |_| false).into_iter().partition(is_summary);
    play(&mut world, early).await;
    minutes(&mut world, 10).await;
    let before = (told(&world).await.summary, held(&world));
    play(&mut world, late).await;
    minutes(&mut world, 10).await;
    assert_eq!((told(&world).await.summary, held(&world)), before);
    assert_eq!(before.1, Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn statistics_that_take_their_time_are_waited_for() {
    for minutes_late in [1, 20] {
        let mut world = school(Plan::default()).await;
        world.pbx(|pbx| pbx.behave(Manner { stats_after_ms: minutes_late * 60_000, ..Manner::default() }));
        let webhooks = known(&world, 0, is_summary);
        play(&mut world, webhooks).await;
        minutes(&mut world, 5).await;
        let early = usize::from(minutes_late == 1);
        assert_eq!(held(&world).tasks, early, "nothing is decided before it is known");
        world.pbx(|pbx| pbx.behave(Manner::default()));
        minutes(&mut world, 60).await;
        assert_eq!(held(&world), Held::ONE_OF_EACH);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_the_statistics_do_not_know_is_settled_with_what_is_known_after_two_hours() {
    let mut world = school(Plan::default()).await;
    let webhooks = calls::missed_new(&call(ENTRY, "79990001234", 0, 0), &petrova());
    play(&mut world, webhooks.into_iter().filter(|webhook| !is_summary(webhook)).collect()).await;
    minutes(&mut world, 60).await;
    assert_eq!(held(&world).tasks, 0);
    minutes(&mut world, 120).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert!(told(&world).await.because.iter().any(|because| because.reason.code == "account_missing"));
    assert_eq!(world.pbx(|pbx| pbx.violations()), 0, "at its pace");
}

#[tokio::test(start_paused = true)]
async fn several_calls_at_once_are_asked_about_at_the_pace_of_the_method() {
    let mut world = school(Plan::default()).await;
    for n in 0..5 {
        let call = call(&format!("entry-{n}"), &format!("7999000200{n}"), 0, 0);
        let whole = calls::missed_new(&call, &petrova());
        world.pbx(|pbx| pbx.knows(&call, &whole));
        for webhook in whole.iter().filter(|webhook| !is_summary(webhook)) {
            assert_eq!(world.post("school", webhook.path, &webhook.json).await, 200);
        }
    }
    minutes(&mut world, 10).await;
    assert_eq!((held(&world).tasks, asked(&world, "stats/request")), (5, 5));
    assert_eq!(world.pbx(|pbx| pbx.violations()), 0);
}

async fn crashing(plan: Plan) -> (World, u64) {
    let mut world = school(plan).await;
    let webhooks = known(&world, 0, is_summary);
    let first = world.faults.calls();
    for webhook in webhooks {
        while world.post_surviving("school", webhook.path, &webhook.json).await != Some(200) {}
        world.run_for(Duration::from_millis(300)).await;
    }
    world.run_for(LONG_ENOUGH).await;
    (world, first)
}

#[test]
fn a_missed_call_without_its_summary_survives_a_crash_at_every_port_call() {
    let points = at_every_crash(crashing, held, &Held::ONE_OF_EACH);
    println!("missed call that the statistics decide: {points} crash points");
    assert!(points > 150, "{points}");
}
