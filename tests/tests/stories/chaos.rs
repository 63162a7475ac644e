//! Chaos from a seed: many calls at once, duplicates, reordering, crashes, a CRM in trouble.

use std::time::Duration;

use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_tests::faults::Crash;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::world::Plan;

use crate::calls::{call, petrova, sidorov};
use crate::telling::{Held, assert_pace_was_kept, held, in_virtual_time, school};

const CALLS: i64 = 6;

/// A small generator; the world has its own.
pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

async fn one(seed: u64) {
    let mut random = Seeded(seed);
    let crash = (0..6).map(|_| random.below(700)).map(|n| if n % 2 == 0 { Crash::Before(n) } else { Crash::After(n) });
    let plan = Plan {
        seed,
        duplicates: 15,
        parallel: 1 + (seed % 3) as usize,
        crash: crash.collect(),
        batch: 5,
        ..Plan::default()
    };
    let mut world = school(Plan { crash: Vec::new(), ..plan.clone() }).await;
    world.faults.plan(plan.crash);
    world.crm(|crm| {
        for path in ["/contacts", "/leads", "/tasks", "/calls"] {
            let kind = match random.below(4) {
                0 => FaultKind::CarriedOutThenLost,
                1 => FaultKind::LostBeforeArrival,
                2 => FaultKind::Status { status: 429, body: String::new(), retry_after: Some(2) },
                _ => FaultKind::CarriedOutThenStatus { status: 502 },
            };
            let skip = u32::try_from(random.below(4)).unwrap_or(0);
            crm.inject(Fault { skip, ..Fault::once("POST", path, kind) });
        }
        if seed.is_multiple_of(4) {
            crm.set_outage(EPOCH_MS + 60_000, EPOCH_MS + 400_000, 503);
        }
    });
    let mut webhooks = Vec::new();
    for n in 0..CALLS {
        let of_call = call(&format!("c{n}"), &format!("7999555000{n}"), n * 7, 20);
        let told = match random.below(3) {
            0 => calls::missed_new(&of_call, &petrova()),
            1 => calls::answered(&of_call, &sidorov()),
            _ => calls::blind_transfer(&of_call, &petrova(), &sidorov()),
        };
        webhooks.extend(told.into_iter().map(|webhook| (webhook.path, webhook.json)));
    }
    while !webhooks.is_empty() {
        let next = usize::try_from(random.below(webhooks.len() as u64)).unwrap_or(0);
        let (path, json) = webhooks.swap_remove(next);
        while world.post_surviving("school", path, &json).await != Some(200) {}
        world.run_for(Duration::from_millis(random.below(4_000))).await;
    }
    world.run_for(Duration::from_secs(3 * 3600)).await;
    let calls = usize::try_from(CALLS).unwrap_or(0);
    // News may come so late that a call counts as missed first; if it turns out answered before its task is made, none is.
    let mut needless = 0;
    for n in 0..CALLS {
        let item = world.call("school", &format!("c{n}")).await.expect("a call");
        needless += usize::from(item.call.because.iter().any(|it| it.reason.code == "task_needless"));
    }
    let expected = Held { contacts: calls, deals: calls, tasks: calls - needless, calls, service_notes: 0 };
    let held = Held { service_notes: 0, ..held(&world) };
    assert_eq!(held, expected, "seed {seed}, {} crashes", world.faults.crashes());
    assert_pace_was_kept(&world);
}

#[test]
fn sixty_seeds_of_chaos_end_with_every_record_made_once() {
    for seed in 1..=60 {
        in_virtual_time(one(seed));
    }
}
