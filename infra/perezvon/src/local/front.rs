//! The HTTP front: what a PBX asks goes to `answer`, other `/h/...` to `ingest`, everything else to `api`, as at the
//! gateway. Whoever `api` lets listen to facts does so here, because only one machine can stream.

use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use perezvon_api::EVERY_ACCOUNT;
use perezvon_platform::Clock;
use perezvon_platform::link::{Role, open_person};
use tokio::net::TcpListener;

use super::bus::LocalBus;
use super::data::{Data, random_hex};
use super::download;
use super::gateway::{self, Arrival};
use super::line::{Caller, Lines};
use super::listen;
use super::wiring::{Doors, Ports};
use crate::backup::{self, archive};

/// Largest body that is read at all, in bytes; each function has a limit of its own below it.
const BODY_LIMIT: usize = 1024 * 1024;
/// The same where pictures come in.
const IMAGE_LIMIT: usize = perezvon_api::LARGEST_IMAGE;
/// Time for a whole request, in milliseconds: reading it, working on it.
pub(super) const TIME_LIMIT_MS: i64 = 30_000;

/// Answered here: only one machine has files to back up.
const BACKUP: &str = "/api/v1/backup";
const TOO_MANY: &str = "Закройте лишние вкладки и программы и повторите через минуту.";
const OWNERS_TOKEN: &str = "Он лежит в файле owner.token в папке данных.";

/// Where requests go.
pub(super) struct Front {
    doors: Arc<Doors>,
    clock: Arc<dyn Clock>,
    // For back-ups.
    parts: backup::Parts,
    data: PathBuf,
    person_key: Vec<u8>,
    bus: Arc<LocalBus>,
    /// Whose word about the address of a request counts.
    trusted_proxy: Option<IpAddr>,
}

/// Serves until `stop` is over; then waits for the requests that are being answered.
pub(super) async fn serve(
    listener: TcpListener,
    front: Front,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::new(front));
    let service = router.into_make_service_with_connect_info::<Caller>();
    axum::serve(Lines(listener), service).with_graceful_shutdown(stop).await
}

async fn answer(
    State(front): State<Arc<Front>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
) -> Response {
    if request.uri().path() == BACKUP {
        return front.backup(request.method().clone(), request.headers().clone()).await;
    }
    let work = front.answer(caller, request);
    let limit = Duration::from_millis(TIME_LIMIT_MS.unsigned_abs());
    let answered = tokio::time::timeout(limit, work).await;
    answered.unwrap_or_else(|_| gateway::plain(StatusCode::SERVICE_UNAVAILABLE))
}

impl Front {
    pub(super) fn new(doors: Arc<Doors>, ports: &Ports, data: &Data, trusted_proxy: Option<IpAddr>) -> Self {
        Self {
            doors,
            clock: ports.clock.clone(),
            parts: backup::Parts { queues: ports.queues.clone(), table: ports.embedded.clone() },
            data: data.path.clone(),
            person_key: data.keys.person.clone(),
            bus: ports.bus.clone(),
            trusted_proxy,
        }
    }

    async fn answer(&self, caller: Caller, request: Request) -> Response {
        let (at_ms, ends_ms) = (self.clock.now_ms(), self.clock.monotonic_ms() + TIME_LIMIT_MS);
        let (parts, body) = request.into_parts();
        let limit = if parts.uri.path().ends_with("/image") { IMAGE_LIMIT } else { BODY_LIMIT };
        if declared_length(&parts.headers).is_some_and(|length| length > limit as u64) {
            return gateway::plain(StatusCode::PAYLOAD_TOO_LARGE);
        }
        let body = match Limited::new(body, limit).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return gateway::plain(StatusCode::PAYLOAD_TOO_LARGE);
            }
            Err(_) => return gateway::plain(StatusCode::BAD_REQUEST),
        };
        let Ok(id) = random_hex::<16>() else {
            return gateway::plain(StatusCode::SERVICE_UNAVAILABLE);
        };
        let path = parts.uri.path();
        let (asked, hook) = (perezvon_adapters::is_asked(path), path.starts_with("/h/"));
        let source_ip = gateway::source(&parts.headers, caller.from.ip(), self.trusted_proxy).to_string();
        let event = gateway::event(&parts, &body, Arrival { id, at_ms, source_ip });
        if listens(&parts) {
            return self.listen(event, &parts.headers, caller).await;
        }
        gateway::response(match (asked, hook) {
            (true, _) => self.doors.answer.handle(event).await,
            (false, true) => self.doors.ingest.handle(event).await,
            (false, false) => self.doors.api.handle(event, ends_ms).await,
        })
    }

    /// Facts as they come, for whom `api` lets in.
    async fn listen(&self, event: ApiGatewayV2httpRequest, headers: &HeaderMap, caller: Caller) -> Response {
        let account = match self.doors.api.listener(event).await {
            Ok(account) => account,
            Err(refusal) => return gateway::response(refusal),
        };
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
        match self.bus.listen(account.as_str(), last, caller.line) {
            Some(listening) => listen::response(listening),
            None => refusal(StatusCode::SERVICE_UNAVAILABLE, "Слишком много читателей событий", TOO_MANY),
        }
    }

    /// One archive of everything, for whoever owns the installation. It takes as long as it takes.
    async fn backup(&self, method: Method, headers: HeaderMap) -> Response {
        if method != Method::POST {
            return refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                "Этот адрес принимает только POST",
                "Вызовите «perezvon backup ФАЙЛ».",
            );
        }
        let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let person = token.and_then(|token| open_person(token.trim(), &self.person_key, self.clock.now_ms()));
        match person {
            Some(person) if person.account == EVERY_ACCOUNT && person.role == Role::Owner => {}
            Some(_) => {
                return refusal(StatusCode::FORBIDDEN, "Копию делает только владелец установки", OWNERS_TOKEN);
            }
            None => {
                return refusal(StatusCode::UNAUTHORIZED, "Нужен токен владельца", OWNERS_TOKEN);
            }
        }
        let sent = match archive(&self.data, &self.parts).await {
            Ok(path) => download::response(path).await.map_err(|error| error.to_string()),
            Err(why) => Err(why),
        };
        sent.unwrap_or_else(|why| {
            tracing::error!(why, "no back-up was made");
            let what_to_do = "Проверьте место на диске и журнал программы.";
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "Копия не сделана", what_to_do)
        })
    }
}

/// Whether somebody wants to hear facts as they come.
fn listens(parts: &Parts) -> bool {
    let path = parts.uri.path().trim_end_matches('/').strip_prefix("/api/v1/accounts/");
    parts.method == Method::GET && path.and_then(|path| path.split_once('/')).is_some_and(|(_, rest)| rest == "events")
}

/// In the API's words: what is wrong and what to do.
fn refusal(status: StatusCode, error: &str, what_to_do: &str) -> Response {
    let body = serde_json::json!({ "error": error, "what_to_do": what_to_do }).to_string();
    let mut response = Response::new(axum::body::Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
