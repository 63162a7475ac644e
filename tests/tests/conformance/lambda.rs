//! One sample event per trigger, read as the functions read them; `ingest` is run on its own.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::sqs::SqsEvent;
use perezvon_adapters::{CallNews, Inbound, RawRequest, Secret};
use perezvon_domain::{AccountId, CallEvent, ChannelId, Envelope, Timestamp};
use perezvon_engine::batch::{self, Failed};
use perezvon_engine::wakeup::WakeUp;
use perezvon_ingest::Ingest;
use perezvon_platform::hook::{self, CheckedTokens, Hook, Ring};
use perezvon_platform::link::{Person, Role, sign_person};
use perezvon_platform::raw::RawMessage;
use perezvon_platform::{Message, PortError, Queue};
use perezvon_tests::World;
use perezvon_tests::document;
use perezvon_tests::settings::full;
use perezvon_tests::world::Plan;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json as value};

use crate::{bytes, json, list, text};

fn event<T: DeserializeOwned>(name: &str) -> T {
    let json = json(&format!("lambda/{name}.json"));
    serde_json::from_value(json).unwrap_or_else(|error| panic!("lambda/{name}.json: {error}"))
}

/// A queue that keeps what was sent.
#[derive(Default)]
struct Kept(Mutex<Vec<Message>>);

#[async_trait]
impl Queue for Kept {
    async fn send(&self, messages: Vec<Message>) -> Result<(), PortError> {
        self.0.lock().expect("nobody panicked").extend(messages);
        Ok(())
    }
}

/// What `ingest` answers, and what it put onto the raw queue.
async fn ingested(name: &str) -> (i64, Option<RawMessage>) {
    ingested_from(json(&format!("lambda/{name}.json"))).await
}

async fn ingested_from(event: Value) -> (i64, Option<RawMessage>) {
    let keys = json("lambda/keys.json");
    let ring = Ring::parse(&text(&keys, "public")).expect("a public key");
    let queue = Arc::new(Kept::default());
    let function = Ingest { tokens: CheckedTokens::new(ring), raw: queue.clone() };
    let request: ApiGatewayV2httpRequest = serde_json::from_value(event).expect("an event of the gateway");
    let answer = function.handle(request).await;
    let mut sent = queue.0.lock().expect("nobody panicked").split_off(0);
    assert!(sent.len() < 2, "one request, one message");
    let message = sent.pop().map(|message| serde_json::from_str(&message.body).expect("a raw message"));
    (answer.status_code, message)
}

#[tokio::test]
async fn without_keys_every_webhook_is_told_what_is_missing() {
    let queue = Arc::new(Kept::default());
    let function = Ingest { tokens: CheckedTokens::new(Ring::default()), raw: queue.clone() };
    for name in ["ingest_valid", "ingest_unknown_token"] {
        let answer = function.handle(event::<ApiGatewayV2httpRequest>(name)).await;
        assert_eq!(answer.status_code, 503, "{name}");
        assert!(format!("{:?}", answer.body).contains("perezvon keys"), "{name}: {:?}", answer.body);
    }
    assert!(queue.0.lock().expect("nobody panicked").is_empty());
}

/// What `verify` makes of a raw message: the events, or how it ends.
fn then(raw: &RawMessage) -> Result<Vec<Inbound>, &'static str> {
    let index = json("lambda/index.json");
    let codec = perezvon_adapters::codec(&text(&index, "provider")).expect("registered");
    let secret: Secret = serde_json::from_value(index["secret"].clone()).expect("named values");
    let request = RawRequest {
        path: raw.path.clone(),
        headers: raw.headers.clone(),
        body: raw.bytes().expect("base64"),
        received_at: Timestamp(raw.received_at),
    };
    let intake = codec.intake.expect("it posts");
    let secrets = [secret];
    let verified = intake.verify(&request, &secrets).map_err(|_| "refused")?;
    intake.normalise(verified).map_err(|_| "malformed")
}

#[tokio::test]
async fn ingest_answers_each_http_event_as_the_index_says() {
    for entry in list(&json("lambda/index.json")["http"]) {
        let name = text(entry, "name");
        let (status, raw) = ingested(&name).await;
        assert_eq!(value!(status), entry["status"], "{name}");
        let then = raw.as_ref().map(then).map(|end| end.map_or_else(|why| why, |_| "events"));
        assert_eq!(then.map_or(Value::Null, Value::from), entry["then"], "{name}");
    }
}

#[tokio::test]
async fn a_body_in_base64_keeps_its_exact_bytes_and_the_signature_is_over_them() {
    let index = json("lambda/index.json");
    let exact: Vec<_> = list(&index["http"]).iter().filter(|entry| entry.get("bytes").is_some()).collect();
    assert!(!exact.is_empty());
    for entry in exact {
        let bytes = bytes(&text(entry, "bytes"));
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        assert_ne!(lossy.as_bytes(), bytes, "{entry}: bytes that are a text prove nothing");
        let (_, raw) = ingested(&text(entry, "name")).await;
        let raw = raw.expect("accepted");
        assert_eq!(raw.bytes(), Some(bytes), "{entry}");
        let read_as_text = RawMessage { body: RawMessage::encode(lossy.as_bytes()), ..raw };
        assert_eq!(then(&read_as_text), Err("refused"), "{entry}");
    }
}

#[tokio::test]
async fn a_body_that_the_gateway_gives_as_it_is_means_the_same_and_broken_base64_is_told() {
    let (_, encoded) = ingested("ingest_valid").await;
    let body = encoded.clone().expect("accepted").bytes().expect("base64");
    let mut plain = json("lambda/ingest_valid.json");
    plain["body"] = value!(String::from_utf8(body).expect("a form"));
    plain["isBase64Encoded"] = value!(false);
    assert_eq!(ingested_from(plain.clone()).await, (200, encoded));
    plain["isBase64Encoded"] = value!(true);
    assert_eq!(ingested_from(plain).await, (400, None));
}

#[tokio::test(start_paused = true)]
async fn answer_answers_each_question_as_the_index_says() {
    let (keys, asked) = (json("lambda/keys.json"), json("lambda/index.json")["asked"].clone());
    let provider = text(&asked, "provider");
    let mut settings: toml::Table = full("demo").parse().expect("TOML");
    let channel = &mut settings["channels"][0];
    let secret = json(&format!("{provider}/index.json"))["secret"].clone();
    channel["id"] = "pbx".into();
    channel["provider"] = provider.into();
    channel["secrets"][0] = toml::Value::try_from(secret).expect("named values");
    let world = World::new(Plan::default());
    world.apply(&settings.to_string()).await;
    let asking = world.asking_by(Ring::parse(&text(&keys, "public")).expect("a public key"));
    for entry in list(&asked["questions"]) {
        let name = text(entry, "name");
        let (response, took_ms) = asking.ask(event(&name)).await;
        assert_eq!(value!(response.status_code), entry["status"], "{name}");
        assert!(took_ms <= 500, "{name}: {took_ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn api_answers_each_of_its_events_as_the_index_says() {
    let keys = json("lambda/keys.json");
    let world = World::new(Plan::default());
    for entry in list(&json("lambda/index.json")["api"]) {
        let name = text(entry, "name");
        let mut api = world.api();
        let stranger = document::answer(&api, event(&name), i64::MAX).await;
        api.config.person_key = text(&keys, "person_key").into_bytes();
        let answer = document::answer(&api, event(&name), i64::MAX).await;
        let statuses = [stranger.status_code, answer.status_code];
        assert_eq!(value!(statuses), value!([entry["stranger"], entry["status"]]), "{name}");
    }
    let owner = Person { account: "demo".to_owned(), name: "owner".to_owned(), role: Role::Owner };
    let token = sign_person(&owner, None, text(&keys, "person_key").as_bytes());
    assert_eq!(token, text(&keys, "person_token"));
}

#[tokio::test]
async fn a_duplicate_means_the_same_though_it_came_later() {
    let (_, first) = ingested("ingest_valid").await;
    let (_, second) = ingested("ingest_duplicate").await;
    let (first, second) = (first.expect("accepted"), second.expect("accepted"));
    assert_ne!((&first.id, first.received_at), (&second.id, second.received_at));
    assert_eq!(then(&first), then(&second));
}

#[test]
fn the_tokens_of_the_samples_are_what_the_published_key_signs() {
    let keys = json("lambda/keys.json");
    let key = hook::parse_private(&text(&keys, "private")).expect("a private key");
    assert_eq!(hook::public_text(&key.verifying_key()), text(&keys, "public"));
    let limit = |field: &str| u32::try_from(keys["hook"][field].as_u64().expect("a number")).expect("small");
    let hook = Hook {
        account: text(&keys["hook"], "account"),
        channel: text(&keys["hook"], "channel"),
        generation: limit("generation"),
        body_limit: limit("body_limit"),
    };
    assert_eq!(text(&keys, "token"), hook::sign(&hook, &key));
    for entry in list(&json("lambda/index.json")["http"]) {
        let path = text(&json(&format!("lambda/{}.json", text(entry, "name"))), "rawPath");
        assert_eq!(path.contains(&text(&keys, "token")), entry["status"] == 200, "{entry}");
    }
}

fn messages<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let (messages, unreadable) = batch_of(name);
    assert!(unreadable == 0 && !messages.is_empty(), "{name}");
    messages
}

/// The messages of a batch, and how many could not be read.
fn batch_of<T: DeserializeOwned>(name: &str) -> (Vec<T>, usize) {
    let mut failed = Failed::default();
    let read = batch::read(event::<SqsEvent>(name), &mut failed);
    let unreadable = failed.response().batch_item_failures.len();
    assert!(read.iter().all(|message| !message.id.is_empty()), "{name}");
    (read.into_iter().map(|message| message.body).collect(), unreadable)
}

#[tokio::test]
async fn the_raw_queue_carries_what_ingest_put_there() {
    let (_, valid) = ingested("ingest_valid").await;
    let (_, forged) = ingested("ingest_bad_signature").await;
    let carried: Vec<RawMessage> = messages("verify_raw_queue");
    assert_eq!(carried, [valid.expect("accepted"), forged.expect("accepted")]);
}

#[test]
fn the_event_queue_carries_what_the_first_raw_message_means() {
    let raw: Vec<RawMessage> = messages("verify_raw_queue");
    let first = &raw[0];
    let events = then(first).expect("understood").into_iter().map(|inbound| match inbound {
        Inbound::Call(CallNews { entry, occurred_at, kind }) => Envelope {
            account: AccountId(first.account.clone()),
            received_at: Timestamp(first.received_at),
            event: CallEvent { channel: ChannelId(first.channel.clone()), entry, occurred_at, kind },
        },
        other => panic!("no event of a call: {other:?}"),
    });
    assert_eq!(messages::<Envelope>("route_event_queue"), events.collect::<Vec<_>>());
}

#[test]
fn the_queues_of_the_index_carry_what_it_says() {
    for entry in list(&json("lambda/index.json")["queues"]) {
        match text(entry, "carries").as_str() {
            "raw" => carries::<RawMessage>(entry),
            "event" => carries::<Envelope>(entry),
            "wake_up" => carries::<WakeUp>(entry),
            other => panic!("{entry} carries {other}?"),
        }
    }
}

fn carries<T: DeserializeOwned + PartialEq>(entry: &Value) {
    let (messages, unreadable) = batch_of::<T>(&text(entry, "name"));
    assert_eq!(value!(unreadable), *entry.get("unreadable").unwrap_or(&value!(0)), "{entry}");
    let same = messages.len() > 1 && messages.iter().all(|message| *message == messages[0]);
    assert_eq!(value!(same), *entry.get("same").unwrap_or(&value!(false)), "{entry}");
}

#[test]
fn the_schedule_says_nothing_that_matters() {
    for name in list(&json("lambda/index.json")["schedules"]) {
        let name = name.as_str().expect("a name");
        let schedule: EventBridgeEvent = event(name);
        assert_eq!(schedule.detail_type, "Scheduled Event");
        let _: IgnoredAny = event(name);
    }
}
