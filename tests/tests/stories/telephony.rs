//! Calls that go on in the PBX itself: placed there, or ordered by a click, and told as they go.

use std::time::Duration;

use perezvon_sandbox::mango::{Manner, Placed, Refusal, What};
use perezvon_sandbox::rostelecom::{self, Asked, Outcome};
use perezvon_tests::World;
use perezvon_tests::faults::Then;
use perezvon_tests::world::Plan;
use serde_json::json;

use crate::answering::{petrova, seconds};
use crate::answering_who_calls::{CALLER, hangs, world_with};
use crate::calls::minutes;
use crate::people::{ask, of};
use crate::telling::{Held, held, school};

async fn told() -> World {
    let world = school(Plan::default()).await;
    world.tell_pbx("school", "main");
    world
}

fn place(world: &World, placed: &Placed) -> String {
    let now_ms = world.now().0;
    world.pbx(|pbx| pbx.place(placed, now_ms)).expect("a call")
}

/// An order of Petrova's; its id.
async fn order(world: &World) -> String {
    let number = json!({ "number": "+79990001122" });
    let (status, answer) = ask(world, &petrova(), "POST", &of("calls"), Some(number)).await;
    assert_eq!(status, 202, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

async fn state(world: &World, id: &str) -> String {
    let (_, shown) = ask(world, &petrova(), "GET", &of(&format!("calls/{id}")), None).await;
    shown["order"]["state"].as_str().expect("a state").to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_incoming_call_that_is_told_as_it_goes_makes_its_records() {
    let mut world = told().await;
    place(&world, &Placed { talk_s: 30, ..Placed::default() });
    seconds(&mut world, 20).await;
    assert_eq!(held(&world).calls, 0, "it goes on");
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert_eq!(world.blobs.stored.lock().expect("blobs").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_ordered_call_rings_at_the_employee_and_then_at_the_client_and_is_an_outgoing_one() {
    let mut world = told().await;
    let id = order(&world).await;
    minutes(&mut world, 10).await;
    assert_eq!(state(&world, &id).await, "started");
    assert_eq!(world.pbx(|pbx| pbx.commands().len()), 1);
    assert_eq!(held(&world), Held { contacts: 1, deals: 1, tasks: 0, calls: 1, service_notes: 0 });
    world.crm(|crm| assert_eq!(crm.leads()[0].name, "Исходящий +79990001122"));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_the_pbx_takes_back_later_has_failed() {
    let mut world = told().await;
    world.pbx(|pbx| {
        pbx.behave(Manner { late_errors: true, ..Manner::default() });
        pbx.refuse(Refusal { command: "callback".to_owned(), code: 2240, times: 1 });
    });
    let id = order(&world).await;
    minutes(&mut world, 5).await;
    assert_eq!((state(&world, &id).await.as_str(), held(&world)), ("failed", Held::default()));
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_of_a_call_between_employees() {
    let mut world = told().await;
    place(&world, &Placed { what: What::Internal, talk_s: 30, ..Placed::default() });
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::default());
}

/// A client whom Petrova keeps calls a PBX that asks first, and whose own rule is Sidorov.
async fn asking() -> World {
    let of_its_own = |it: String| it.replace("base = \"https://pbx.test\"\n", "base = \"https://vats.test\"\n");
    let world = world_with(of_its_own).await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, 504_002));
    world.tell_vats("school", "vats");
    let now_ms = world.now().0;
    world.vats(|vats| {
        vats.behave(rostelecom::Manner { deadline_ms: 600, ..rostelecom::Manner::default() });
        let (client, employee) = (CALLER.to_owned(), "23".to_owned());
        let placed = rostelecom::Placed { client, employee, talk_s: 30, ..rostelecom::Placed::default() };
        vats.place(placed, now_ms).expect("a call");
    });
    world
}

fn asked(world: &World) -> Asked {
    world.vats(|vats| vats.asked().next().cloned()).expect("a question")
}

fn rung(world: &World) -> Option<String> {
    world.vats(|vats| vats.calls()[0].answering_pin.clone())
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_asks_rings_at_the_clients_own_manager_and_shows_his_name() {
    let mut world = asking().await;
    minutes(&mut world, 10).await;
    let asked = asked(&world);
    assert_eq!(asked.outcome, Outcome::Routed { pin: "12".to_owned() });
    assert_eq!((asked.display_name.as_deref(), rung(&world).as_deref()), (Some("Ольга Иванова"), Some("12")));
    assert!(asked.took_ms <= 500, "{asked:?}");
    assert_eq!(held(&world), Held { contacts: 1, deals: 0, tasks: 1, calls: 1, service_notes: 0 });
}

#[tokio::test(start_paused = true)]
async fn while_the_crm_hangs_the_pbx_gets_an_answer_in_time_and_goes_by_its_own_rules() {
    let mut world = asking().await;
    hangs(&world);
    seconds(&mut world, 60).await;
    let asked = asked(&world);
    assert_eq!((&asked.outcome, rung(&world).as_deref()), (&Outcome::NoPin, Some("23")));
    assert!(asked.took_ms <= 500, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_freezes_keeps_no_call_waiting() {
    let mut world = asking().await;
    let mut first = true;
    world.faults.watch(move |_| std::mem::take(&mut first).then_some(Then::Freeze(Duration::from_secs(30))));
    seconds(&mut world, 60).await;
    let asked = asked(&world);
    assert!(asked.outcome.is_own_rules() && asked.took_ms <= 600, "{asked:?}");
    assert_eq!(rung(&world).as_deref(), Some("23"));
}
