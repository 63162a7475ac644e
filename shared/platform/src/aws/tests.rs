//! Specs of the drivers: what goes over the wire, against a server on this machine.

mod faults;

use super::*;
use crate::ports::{Blobs as _, Bus as _, BusEvent, Chunks, Message, Queue as _, Secrets as _};
use crate::testing::{Server, answer};

fn sdk_of(address: &str) -> SdkConfig {
    let mut env = Env::from_map([
        (AWS_REGION, "eu-central-1"),
        (AWS_ACCESS_KEY_ID, "AKEXAMPLE"),
        (AWS_SECRET_ACCESS_KEY, "invented"),
        (AWS_ENDPOINT_URL, &format!("http://{address}")),
    ]);
    let sdk = sdk_config(&mut env).expect("TLS");
    env.finish().expect("all is there");
    sdk
}

async fn sdk(server: &Server) -> SdkConfig {
    sdk_of(&server.address).into_builder().retry_config(RetryConfig::disabled()).build()
}

async fn bucket(server: &Server) -> S3Blobs {
    S3Blobs::new(&sdk(server).await, "recordings").expect("TLS")
}

fn ok(body: &str) -> String {
    answer("200 OK", "content-type: application/x-amz-json-1.1\r\n", body)
}

fn refused(code: &str) -> String {
    answer("400 Bad Request", "", &format!(r#"{{"__type":"{code}","message":"no"}}"#))
}

fn message(body: &str) -> Message {
    Message { body: body.into(), group: "acme.main".into(), delay_ms: 1_500 }
}

fn chunks(body: &'static str) -> Chunks {
    Box::pin(futures_util::stream::iter([Ok(body.as_bytes().to_vec())]))
}

const FIRST_FAILED: &str = r#"{"Successful":[],"Failed":[{"Id":"0","Code":"Busy","SenderFault":false}]}"#;

#[tokio::test]
async fn messages_go_out_in_tens_with_group_and_delay() {
    let all = r#"{"Successful":[],"Failed":[]}"#;
    let server = Server::start(vec![ok(all), ok(all)]).await;
    let queue = SqsQueue::new(&sdk(&server).await, format!("http://{}/1/raw", server.address));
    queue.send((0..11).map(|n| message(&format!("body {n}"))).collect()).await.expect("sent");
    let seen = server.requests();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].contains("body 9") && !seen[0].contains("body 10"), "{}", seen[0]);
    assert!(seen[1].contains(r#""MessageGroupId":"acme.main""#) && seen[1].contains(r#""DelaySeconds":2"#));
}

#[tokio::test]
async fn a_message_that_was_not_taken_is_sent_once_more_and_alone() {
    let server = Server::start(vec![ok(FIRST_FAILED), ok(r#"{"Successful":[],"Failed":[]}"#)]).await;
    let queue = SqsQueue::new(&sdk(&server).await, format!("http://{}/1/raw", server.address));
    queue.send(vec![message("one"), message("two")]).await.expect("sent");
    let seen = server.requests();
    assert!(seen[1].contains(r#""one""#) && !seen[1].contains(r#""two""#), "{}", seen[1]);
}

#[tokio::test]
async fn a_message_that_was_not_taken_twice_is_an_error() {
    let server = Server::start(vec![ok(FIRST_FAILED), ok(FIRST_FAILED)]).await;
    let queue = SqsQueue::new(&sdk(&server).await, format!("http://{}/1/raw", server.address));
    let error = queue.send(vec![message("one"), message("two")]).await.expect_err("not taken");
    assert_eq!(error.to_string(), "queue raw: 1 messages were not taken twice, Busy");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_fact_goes_to_the_bus_under_its_name() {
    let server = Server::start(vec![ok(r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#)]).await;
    let bus = EventBus::new(&sdk(&server).await, "facts");
    let event = BusEvent { id: "e1".into(), account: "acme".into(), name: "CallMissed".into(), detail: "{}".into() };
    bus.publish(vec![event]).await.expect("published");
    let seen = server.requests().remove(0);
    for part in [r#""Source":"perezvon""#, r#""DetailType":"CallMissed""#, r#""EventBusName":"facts""#] {
        assert!(seen.contains(part), "{seen}");
    }
}

#[tokio::test]
async fn a_fact_that_was_not_taken_is_an_error() {
    let body = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException"}]}"#;
    let server = Server::start(vec![ok(body)]).await;
    let event = BusEvent { id: "e1".into(), account: "acme".into(), name: "CallMissed".into(), detail: "{}".into() };
    let error = EventBus::new(&sdk(&server).await, "facts").publish(vec![event]).await.expect_err("not taken");
    assert_eq!(
        error.to_string(),
        "bus facts: 1 events were not taken: ThrottlingException; it was asked for too much at once and takes more in a moment"
    );
}

#[tokio::test]
async fn a_secret_is_read_under_its_prefix_and_a_missing_one_is_none() {
    let found = ok(r#"{"Name":"x/crm","SecretString":"{}"}"#);
    let server = Server::start(vec![found, refused("ResourceNotFoundException"), refused("AccessDenied")]).await;
    let secrets = SecretsManager::new(&sdk(&server).await, "x/");
    assert_eq!(secrets.get("crm").await, Ok(Some("{}".to_owned())));
    assert_eq!(secrets.get("crm").await, Ok(None));
    assert_eq!(secrets.get("crm").await.expect_err("denied").port, "secret x/crm");
    assert!(server.requests()[0].contains(r#""SecretId":"x/crm""#));
}

#[tokio::test]
async fn a_new_secret_is_created_when_it_cannot_be_changed() {
    let server = Server::start(vec![refused("ResourceNotFoundException"), ok("{}")]).await;
    SecretsManager::new(&sdk(&server).await, "x/").put("crm", "{}").await.expect("stored");
    let seen = server.requests();
    assert!(seen[0].contains("secretsmanager.PutSecretValue") && seen[1].contains("secretsmanager.CreateSecret"));
    assert!(seen[1].contains(r#""Name":"x/crm""#));
}

#[tokio::test]
async fn a_blob_is_stored_whole_with_its_type() {
    let server = Server::start(vec![answer("200 OK", "", "")]).await;
    let blobs = bucket(&server).await;
    assert_eq!(blobs.put("a/1.mp3", "audio/mpeg", chunks("sound"), 5).await, Ok(5));
    let seen = server.requests().remove(0);
    assert!(seen.starts_with("PUT /recordings/a/1.mp3"), "{seen}");
    assert!(seen.contains("content-type: audio/mpeg") && seen.contains("sound"), "{seen}");
}

#[tokio::test]
async fn a_blob_is_emptied_by_storing_nothing() {
    let server = Server::start(vec![answer("200 OK", "", "")]).await;
    assert_eq!(bucket(&server).await.put("texts/a/1", "text/plain", chunks(""), 0).await, Ok(0));
    let seen = server.requests().remove(0);
    assert!(seen.starts_with("PUT /recordings/texts/a/1") && seen.contains("content-length: 0"), "{seen}");
}

#[tokio::test]
async fn a_blob_that_is_too_large_is_never_sent() {
    let server = Server::start(Vec::new()).await;
    let blobs = bucket(&server).await;
    assert!(blobs.put("a/1.mp3", "audio/mpeg", chunks("sound"), 4).await.is_err());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_part_of_a_blob_comes_back_with_the_size_of_the_whole() {
    let head = "content-range: bytes 1-2/5\r\ncontent-type: audio/mpeg\r\n";
    let server = Server::start(vec![answer("206 Partial Content", head, "ou")]).await;
    let blob = bucket(&server).await.get("a/1.mp3", 1, Some(2)).await;
    let blob = blob.expect("an answer").expect("a blob");
    assert_eq!((blob.total, blob.from, blob.bytes.as_slice()), (5, 1, b"ou".as_slice()));
    assert_eq!(blob.media_type, "audio/mpeg");
    assert!(server.requests()[0].contains("range: bytes=1-2"));
}

#[tokio::test]
async fn a_missing_blob_is_none_and_a_range_behind_the_end_is_empty() {
    let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>no</Message></Error>");
    let size = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n".to_owned();
    let answers = vec![
        answer("404 Not Found", "", &xml("NoSuchKey")),
        answer("416 Range Not Satisfiable", "", &xml("InvalidRange")),
        size,
        answer("403 Forbidden", "", &xml("AccessDenied")),
    ];
    let server = Server::start(answers).await;
    let blobs = bucket(&server).await;
    assert_eq!(blobs.get("a", 0, None).await, Ok(None));
    let blob = blobs.get("a", 9, None).await.expect("an answer").expect("a blob");
    assert_eq!((blob.total, blob.from, blob.bytes.len()), (5, 9, 0));
    assert_eq!(blobs.get("a", 0, None).await.expect_err("denied").port, "bucket recordings");
}

#[tokio::test]
async fn a_link_to_a_blob_is_made_without_asking_anybody() {
    let server = Server::start(Vec::new()).await;
    let blobs = bucket(&server).await;
    let link = blobs.link("a/1.mp3", "audio/mpeg", Some("call.mp3")).await.expect("an answer").expect("a link");
    assert!(link.contains("/recordings/a/1.mp3?") && link.contains("X-Amz-Expires=300"), "{link}");
    assert!(link.contains("response-content-type=audio%2Fmpeg") && link.contains("call.mp3"), "{link}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_blob_is_taken_away_and_a_refusal_is_told() {
    let denied = answer("403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    let server = Server::start(vec![answer("204 No Content", "", ""), denied]).await;
    let blobs = bucket(&server).await;
    assert_eq!(blobs.remove("a/images/1").await, Ok(()));
    assert!(server.requests()[0].starts_with("DELETE /recordings/a/images/1?"));
    assert!(blobs.remove("a/images/1").await.expect_err("denied").why.starts_with("AccessDenied"));
}

#[tokio::test]
async fn a_blob_is_asked_for_once_more_when_s3_is_not_well() {
    let ill = answer("503 Slow Down", "", "<Error><Code>SlowDown</Code><Message>later</Message></Error>");
    let well = answer("206 Partial Content", "content-range: bytes 0-1/2\r\n", "so");
    let server = Server::start(vec![ill.clone(), well, ill.clone(), ill]).await;
    let blobs = bucket(&server).await;
    assert_eq!(blobs.get("a", 0, None).await.expect("an answer").expect("a blob").bytes, b"so");
    assert!(blobs.get("a", 0, None).await.expect_err("ill").why.starts_with("SlowDown: later; "));
}

#[tokio::test]
async fn a_link_names_the_bucket_as_host_and_the_session() {
    let mut env = Env::from_map([
        (AWS_REGION, "eu-central-1"),
        (AWS_ACCESS_KEY_ID, "AKEXAMPLE"),
        (AWS_SECRET_ACCESS_KEY, "invented"),
        (AWS_SESSION_TOKEN, "lent/1"),
    ]);
    let blobs = S3Blobs::new(&sdk_config(&mut env).expect("TLS"), "recordings").expect("TLS");
    let link = blobs.link("a b/ф+1.mp3", "audio/mpeg", None).await.expect("an answer").expect("a link");
    let path = "https://recordings.s3.eu-central-1.amazonaws.com/a%20b/%D1%84%2B1.mp3?";
    assert!(link.starts_with(path) && link.contains("X-Amz-Security-Token=lent%2F1"), "{link}");
    assert!(link.contains("X-Amz-SignedHeaders=host") && link.contains("&X-Amz-Signature="), "{link}");
}
