//! A call that waits in a PBX which asks nobody is taken to the client's own manager: in time, once, and explained.

use std::time::Duration;

use perezvon_sandbox::fault::{Fault, FaultKind};
use perezvon_sandbox::mango::{Commanded, Manner, Placed, Refusal, calls};
use perezvon_store::items::job::{JobRow, JobState};
use perezvon_tests::World;
use perezvon_tests::scenario::permutations;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;

use crate::answering::seconds;
use crate::answering_who_calls::CALLER;
use crate::calls::{call, minutes, petrova};
use crate::people::{ask, of, owner};
use crate::telling::{Held, at_every_crash, held, in_virtual_time};

const COMMAND: &str = "/commands/route";
/// Who keeps the client: internal number 23. The PBX's own rule is Petrova, 12.
const SIDOROV: u64 = 504_003;

fn settings(scenario: &str) -> String {
    full("school").replace("follow_transfers = true", &format!("follow_transfers = true\n{scenario}"))
}

/// The account with the contact manager on, and one client, whom Sidorov keeps.
async fn school(plan: Plan, scenario: &str) -> World {
    let world = World::new(plan);
    world.apply(&settings(scenario)).await;
    world.crm(|crm| crm.add_contact("Ольга Иванова", CALLER, SIDOROV));
    world.tell_pbx("school", "main");
    world
}

async fn on() -> World {
    school(Plan::default(), "contact_manager = true").await
}

/// The client calls: three seconds of menu, then Petrova's telephone rings; she answers if there is a talk.
fn calls(world: &World, talk_s: i64) -> String {
    places(world, &Placed { client: CALLER.to_owned(), talk_s, ..Placed::default() })
}

fn places(world: &World, placed: &Placed) -> String {
    let now_ms = world.now().0;
    world.pbx(|pbx| pbx.place(placed, now_ms)).expect("a call")
}

/// The CRM is down from now on.
fn goes_down(world: &World) {
    let now_ms = world.now().0;
    world.crm(|crm| crm.set_outage(now_ms, now_ms + 60_000, 503));
}

fn routes(world: &World) -> Vec<Commanded> {
    let commands = world.pbx(|pbx| pbx.commands().to_vec());
    commands.into_iter().filter(|command| command.name == "route").collect()
}

/// The internal numbers that calls were taken to.
fn taken_to(world: &World) -> Vec<String> {
    let done = routes(world).into_iter().filter(|command| command.result == 1000);
    done.filter_map(|command| command.asked["to_number"].as_str().map(str::to_owned)).collect()
}

fn requests(world: &World) -> usize {
    world.pbx(|pbx| pbx.requests().iter().filter(|request| request.path.ends_with(COMMAND)).count())
}

/// The page of a call: why what was decided.
async fn reasons(world: &World, entry: &str) -> String {
    let (status, page) = ask(world, &owner(), "GET", &of(&format!("calls/main:{entry}")), None).await;
    assert_eq!(status, 200, "{page}");
    page["reasons"].to_string()
}

fn stopped(world: &World) -> usize {
    let connection = "channel:main".into();
    let rows = world.table.all();
    let jobs = rows.iter().filter(|row| row.key.sk().starts_with("job#"));
    let read = |row| JobRow::read(&"school".into(), &connection, row).ok();
    jobs.filter_map(read).filter(|job| matches!(job.state, JobState::Failed | JobState::Parked)).count()
}

#[tokio::test(start_paused = true)]
async fn a_call_in_the_menu_goes_to_the_clients_own_manager_whose_telephone_shows_the_name() {
    let mut world = on().await;
    let entry = calls(&world, 30);
    seconds(&mut world, 2).await;
    let commands = routes(&world);
    assert_eq!(commands.len(), 1);
    assert_eq!((commands[0].result, commands[0].display_name.as_deref()), (1000, Some("Ольга Иванова")));
    let took_ms = commands[0].at_ms - world.call("school", &entry).await.expect("the call").call.started_at().0;
    assert!(took_ms < 1_000, "{took_ms} ms after the call appeared");
    minutes(&mut world, 10).await;
    assert_eq!(taken_to(&world), ["23"]);
    let talked = world.call("school", &entry).await.expect("the call").call.employee(true).expect("somebody").0;
    assert_eq!(talked, "23".into());
    assert_eq!(held(&world), Held { contacts: 1, deals: 0, tasks: 1, calls: 1, service_notes: 0 });
    let said = reasons(&world, &entry).await;
    for part in ["имя для телефонов: «Ольга Иванова»", "кому звонить: Пётр Сидоров (доб. 23)", "АТС приняла команду"]
    {
        assert!(said.contains(part), "`{part}` is missing in {said}");
    }
    assert_eq!((stopped(&world), world.pbx(|pbx| pbx.violations())), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn who_is_dismissed_in_the_crm_gets_no_call_though_the_settings_name_them() {
    let mut world = on().await;
    world.crm(|crm| crm.dismiss(SIDOROV));
    minutes(&mut world, 15).await;
    let entry = calls(&world, 30);
    minutes(&mut world, 2).await;
    // The sandbox's PBX has no such telephone, and says so.
    let asked: Vec<_> = routes(&world).into_iter().map(|command| command.asked["to_number"].clone()).collect();
    assert_eq!(asked, ["10"], "the fall-back manager");
    assert!(reasons(&world, &entry).await.contains("здесь больше не работает"));
}

#[tokio::test(start_paused = true)]
async fn while_the_crm_is_down_its_last_word_routes_and_the_page_says_how_old_it_is() {
    let mut world = on().await;
    calls(&world, 10);
    minutes(&mut world, 10).await;
    goes_down(&world);
    let entry = calls(&world, 10);
    seconds(&mut world, 30).await;
    assert_eq!(taken_to(&world), ["23", "23"]);
    let said = reasons(&world, &entry).await;
    assert!(said.contains("CRM не ответила до срока") && said.contains("взят прежний ответ CRM, ему 10 мин"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_word_of_the_crm_that_is_over_a_day_old_routes_nobody() {
    let mut world = on().await;
    calls(&world, 10);
    minutes(&mut world, 60 * 25).await;
    goes_down(&world);
    let entry = calls(&world, 10);
    seconds(&mut world, 30).await;
    assert_eq!(taken_to(&world), ["23"], "the first call alone");
    let said = reasons(&world, &entry).await;
    assert!(said.contains("узнано слишком давно") && said.contains("на него уже ответили"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_answered_before_the_crm_spoke_stays_where_it_is() {
    let mut world = on().await;
    goes_down(&world);
    let entry = calls(&world, 60);
    minutes(&mut world, 10).await;
    assert_eq!(requests(&world), 0);
    let said = reasons(&world, &entry).await;
    assert!(said.contains("звонок не переведён: на него уже ответили"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_time_is_over_before_it_is_sent_is_dropped_with_its_reason() {
    let mut world = on().await;
    let busy = FaultKind::Status { status: 429, body: String::new(), retry_after: Some(30) };
    world.pbx(|pbx| pbx.inject(Fault::once("POST", COMMAND, busy)));
    let entry = calls(&world, 0);
    minutes(&mut world, 10).await;
    assert_eq!((requests(&world), routes(&world).len()), (1, 0), "refused for its pace, and not sent again");
    let said = reasons(&world, &entry).await;
    assert!(said.contains("звонок не переведён:"), "{said}");
    assert_eq!(stopped(&world), 0, "nobody need look at it");
}

#[tokio::test(start_paused = true)]
async fn exceptions_and_forwarding_that_is_off_leave_the_call_to_the_rules_of_the_pbx() {
    for (scenario, words) in [
        ("contact_manager = true\nforwarding = false", "перевод на ответственного выключен"),
        ("contact_manager = true\nexceptions = [\"23\"]", "Пётр Сидоров в исключениях сценария «Продажи»"),
    ] {
        let mut world = school(Plan::default(), scenario).await;
        let entry = calls(&world, 10);
        minutes(&mut world, 10).await;
        assert_eq!(requests(&world), 0, "{scenario}");
        let said = reasons(&world, &entry).await;
        assert!(said.contains(words), "`{words}` is missing in {said}");
    }
    let mut world = school(Plan::default(), "contact_manager = false").await;
    let entry = calls(&world, 10);
    minutes(&mut world, 10).await;
    let said = reasons(&world, &entry).await;
    assert!(requests(&world) == 0 && !said.contains("кому звонить") && !said.contains("не переведён"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_new_client_and_an_unmapped_manager_are_told_apart() {
    let mut world = on().await;
    world.crm(|crm| crm.add_contact("Чужой клиент", "79990003344", 504_999));
    let of = |client: &str| Placed { client: client.to_owned(), ..Placed::default() };
    let new = places(&world, &of("79995556677"));
    minutes(&mut world, 2).await;
    assert!(reasons(&world, &new).await.contains("контакта с номером +79995556677 в CRM нет"));
    let strange = places(&world, &of("79990003344"));
    minutes(&mut world, 10).await;
    let asked = routes(&world).remove(0).asked;
    assert_eq!(asked["to_number"], "10", "the fall-back manager in place of one who is not mapped: {asked}");
    assert!(reasons(&world, &strange).await.contains("менеджер на крайний случай"));
}

#[tokio::test(start_paused = true)]
async fn a_long_name_is_cut_at_a_character_so_that_telephones_show_it() {
    let mut world = on().await;
    let name = "Щукина-Заболоцкая Александра Константиновна";
    world.crm(|crm| crm.add_contact(name, "79990003344", SIDOROV));
    places(&world, &Placed { client: "79990003344".to_owned(), ..Placed::default() });
    minutes(&mut world, 1).await;
    let shown = routes(&world)[0].display_name.clone().expect("a name that the PBX shows");
    assert!(name.starts_with(&shown) && (62..=64).contains(&shown.len()), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn of_two_calls_within_two_seconds_the_second_waits_its_turn() {
    let mut world = on().await;
    world.crm(|crm| crm.add_contact("Иван", "79990003344", SIDOROV));
    calls(&world, 0);
    world.run_for(Duration::from_millis(500)).await;
    let second = places(&world, &Placed { client: "79990003344".to_owned(), ..Placed::default() });
    minutes(&mut world, 5).await;
    assert_eq!((taken_to(&world), world.pbx(|pbx| pbx.violations())), (vec!["23".to_owned(), "23".to_owned()], 0));
    let commands = routes(&world);
    let gap_ms = commands[1].at_ms - commands[0].at_ms;
    assert!((2_000..5_000).contains(&gap_ms), "{gap_ms} ms");
    assert!(reasons(&world, &second).await.contains("АТС приняла команду"));
    assert_eq!(stopped(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pbx_that_refuses_is_not_asked_again_and_the_page_says_why() {
    for (code, late_errors, words, failed) in [
        (4101, false, "звонок не переведён: АТС говорит, что его уже не перевести", 0),
        (4101, true, "звонок не переведён: АТС отказала: действие не разрешено логикой АТС", 0),
        (3200, false, "звонок не переведён: АТС отказала: неверный номер абонента", 1),
    ] {
        let mut world = on().await;
        world.pbx(|pbx| {
            pbx.behave(Manner { late_errors, ..Manner::default() });
            pbx.refuse(Refusal { command: "route".to_owned(), code, times: 1 });
        });
        let entry = calls(&world, 10);
        minutes(&mut world, 30).await;
        assert_eq!((requests(&world), stopped(&world)), (1, failed), "{code}");
        let said = reasons(&world, &entry).await;
        assert!(said.contains(words), "`{words}` is missing in {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_is_lost_is_never_repeated() {
    for (kind, carried_out) in [(FaultKind::CarriedOutThenLost, 1), (FaultKind::LostBeforeArrival, 0)] {
        let mut world = on().await;
        world.pbx(|pbx| pbx.inject(Fault::once("POST", COMMAND, kind)));
        let entry = calls(&world, 10);
        minutes(&mut world, 30).await;
        assert_eq!((requests(&world), routes(&world).len()), (1, carried_out));
        let said = reasons(&world, &entry).await;
        assert!(said.contains("неизвестно, а повторять её нельзя") || said.contains("АТС приняла команду"), "{said}");
        assert_eq!(stopped(&world), 0, "nobody need look at it");
    }
}

/// The beginning of a call, in this order and each twice; the PBX knows it as it is.
async fn in_this_order(seed: u64, order: &[calls::Webhook]) -> usize {
    let mut world = school(Plan { seed, duplicates: 20, ..Plan::default() }, "contact_manager = true").await;
    world.tell_pbx("school", "main");
    let call = call("o", CALLER, 0, 60);
    let whole = calls::answered(&call, &petrova());
    world.pbx(|pbx| {
        pbx.tell("");
        pbx.knows(&call, &whole);
    });
    for webhook in order {
        for _ in 0..2 {
            assert_eq!(world.post("school", webhook.path, &webhook.json).await, 200);
        }
        world.run_for(Duration::from_millis(400)).await;
    }
    for webhook in &whole {
        assert_eq!(world.post("school", webhook.path, &webhook.json).await, 200);
    }
    world.run_for(Duration::from_secs(900)).await;
    assert_eq!(held(&world), Held { contacts: 1, deals: 0, tasks: 1, calls: 1, service_notes: 0 }, "seed {seed}");
    requests(&world)
}

#[test]
fn in_no_arrival_order_a_call_is_taken_elsewhere_twice_or_after_the_answer() {
    let begins = &calls::answered(&call("o", CALLER, 0, 60), &petrova())[..4];
    let mut sent = [0_usize; 2];
    for (number, order) in permutations(begins).iter().enumerate() {
        let requests = in_virtual_time(in_this_order(number as u64, order));
        assert!(requests <= 1, "order {number}: {requests} commands");
        let answered_first = order[0].json.contains("\"Connected\"");
        assert!(!(answered_first && requests > 0), "order {number}: after the answer");
        sent[requests] += 1;
    }
    println!("{} arrival orders: {} with a command", sent[0] + sent[1], sent[1]);
    assert!(sent[0] > 0 && sent[1] > 0);
}

async fn a_known_client_calls(plan: Plan) -> (World, u64) {
    let mut world = school(plan, "contact_manager = true").await;
    let call = call("k", CALLER, 0, 20);
    let whole = calls::missed_new(&call, &petrova());
    world.pbx(|pbx| {
        pbx.tell("");
        pbx.knows(&call, &whole);
    });
    let first = world.faults.calls();
    let mut passed = 0;
    for webhook in whole {
        world.run_for(Duration::from_millis((webhook.after_ms - passed).max(0).unsigned_abs())).await;
        passed = webhook.after_ms;
        while world.post_surviving("school", webhook.path, &webhook.json).await != Some(200) {}
    }
    world.run_for(Duration::from_secs(600)).await;
    (world, first)
}

#[test]
fn a_crash_at_any_port_call_takes_no_call_elsewhere_twice_and_loses_no_record() {
    let came_to = |world: &World| (held(world), requests(world) <= 1, stopped(world));
    let records = Held { contacts: 1, deals: 0, tasks: 1, calls: 1, service_notes: 0 };
    let points = at_every_crash(a_known_client_calls, came_to, &(records, true, 0));
    println!("a call that is taken elsewhere: {points} crash points");
    assert_eq!(points, 374, "each port call of it, before and after");
    let (world, _) = in_virtual_time(a_known_client_calls(Plan::default()));
    assert_eq!(taken_to(&world), ["23"], "and without one it is taken there");
}
