//! The sandbox: a CRM and a PBX that are made up, both on one port, for the demo and for trying out.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::Response as HttpResponse;
use axum::serve::ListenerExt as _;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use perezvon_platform::Clock;
use perezvon_platform::clock::SystemClock;
use perezvon_sandbox::amocrm::{self, AmoCrm};
use perezvon_sandbox::mango::{self, Mango};
use perezvon_sandbox::{Request, Response};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use super::data::write_private;

/// Largest body that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The two outside systems.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fakes {
    pub crm: AmoCrm,
    pub pbx: Mango,
}

/// The outside systems behind a port, and the file that they are kept in.
pub struct Sandbox {
    fakes: Mutex<Fakes>,
    /// `None`: gone with the process.
    file: Option<PathBuf>,
    clock: SystemClock,
}

impl Fakes {
    /// Empty systems with these secrets; `base` is the address they are served on, without a slash.
    pub fn new(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (crm, pbx) = configs(base, token, key, salt);
        Self { crm: AmoCrm::new(crm), pbx: Mango::new(pbx) }
    }

    /// The same, with a recording of every id: for webhooks that were made elsewhere.
    pub fn for_anybody(base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (crm, pbx) = configs(base, token, key, salt);
        let pbx = mango::Config { every_recording: true, ..pbx };
        Self { crm: AmoCrm::new(crm), pbx: Mango::new(pbx) }
    }

    /// The same systems, served somewhere else.
    pub fn moved(mut self, base: &str, token: &str, key: &str, salt: &str) -> Self {
        let (crm, pbx) = configs(base, token, key, salt);
        self.crm.configure(crm);
        self.pbx.configure(pbx);
        self
    }
}

fn configs(base: &str, token: &str, key: &str, salt: &str) -> (amocrm::Config, mango::Config) {
    let crm = amocrm::Config { base: base.to_owned(), tokens: vec![token.to_owned()], ..amocrm::Config::default() };
    let pbx = mango::Config {
        key: key.to_owned(),
        salt: salt.to_owned(),
        public_base: base.to_owned(),
        ..mango::Config::default()
    };
    (crm, pbx)
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

    async fn answer(&self, request: &Request) -> Response {
        let mut fakes = self.fakes.lock().await;
        let now_ms = self.clock.now_ms();
        let response = match for_pbx(request) {
            Some(request) => fakes.pbx.handle(&request, now_ms),
            None => fakes.crm.handle(request, now_ms),
        };
        // Before the answer leaves: whoever got it must find the same after a crash.
        if request.method != "GET" {
            self.keep(&fakes).await;
        }
        response
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
            let request = perezvon_platform::HttpRequest {
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
    async fn both_systems_answer_on_one_port() {
        let world = world(None).await;
        for (path, status) in [("/", 200), ("/sandbox/state", 200), ("/api/v4/account", 200), ("/files/none", 404)] {
            assert_eq!(world.ask("GET", path, "").await.expect("an answer").status, status, "{path}");
        }
        let body = mango::form("key", "salt", r#"{"recording_id":"none","action":"download"}"#);
        let answer = world.ask("POST", "/vpbx/queries/recording/post", &body).await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, &br#"{"result":3320}"#[..]));
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
