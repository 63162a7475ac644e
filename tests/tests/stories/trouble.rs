//! Whatever amoCRM answers, the records are made once, or the reason stands where a person can act on it.

use std::time::Duration;

use perezvon_domain::call::RecordsState;
use perezvon_domain::{AccountId, ConnectionId};
use perezvon_engine::secrets::{self, ConnectionSecret};
use perezvon_sandbox::mango::calls;
use perezvon_sandbox::{Fault, FaultKind};
use perezvon_store::items::connection::{ConnectionRow, UNTIL_A_PERSON_ACTS};
use perezvon_store::{Table, keys};
use perezvon_tests::World;
use perezvon_tests::ports::EPOCH_MS;
use perezvon_tests::settings::{TOKEN, full};
use perezvon_tests::world::Plan;

use crate::calls::{call, minutes, petrova, play};
use crate::telling::{Held, assert_pace_was_kept, held, in_virtual_time, school};

async fn connection(world: &World) -> ConnectionRow {
    let key = keys::connection(&AccountId::from("school"), &ConnectionId::from("crm:main"));
    let row = Table::get(world.table.as_ref(), &key).await.expect("the model answers").expect("the connection");
    ConnectionRow::read(&row).expect("a connection can be read")
}

async fn answered_with(fault: Fault, search_lag_ms: i64) -> World {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| {
        crm.configure(perezvon_sandbox::amocrm::Config { search_lag_ms, ..Default::default() });
        crm.inject(fault);
    });
    play(&mut world, calls::answered(&call("x", "79991230000", 0, 30), &petrova())).await;
    minutes(&mut world, 45).await;
    world
}

#[test]
fn a_request_that_succeeded_and_timed_out_is_looked_up_and_never_repeated() {
    for path in ["/contacts", "/leads/custom_fields", "/leads", "/tasks", "/calls"] {
        for search_lag_ms in [0, 25_000] {
            in_virtual_time(async {
                let fault = Fault::once("POST", path, FaultKind::CarriedOutThenLost);
                let world = answered_with(fault, search_lag_ms).await;
                assert_eq!(held(&world), Held::ONE_OF_EACH, "{path}, lag {search_lag_ms}");
                assert_pace_was_kept(&world);
            });
        }
    }
}

#[test]
fn an_answer_5xx_after_success_is_an_unknown_outcome_too() {
    for path in ["/contacts", "/leads", "/tasks", "/calls"] {
        in_virtual_time(async {
            let world =
                answered_with(Fault::once("POST", path, FaultKind::CarriedOutThenStatus { status: 504 }), 0).await;
            assert_eq!(held(&world), Held::ONE_OF_EACH, "{path}");
        });
    }
}

#[test]
fn a_request_that_was_lost_on_its_way_is_made_after_all() {
    for path in ["/contacts", "/leads", "/tasks", "/calls"] {
        for kind in [FaultKind::LostBeforeArrival, FaultKind::Html200] {
            in_virtual_time(async {
                let world = answered_with(Fault::once("POST", path, kind.clone()), 0).await;
                assert_eq!(held(&world), Held::ONE_OF_EACH, "{path} {kind:?}");
            });
        }
    }
}

#[test]
fn too_many_requests_waits_as_told() {
    for retry_after in [None, Some(30)] {
        in_virtual_time(async {
            let kind = FaultKind::Status { status: 429, body: String::new(), retry_after };
            let fault = Fault { times: 3, ..Fault::once("POST", "/leads", kind) };
            let world = answered_with(fault, 0).await;
            assert_eq!(held(&world), Held::ONE_OF_EACH);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_long_lived_token_pauses_with_a_reason_and_a_new_one_goes_on_at_once() {
    let mut world = school(Plan::default()).await;
    world.crm(|crm| {
        crm.configure(perezvon_sandbox::amocrm::Config { tokens: vec!["fresh".into()], ..Default::default() })
    });
    play(&mut world, calls::answered(&call("x", "79991230001", 0, 30), &petrova())).await;
    minutes(&mut world, 30).await;
    let row = connection(&world).await;
    assert_eq!(row.retry_at, Some(UNTIL_A_PERSON_ACTS));
    assert!(row.why.as_deref().is_some_and(|why| why.contains("токен")), "{:?}", row.why);
    let asked = world.crm(|crm| crm.requests().len());
    assert!(asked <= 2, "a refused token is not tried again and again: {asked}");
    world.apply(&full("school").replace(TOKEN, "fresh")).await;
    minutes(&mut world, 10).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    assert_eq!(connection(&world).await.retry_at, None);
}

/// Settings with a pair of tokens that live for an hour.
fn with_a_pair(world: &World) -> String {
    let pair = world.crm(|crm| {
        crm.configure(perezvon_sandbox::amocrm::Config { access_life_s: 3600, tokens: vec![], ..Default::default() });
        crm.grant_pair(EPOCH_MS)
    });
    let secret = format!(
        "access_token = \"{}\"\nrefresh_token = \"{}\"\nclient_id = \"11111111-aaaa-4bbb-8ccc-000000000001\"\nclient_secret = \"sandbox-secret\"\nredirect_uri = \"https://hub.example.test/amocrm/oauth\"",
        pair.access, pair.refresh
    );
    full("school").replace(&format!("token = \"{TOKEN}\""), &secret)
}

#[tokio::test(start_paused = true)]
async fn an_expired_pair_is_refreshed_once_and_again_after_a_restart() {
    let mut world = World::new(Plan::default());
    let toml = with_a_pair(&world);
    world.apply(&toml).await;
    for (round, entry) in ["one", "two", "three"].into_iter().enumerate() {
        let client = format!("7999123100{round}");
        play(&mut world, calls::answered(&call(entry, &client, 0, 30), &petrova())).await;
        minutes(&mut world, 180).await;
        assert_eq!(held(&world).calls, round + 1, "{entry}");
        // The same file again, and a new process: the old refresh token must not come back.
        world.apply(&toml).await;
        world.restart();
    }
    let refreshes =
        world.crm(|crm| crm.requests().iter().filter(|request| request.path == "/oauth2/access_token").count());
    assert!((2..=4).contains(&refreshes), "{refreshes} refreshes");
}

/// Another worker exchanged the pair and died before it could tell: the old tokens are worth nothing any more.
async fn exchange_behind_its_back(world: &World) {
    let pair = world.crm(|crm| {
        crm.revoke_tokens();
        crm.grant_pair(world.now().0)
    });
    let (name, id) = ("connection/school.crm:main", ConnectionId::from("crm:main"));
    assert_eq!(ConnectionSecret::name(&AccountId::from("school"), &id), name);
    let mut secret: ConnectionSecret = secrets::read(world.secrets.as_ref(), name).await.expect("read").expect("it");
    secret.secret.0.insert("access_token".to_owned(), pair.access);
    secret.secret.0.insert("refresh_token".to_owned(), pair.refresh);
    secrets::write(world.secrets.as_ref(), name, &secret).await.expect("written");
}

#[tokio::test(start_paused = true)]
async fn a_pair_that_is_remembered_is_never_exchanged_after_another_worker_did_it() {
    let mut world = World::new(Plan::default());
    world.apply(&with_a_pair(&world)).await;
    // Used at once, and when the remembered pair is about to end.
    for (round, wait) in [70, 1, 56].into_iter().enumerate() {
        if round > 0 {
            exchange_behind_its_back(&world).await;
        }
        minutes(&mut world, wait).await;
        let client = format!("7999123110{round}");
        play(&mut world, calls::answered(&call(&format!("{round}"), &client, 0, 30), &petrova())).await;
        minutes(&mut world, 5).await;
        assert_eq!((held(&world).calls, connection(&world).await.why), (round + 1, None), "round {round}");
    }
}

#[test]
fn an_unpaid_or_blocked_account_waits_and_goes_on() {
    for status in [402, 403] {
        in_virtual_time(async {
            let mut world = school(Plan::default()).await;
            world.crm(|crm| crm.set_outage(EPOCH_MS, EPOCH_MS + 1_200_000, status));
            play(&mut world, calls::answered(&call("x", "79991230002", 0, 30), &petrova())).await;
            minutes(&mut world, 2).await;
            assert!(connection(&world).await.why.is_some(), "{status}");
            minutes(&mut world, 60).await;
            assert_eq!(held(&world), Held::ONE_OF_EACH, "{status}");
        });
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_minutes_without_a_crm_end_with_every_record_made_once() {
    let mut world = school(Plan { duplicates: 10, ..Plan::default() }).await;
    world.crm(|crm| crm.set_outage(EPOCH_MS, EPOCH_MS + 1_200_000, 502));
    for n in 0..20 {
        let client = format!("799912320{n:02}");
        play(&mut world, calls::answered(&call(&format!("c{n}"), &client, n * 60, 20), &petrova())).await;
        world.run_for(Duration::from_secs(10)).await;
    }
    let asked = world.crm(|crm| crm.requests().len());
    assert!(asked < 120, "an outage is not hammered: {asked} requests");
    minutes(&mut world, 120).await;
    assert_eq!(held(&world), Held { contacts: 20, deals: 20, tasks: 20, calls: 20, service_notes: 0 });
    assert_pace_was_kept(&world);
}

#[tokio::test(start_paused = true)]
async fn another_account_is_not_held_up_by_an_outage() {
    let mut world = school(Plan::default()).await;
    world.apply(&full("other").replace("https://crm.test", "https://crm2.test")).await;
    world.crm(|crm| {
        let kind = FaultKind::Status { status: 502, body: String::new(), retry_after: None };
        // The two share the sandbox; the first account's search is what fails.
        crm.inject(Fault { times: 1000, ..Fault::once("GET", "query=9991233000", kind) });
    });
    play(&mut world, calls::answered(&call("a", "79991233000", 0, 30), &petrova())).await;
    for webhook in calls::answered(&call("b", "79991233001", 0, 30), &petrova()) {
        assert_eq!(world.post("other", webhook.path, &webhook.json).await, 200);
    }
    minutes(&mut world, 5).await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_fails_with_a_reason_and_the_call_is_logged_all_the_same() {
    let body = r#"{"validation-errors":[{"request_id":"0","errors":[{"code":"NotSupportedChoice","path":"status_id","detail":"The value you selected is not a valid choice."}]}],"title":"Bad Request","status":400,"detail":"Request validation failed"}"#;
    let kind = FaultKind::Status { status: 400, body: body.to_owned(), retry_after: None };
    let world = answered_with(Fault { times: 9, skip: 1, ..Fault::once("POST", "/leads", kind) }, 0).await;
    let item = world.call("school", "x").await.expect("the call");
    let RecordsState::Failed { why, made, .. } = &item.call.records else { panic!("{:?}", item.call.records) };
    assert!(why.contains("status_id"), "{why}");
    assert!(made.contact.is_some());
    assert_eq!(held(&world), Held { contacts: 1, calls: 1, ..Held::default() });
}

#[tokio::test(start_paused = true)]
async fn a_number_the_crm_does_not_find_yet_is_logged_by_the_documented_fall_back() {
    let world = answered_with(
        Fault {
            times: 30,
            ..Fault::once(
                "POST",
                "/api/v4/calls",
                FaultKind::Status {
                    status: 400,
                    body: r#"{"_total_items":0,"errors":[{"title":"Entity not found","status":263,"detail":""}],"_embedded":{"calls":[]}}"#.to_owned(),
                    retry_after: None,
                },
            )
        },
        0,
    )
    .await;
    assert_eq!(held(&world), Held::ONE_OF_EACH);
    let item = world.call("school", "x").await.expect("the call");
    assert!(item.call.because.iter().any(|because| because.reason.code == "logged_fallback"));
}
