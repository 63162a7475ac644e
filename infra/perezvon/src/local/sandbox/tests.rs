//! Specs of the systems behind their port.

use perezvon_platform::{Clock, Http, HttpError, HttpRequest as Outgoing, HttpResponse as Answer};
use perezvon_sandbox::{Fault, FaultKind};

use perezvon_sandbox::mango;

use super::posting::PUSH_MS;
use super::*;
use crate::local::wiring::client;

struct World {
    base: String,
    http: Arc<dyn Http>,
    sandbox: Arc<Sandbox>,
}

async fn world(file: Option<PathBuf>) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let host = listener.local_addr().expect("an address").to_string();
    let base = format!("http://{host}");
    let sandbox = Arc::new(Sandbox::new(Fakes::new(&base, "token", "key", "salt"), file));
    tokio::spawn(serve(listener, sandbox.clone(), std::future::pending()));
    World { base, http: client(&[host]).expect("a client"), sandbox }
}

impl World {
    async fn ask(&self, method: &'static str, path: &str, body: &str) -> Result<Answer, HttpError> {
        let request = Outgoing {
            method,
            url: format!("{}{path}", self.base),
            headers: vec![("authorization", "Bearer token".to_owned())],
            body: body.as_bytes().to_vec(),
            timeout_ms: 5_000,
        };
        self.http.send(request).await
    }
}

#[tokio::test]
async fn all_systems_answer_on_one_port() {
    let world = world(None).await;
    for (path, status) in [("/", 200), ("/sandbox/state", 200), ("/api/v4/account", 200), ("/files/none", 404)] {
        assert_eq!(world.ask("GET", path, "").await.expect("an answer").status, status, "{path}");
    }
    let body = mango::form("key", "salt", r#"{"recording_id":"none","action":"download"}"#);
    let answer = world.ask("POST", "/vpbx/queries/recording/post", &body).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &br#"{"result":3320}"#[..]));
    let form = "grant_type=client_credentials&client_id=key&client_secret=salt";
    assert_eq!(world.ask("POST", "/avito/token", form).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_and_the_next_request_is_answered() {
    let world = world(None).await;
    let lost = || Fault::once("GET", "/api/v4/account", FaultKind::CarriedOutThenLost);
    world.sandbox.change(|fakes| fakes.crm.inject(lost())).await;
    let error = world.ask("GET", "/api/v4/account", "").await.expect_err("no answer");
    assert!(matches!(error, HttpError::Unknown(_)), "{error}");
    assert_eq!(world.ask("GET", "/api/v4/account", "").await.expect("an answer").status, 200);
    let fault = r#"{"kind":"lost_before_arrival"}"#;
    assert_eq!(world.ask("POST", "/vpbx/sandbox/faults", fault).await.expect("an answer").status, 204);
    assert!(world.ask("GET", "/files/none", "").await.is_err());
}

#[tokio::test]
async fn a_push_that_nobody_takes_is_noted_and_holds_up_nothing() {
    let world = world(None).await;
    // Bound and never listening: nobody else can take the port meanwhile.
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let nobody = format!("http://{}/h/token", socket.local_addr().expect("an address"));
    let now_ms = world.sandbox.clock.now_ms();
    world.sandbox.change(|fakes| fakes.messenger.subscribe_address(&nobody)).await;
    let written = world.ask("POST", "/avito/sandbox/messages", r#"{"text":"Здравствуйте!"}"#).await;
    assert_eq!(written.expect("an answer").status, 200);
    let noted = |fakes: &mut Fakes| fakes.messenger.pushed().map(|push| push.status).collect::<Vec<_>>();
    assert_eq!(world.sandbox.change(noted).await, [0]);
    assert!(world.sandbox.clock.now_ms() - now_ms < PUSH_MS);
}

#[tokio::test]
async fn what_was_answered_is_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.json");
    let world = world(Some(file.clone())).await;
    let contact = r#"[{"name":"Клиент"}]"#;
    assert_eq!(world.ask("POST", "/api/v4/contacts", contact).await.expect("an answer").status, 200);
    let text = std::fs::read(&file).expect("the file");
    let kept: Fakes = serde_json::from_slice(&text).expect("the systems");
    assert_eq!(kept.crm.contacts().len(), 1);
}

#[tokio::test]
async fn the_telephony_asks_at_its_time_and_whoever_does_not_answer_is_not_waited_for() {
    let world = world(None).await;
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let nobody = format!(r#"{{"address":"http://{}/h/token"}}"#, socket.local_addr().expect("an address"));
    let told = world.ask("POST", "/rostelecom/sandbox/address", &nobody).await.expect("an answer");
    assert_eq!(told.status, 200);
    let placed = world.ask("POST", "/rostelecom/sandbox/calls", r#"{"talk_s":1}"#).await.expect("an answer");
    assert_eq!(placed.status, 200);
    let is_asked = async {
        while world.sandbox.look(|fakes| fakes.vats.asked().len()).await == 0 {
            world.sandbox.clock.sleep_ms(10).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), is_asked).await.expect("it goes on");
    let page = world.ask("GET", "/rostelecom/", "").await.expect("an answer");
    assert!(String::from_utf8_lossy(&page.body).contains("свои правила"));
    assert_eq!(world.ask("POST", "/rostelecom/users_info", "{}").await.expect("an answer").status, 401);
}
