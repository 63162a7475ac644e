//! The sandbox: a CRM, a PBX and a messenger that are made up, all on one port, for the demo and for trying out.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response as HttpResponse;
use axum::serve::ListenerExt as _;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use perezvon_platform::clock::SystemClock;
use perezvon_platform::{Clock, HttpRequest as Outgoing};
use perezvon_sandbox::amocrm::{self, AmoCrm};
use perezvon_sandbox::avito::{self, Avito, Push};
use perezvon_sandbox::mango::{self, Mango};
use perezvon_sandbox::{Request, Response};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::data::write_private;
use super::wiring::client;

/// Largest body that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// What a push may take, in milliseconds: the messenger waits no longer for its answer.
const PUSH_MS: i64 = 2_000;
/// A push that follows an answer comes this long after it: the answer has arrived by then.
const AFTER_ANSWER: Duration = Duration::from_millis(100);
/// The wait before a push is posted again.
const REPEAT: Duration = Duration::from_secs(1);

/// The outside systems.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fakes {
    pub crm: AmoCrm,
    pub pbx: Mango,
    #[serde(default)]
    pub messenger: Avito,
}

/// The outside systems behind a port, and the file that they are kept in.
pub struct Sandbox {
    fakes: Mutex<Fakes>,
    /// `None`: gone with the process.
    file: Option<PathBuf>,
    clock: SystemClock,
}

impl Fakes {
    /// Empty systems with these secrets; `base` is the address they are served on, without a slash. Key and salt are
    /// also client_id and client_secret of the messenger.
    pub fn new(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (crm, pbx, messenger) = configs(base, token, key, salt);
        Self { crm: AmoCrm::new(crm), pbx: Mango::new(pbx), messenger: Avito::new(messenger) }
    }

    /// The same, with a recording of every id: for webhooks that were made elsewhere.
    pub fn for_anybody(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (_, pbx, _) = configs(base, token, key, salt);
        let pbx = Mango::new(mango::Config { every_recording: true, ..pbx });
        Self { pbx, ..Self::new(base, token, key, salt) }
    }

    /// The same systems, served somewhere else.
    pub fn moved(mut self, base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (crm, pbx, messenger) = configs(base, token, key, salt);
        self.crm.configure(crm);
        self.pbx.configure(pbx);
        self.messenger.configure(messenger);
        self
    }
}

fn configs(base: &str, token: &str, key: &str, salt: &str) -> (amocrm::Config, mango::Config, avito::Config) {
    let crm = amocrm::Config { base: base.to_owned(), tokens: vec![token.to_owned()], ..amocrm::Config::default() };
    let pbx = mango::Config {
        key: key.to_owned(),
        salt: salt.to_owned(),
        public_base: base.to_owned(),
        ..mango::Config::default()
    };
    let (client_id, client_secret) = (key.to_owned(), salt.to_owned());
    (crm, pbx, avito::Config { client_id, client_secret, ..avito::Config::default() })
}

/// How a person reaches the messenger, as a channel of it and as a client who writes.
pub fn messenger(base: &str, key: &str, salt: &str) -> String {
    let user = avito::Config::default().user_id;
    format!(
        "messenger: base {base}/avito, user_id {user}, client_id {key}, client_secret {salt}\n\
         write to it as a client: curl -d '{{\"text\":\"Ещё продаёте?\"}}' {base}/avito/sandbox/messages"
    )
}

impl Sandbox {
    /// These systems; with a file they are written to it after each change.
    pub fn new(fakes: Fakes, file: Option<PathBuf>) -> Self {
        Self { fakes: Mutex::new(fakes), file, clock: SystemClock::new() }
    }

    /// Changes the systems by hand, and keeps the change.
    pub async fn change<T>(&self, change: impl FnOnce(&mut Fakes) -> T) -> T {
        let mut fakes = self.fakes.lock().await;
        let result = change(&mut fakes);
        self.keep(&fakes).await;
        result
    }

    /// Looks at the systems.
    pub async fn look<T>(&self, look: impl FnOnce(&Fakes) -> T) -> T {
        look(&*self.fakes.lock().await)
    }

    async fn answer(self: &Arc<Self>, request: &Request) -> Response {
        let mut fakes = self.fakes.lock().await;
        let now_ms = self.clock.now_ms();
        let response = if let Some(request) = for_messenger(request) {
            fakes.messenger.handle(&request, now_ms)
        } else if let Some(request) = for_pbx(request) {
            fakes.pbx.handle(&request, now_ms)
        } else {
            fakes.crm.handle(request, now_ms)
        };
        let pushes = fakes.messenger.take_pushes();
        // Before the answer leaves: whoever got it must find the same after a crash.
        if request.method != "GET" {
            self.keep(&fakes).await;
        }
        // Whoever is told may ask back.
        drop(fakes);
        self.tell(pushes).await;
        response
    }

    /// Posts what comes before the answer, and sees to the rest.
    async fn tell(self: &Arc<Self>, pushes: Vec<Push>) {
        for push in pushes {
            let tried = push.before_answer;
            if tried && self.post(&push).await {
                continue;
            }
            let sandbox = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(if tried { REPEAT } else { AFTER_ANSWER }).await;
                sandbox.post_on(&push, push.repeats + u32::from(!tried)).await;
            });
        }
    }

    async fn post_on(&self, push: &Push, times: u32) {
        for _ in 0..times {
            if self.post(push).await {
                return;
            }
            tokio::time::sleep(REPEAT).await;
        }
    }

    /// Whether the push was answered with 200.
    async fn post(&self, push: &Push) -> bool {
        // The person at the keyboard named this address, wherever it is.
        let host = push.url.split('/').nth(2).unwrap_or_default().to_owned();
        let headers = [("content-type", "application/json"), ("connection", "close")];
        let request = Outgoing {
            method: "POST",
            url: push.url.clone(),
            headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
            body: push.body.clone().into_bytes(),
            timeout_ms: PUSH_MS,
        };
        let answer = match client(&[host]).or_else(|_| client(&[])) {
            Ok(client) => client.send(request).await.map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        if let Err(why) = &answer {
            tracing::warn!(why, "a push of the sandbox's messenger was not posted");
        }
        let status = answer.map_or(0, |answer| answer.status);
        self.change(|fakes| fakes.messenger.note_pushed(push, status, self.clock.now_ms())).await;
        status == 200
    }

    async fn keep(&self, fakes: &Fakes) {
        let Some(file) = self.file.clone() else {
            return;
        };
        let text = serde_json::to_vec(fakes).unwrap_or_default();
        let written = tokio::task::spawn_blocking(move || write_private(&file, &text)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!("the sandbox could not be kept on disk; is it full?");
        }
    }
}

/// What is below `/avito/` belongs to the messenger.
fn for_messenger(request: &Request) -> Option<Request> {
    let path = request.path.strip_prefix("/avito").filter(|path| path.starts_with('/'))?;
    Some(Request { path: path.to_owned(), ..request.clone() })
}

/// `/vpbx/` and `/files/` belong to the PBX; its faults are injected at `/vpbx/sandbox/faults`.
fn for_pbx(request: &Request) -> Option<Request> {
    let (mut request, path) = (request.clone(), request.path.as_str());
    if path == "/vpbx/sandbox/faults" {
        request.path = "/sandbox/faults".to_owned();
    } else if !path.starts_with("/vpbx/") && !path.starts_with("/files/") {
        return None;
    }
    Some(request)
}

/// Serves the sandbox until `stop` is over.
///
/// # Errors
/// None that are expected.
pub async fn serve(
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
    let router = Router::new().fallback(answer).with_state(sandbox);
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}

async fn answer(State(sandbox): State<Arc<Sandbox>>, request: HttpRequest) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(parts.method.as_str(), target, body.to_bytes().to_vec());
    for (name, value) in &parts.headers {
        request = request.with_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    response(sandbox.answer(&request).await)
}

fn response(answer: Response) -> HttpResponse {
    if answer.status == 0 {
        // A body that breaks before its first byte: the connection closes, and nothing was answered.
        let lost = std::io::Error::other("the answer is lost on purpose");
        return HttpResponse::new(Body::from_stream(stream::once(async { Err::<Vec<u8>, _>(lost) })));
    }
    let Ok(status) = StatusCode::from_u16(answer.status) else {
        return refusal(StatusCode::BAD_GATEWAY);
    };
    let mut response = HttpResponse::new(Body::from(answer.body));
    *response.status_mut() = status;
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn refusal(status: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use perezvon_platform::{Http, HttpError, HttpResponse as Answer};
    use perezvon_sandbox::{Fault, FaultKind};

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
}
