//! `api`: what people do and see. One handler for the gateway's HTTP events, the same in the cloud
//! and on one machine: the feed, explanations, settings, quarantine, connections, recordings, the page.
//!
//! It may write the secrets of providers and never reads one, and it has no outgoing client. What a person
//! does with a call it commits as `route` does.

mod access;
mod acts;
mod asked;
mod authorise;
mod calls;
mod channels;
mod connections;
mod conversations;
mod disable;
mod explain;
mod history;
mod jobs;
mod keys;
mod list;
mod login;
mod media;
mod once;
mod opaque;
#[cfg(feature = "schema")]
pub mod openapi;
mod order;
mod page;
mod quarantine;
mod range;
mod recording;
mod revoke;
mod route;
mod settings;
mod status;
mod story;
mod subscribe;
mod table;
mod talk;
mod texts;
mod tokens;
mod users;
mod web;
mod words;

use std::sync::Arc;

use aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use perezvon_domain::{AccountId, ChannelId, ConnectionId, EmployeeId, Lane, Policy, Timestamp};
use perezvon_engine::Times;
use perezvon_engine::commit::Committer;
use perezvon_engine::policies::Policies;
use perezvon_engine::wakeup::WakeUp;
use perezvon_platform::{Blobs, Bus, Clock, PortError, Queue, Secrets};
use perezvon_store::Table;

use crate::access::Visitor;
use crate::route::{NoRoute, Resource, Route};
use crate::web::{Problem, Reply, Request};

pub use crate::access::EVERY_ACCOUNT;
pub use crate::web::LARGEST_IMAGE;

/// AWS actions this function uses. Of secrets it reads our own keys alone, and writes the others.
pub const ACTIONS: &[&str] = &[
    "sqs:SendMessage",
    "events:PutEvents",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:CreateSecret",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "dynamodb:GetItem",
    "dynamodb:UpdateItem",
    "dynamodb:Query",
];

/// The function, with its ports.
pub struct Api {
    /// Calls, jobs, settings.
    pub table: Arc<dyn Table>,
    /// Refused requests.
    pub quarantine: Arc<dyn Table>,
    /// Recordings.
    pub blobs: Arc<dyn Blobs>,
    /// The secrets of channels and connections are only written.
    pub secrets: Arc<dyn Secrets>,
    /// Where released requests go.
    pub raw: Arc<dyn Queue>,
    /// Where a call is asked to be looked at again.
    pub events: Arc<dyn Queue>,
    /// Wake-ups for CRM connections.
    pub crm: Arc<dyn Queue>,
    /// Wake-ups for provider connections.
    pub outbound: Arc<dyn Queue>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub policies: Policies,
    pub times: Times,
    pub config: Config,
}

/// What the function is told when it starts.
pub struct Config {
    /// Address under which people and providers reach us: `https://calls.example.com`.
    pub public_url: String,
    /// Seals tokens of people; at least 16 bytes.
    pub person_key: Vec<u8>,
    /// Seals links to recordings; at least 16 bytes.
    pub link_key: Vec<u8>,
    /// The private half of the hook key as `hook::private_text` writes it; `None`: it lies in the secret store.
    pub hook_key: Option<String>,
    /// `host:port` that settings may name although they are not public https; for one machine.
    pub allow_hosts: Vec<String>,
}

impl Api {
    /// Answers one request. Nothing leaves but an answer: every error has a status and says what to do.
    /// `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub async fn handle(&self, event: ApiGatewayV2httpRequest, ends_ms: i64) -> ApiGatewayV2httpResponse {
        self.answer(event, ends_ms).await.unwrap_or_else(|problem| problem.reply()).finish()
    }

    async fn answer(&self, event: ApiGatewayV2httpRequest, ends_ms: i64) -> Result<Reply, Problem> {
        let request = Request::read(event)?;
        let route = match route::find(&request.method, &request.path) {
            Ok(route) => route,
            Err(NoRoute::UnknownPath) => return Err(Problem::not_found()),
            Err(NoRoute::OtherMethods(methods)) => {
                let reply = Problem::new(405, texts::WRONG_METHOD).reply();
                return Ok(reply.header("allow", methods.join(", ")));
            }
        };
        match route {
            Route::Page(asset) => Ok(page::reply(asset)),
            Route::OpenApi => Ok(page::openapi()),
            Route::Play(token) => self.play(&token, &request).await,
            Route::Authorised => Ok(self.authorised(&request).await),
            Route::OneTimeLogin => self.one_time_login(&request).await,
            Route::Login => self.login(&request),
            Route::Logout => Ok(self.logout()),
            Route::Me => Ok(login::me(&self.visitor(&request)?)),
            Route::Accounts => self.accounts(&self.visitor(&request)?).await,
            Route::PutHookKey => self.put_hook_key(&self.visitor(&request)?, &request).await,
            Route::Of(account, resource) => {
                let visitor = self.let_in(&account, &resource, &request).await?;
                self.of_account(&account, resource, &visitor, &request, ends_ms).await
            }
        }
    }

    /// The account whose facts this request may hear, for a host that can stream them; else what to answer.
    pub async fn listener(&self, event: ApiGatewayV2httpRequest) -> Result<AccountId, ApiGatewayV2httpResponse> {
        self.may_listen(event).await.map_err(|problem| problem.reply().finish())
    }

    async fn may_listen(&self, event: ApiGatewayV2httpRequest) -> Result<AccountId, Problem> {
        let request = Request::read(event)?;
        let Ok(Route::Of(account, resource @ Resource::Events)) = route::find(&request.method, &request.path) else {
            return Err(Problem::not_found());
        };
        self.let_in(&account, &resource, &request).await?;
        Ok(account)
    }

    async fn let_in(&self, account: &AccountId, resource: &Resource, request: &Request) -> Result<Visitor, Problem> {
        let visitor = self.visitor(request)?;
        visitor.check(account, resource.right())?;
        self.check_employed(account, &visitor).await?;
        Ok(visitor)
    }

    /// Who asks; a write by cookie must come from our own page.
    fn visitor(&self, request: &Request) -> Result<Visitor, Problem> {
        let visitor = access::visitor(request, &self.config.person_key, self.clock.now_ms());
        let visitor = visitor.ok_or(Problem::new(401, texts::LOG_IN))?;
        visitor.check_origin(request, &self.config.public_url)?;
        Ok(visitor)
    }

    /// The token of an employee who does not work here any more opens nothing.
    async fn check_employed(&self, account: &AccountId, visitor: &Visitor) -> Result<(), Problem> {
        let name = EmployeeId(visitor.person.name.clone());
        if visitor.owns_everything() || name.as_str() == access::OWNER {
            return Ok(());
        }
        let policy = self.policies.read(&*self.table, account).await?;
        let works = |policy: &Policy| policy.employee(&name).is_some_and(|employee| employee.active);
        let gone = policy.is_some_and(|policy| !works(&policy));
        if gone { Err(Problem::new(401, texts::TOKEN_REFUSED)) } else { Ok(()) }
    }

    async fn of_account(
        &self,
        account: &AccountId,
        resource: Resource,
        visitor: &Visitor,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        match resource {
            Resource::Calls => self.calls(account, request).await,
            Resource::Call(id) => self.call(account, &id).await,
            Resource::Order => self.order(account, visitor, request, ends_ms).await,
            Resource::Revoke { call, recording } => {
                self.revoke(account, (&call, &recording), visitor, request, ends_ms).await
            }
            Resource::Quarantine => self.quarantined(account, request).await,
            Resource::Release(id) => self.release(account, &id).await,
            Resource::ReleaseChannel => self.release_channel(account, request).await,
            Resource::Channels => self.channels(account, visitor).await,
            Resource::Users(id) => self.users(account, &ChannelId(id)).await,
            Resource::Disable(id) => self.disable(account, &ChannelId(id), visitor, request, ends_ms).await,
            Resource::Authorise(id) => self.authorise(account, &ChannelId(id), request).await,
            Resource::Urls => self.urls(account).await,
            Resource::Subscribe => self.subscribe_channels(account).await,
            Resource::Connections => self.connections(account).await,
            Resource::RetryConnection(id) => self.retry_connection(account, &ConnectionId(id)).await,
            Resource::RetryJob { connection, job } => self.retry_job(account, &ConnectionId(connection), &job).await,
            Resource::Jobs => self.jobs(account, request).await,
            Resource::Settings => self.show_settings(account).await,
            Resource::PutSettings => self.put_settings(account, visitor, request).await,
            Resource::MakeToken => self.make_token(account, visitor, request).await,
            Resource::Conversations => self.conversations(account, request).await,
            Resource::Conversation(id) => self.conversation(account, &id, request).await,
            Resource::Act { conversation, act } => {
                let acting = self.acting(account, &conversation, visitor).await?;
                self.act(&acting, act, request, ends_ms).await
            }
            Resource::Message { conversation, message } => self.message(account, &conversation, &message).await,
            Resource::DeleteMessage { conversation, message } => {
                let acting = self.acting(account, &conversation, visitor).await?;
                self.delete_message(&acting, &message, request, ends_ms).await
            }
            Resource::Employees => self.employees(account).await,
            Resource::Status(id) => self.status(account, &EmployeeId(id)).await,
            Resource::Events => Err(Problem::new(501, texts::NO_STREAM)),
            Resource::PutStatus(id) => self.put_status(account, &EmployeeId(id), visitor, request).await,
        }
    }

    /// How a person's command is committed.
    fn committer(&self) -> Committer {
        Committer {
            table: self.table.clone(),
            events: self.events.clone(),
            crm: self.crm.clone(),
            outbound: self.outbound.clone(),
            bus: self.bus.clone(),
            blobs: self.blobs.clone(),
            clock: self.clock.clone(),
            times: self.times,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock.now_ms())
    }

    /// Our address without a slash at the end.
    fn public_url(&self) -> &str {
        self.config.public_url.trim_end_matches('/')
    }

    /// "Look at this connection", to whoever works on it.
    async fn wake(&self, account: &AccountId, connection: &ConnectionId, lane: Lane) -> Result<(), PortError> {
        let queue = match lane {
            Lane::Crm => &self.crm,
            Lane::Outbound => &self.outbound,
        };
        let wake_up = WakeUp { account: account.clone(), connection: connection.clone() };
        queue.send(vec![wake_up.message(0)]).await
    }
}
