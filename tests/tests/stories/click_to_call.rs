//! Click to call: an employee orders a call, the PBX is asked once, and what came of it is shown.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use perezvon_platform::link::Role;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::due::Timer;
use perezvon_tests::World;
use perezvon_tests::faults::Crash;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings::{KEY, SALT, ads, full, vats};
use perezvon_tests::world::Plan;
use serde_json::{Value as Json, json};

use crate::answering::{petrova, seconds};
use crate::calls::minutes;
use crate::people::{ask, of, owner, request, token, told};
use crate::telling::{Held, held, in_virtual_time, school};

const CLIENT: &str = "+7 999 000-11-22";
const COMMAND: &str = "/commands/callback";

/// What the PBX answers from now on.
fn answers(world: &World, kind: FaultKind) {
    world.pbx(|pbx| pbx.inject(Fault { times: 99, ..Fault::once("POST", COMMAND, kind) }));
}

fn says(status: u16, body: &str) -> FaultKind {
    FaultKind::Status { status, body: body.to_owned(), retry_after: None }
}

/// How often the PBX was asked to call.
fn asked(world: &World) -> usize {
    world.pbx(|pbx| pbx.requests().iter().filter(|request| request.path.ends_with(COMMAND)).count())
}

fn keyed(world: &World, body: &Json, key: &str) -> ApiGatewayV2httpRequest {
    let mut asked = request(world, &petrova(), "POST", &of("calls"), Some(body.clone()));
    asked.headers.insert("idempotency-key", key.parse().expect("a header"));
    asked
}

async fn order_once(world: &World, body: &Json, key: &str) -> (i64, Json) {
    let (status, bytes) = told(world.answer(keyed(world, body, key)).await);
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

fn to_client() -> Json {
    json!({ "number": CLIENT })
}

/// An order of Petrova's; its id.
async fn order(world: &World) -> String {
    let (status, answer) = ask(world, &petrova(), "POST", &of("calls"), Some(to_client())).await;
    assert_eq!(status, 202, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

async fn story(world: &World, id: &str) -> Json {
    let (status, answer) = ask(world, &petrova(), "GET", &of(&format!("calls/{id}")), None).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn state(world: &World, id: &str) -> String {
    story(world, id).await["order"]["state"].as_str().expect("a state").to_owned()
}

/// What the PBX hands back with its events.
fn command(id: &str) -> String {
    format!("call/{}/1/0", id.replacen(':', "/", 1))
}

/// The first leg of the call that the PBX made of an order.
fn leg(id: &str) -> String {
    let leg = json!({
        "entry_id": "real-1", "call_id": "leg-1", "timestamp": EPOCH_MS / 1000, "seq": 1, "call_state": "Appeared",
        "location": "abonent", "from": { "number": "79990001122" }, "to": { "extension": "12" },
        "command_id": command(id), "callback_initiator": "API",
    });
    leg.to_string()
}

async fn parked(world: &World) -> usize {
    let (_, jobs) = ask(world, &owner(), "GET", &of("jobs?state=parked"), None).await;
    jobs["jobs"].as_array().expect("jobs").len()
}

#[tokio::test(start_paused = true)]
async fn an_order_rings_the_employee_first_and_becomes_a_call_of_its_own() {
    let mut world = school(Plan::default()).await;
    let id = order(&world).await;
    assert_eq!(state(&world, &id).await, "asked");
    seconds(&mut world, 2).await;
    let shown = story(&world, &id).await;
    assert_eq!((&shown["order"]["state"], &shown["order"]["extension"]), (&json!("accepted"), &json!("12")), "{shown}");
    assert_eq!(world.post("school", "events/call", &leg(&id)).await, 200);
    seconds(&mut world, 2).await;
    let shown = story(&world, &id).await;
    assert_eq!(
        (&shown["order"]["state"], &shown["order"]["call"]),
        (&json!("started"), &json!("main:real-1")),
        "{shown}"
    );
    let text = shown["text"].to_string();
    for part in ["Заказ звонка на +79990001122", "Мария Петрова заказывает", "из заказа получился звонок real-1"]
    {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
    let (_, feed) = ask(&world, &owner(), "GET", &of("calls"), None).await;
    let ids: Vec<&Json> = feed["calls"].as_array().expect("calls").iter().map(|call| &call["id"]).collect();
    assert_eq!(ids, ["main:real-1"], "the order itself stands in no list");
    minutes(&mut world, 120).await;
    let order = world.call("school", id.strip_prefix("main:").expect("a channel")).await.expect("the order");
    assert!(order.base.outbox.is_empty() && order.base.due(Timer::Wake).is_none(), "nothing is due");
    assert_eq!((asked(&world), parked(&world).await), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn asked_twice_under_one_key_it_is_ordered_once() {
    let mut world = school(Plan::default()).await;
    let (status, first) = order_once(&world, &to_client(), "k1").await;
    assert_eq!(status, 202, "{first}");
    assert_eq!(order_once(&world, &json!({ "number": "8 999 000 11 22" }), "k1").await, (202, first.clone()));
    seconds(&mut world, 5).await;
    assert_eq!(order_once(&world, &to_client(), "k1").await, (202, first.clone()));
    minutes(&mut world, 60 * 25).await;
    assert_eq!(order_once(&world, &to_client(), "k1").await, (202, first), "also after a day");
    minutes(&mut world, 5).await;
    assert_eq!(asked(&world), 1);
    assert_eq!(order_once(&world, &json!({ "number": "+79990001133" }), "k1").await.0, 422);
    assert_eq!(order_once(&world, &to_client(), "k2").await.0, 202);
    minutes(&mut world, 5).await;
    assert_eq!(asked(&world), 2);
}

#[test]
fn an_order_whose_answer_is_lost_is_parked_for_a_person_and_never_repeated() {
    let lost = [FaultKind::LostBeforeArrival, FaultKind::CarriedOutThenLost, FaultKind::Html200];
    for kind in lost.into_iter().chain([says(502, ""), says(503, "")]) {
        in_virtual_time(async {
            let mut world = school(Plan::default()).await;
            answers(&world, kind.clone());
            let id = order(&world).await;
            seconds(&mut world, 15).await;
            assert_eq!(state(&world, &id).await, "unknown", "{kind:?}");
            minutes(&mut world, 120).await;
            assert_eq!((asked(&world), parked(&world).await), (1, 1), "{kind:?}");
            let shown = story(&world, &id).await;
            assert_eq!(shown["order"]["state"], "unknown", "{kind:?}");
            assert!(shown["order"]["words"].as_str().is_some_and(|words| words.contains("на свой телефон")), "{shown}");
            // Put back by a person, it is an order of long ago.
            let job = &shown["jobs"][0]["id"];
            let path = of(&format!("connections/channel:main/jobs/{}/retry", job.as_str().expect("a job")));
            assert_eq!(ask(&world, &owner(), "POST", &path, None).await.0, 200);
            minutes(&mut world, 5).await;
            assert_eq!((asked(&world), state(&world, &id).await.as_str()), (1, "not_sent"), "{kind:?}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_known_as_soon_as_the_call_comes() {
    let mut world = school(Plan::default()).await;
    answers(&world, FaultKind::CarriedOutThenLost);
    let id = order(&world).await;
    seconds(&mut world, 15).await;
    assert_eq!(world.post("school", "events/call", &leg(&id)).await, 200);
    seconds(&mut world, 2).await;
    assert_eq!(state(&world, &id).await, "started");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_shown_in_words_whether_it_comes_at_once_or_later() {
    let mut world = school(Plan::default()).await;
    answers(&world, says(200, r#"{"result":2240}"#));
    let id = order(&world).await;
    minutes(&mut world, 5).await;
    let shown = story(&world, &id).await;
    assert_eq!((&shown["order"]["state"], asked(&world)), (&json!("failed"), 1), "{shown}");
    assert!(shown["order"]["words"].as_str().is_some_and(|words| words.contains("нет средств")), "{shown}");

    let mut world = school(Plan::default()).await;
    let id = order(&world).await;
    seconds(&mut world, 2).await;
    for command in ["somebody-elses", command(&id).as_str()] {
        let result = json!({ "command_id": command, "result": "4500" }).to_string();
        assert_eq!(world.post("school", "result/callback", &result).await, 200);
    }
    seconds(&mut world, 2).await;
    let shown = story(&world, &id).await;
    assert_eq!((&shown["order"]["state"], asked(&world)), (&json!("failed"), 1), "{shown}");
    let (_, channels) = ask(&world, &owner(), "GET", &of("channels"), None).await;
    assert_eq!((&channels["channels"][0]["counted"], &channels["channels"][0]["refused"]), (&json!(1), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_could_not_leave_within_a_minute_is_dropped_with_its_reason() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.set_outage(EPOCH_MS, EPOCH_MS + 90_000, 429));
    let id = order(&world).await;
    seconds(&mut world, 80).await;
    let tried = asked(&world);
    assert!(tried > 1, "what the PBX says it did not look at goes out again");
    minutes(&mut world, 60).await;
    assert_eq!(asked(&world), tried, "not after the minute");
    let shown = story(&world, &id).await;
    assert_eq!(shown["order"]["state"], "not_sent", "{shown}");
    assert!(shown["order"]["words"].as_str().is_some_and(|words| words.contains("больше минуты")), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn an_order_behind_a_connection_that_waits_for_a_person_does_not_ring_hours_later() {
    let mut world = school(Plan::default()).await;
    world.pbx(|pbx| pbx.inject(Fault::once("POST", COMMAND, says(200, r#"{"result":3102}"#))));
    let id = order(&world).await;
    minutes(&mut world, 2).await;
    let shown = story(&world, &id).await;
    assert_eq!(shown["order"]["state"], "not_sent", "{shown}");
    let path = of("connections/channel:main/retry");
    assert_eq!(ask(&world, &owner(), "POST", &path, None).await.0, 202);
    minutes(&mut world, 5).await;
    assert_eq!((asked(&world), state(&world, &id).await.as_str()), (1, "not_sent"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_ordered_is_refused_with_what_to_do_and_nothing_is_made() {
    let world = World::new(Plan::default());
    let second = format!(
        "\n[[channels]]\nid = \"second\"\nprovider = \"mango\"\nname = \"Склад\"\nbase = \"https://pbx.test/vpbx\"\nactive = false\n\
         [[channels.secrets]]\nkey = \"{KEY}\"\nsalt = \"{SALT}\"\n"
    );
    world.apply(&(ads().replace("extension = \"23\"\n", "") + &second)).await;
    world
        .apply(&full("other").replace("id = \"main\"\nprovider = \"mango\"", "id = \"theirs\"\nprovider = \"mango\""))
        .await;
    let rows = world.table.all();
    let operator = |name: &str| token("school", name, Role::Operator);
    for (who, body, expected) in [
        (operator("sidorov"), to_client(), 409),
        (operator("petrova"), json!({ "number": "доб. 12" }), 422),
        (operator("petrova"), json!({ "number": "112" }), 422),
        (operator("petrova"), json!({ "number": CLIENT, "channel": "theirs" }), 404),
        (operator("petrova"), json!({ "number": CLIENT, "channel": "ads" }), 409),
        (operator("petrova"), json!({ "number": CLIENT, "channel": "second" }), 409),
        (operator("petrova"), json!({ "number": CLIENT, "from": "12" }), 400),
        (owner(), to_client(), 403),
        (token("school", "petrova", Role::Auditor), to_client(), 403),
        (token("other", "petrova", Role::Operator), to_client(), 404),
    ] {
        let (status, answer) = ask(&world, &who, "POST", &of("calls"), Some(body.clone())).await;
        assert_eq!(status, expected, "{body} {answer}");
        assert!(answer["what_to_do"].is_string(), "{answer}");
    }
    assert_eq!(world.table.all(), rows);
    let ways = async |who: &str| {
        ask(&world, &operator(who), "GET", "/api/v1/accounts", None).await.1["accounts"][0]["calls_by"].clone()
    };
    assert_eq!((ways("petrova").await, ways("sidorov").await), (json!(["main"]), json!([])));

    world.apply(&(full("school") + &second.replace("active = false\n", ""))).await;
    let (status, _) = ask(&world, &petrova(), "POST", &of("calls"), Some(to_client())).await;
    assert_eq!(status, 422, "which of the two?");
    let named = json!({ "number": CLIENT, "channel": "second" });
    assert_eq!(ask(&world, &petrova(), "POST", &of("calls"), Some(named)).await.0, 202);
}

/// Orders through processes that may die, asks again under the same key, and waits.
async fn survived(crash: Vec<Crash>) -> (World, String) {
    let mut world = school(Plan::default()).await;
    world.faults.plan(crash);
    let asked = keyed(&world, &to_client(), "k1");
    world.ask_surviving(asked).await;
    seconds(&mut world, 10).await;
    let (status, answer) = order_once(&world, &to_client(), "k1").await;
    assert_eq!(status, 202, "{answer}");
    minutes(&mut world, 30).await;
    (world, answer["id"].as_str().expect("an id").to_owned())
}

#[test]
fn a_crash_anywhere_never_asks_the_pbx_twice() {
    let (first, end) = in_virtual_time(async {
        let first = school(Plan::default()).await.faults.calls();
        let (world, id) = survived(Vec::new()).await;
        assert_eq!((state(&world, &id).await.as_str(), asked(&world)), ("accepted", 1));
        (first, world.calls_of_interest())
    });
    let mut came_to = std::collections::BTreeMap::new();
    for crash in (first..end).flat_map(|call| [Crash::Before(call), Crash::After(call)]) {
        in_virtual_time(async {
            let (world, id) = survived(vec![crash]).await;
            let (Crash::Before(call) | Crash::After(call)) = crash;
            let what = format!("{crash:?} {}", world.faults.name(call));
            let state = state(&world, &id).await;
            let right = match state.as_str() {
                // The result was told, and the process died before the job itself said so: it looks unknown to whoever
                // takes it up.
                "accepted" => asked(&world) == 1 && parked(&world).await <= 1,
                "unknown" => asked(&world) <= 1 && parked(&world).await == 1,
                "not_sent" => asked(&world) == 0 && parked(&world).await == 0,
                _ => false,
            };
            assert!(right, "{what}: {state}, asked {} times", asked(&world));
            assert_eq!(held(&world), Held::default(), "{what}");
            *came_to.entry(state).or_insert(0) += 1;
        });
    }
    println!("click to call: {} crash points, {came_to:?}", 2 * (end - first));
    assert_eq!(came_to.len(), 3, "a kind of outcome went missing: {came_to:?}");
}

/// The account with both PBXs, the second of which tells nothing lost.
async fn both() -> World {
    let world = World::new(Plan::default());
    world.apply(&vats()).await;
    world.tell_vats("school", "vats");
    world
}

fn asked_of_second(world: &World) -> usize {
    world.vats(|vats| vats.requests().iter().filter(|request| request.path.ends_with("/call_back")).count())
}

async fn order_of_second(world: &World) -> String {
    let body = json!({ "number": CLIENT, "channel": "vats" });
    let (status, answer) = ask(world, &petrova(), "POST", &of("calls"), Some(body)).await;
    assert_eq!(status, 202, "{answer}");
    answer["id"].as_str().expect("an id").to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_second_pbx_names_the_call_at_once_and_it_makes_its_records_as_any_other() {
    let mut world = both().await;
    let id = order_of_second(&world).await;
    seconds(&mut world, 2).await;
    let shown = story(&world, &id).await;
    assert_eq!(shown["order"]["state"], "started", "{shown}");
    let call = shown["order"]["call"].as_str().expect("a call").to_owned();
    minutes(&mut world, 10).await;
    let (_, feed) = ask(&world, &owner(), "GET", &of("calls"), None).await;
    let row = &feed["calls"][0];
    assert_eq!((row["id"].as_str(), row["number"].as_str()), (Some(call.as_str()), Some("+79990001122")), "{feed}");
    assert_eq!((row["kind"].as_str(), row["employee"].as_str()), (Some("outgoing"), Some("Мария Петрова")), "{row}");
    assert_eq!(feed["calls"].as_array().map(Vec::len), Some(1));
    assert_eq!((asked_of_second(&world), asked(&world)), (1, 0));
    assert_eq!(held(&world), Held { contacts: 1, deals: 1, tasks: 0, calls: 1, service_notes: 0 });
}

#[test]
fn the_second_pbx_is_asked_once_too_and_its_refusals_are_shown() {
    for (kind, expected) in [
        (FaultKind::CarriedOutThenLost, "unknown"),
        (FaultKind::LostBeforeArrival, "unknown"),
        (FaultKind::Html200, "unknown"),
        (says(200, r#"{"result":"-20","resultMessage":"Ошибка"}"#), "failed"),
        (says(200, r#"{"result":"1","session_id":"stub"}"#), "failed"),
        (says(404, "<html>"), "failed"),
    ] {
        in_virtual_time(async {
            let mut world = both().await;
            world.vats(|vats| vats.inject(Fault { times: 99, ..Fault::once("POST", "/call_back", kind.clone()) }));
            let id = order_of_second(&world).await;
            minutes(&mut world, 120).await;
            assert_eq!((state(&world, &id).await.as_str(), asked_of_second(&world)), (expected, 1), "{kind:?}");
            assert_eq!(parked(&world).await, usize::from(expected == "unknown"), "{kind:?}");
        });
    }
}
