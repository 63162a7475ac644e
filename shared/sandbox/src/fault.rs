//! What can go wrong on purpose: single requests by predicate, and whole outages by time.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::http::{Request, Response};

/// Something that happens to requests that match.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `None`: any method.
    #[serde(default)]
    pub method: Option<String>,
    /// Part of the path with its query as sent; empty matches every request.
    #[serde(default)]
    pub path_contains: String,
    /// So many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// So many matching requests are hit.
    #[serde(default = "once")]
    pub times: u32,
    pub kind: FaultKind,
}

/// What happens to a request that is hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Not carried out; this answer, with `Retry-After` in seconds if given.
    Status {
        status: u16,
        #[serde(default)]
        body: String,
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Carried out; the answer is lost (status 0).
    CarriedOutThenLost,
    /// Not carried out; 200 with an HTML page, as a proxy in between would answer.
    Html200,
    /// Not carried out and not answered (status 0).
    LostBeforeArrival,
    /// Carried out; this status without a body instead of the answer.
    CarriedOutThenStatus { status: u16 },
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next matching request, once.
    pub fn once(method: &str, path_contains: &str, kind: FaultKind) -> Self {
        Self { method: Some(method.to_owned()), path_contains: path_contains.to_owned(), skip: 0, times: 1, kind }
    }

    fn matches(&self, request: &Request) -> bool {
        let method = self.method.as_ref();
        method.is_none_or(|method| method.eq_ignore_ascii_case(&request.method))
            && request.target().contains(&self.path_contains)
    }

    /// Whether a server could send what this fault answers.
    fn can_be_sent(&self) -> bool {
        match self.kind {
            FaultKind::Status { status, .. } | FaultKind::CarriedOutThenStatus { status } => {
                (200..=599).contains(&status)
            }
            _ => true,
        }
    }
}

/// What becomes of a request.
pub(crate) enum Fate {
    /// Answered without being carried out.
    Answered(Response),
    /// Carried out; with a status here, that is all that the caller learns.
    CarriedOut { answer: Option<u16> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outage {
    from_ms: i64,
    until_ms: i64,
    status: u16,
}

/// The faults that are still to come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Faults {
    queue: Vec<Fault>,
    outage: Option<Outage>,
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.queue.push(fault);
    }

    pub(crate) fn set_outage(&mut self, from_ms: i64, until_ms: i64, status: u16) {
        self.outage = Some(Outage { from_ms, until_ms, status });
    }

    /// Takes a fault as JSON, so that a person can try one with curl.
    pub(crate) fn inject_json(&mut self, body: &[u8]) -> Response {
        let refused = |why: String| Response::of_json(400, &json!({ "error": why }));
        match serde_json::from_slice::<Fault>(body) {
            Ok(fault) if fault.can_be_sent() => {
                self.inject(fault);
                Response::empty(204)
            }
            Ok(_) => refused("status must be between 200 and 599".to_owned()),
            Err(error) => refused(format!("not a fault: {error}")),
        }
    }

    pub(crate) fn fate(&mut self, request: &Request, now_ms: i64) -> Fate {
        if let Some(outage) = &self.outage
            && (outage.from_ms..outage.until_ms).contains(&now_ms)
        {
            return Fate::Answered(Response::empty(outage.status));
        }
        let Some(kind) = self.take(request) else {
            return Fate::CarriedOut { answer: None };
        };
        match kind {
            FaultKind::Status { status, body, retry_after } => {
                let answer = Response::new(status, "text/plain; charset=utf-8", body);
                Fate::Answered(match retry_after {
                    Some(seconds) => answer.with_header("retry-after", &seconds.to_string()),
                    None => answer,
                })
            }
            FaultKind::Html200 => Fate::Answered(Response::of_html(
                200,
                "<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>",
            )),
            FaultKind::LostBeforeArrival => Fate::Answered(Response::empty(0)),
            FaultKind::CarriedOutThenLost => Fate::CarriedOut { answer: Some(0) },
            FaultKind::CarriedOutThenStatus { status } => Fate::CarriedOut { answer: Some(status) },
        }
    }

    /// The first fault that hits this request; those that let it pass count it.
    fn take(&mut self, request: &Request) -> Option<FaultKind> {
        self.queue.retain(|fault| fault.times > 0);
        for fault in self.queue.iter_mut().filter(|fault| fault.matches(request)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else {
                fault.times -= 1;
                return Some(fault.kind.clone());
            }
        }
        None
    }
}
