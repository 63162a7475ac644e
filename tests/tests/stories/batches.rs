//! A batch whose time runs out, and one with a message in it that a queue refuses: what is done stays done, what is
//! not comes again, and no neighbour is taken along.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsBatchResponse;
use perezvon_crm::Crm;
use perezvon_engine::Failure;
use perezvon_engine::batch::in_time;
use perezvon_engine::commit::Committer;
use perezvon_engine::jobs::{Links, Remembered, Worker};
use perezvon_platform::{Message, PortError, Queue};
use perezvon_route::Route;
use perezvon_sandbox::mango::calls;
use perezvon_tests::World;
use perezvon_tests::events::sqs_event;
use perezvon_tests::faults::{Port, Then};
use perezvon_tests::queue::{ModelQueue, Waiting};
use perezvon_tests::world::{LINK_KEY, Plan};
use perezvon_verify::Verify;

use crate::calls::{call, minutes, petrova};
use crate::telling::{Held, held, school};

const INVOCATION_MS: i64 = 30_000;

/// Every call is of a client of its own.
const CALLS: [(&str, &str); 3] = [("one", "79991240001"), ("two", "79991240002"), ("three", "79991240003")];

/// The school, and three whole calls that wait on the raw queue. The n-th webhook of each, then the next.
async fn three_calls() -> World {
    let mut world = school(Plan::default()).await;
    let all = CALLS.map(|(entry, client)| calls::answered(&call(entry, client, 0, 30), &petrova()));
    for n in 0..all[0].len() {
        for webhooks in &all {
            assert_eq!(world.post("school", webhooks[n].path, &webhooks[n].json).await, 200);
        }
    }
    world
}

fn first(queue: &ModelQueue, n: usize) -> Vec<Waiting> {
    queue.receive(&queue.visible()[..n])
}

/// Which of a batch failed, by their place. The others are taken off the queue, these may come again at once.
fn failed(queue: &ModelQueue, batch: &[Waiting], response: &SqsBatchResponse) -> Vec<usize> {
    let named = |message: &Waiting| {
        response.batch_item_failures.iter().any(|failed| failed.item_identifier == message.id.to_string())
    };
    for message in batch {
        if named(message) { queue.give_back(message.id, 0) } else { queue.acknowledge(message.id) }
    }
    (0..batch.len()).filter(|place| named(&batch[*place])).collect()
}

fn verify(world: &World, events: Arc<dyn Queue>) -> Verify {
    let (table, quarantine) = (world.table.clone(), world.quarantine.clone());
    let queues = (events, world.crm_queue.clone() as Arc<dyn Queue>);
    Verify::new(table, quarantine, queues, world.secrets.clone(), world.clock.clone(), &world.plan.times)
}

fn route(world: &World) -> Route {
    Route::new(Committer {
        table: world.table.clone(),
        events: world.events.clone(),
        crm: world.crm_queue.clone(),
        outbound: world.outbound_queue.clone(),
        bus: world.bus.clone(),
        blobs: world.blobs.clone(),
        clock: world.clock.clone(),
        times: world.plan.times,
    })
}

fn crm(world: &World) -> Crm {
    let worker = Worker {
        table: world.table.clone(),
        secrets: world.secrets.clone(),
        events: world.events.clone(),
        wake_ups: world.crm_queue.clone(),
        http: world.http.clone(),
        blobs: None,
        links: Some(Links { public_url: "https://calls.test".to_owned(), key: LINK_KEY.to_vec() }),
        clock: world.clock.clone(),
        times: world.plan.times,
        codecs: perezvon_engine::jobs::codec,
        remembered: Remembered::default(),
    };
    Crm { worker }
}

/// A queue that refuses every request with this text in it.
struct Picky {
    queue: Arc<ModelQueue>,
    text: &'static str,
}

#[async_trait]
impl Queue for Picky {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        if messages.iter().any(|message| message.body.contains(self.text)) {
            return Err(PortError::new("queue events", "InvalidMessageContents").for_good());
        }
        self.queue.send(messages).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_the_event_queue_refuses_fails_alone() {
    let mut world = three_calls().await;
    let batch = first(&world.raw, 3);
    let picky = Arc::new(Picky { queue: world.events.clone(), text: "\"two\"" });
    let ends_ms = world.clock.monotonic_ms() + INVOCATION_MS;
    let response = verify(&world, picky).handle(sqs_event(&batch), ends_ms).await;
    assert_eq!(failed(&world.raw, &batch, &response), [1]);
    assert_eq!(world.events.sent(), 2);
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held { contacts: 3, deals: 3, tasks: 3, calls: 3, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn webhooks_of_a_queue_that_does_not_answer_all_come_again_in_time() {
    let mut world = three_calls().await;
    let batch = first(&world.raw, 3);
    world
        .faults
        .watch(|port| matches!(port, Port::Other("queue.events")).then_some(Then::Freeze(Duration::from_secs(90))));
    let ends_ms = world.clock.monotonic_ms() + INVOCATION_MS;
    let response = verify(&world, world.events.clone()).handle(sqs_event(&batch), ends_ms).await;
    assert!(world.clock.monotonic_ms() < ends_ms, "it answered before it was ended");
    assert_eq!(failed(&world.raw, &batch, &response), [0, 1, 2]);
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held { contacts: 3, deals: 3, tasks: 3, calls: 3, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_time_out_in_the_middle_of_webhooks_sends_on_what_is_verified_and_gives_the_rest_back() {
    let mut world = three_calls().await;
    let batch = first(&world.raw, 3);
    // The second webhook is of another generation of the URL: it goes to quarantine, which does not answer.
    let mut batch = batch;
    batch[1].body = batch[1].body.replace("\"generation\":1", "\"generation\":2");
    world.faults.before_first(|port| matches!(port, Port::Update(_)), || Then::Freeze(Duration::from_secs(90)));
    let ends_ms = world.clock.monotonic_ms() + INVOCATION_MS;
    let response = verify(&world, world.events.clone()).handle(sqs_event(&batch), ends_ms).await;
    assert!(world.clock.monotonic_ms() < ends_ms, "it answered before it was ended");
    assert_eq!(failed(&world.raw, &batch, &response), [1, 2]);
    assert_eq!(world.events.sent(), 1, "what was verified went on");
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held { contacts: 3, deals: 3, tasks: 3, calls: 3, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_time_out_in_the_middle_of_events_keeps_what_is_committed_and_gives_the_rest_back() {
    let mut world = three_calls().await;
    let webhooks = first(&world.raw, 3);
    let ends_ms = world.clock.monotonic_ms() + INVOCATION_MS;
    let response = verify(&world, world.events.clone()).handle(sqs_event(&webhooks), ends_ms).await;
    assert!(failed(&world.raw, &webhooks, &response).is_empty());
    let batch = first(&world.events, 3);
    // Calls go in the order of their ids: "one", "three", "two". The commit of the second does not answer.
    let mut commits = 0;
    world.faults.watch(move |port| {
        commits += i32::from(port.sets("version"));
        (commits == 2).then_some(Then::Freeze(Duration::from_secs(90)))
    });
    let ends_ms = world.clock.monotonic_ms() + INVOCATION_MS;
    let response = route(&world).handle(sqs_event(&batch), ends_ms).await;
    assert!(world.clock.monotonic_ms() < ends_ms, "it answered before it was ended");
    assert_eq!(failed(&world.events, &batch, &response), [1, 2]);
    assert!(world.call("school", "one").await.is_some());
    assert!(world.call("school", "two").await.is_none() && world.call("school", "three").await.is_none());
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held { contacts: 3, deals: 3, tasks: 3, calls: 3, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_time_out_in_the_middle_of_jobs_begins_no_request_and_wakes_itself_up() {
    let mut world = three_calls().await;
    let webhooks = first(&world.raw, 3);
    let response = verify(&world, world.events.clone()).handle(sqs_event(&webhooks), i64::MAX).await;
    assert!(failed(&world.raw, &webhooks, &response).is_empty());
    let batch = first(&world.events, 3);
    let response = route(&world).handle(sqs_event(&batch), i64::MAX).await;
    assert!(failed(&world.events, &batch, &response).is_empty());
    let wake_up = first(&world.crm_queue, 1);
    assert_eq!(world.crm_queue.sent(), 3, "one for each call");
    // A request may take its time-out and the doubt of the clocks, 20 s: there is time for one alone.
    let ends_ms = world.clock.monotonic_ms() + 20_010;
    let response = crm(&world).handle(sqs_event(&wake_up), "copy", ends_ms).await;
    assert!(failed(&world.crm_queue, &wake_up, &response).is_empty());
    assert_eq!((world.crm(|crm| crm.requests().len()), world.crm_queue.sent()), (1, 4));
    minutes(&mut world, 30).await;
    assert_eq!(held(&world), Held { contacts: 3, deals: 3, tasks: 3, calls: 3, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn what_is_cut_off_or_not_begun_is_tried_again_and_says_why() {
    let world = World::new(Plan::default());
    let clock = world.clock.as_ref();
    let never = std::future::pending::<Result<(), Failure>>();
    let cut = in_time(clock, clock.monotonic_ms() + 5_000, never).await.expect_err("cut off");
    assert_eq!(cut.to_string(), "try again: it was not done in time; the next copy begins with more");
    let begun = async { panic!("it was begun") };
    let late = in_time::<()>(clock, clock.monotonic_ms() + 500, begun).await.expect_err("too late");
    assert_eq!(late.to_string(), "try again: no time was left to begin with it; the next copy has more");
    let done = in_time(clock, i64::MAX, async { Ok(7) }).await;
    assert_eq!(done, Ok(7));
}
