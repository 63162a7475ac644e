//! A person revokes the links to a recording: what stops, what starts, and what stands in the CRM then.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use perezvon_api::Api;
use perezvon_platform::link::Role;
use perezvon_platform::{Message, PortError, Queue};
use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::due::Timer;
use perezvon_store::{Condition, Key, Page, Query, Row, Table, TableError, Update, keys};
use perezvon_tests::World;
use perezvon_tests::document;
use perezvon_tests::faults::Crash;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;
use serde_json::{Value, json};

use crate::calls::{call, minutes, petrova, play};
use crate::people::{ask, ask_bytes, of, owner, request, token, told};
use crate::telling::{Held, held, in_virtual_time, school};

const REVOKE: &str = "calls/main:r/recordings/rec-1/revoke";

/// A call whose recording the PBX has.
async fn recorded(world: &mut World) {
    world.pbx(|pbx| pbx.add_recording("rec-1", EPOCH_MS));
    let recorded = calls::Call { recording: Some("rec-1".to_owned()), ..call("r", "79998880000", 0, 30) };
    play(world, calls::answered(&recorded, &petrova())).await;
}

/// The same call, logged in the CRM with its link.
async fn logged() -> World {
    let mut world = school(Plan::default()).await;
    recorded(&mut world).await;
    minutes(&mut world, 10).await;
    world
}

async fn revoke(world: &World, token: &str, generation: u32) -> (i64, Value) {
    ask(world, token, "POST", &of(REVOKE), Some(json!({ "generation": generation }))).await
}

/// The link that the CRM's record of the call has.
fn link(world: &World) -> String {
    let link = world.crm(|crm| {
        let note = crm.notes().iter().find(|note| note.is_call()).map(|note| note.params["link"].clone());
        note.and_then(|link| link.as_str().map(str::to_owned))
    });
    link.expect("a link in the record")
}

async fn plays(world: &World, link: &str) -> i64 {
    ask_bytes(world, "", "GET", link.strip_prefix("https://calls.test").unwrap_or(link), None).await.0
}

/// How often a note was changed.
fn changes(world: &World) -> usize {
    world.crm(|crm| {
        crm.requests().iter().filter(|asked| asked.method == "PATCH" && asked.path.contains("/notes")).count()
    })
}

async fn generation(world: &World) -> u32 {
    world.call("school", "r").await.expect("the call").call.recordings["rec-1"].generation
}

#[tokio::test(start_paused = true)]
async fn the_old_link_is_gone_and_the_record_in_the_crm_has_the_new_one() {
    let mut world = logged().await;
    let old = link(&world);
    assert_eq!(plays(&world, &old).await, 200);
    let (status, now) = revoke(&world, &token("school", "petrova", Role::Admin), 0).await;
    assert_eq!((status, &now["generation"], &now["state"]), (200, &json!(1), &json!("stored")), "{now}");
    let given = now["link"].as_str().expect("a new link");
    assert_eq!((plays(&world, &old).await, plays(&world, given).await), (410, 200));
    minutes(&mut world, 10).await;
    assert_eq!(link(&world), format!("https://calls.test{given}"));
    assert_eq!((held(&world), changes(&world)), (Held::ONE_OF_EACH, 1));
    let (_, story) = ask(&world, &owner(), "GET", &of("calls/main:r"), None).await;
    assert_eq!(story["recordings"][0], now);
    let reasons = story["reasons"].to_string();
    for words in ["отозвал Мария Петрова (petrova)", "новая ссылка на запись разговора передана в CRM"]
    {
        assert!(reasons.contains(words), "{reasons}");
    }
}

#[tokio::test(start_paused = true)]
async fn asked_twice_it_is_revoked_once_and_the_second_answer_says_which_generation_it_is() {
    let mut world = logged().await;
    revoke(&world, &owner(), 0).await;
    minutes(&mut world, 10).await;
    let (link_now, version) = (link(&world), world.call("school", "r").await.expect("the call").call.version);
    let (status, answer) = revoke(&world, &owner(), 0).await;
    assert_eq!(status, 409);
    assert!(answer["error"].as_str().is_some_and(|error| error.contains('1')), "{answer}");
    minutes(&mut world, 10).await;
    assert_eq!(world.call("school", "r").await.expect("the call").call.version, version);
    assert_eq!((link(&world), changes(&world)), (link_now.clone(), 1));
    assert_eq!(revoke(&world, &owner(), 1).await.1["generation"], 2);
    minutes(&mut world, 10).await;
    assert_eq!((plays(&world, &link_now).await, plays(&world, &link(&world)).await, changes(&world)), (410, 200, 2));
}

#[tokio::test(start_paused = true)]
async fn revoked_before_the_call_is_logged_it_is_logged_with_the_new_link() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.set_outage(EPOCH_MS, EPOCH_MS + 900_000, 503));
    recorded(&mut world).await;
    minutes(&mut world, 2).await;
    let (_, before) = ask(&world, &owner(), "GET", &of("calls/main:r"), None).await;
    let old = before["recordings"][0]["link"].as_str().expect("it plays already").to_owned();
    assert_eq!(revoke(&world, &owner(), 0).await.0, 200);
    minutes(&mut world, 60).await;
    assert_eq!((held(&world), changes(&world)), (Held::ONE_OF_EACH, 0));
    assert_eq!((plays(&world, &old).await, plays(&world, &link(&world)).await), (410, 200));
}

#[tokio::test(start_paused = true)]
async fn revoked_while_the_call_is_being_logged_the_record_is_amended_once_it_is_there() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| crm.inject(Fault::once("POST", "/api/v4/calls", FaultKind::CarriedOutThenLost)));
    recorded(&mut world).await;
    minutes(&mut world, 1).await;
    let old = link(&world);
    assert_eq!(revoke(&world, &owner(), 0).await.0, 200);
    assert_eq!(link(&world), old, "nobody knows yet whether there is a record");
    minutes(&mut world, 20).await;
    assert_eq!((held(&world), changes(&world)), (Held::ONE_OF_EACH, 1));
    assert_eq!((plays(&world, &old).await, plays(&world, &link(&world)).await), (410, 200));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_record_that_was_lost_is_not_taken_for_done_because_of_the_old_link() {
    let mut world = logged().await;
    let old = link(&world);
    world.crm(|crm| crm.inject(Fault::once("PATCH", "/notes", FaultKind::LostBeforeArrival)));
    revoke(&world, &owner(), 0).await;
    minutes(&mut world, 20).await;
    assert_ne!(link(&world), old);
    assert_eq!((plays(&world, &link(&world)).await, held(&world)), (200, Held::ONE_OF_EACH));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_changed_gets_one_service_note_with_the_new_link() {
    let mut world = logged().await;
    let refused = FaultKind::Status { status: 405, body: String::new(), retry_after: None };
    world.crm(|crm| crm.inject(Fault { times: 99, ..Fault::once("PATCH", "/notes", refused) }));
    let (_, now) = revoke(&world, &owner(), 0).await;
    minutes(&mut world, 20).await;
    assert_eq!(held(&world), Held { service_notes: 1, ..Held::ONE_OF_EACH });
    let text = world.crm(|crm| {
        let note = crm.notes().iter().find(|note| !note.is_call()).map(|note| note.params["text"].to_string());
        note.expect("a service note")
    });
    assert!(text.contains(now["link"].as_str().expect("a link")), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_revoked_is_refused_with_what_to_do_and_nothing_is_made() {
    let world = logged().await;
    let rows = world.table.all();
    for (who, path, body, expected) in [
        (owner(), "calls/main:nobody/recordings/rec-1/revoke", json!({ "generation": 0 }), 404),
        (owner(), "calls/main:r/recordings/rec-2/revoke", json!({ "generation": 0 }), 404),
        (owner(), REVOKE, json!({ "generation": 7 }), 409),
        (owner(), REVOKE, json!({}), 400),
        (token("school", "petrova", Role::Operator), REVOKE, json!({ "generation": 0 }), 403),
        (token("school", "petrova", Role::Auditor), REVOKE, json!({ "generation": 0 }), 403),
        (token("other", "owner", Role::Owner), REVOKE, json!({ "generation": 0 }), 404),
    ] {
        let (status, answer) = ask(&world, &who, "POST", &of(path), Some(body)).await;
        assert_eq!(status, expected, "{path} {answer}");
        assert!(answer["what_to_do"].is_string(), "{answer}");
    }
    assert_eq!(world.table.all(), rows);
    let (status, answer) = revoke(&world, &token("school", "petrova", Role::Integrator), 0).await;
    assert_eq!((status, &answer["link"]), (200, &Value::Null), "he may end it, and sees no calls");
}

#[tokio::test(start_paused = true)]
async fn a_link_that_is_not_ours_or_not_there_yet_is_refused() {
    let mut world = school(Plan::default()).await;
    let here = full("school").replace("provider = \"mango\"", "provider = \"mango\"\ncopy_recordings = false");
    world.apply(&here).await;
    recorded(&mut world).await;
    minutes(&mut world, 10).await;
    let (status, answer) = revoke(&world, &owner(), 0).await;
    assert_eq!(status, 409);
    assert!(answer["what_to_do"].as_str().is_some_and(|what| what.contains("copy_recordings")), "{answer}");

    let mut world = school(Plan::default()).await;
    let recorded = calls::Call { recording: Some("rec-1".to_owned()), ..call("r", "79998880000", 0, 30) };
    play(&mut world, calls::answered(&recorded, &petrova())).await;
    minutes(&mut world, 1).await;
    assert_eq!(revoke(&world, &owner(), 0).await.0, 409, "the PBX has it not yet");
}

/// Asks through a process that dies at this point, and lets the world heal by itself.
async fn died(crash: Crash) -> World {
    let mut world = logged().await;
    world.faults.plan(vec![crash]);
    let asked = request(&world, &owner(), "POST", &of(REVOKE), Some(json!({ "generation": 0 })));
    let name = format!("{crash:?}");
    assert!(world.ask_surviving(asked).await.is_none(), "{name}: no answer");
    minutes(&mut world, 5).await;
    world
}

/// No item waits for anything, and no effect is left.
async fn assert_settled(world: &World, what: &str) {
    let due: Vec<_> = world.table.all().into_iter().filter(|row| row.n("wake_due").is_some()).collect();
    assert!(due.is_empty(), "{what}: {due:?}");
    assert!(world.call("school", "r").await.expect("the call").base.outbox.is_empty(), "{what}");
}

#[test]
fn a_crash_at_any_port_call_of_the_request_leaves_it_whole_or_undone() {
    let (first, end) = in_virtual_time(async {
        let mut world = logged().await;
        let first = world.faults.calls();
        let asked = request(&world, &owner(), "POST", &of(REVOKE), Some(json!({ "generation": 0 })));
        assert_eq!(world.ask_surviving(asked).await.map(|answer| told(answer).0), Some(200));
        let end = world.faults.calls();
        assert_settled(&world, "the receipt took its own time off").await;
        (first, end)
    });
    let mut healed = 0;
    for crash in (first..end).flat_map(|call| [Crash::Before(call), Crash::After(call)]) {
        in_virtual_time(async {
            let mut world = died(crash).await;
            let (Crash::Before(call) | Crash::After(call)) = crash;
            let what = format!("{crash:?} {}", world.faults.name(call));
            let committed = generation(&world).await == 1;
            healed += usize::from(committed);
            assert_eq!(changes(&world), usize::from(committed), "{what}: the sweep handed it over");
            assert_eq!(plays(&world, &link(&world)).await, 200, "{what}");
            // Whoever got no answer asks again.
            let expected = if committed { 409 } else { 200 };
            assert_eq!(revoke(&world, &owner(), 0).await.0, expected, "{what}");
            minutes(&mut world, 30).await;
            assert_eq!((generation(&world).await, changes(&world)), (1, 1), "{what}");
            assert_eq!((plays(&world, &link(&world)).await, held(&world)), (200, Held::ONE_OF_EACH), "{what}");
            assert_settled(&world, &what).await;
        });
    }
    println!("revoking: {} crash points, {healed} after the commit", 2 * (end - first));
    assert!(healed >= 6, "crash points after the commit went missing: {healed}");
}

/// A queue that somebody else is faster than, or that takes nothing.
struct Meddled {
    queue: Arc<dyn Queue>,
    world: Arc<dyn Table>,
    meanwhile: Mutex<Option<Update>>,
    broken: bool,
}

#[async_trait]
impl Queue for Meddled {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        if self.broken {
            return Err(PortError::new("queue", "it does not answer"));
        }
        let update = self.meanwhile.lock().expect("nobody panicked").take();
        if let Some(update) = update {
            self.world.update(update).await.expect("written meanwhile");
        }
        self.queue.send(messages).await
    }
}

/// Revokes through an `api` whose wake-ups go through such a queue; returns the due time that stands then.
async fn meddled(world: &World, meanwhile: Option<Update>, broken: bool) -> Option<i64> {
    let (queue, meanwhile) = (world.crm_queue.clone(), Mutex::new(meanwhile));
    let crm = Arc::new(Meddled { queue, world: world.table.clone(), meanwhile, broken });
    let api = Api { crm, ..world.api() };
    let asked = request(world, &owner(), "POST", &of(REVOKE), Some(json!({ "generation": 0 })));
    let answer = document::answer(&api, asked, world.clock.monotonic_ms() + 30_000).await;
    assert_eq!(answer.status_code, 200, "it is committed");
    let item = world.call("school", "r").await.expect("the call");
    assert_eq!(item.base.outbox.is_empty(), !broken);
    item.base.due(Timer::Wake).map(|due| due.0 - item.call.at.0)
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_takes_nothing_leaves_the_item_armed_and_the_person_with_a_success() {
    let mut world = logged().await;
    assert_eq!(meddled(&world, None, true).await, Some(60_000));
    minutes(&mut world, 10).await;
    assert_eq!((changes(&world), plays(&world, &link(&world)).await), (1, 200));
    assert_settled(&world, "healed").await;
}

#[tokio::test(start_paused = true)]
async fn the_receipt_leaves_the_due_time_to_whoever_moved_it_or_committed_meanwhile() {
    let key = keys::call(&"school".into(), &"main".into(), "r");
    let swept = |world: &World| Update::new(key.clone()).set("wake_due", world.now().0 + 550_000);
    let committed = |_: &World| Update::new(key.clone()).add("version", 1);
    for (meanwhile, left) in [(&swept as &dyn Fn(&World) -> Update, 550_000), (&committed, 60_000)] {
        let mut world = logged().await;
        let update = meanwhile(&world);
        assert_eq!(meddled(&world, Some(update), false).await, Some(left));
        minutes(&mut world, 30).await;
        assert_eq!(changes(&world), 1);
        assert_settled(&world, "a timer event settled it").await;
    }
    assert_eq!(meddled(&logged().await, None, false).await, None, "nobody was there");
}

/// A table on which somebody else's request comes between our load and our write.
struct Raced {
    table: Arc<dyn Table>,
    rival: Mutex<Option<(Api, ApiGatewayV2httpRequest)>>,
}

#[async_trait]
impl Table for Raced {
    async fn get(&self, key: &Key) -> Result<Option<Row>, TableError> {
        self.table.get(key).await
    }

    async fn update(&self, update: Update) -> Result<Row, TableError> {
        let rival = self.rival.lock().expect("nobody panicked").take();
        if let Some((api, asked)) = rival {
            assert_eq!(api.handle(asked, i64::MAX).await.status_code, 200);
        }
        self.table.update(update).await
    }

    async fn delete(&self, key: &Key, condition: Option<Condition>) -> Result<(), TableError> {
        self.table.delete(key, condition).await
    }

    async fn query(&self, query: Query) -> Result<Page, TableError> {
        self.table.query(query).await
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_people_at_the_same_time_one_revokes_and_the_other_is_told() {
    let mut world = logged().await;
    let asked = || request(&world, &owner(), "POST", &of(REVOKE), Some(json!({ "generation": 0 })));
    let rival = Mutex::new(Some((world.api(), asked())));
    let api = Api { table: Arc::new(Raced { table: world.table.clone(), rival }), ..world.api() };
    let answer = document::answer(&api, asked(), world.clock.monotonic_ms() + 30_000).await;
    assert_eq!(answer.status_code, 409);
    minutes(&mut world, 10).await;
    assert_eq!((generation(&world).await, changes(&world)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn too_little_time_left_commits_nothing() {
    let world = logged().await;
    let asked = request(&world, &owner(), "POST", &of(REVOKE), Some(json!({ "generation": 0 })));
    let answer = document::answer(&world.api(), asked, world.clock.monotonic_ms() + 4_000).await;
    assert_eq!((answer.status_code, generation(&world).await), (503, 0));
}
