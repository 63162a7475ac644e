//! A PBX asks and waits: questions through the function `answer`, beside whatever else goes on.

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use perezvon_answer::Answer;
use perezvon_engine::answer::Answerer;
use perezvon_platform::Clock;
use perezvon_platform::hook::{self, CheckedTokens, Ring};

use super::World;
use crate::events::gateway_request;

/// Asks in a process of its own, while the world goes on.
#[derive(Clone)]
pub struct Asking {
    answer: Arc<Answer>,
    clock: Arc<dyn Clock>,
}

impl Asking {
    /// What comes back, and how long after the gateway's receipt, in milliseconds.
    pub async fn ask(&self, request: ApiGatewayV2httpRequest) -> (ApiGatewayV2httpResponse, i64) {
        let came = request.request_context.time_epoch;
        let response = self.answer.handle(request).await;
        (response, self.clock.now_ms() - came)
    }
}

impl World {
    /// The function `answer`, in a new process.
    pub fn asking(&self) -> Asking {
        let key = hook::parse_private(&self.hook_key).expect("the world's hook key");
        self.asking_by(Ring::parse(&hook::public_text(&key.verifying_key())).expect("its public half"))
    }

    /// The same, for addresses that other keys sign.
    pub fn asking_by(&self, ring: Ring) -> Asking {
        let answerer = Answerer::new(
            self.table.clone(),
            self.secrets.clone(),
            self.http.clone(),
            self.clock.clone(),
            crate::chat::codec,
            &self.plan.times,
        );
        Asking { answer: Arc::new(Answer { tokens: CheckedTokens::new(ring), answerer }), clock: self.clock.clone() }
    }

    /// Posts a webhook as it stands; the status of the answer.
    pub async fn post_request(&mut self, request: ApiGatewayV2httpRequest) -> i64 {
        self.functions().ingest.handle(request).await.status_code
    }

    /// A question as the gateway hands it over this moment.
    pub fn question(&mut self, path: &str, headers: &[(&'static str, String)], body: &[u8]) -> ApiGatewayV2httpRequest {
        self.requests += 1;
        let mut request = gateway_request(path, "application/json", body, self.requests, self.clock.now_ms());
        for (name, value) in headers {
            request.headers.insert(*name, value.parse().expect("a header"));
        }
        request
    }
}
