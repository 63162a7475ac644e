//! What AWS may answer instead: each error says which resource, what was told, and what to set right or wait for.

use std::time::Duration;

use super::*;
use crate::ports::PortError;

const COMPARE: &str = "compare the name in";
const IN_A_MOMENT: &str = "takes more in a moment";

fn queue(server: &Server, sdk: &SdkConfig) -> SqsQueue {
    SqsQueue::new(sdk, format!("http://{}/1/raw", server.address))
}

fn fact() -> Vec<BusEvent> {
    vec![BusEvent { id: "e1".into(), account: "acme".into(), name: "CallMissed".into(), detail: "{}".into() }]
}

fn xml(status: &str, code: &str) -> String {
    answer(status, "", &format!("<Error><Code>{code}</Code><Message>no</Message></Error>"))
}

/// What each driver says to one and the same answer, by what was asked.
async fn all_of(json: &str, of_blobs: &str) -> [(PortError, &'static str); 6] {
    // S3 is asked twice where it was not well itself.
    let blobs = if of_blobs.contains(" 50") { 4 } else { 2 };
    let answers = [json; 4].into_iter().chain(std::iter::repeat_n(of_blobs, blobs));
    let server = Server::start(answers.map(str::to_owned).collect()).await;
    let sdk = sdk(&server).await;
    let (secrets, blobs) = (SecretsManager::new(&sdk, "x/"), S3Blobs::new(&sdk, "recordings").expect("TLS"));
    [
        (queue(&server, &sdk).send(vec![message("one")]).await.expect_err("no"), "queue raw"),
        (EventBus::new(&sdk, "facts").publish(fact()).await.expect_err("no"), "bus facts"),
        (secrets.get("crm").await.expect_err("no"), "secret x/crm"),
        (secrets.put("crm", "{}").await.expect_err("no"), "secret x/crm"),
        (blobs.put("a", "audio/mpeg", chunks("sound"), 5).await.expect_err("no"), "bucket recordings"),
        (blobs.get("a", 0, None).await.expect_err("no"), "bucket recordings"),
    ]
}

async fn each_says(json: &str, of_blobs: &str, words: &str) {
    for (error, port) in all_of(json, of_blobs).await {
        assert_eq!((error.port.as_str(), error.refused), (port, false), "{error}");
        assert!(error.why.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_name_or_a_role_too_small_says_what_to_compare() {
    let denied = refused("AccessDeniedException");
    each_says(&denied, &xml("403 Forbidden", "AccessDenied"), COMPARE).await;
}

#[tokio::test]
async fn too_much_at_once_says_that_it_passes() {
    let throttled = refused("ThrottlingException");
    each_says(&throttled, &xml("503 Slow Down", "SlowDown"), IN_A_MOMENT).await;
}

#[tokio::test]
async fn a_fault_of_aws_itself_is_told_as_it_was_told() {
    let body = r#"{"__type":"InternalFailure","message":"no"}"#;
    let failed = answer("500 Internal Server Error", "", body);
    each_says(&failed, &xml("500 Internal Server Error", "InternalFailure"), "InternalFailure: no").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_waited_for_a_while_and_says_so() {
    let server = Server::start(Vec::new()).await;
    let sdk = sdk(&server).await;
    let limit = Duration::from_secs(4);
    let soon = async |call: &mut (dyn Future<Output = Result<(), PortError>> + Unpin)| {
        let error = tokio::time::timeout(limit, call).await.expect("it ends by itself").expect_err("no answer");
        assert!(error.why.contains("timeout") && !error.refused, "{error}");
    };
    soon(&mut queue(&server, &sdk).send(vec![message("one")])).await;
    soon(&mut EventBus::new(&sdk, "facts").publish(fact())).await;
    soon(&mut SecretsManager::new(&sdk, "x/").put("crm", "{}")).await;
    let blobs = S3Blobs::new(&sdk, "recordings").expect("TLS");
    let stored = tokio::time::timeout(Duration::from_secs(26), blobs.put("a", "audio/mpeg", chunks("sound"), 5));
    let error = stored.await.expect("it ends by itself").expect_err("no answer");
    assert!(error.why.contains("timeout"), "{error}");
}

#[tokio::test]
async fn a_queue_that_is_not_there_says_what_to_compare() {
    let header = "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n";
    let body = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}"#;
    for header in [header, ""] {
        let server = Server::start(vec![answer("400 Bad Request", header, body)]).await;
        let error = queue(&server, &sdk(&server).await).send(vec![message("one")]).await.expect_err("no queue");
        assert!(error.to_string().starts_with("queue raw: ") && error.why.contains(COMPARE), "{error}");
        assert!(!error.refused, "once it is there, the message goes");
    }
}

/// The answer to a batch: these places are not taken.
fn not_taken(entries: &[(usize, &str, bool)]) -> String {
    let entry = |(place, code, sender): &(usize, &str, bool)| {
        format!(r#"{{"Id":"{place}","Code":"{code}","Message":"no","SenderFault":{sender}}}"#)
    };
    let failed: Vec<_> = entries.iter().map(entry).collect();
    ok(&format!(r#"{{"Successful":[],"Failed":[{}]}}"#, failed.join(",")))
}

#[tokio::test]
async fn an_entry_that_is_refused_for_good_is_named_and_its_neighbours_are_sent() {
    let answers = [1, 0].map(|place| not_taken(&[(place, "InvalidMessageContents", true)]));
    let server = Server::start(answers.to_vec()).await;
    let messages = ["one", "two", "three"].map(message);
    let error = queue(&server, &sdk(&server).await).send(messages.to_vec()).await.expect_err("one is refused");
    assert_eq!(error.to_string(), "queue raw: 1 messages were not taken twice, InvalidMessageContents: no");
    assert!(error.refused, "no retry helps");
    let again = &server.requests()[1];
    assert!(again.contains(r#""two""#) && !again.contains(r#""one""#) && !again.contains(r#""three""#), "{again}");
}

#[tokio::test]
async fn entries_of_which_one_may_yet_be_taken_are_tried_again() {
    let both = [(0, "InvalidMessageContents", true), (1, "RequestThrottled", false)];
    let server = Server::start(vec![not_taken(&both), not_taken(&both)]).await;
    let messages = ["one", "two"].map(message);
    let error = queue(&server, &sdk(&server).await).send(messages.to_vec()).await.expect_err("none is taken");
    assert!(error.why.contains("InvalidMessageContents: no, RequestThrottled: no"), "{error}");
    assert!(error.why.contains(IN_A_MOMENT) && !error.refused, "{error}");
}

#[tokio::test]
async fn a_request_that_is_refused_for_what_stands_in_it_is_refused_for_good() {
    for code in ["InvalidMessageContents", "BatchRequestTooLong"] {
        let server = Server::start(vec![refused(code)]).await;
        let error = queue(&server, &sdk(&server).await).send(vec![message("one")]).await.expect_err("refused");
        assert!(error.refused && error.why.starts_with(code), "{error}");
    }
}

#[tokio::test]
async fn what_sqs_would_not_take_goes_over_the_wire_escaped() {
    let server = Server::start(vec![ok(r#"{"Successful":[],"Failed":[]}"#)]).await;
    let body = "\"\u{fffe} and \u{ffff}\"";
    queue(&server, &sdk(&server).await).send(vec![message(body)]).await.expect("sent");
    let seen = server.requests().remove(0);
    assert!(seen.contains(r#"\"\\ufffe and \\uffff\""#), "{seen}");
}

#[tokio::test]
async fn facts_of_which_some_were_not_taken_are_counted_and_told() {
    let body = r#"{"FailedEntryCount":2,"Entries":[{"EventId":"1"},{"ErrorCode":"InternalFailure","ErrorMessage":"no"},{"ErrorCode":"ThrottlingException"}]}"#;
    let server = Server::start(vec![ok(body)]).await;
    let facts = [fact(), fact(), fact()].concat();
    let error = EventBus::new(&sdk(&server).await, "facts").publish(facts).await.expect_err("two are not taken");
    assert!(error.why.starts_with("2 events were not taken: InternalFailure: no, ThrottlingException; "), "{error}");
}

#[tokio::test]
async fn a_secret_that_was_deleted_says_how_to_bring_it_back() {
    let server = Server::start(vec![refused("InvalidRequestException"), refused("InvalidRequestException")]).await;
    let secrets = SecretsManager::new(&sdk(&server).await, "x/");
    let [read, written] = [secrets.get("a:b").await.map(drop), secrets.put("a:b", "{}").await];
    for error in [read.expect_err("deleted"), written.expect_err("deleted")] {
        assert!(error.why.ends_with("aws secretsmanager restore-secret --secret-id x/a+3Ab"), "{error}");
    }
}

#[tokio::test]
async fn a_name_that_is_none_says_which_variable_to_correct() {
    let server = Server::start(vec![refused("ValidationException")]).await;
    let error = SecretsManager::new(&sdk(&server).await, "x y/").get("crm").await.expect_err("no name");
    assert!(error.why.contains("correct SECRET_PREFIX"), "{error}");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_not_taken_for_a_missing_blob() {
    let absent = xml("404 Not Found", "NoSuchBucket");
    let server = Server::start(vec![absent.clone(), absent]).await;
    let blobs = bucket(&server).await;
    let stored = blobs.put("a", "audio/mpeg", chunks("sound"), 5).await.map(drop);
    for error in [blobs.get("a", 0, None).await.map(drop), stored] {
        let error = error.expect_err("no bucket");
        assert!(error.to_string().starts_with("bucket recordings: NoSuchBucket") && error.why.contains(COMPARE));
    }
}
