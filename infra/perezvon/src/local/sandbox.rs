//! The sandbox: a CRM, two PBXs and a messenger that are made up, all on one port, for the demo and for trying out.

mod fakes;
mod posting;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::response::Response as HttpResponse;
use axum::serve::ListenerExt as _;
use futures_util::stream;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use perezvon_platform::Clock;
use perezvon_platform::clock::SystemClock;
use perezvon_sandbox::{Request, Response};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Notify};

use super::data::write_private;
pub use fakes::{Fakes, messenger, telephony};

/// Largest body that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// The outside systems behind a port, and the file that they are kept in.
pub struct Sandbox {
    fakes: Mutex<Fakes>,
    /// `None`: gone with the process.
    file: Option<PathBuf>,
    clock: SystemClock,
    /// Something is to be posted at another time than was known.
    changed: Notify,
}

impl Sandbox {
    /// These systems; with a file they are written to it after each change.
    pub fn new(fakes: Fakes, file: Option<PathBuf>) -> Self {
        Self { fakes: Mutex::new(fakes), file, clock: SystemClock::new(), changed: Notify::new() }
    }

    /// Changes the systems by hand, and keeps the change.
    pub async fn change<T>(&self, change: impl FnOnce(&mut Fakes) -> T) -> T {
        let mut fakes = self.fakes.lock().await;
        let result = change(&mut fakes);
        self.keep(&fakes).await;
        self.changed.notify_one();
        result
    }

    /// Looks at the systems.
    pub async fn look<T>(&self, look: impl FnOnce(&Fakes) -> T) -> T {
        look(&*self.fakes.lock().await)
    }

    async fn answer(self: &Arc<Self>, request: &Request) -> Response {
        let mut fakes = self.fakes.lock().await;
        let now_ms = self.clock.now_ms();
        let response = fakes.handle(request, now_ms);
        let pushes = fakes.messenger.take_pushes();
        // Before the answer leaves: whoever got it must find the same after a crash.
        if request.method != "GET" {
            self.keep(&fakes).await;
        }
        // Whoever is told may ask back.
        drop(fakes);
        self.changed.notify_one();
        self.tell(pushes).await;
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
    let router = Router::new().fallback(answer).with_state(Arc::clone(&sandbox));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service).with_graceful_shutdown(stop) => served,
        never = sandbox.post_on_time() => match never {},
    }
}

async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> HttpResponse {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(parts.method.as_str(), target, body.to_bytes().to_vec());
    request = request.from_peer(&from.ip().to_string());
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
