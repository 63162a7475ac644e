//! What the stories share: posting whole calls and counting what stands in the CRM.

use std::future::Future;
use std::time::Duration;

use perezvon_tests::World;
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
