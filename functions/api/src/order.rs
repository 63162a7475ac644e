//! `POST calls`: click to call. An employee orders a call: the own telephone rings first, then the client's.

use perezvon_adapters::provider;
use perezvon_domain::call::Call;
use perezvon_domain::call::order::{self, Ordered, PATIENCE};
use perezvon_domain::policy::Employee;
use perezvon_domain::{AccountId, CallEventKind, ChannelId, Number, Timestamp};
use perezvon_engine::commit::{Commanded, ItemId};
use perezvon_engine::settings::Channel;
use perezvon_store::items::call::CallItem;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::access::Visitor;
use crate::acts::employee;
use crate::jobs::JobView;
use crate::once::once_or_now;
use crate::settings::Settings;
use crate::web::{Problem, Reply, Request};
use crate::{Api, opaque, texts};

/// Bytes of a digest that are kept: a provider takes our id back, and 128 bytes of it.
const KEPT: usize = 16;

/// Whom to call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CallOrder"))]
pub struct Asked {
    /// May be left out where one channel alone can call.
    channel: Option<ChannelId>,
    number: String,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderView {
    /// `asked`, `accepted`, `started`, `failed`, `not_sent` or `unknown`.
    pub state: &'static str,
    pub words: String,
    /// The call that it became: its id.
    pub call: Option<String>,
    pub by: String,
    pub extension: String,
    pub number: String,
    pub at: Timestamp,
}

impl OrderView {
    /// An order, and its job as it stands now.
    pub fn of(order: &Ordered, channel: &ChannelId, job: Option<&JobView>, now: Timestamp) -> Self {
        let (state, words) = stands(order, job, now);
        Self {
            state,
            words,
            call: order.entry.as_ref().map(|entry| format!("{channel}:{entry}")),
            by: order.by.0.clone(),
            extension: order.extension.0.clone(),
            number: order.client.plus(),
            at: order.at,
        }
    }
}

/// The strongest of what is known: a call that is there outweighs every refusal.
fn stands(order: &Ordered, job: Option<&JobView>, now: Timestamp) -> (&'static str, String) {
    let late = now.since(order.at) > PATIENCE;
    let doubtful = job.is_none_or(|job| job.state == "parked" || (job.in_doubt && (late || job.state == "waiting")));
    if order.entry.is_some() {
        return ("started", texts::ORDER_STARTED.to_owned());
    }
    if let Some(why) = &order.failed {
        return ("failed", why.clone());
    }
    if let Some(why) = &order.dropped {
        return ("not_sent", texts::order_not_sent(&why.words()));
    }
    if order.accepted {
        return ("accepted", texts::order_accepted(order.extension.as_str()));
    }
    match (doubtful, late) {
        (true, _) => ("unknown", texts::ORDER_UNKNOWN.to_owned()),
        // It will be dropped as soon as its connection is looked at again.
        (false, true) => {
            let why = job.and_then(|job| job.why.as_deref()).unwrap_or(texts::NO_ANSWER);
            ("not_sent", texts::order_not_sent(why))
        }
        (false, false) => ("asked", texts::ORDER_ASKED.to_owned()),
    }
}

impl Api {
    /// Orders a call. It waits for nothing: what comes of the order is shown at its own address.
    /// `ends_ms`: when this invocation must be over, by the monotonic clock.
    pub(crate) async fn order(
        &self,
        account: &AccountId,
        visitor: &Visitor,
        request: &Request,
        ends_ms: i64,
    ) -> Result<Reply, Problem> {
        let settings = self.needed_settings(account).await?;
        let policy = &settings.policy;
        let who = employee(policy, visitor)?;
        let Asked { channel, number } = request.json()?;
        let client = Number::parse(&number).ok_or(Problem::new(422, texts::NOT_A_TELEPHONE))?;
        let extension = who.extension.clone().ok_or(Problem::new(409, texts::NO_EXTENSION))?;
        let channel = channel_of(&settings, channel.as_ref())?;
        let key = once_or_now(request, &who.id, self.now())?.key;
        let entry = order::entry(&opaque::encode(&Sha256::digest(key)[..KEPT]));
        let id = ItemId { account: account.clone(), channel: channel.id.clone(), entry };
        let event = |call: &Call| match &call.ordered {
            Some(order) if order.client != client => Err(()),
            _ => Ok(CallEventKind::CallOrdered {
                by: who.id.clone(),
                extension: extension.clone(),
                client: client.clone(),
            }),
        };
        match self.committer().command::<CallItem, _>(policy, &id, None, event, ends_ms).await? {
            Commanded::Done(call) => Ok(Reply::json(202, &json!({ "id": format!("{}:{}", call.channel, call.entry) }))),
            Commanded::Unknown => Err(Problem::not_found()),
            Commanded::Refused(()) | Commanded::Reused => Err(Problem::new(422, texts::KEY_REUSED)),
        }
    }
}

/// The channel that calls.
fn channel_of<'a>(settings: &'a Settings, asked: Option<&ChannelId>) -> Result<&'a Channel, Problem> {
    let Some(id) = asked else {
        let mut able = able(settings);
        return match (able.next(), able.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Problem::new(409, texts::NO_TELEPHONY)),
            (Some(_), Some(_)) => Err(Problem::new(422, texts::WHICH_CHANNEL)),
        };
    };
    let channel = settings.document.channels.iter().find(|channel| channel.id == *id);
    let channel = channel.ok_or(Problem::new(404, texts::NO_SUCH_CHANNEL))?;
    match (calls_back(channel), settings.lives(channel)) {
        (true, true) => Ok(channel),
        (false, _) => Err(Problem::new(409, texts::CHANNEL_CALLS_NOBODY)),
        (true, false) => Err(Problem::new(409, texts::TELEPHONY_OFF)),
    }
}

fn calls_back(channel: &Channel) -> bool {
    provider(&channel.provider).is_some_and(|provider| provider.capabilities.calls_back)
}

fn able(settings: &Settings) -> impl Iterator<Item = &Channel> {
    settings.document.channels.iter().filter(|channel| calls_back(channel) && settings.lives(channel))
}

/// The channels by which this person can order calls: none without an internal number.
pub fn ways<'a>(settings: &'a Settings, visitor: &Visitor) -> Vec<&'a ChannelId> {
    let numbered = |employee: &Employee| employee.extension.is_some();
    match employee(&settings.policy, visitor).is_ok_and(numbered) {
        true => able(settings).map(|channel| &channel.id).collect(),
        false => Vec::new(),
    }
}
