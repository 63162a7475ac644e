//! What DynamoDB may answer instead: conflict, refusal, not there, no answer; told apart, and with what to do.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_smithy_http_client::Builder;
use perezvon_domain::{AccountId, ChannelId};
use perezvon_platform::testing::{Server, answer};
use perezvon_store::dynamo::Dynamo;
use perezvon_store::{Condition, Key, Query, Table, TableError, Update, keys};

fn table(server: &Server) -> Dynamo {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::new("AKEXAMPLE", "invented", None, None, "specs"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(3)).build())
        .http_client(Builder::new().build_http())
        .endpoint_url(format!("http://{}", server.address));
    Dynamo::new(Client::from_conf(config.build()), "calls")
}

fn key() -> Key {
    keys::call(&AccountId::from("school"), &ChannelId::from("main"), "x")
}

fn refused_with(status: &str, code: &str, more: &str) -> String {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"{more}}}"#);
    answer(status, "content-type: application/x-amz-json-1.0\r\n", &body)
}

fn refused(code: &str) -> String {
    refused_with("400 Bad Request", code, "")
}

/// What each of the four calls says to one and the same answer.
async fn each(answer: &str) -> [TableError; 4] {
    let server = Server::start(vec![answer.to_owned(); 4]).await;
    let table = table(&server);
    let there = || Some(Condition::Present);
    [
        table.get(&key()).await.expect_err("a read"),
        table.update(Update::new(key()).set("n", 1)).await.expect_err("a write"),
        table.delete(&key(), there()).await.expect_err("a removal"),
        table.query(Query::table("p".to_owned())).await.expect_err("a query"),
    ]
}

#[tokio::test]
async fn a_table_that_is_not_there_says_which_and_what_to_compare() {
    for error in each(&refused("ResourceNotFoundException")).await {
        let TableError::Unusable(why) = &error else { panic!("{error:?}") };
        assert!(why.starts_with("there is no table `calls`") && why.contains("compare its name"), "{why}");
    }
}

#[tokio::test]
async fn a_wrong_arn_or_a_role_too_small_says_which_and_what_to_compare() {
    for error in each(&refused("AccessDeniedException")).await {
        let TableError::Unusable(why) = &error else { panic!("{error:?}") };
        assert!(why.contains("role") && why.contains("`calls`") && why.contains("compare its name"), "{why}");
    }
}

#[tokio::test]
async fn too_much_at_once_says_that_it_passes() {
    for code in ["ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"] {
        for error in each(&refused(code)).await {
            let TableError::Unavailable(why) = &error else { panic!("{error:?}") };
            assert!(why.contains("takes more in a moment") && why.contains(code), "{why}");
        }
    }
}

#[tokio::test]
async fn another_write_under_way_is_no_conflict_but_passes() {
    for error in each(&refused("TransactionConflictException")).await {
        let TableError::Unavailable(why) = &error else { panic!("{error:?}") };
        assert!(why.contains("over next time"), "{why}");
    }
}

#[tokio::test]
async fn a_fault_of_the_service_may_have_happened() {
    for error in each(&refused_with("500 Internal Server Error", "InternalServerError", "")).await {
        assert_eq!(error, TableError::Unavailable("InternalServerError: no".to_owned()));
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_in_itself_is_refused() {
    for code in ["ValidationException", "ItemCollectionSizeLimitExceededException"] {
        for error in each(&refused(code)).await {
            assert_eq!(error, TableError::Refused(format!("{code}: no")));
        }
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_brings_the_row_it_did_not_hold_for() {
    let failed = |more| refused_with("400 Bad Request", "ConditionalCheckFailedException", more);
    let old = r#","Item":{"pk":{"S":"p"},"sk":{"S":"s"},"version":{"N":"7"}}"#;
    let server = Server::start(vec![failed(old), failed(old), failed(""), failed("")]).await;
    let table = table(&server);
    for version in [Some(7), None] {
        let update = table.update(Update::new(key()).set("n", 1).when(Condition::Absent)).await.map(drop);
        for answer in [update, table.delete(&key(), Some(Condition::Absent)).await] {
            let Err(TableError::Conflict(row)) = answer else { panic!("{answer:?}") };
            assert_eq!(row.map(|row| row.n("version")), version.map(Some));
        }
    }
    let asked = server.requests();
    assert!(asked.iter().all(|seen| seen.contains(r#""ReturnValuesOnConditionCheckFailure":"ALL_OLD""#)), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_may_have_happened() {
    let server = Server::start(Vec::new()).await;
    let error = table(&server).update(Update::new(key()).set("n", 1)).await.expect_err("no answer");
    let TableError::Unavailable(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("timeout"), "{why}");
}

#[tokio::test]
async fn a_table_that_nobody_listens_for_is_no_answer_either() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut server = Server::start(Vec::new()).await;
    server.address = free.local_addr().expect("an address").to_string();
    drop(free);
    let error = table(&server).get(&key()).await.expect_err("nobody");
    assert!(matches!(error, TableError::Unavailable(_)), "{error:?}");
}
