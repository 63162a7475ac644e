//! Calls that go on in the PBX itself: placed there, or ordered by a click, and told as they go.

use perezvon_sandbox::mango::{Manner, Placed, Refusal, What};
use perezvon_tests::World;
use perezvon_tests::world::Plan;
use serde_json::json;

use crate::answering::{petrova, seconds};
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
