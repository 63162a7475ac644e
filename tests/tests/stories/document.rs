//! docs/openapi.json says who may ask for what; here everybody asks for everything.

use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use perezvon_platform::link::Role;
use perezvon_tests::World;
use perezvon_tests::document::{document, operations};
use perezvon_tests::world::Plan;
use serde_json::{Value, json};

use crate::answering_who_calls::{CALLER, asks_of, with_client};
use crate::people::{ask, of, owner, request, token};
use crate::telling::school;

const ROLES: [Role; 5] = [Role::Owner, Role::Admin, Role::Integrator, Role::Operator, Role::Auditor];

/// An address of this path: an account that is there, and things that are not.
fn address(path: &str) -> String {
    let segment = |part: &str| match part {
        "{account}" => "school".to_owned(),
        part => part.replace(['{', '}'], ""),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// What belongs to an account: method, path, what the document says.
fn of_accounts() -> impl Iterator<Item = (String, String, &'static Value)> {
    let of_account = operations().filter(|(_, path, _)| path.contains("{account}"));
    of_account.map(|(method, path, operation)| (method.to_uppercase(), address(path), operation))
}

#[tokio::test(start_paused = true)]
async fn exactly_the_roles_of_the_document_may_ask() {
    let world = school(Plan::default()).await;
    let mut asked = 0;
    for (method, path, operation) in of_accounts() {
        let roles = operation["x-roles"].as_array().expect("roles");
        for role in ROLES {
            // A body that nothing takes: nothing is done.
            let (status, body) = ask(&world, &token("school", "petrova", role), &method, &path, Some(json!([]))).await;
            let may = roles.contains(&json!(role));
            assert_eq!(status != 403, may, "{method} {path} as {role:?}: {status} {body}");
            asked += 1;
        }
    }
    assert!(asked > 150, "only {asked}");
}

#[tokio::test(start_paused = true)]
async fn exactly_what_the_document_calls_public_is_answered_without_a_login() {
    let world = school(Plan::default()).await;
    for (method, path, operation) in operations().filter(|it| it.2["x-answered-by"].is_null()) {
        let mut asked: ApiGatewayV2httpRequest = request(&world, "", &method.to_uppercase(), &address(path), None);
        asked.headers.remove("authorization");
        let status = world.answer(asked).await.status_code;
        let ways = operation["security"].as_array().expect("ways in");
        let public = ways.is_empty() || ways.contains(&json!({}));
        // A login without a token is refused as well.
        assert!(public || status == 401, "{method} {path}: {status}");
        assert!(!public || status != 401 || path == "/login", "{method} {path}: {status}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_document_is_served_to_everybody_as_it_stands() {
    let world = World::new(Plan::default());
    let (status, served) = ask(&world, "nobody", "GET", "/api/v1/openapi.json", None).await;
    assert_eq!((status, &served), (200, document()));
}

#[tokio::test(start_paused = true)]
async fn what_the_door_for_webhooks_answers_stands_in_the_document() {
    let mut world = school(Plan::default()).await;
    let known = |status: i64| {
        let path = &document()["paths"]["/h/{token}/{event}"];
        ["get", "post"].iter().all(|method| path[*method]["responses"][status.to_string()].is_object())
    };
    let good = world.hook_path("school", "main", 1, "events/call");
    let bodies: [(&str, &[u8]); 3] = [("/h/nonsense/x", b"{}"), (&good, b"{}"), (&good, &[b'x'; 65_537])];
    let mut told = Vec::new();
    for (path, body) in bodies {
        told.push(world.post_bytes(path, "application/json", body).await.status_code);
    }
    assert_eq!(told, [404, 200, 413]);
    assert!(told.into_iter().all(known));
}

#[tokio::test(start_paused = true)]
async fn what_the_door_for_questions_answers_stands_in_the_document() {
    let mut world = with_client().await;
    let good = asks_of(&mut world, "school", CALLER);
    let path = good.raw_path.clone().expect("a path");
    let unsigned = world.question(&path, &[], b"{}");
    let stranger = world.question("/h/nonsense/x", &[], b"{}");
    let name = path.rsplit('/').next().expect("a name");
    let described = &document()["paths"][format!("/h/{{token}}/{name}")]["post"]["responses"];
    let asking = world.asking();
    let mut statuses = Vec::new();
    for request in [good, unsigned, stranger] {
        let (answer, _) = asking.ask(request).await;
        assert!(described[answer.status_code.to_string()].is_object(), "{}", answer.status_code);
        statuses.push(answer.status_code);
    }
    assert_eq!(statuses, [200, 403, 404]);
}

#[tokio::test(start_paused = true)]
async fn a_token_a_login_and_a_release_are_granted_as_the_document_says() {
    let mut world = school(Plan::default()).await;
    let wanted = json!({ "employee": "petrova", "role": "operator" });
    let (status, made) = ask(&world, &owner(), "POST", &of("tokens"), Some(wanted)).await;
    assert_eq!(status, 201, "{made}");
    let (status, me) = ask(&world, "", "POST", "/api/v1/login", Some(json!({ "token": made["token"] }))).await;
    assert_eq!((status, &me["name"]), (200, &json!("petrova")));
    world.post("school", "events/call", "not signed at all").await;
    world.run_for(Duration::from_secs(5)).await;
    let (_, refused) = ask(&world, &owner(), "GET", &of("quarantine?limit=1"), None).await;
    let id = refused["requests"][0]["id"].as_str().expect("a refused request");
    let (status, released) = ask(&world, &owner(), "POST", &of(&format!("quarantine/{id}/release")), None).await;
    assert_eq!(status, 200, "{released}");
}
