//! What the stories share: posting whole calls and counting what stands in the CRM.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use perezvon_tests::World;
use perezvon_tests::faults::Crash;
use perezvon_tests::scenario::Webhook;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

/// What the sandbox CRM holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub contacts: usize,
    pub deals: usize,
    pub tasks: usize,
    pub calls: usize,
    pub service_notes: usize,
}

impl Held {
    /// One of each, as the answered and the missed call of a new client make.
    pub const ONE_OF_EACH: Self = Self { contacts: 1, deals: 1, tasks: 1, calls: 1, service_notes: 0 };
}

/// Counts.
pub fn held(world: &World) -> Held {
    world.crm(|crm| Held {
        contacts: crm.contacts().len(),
        deals: crm.leads().len(),
        tasks: crm.tasks().len(),
        calls: crm.notes().iter().filter(|note| note.is_call()).count(),
        service_notes: crm.notes().iter().filter(|note| !note.is_call()).count(),
    })
}

/// A world with the account `school`.
pub async fn school(plan: Plan) -> World {
    let world = World::new(plan);
    world.apply(&full("school")).await;
    world
}

/// Posts webhooks one after another, each `times` times, with a little time between them.
pub async fn post_all(world: &mut World, webhooks: &[Webhook], times: usize) {
    for webhook in webhooks {
        for _ in 0..times {
            assert_eq!(world.post("school", &webhook.path, &webhook.json).await, 200);
        }
        world.run_for(Duration::from_millis(300)).await;
    }
}

/// Runs a story in virtual time of its own.
pub fn in_virtual_time<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(story)
}

/// The sandbox never saw more than its limit.
pub fn assert_pace_was_kept(world: &World) {
    world.crm(|crm| {
        assert_eq!(crm.violations(), 0, "the CRM answered 429");
        assert!(crm.max_requests_in_any_second() <= 7, "{} requests in a second", crm.max_requests_in_any_second());
    });
}

/// Plays a story once for each crash before or after a port call, from the call whose number the story returns: it
/// comes to the same each time. Idle sweeps are left out. Returns how many crash points there were.
pub fn at_every_crash<T: Debug + PartialEq>(
    play: impl AsyncFn(Plan) -> (World, u64),
    came_to: impl Fn(&World) -> T,
    expected: &T,
) -> u64 {
    let calls: Vec<u64> = in_virtual_time(async {
        let (world, first) = play(Plan::default()).await;
        assert_eq!(came_to(&world), *expected, "without a crash");
        (first..world.calls_of_interest()).filter(|call| !world.faults.is_idle(*call)).collect()
    });
    let mut points = 0;
    for crash in calls.into_iter().flat_map(|call| [Crash::Before(call), Crash::After(call)]) {
        points += 1;
        in_virtual_time(async {
            let (world, _) = play(Plan { crash: vec![crash], ..Plan::default() }).await;
            let (Crash::Before(call) | Crash::After(call)) = crash;
            let name = world.faults.name(call);
            assert_eq!(world.faults.crashes(), 1, "{crash:?} {name} happened");
            assert_eq!(came_to(&world), *expected, "{crash:?} {name}");
        });
    }
    points
}
